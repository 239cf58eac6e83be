// Lines as nginx writes them, and what each is taken for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { byId, classify, parse, tally, viewerOf } from "./logs.ts";
import type { SeenRequest } from "./page/contract.ts";

const AGENT = "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0 Safari/537.36 viewer-3";

function line(set: Record<string, unknown> = {}): string {
  const usual = {
    msec: 1795415021.299, method: "GET", path: "/loop-0.ts", id: "9f", agent: AGENT, status: 200,
    body: 123516, length: "123516", completion: "OK", seconds: 0.031, connection: 5,
  };
  return JSON.stringify({ ...usual, ...set });
}

function one(set: Record<string, unknown>, outcome?: SeenRequest["outcome"]): string {
  const seen = outcome && { id: "9f", url: "", outcome, status: 200, body_bytes: 0, at_ms: 0 };
  return classify(parse(line(set))[0]!, seen || undefined);
}

test("a whole answer is completed", () => {
  assert.equal(one({}), "completed");
  assert.equal(one({ status: 206 }, "load"), "completed");
  assert.equal(one({ length: "" }), "completed");
});

test("an answer cut short is aborted, by completion, by status or by length", () => {
  assert.equal(one({ completion: "", body: 4096 }), "aborted");
  assert.equal(one({ body: 123515 }), "aborted");
  assert.equal(one({ completion: "" }, "load"), "aborted");
});

test("an answer that the edge finished and the viewer threw away is neither lost nor counted as seen", () => {
  for (const outcome of ["abort", "left", "error", "timeout"] as const) assert.equal(one({}, outcome), "thrown_away");
});

test("errors and strangers are kept apart", () => {
  assert.equal(one({ status: 404, body: 153 }), "refused");
  assert.equal(one({ status: 499, body: 0, completion: "" }), "refused");
  assert.equal(one({ agent: "curl/7.88.1" }), "not_ours");
  assert.equal(one({ method: "OPTIONS" }), "not_ours");
});

test("sums are per class, and nothing is in none", () => {
  const text = [line({ id: "a" }), line({ id: "b", body: 100, completion: "" }), line({ id: "c", body: 7, length: "7" })].join("\n") + "\n";
  const left = { id: "c", url: "", outcome: "left", status: 200, body_bytes: 0, at_ms: 0 } as const;
  const sums = tally(parse(text), byId([left, { ...left, id: null }]));
  assert.deepEqual(sums.completed, { requests: 1, bytes: 123516 });
  assert.deepEqual(sums.aborted, { requests: 1, bytes: 100 });
  assert.deepEqual(sums.thrown_away, { requests: 1, bytes: 7 });
});

test("the viewer is the last word of the agent", () => {
  assert.equal(viewerOf(parse(line())[0]!), "viewer-3");
  assert.equal(viewerOf(parse(line({ agent: "viewer-3 curl" }))[0]!), null);
});

test("a line that cannot be read is an error with its number", () => {
  assert.throws(() => parse(`${line()}\n{"msec":`), /line 2: not JSON/);
  assert.throws(() => parse(line({ body: "-" })), /line 1: body is "-"/);
});
