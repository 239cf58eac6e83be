// The verdict must be able to fail: one good set of figures, and each way of spoiling it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { lastLine, reasons, type Figures, type ViewerFigures } from "./compare.ts";
import type { Tallies } from "./logs.ts";
import type { Cdn } from "./settings.ts";

function tallies(completed: number, aborted = 0, thrown_away = 0): Tallies {
  const none = { requests: 0, bytes: 0 };
  return {
    completed: { requests: 9, bytes: completed },
    aborted: { requests: 1, bytes: aborted },
    thrown_away: { requests: 1, bytes: thrown_away },
    refused: none,
    not_ours: none,
  };
}

function good(): Figures {
  const viewer = (name: string, starts_on: Cdn): ViewerFigures => ({
    name,
    starts_on,
    started: true,
    left: true,
    meter: {
      ...(starts_on === "cdn-a" ? { "cdn-a": { bytes: 3_000_000, count: 1, ms: 6_000 } } : {}),
      "cdn-b": { bytes: 3_000_000, count: 0, ms: 0 },
    },
    seen: starts_on === "cdn-a" ? { "cdn-a": { count: 1, ms: 6_000 } } : {},
  });
  return {
    cdns: {
      "cdn-a": { meter_bytes: 9_000_000, log: tallies(9_000_000, 100_000), stalls: { count: 3, ms: 18_000 }, seen: { count: 3, ms: 18_000 } },
      "cdn-b": { meter_bytes: 12_000_000, log: tallies(12_000_000), stalls: { count: 0, ms: 0 }, seen: { count: 0, ms: 0 } },
    },
    viewers: [viewer("viewer-1", "cdn-a"), viewer("viewer-2", "cdn-a"), viewer("viewer-3", "cdn-a"), viewer("viewer-4", "cdn-b")],
  };
}

test("good figures pass, and so do figures within the tolerances", () => {
  assert.deepEqual(reasons(good()), []);
  const figures = good();
  figures.cdns["cdn-a"].meter_bytes = 9_009_000;
  figures.cdns["cdn-a"].stalls.ms = 16_200;
  assert.deepEqual(reasons(figures), []);
});

const spoilt: [string, (f: Figures) => void, RegExp][] = [
  ["bytes 0.2 % too many", (f) => (f.cdns["cdn-a"].meter_bytes *= 1.002), /cdn-a: the meter has 9018000 bytes, the log 9000000: 0\.200 % apart/],
  ["bytes 0.2 % too few", (f) => (f.cdns["cdn-b"].meter_bytes *= 0.998), /cdn-b: the meter has 11976000 bytes/],
  ["no bytes at all", (f) => (f.cdns["cdn-b"] = { ...f.cdns["cdn-b"], meter_bytes: 0, log: tallies(0) }), /cdn-b: its log holds no completed request/],
  ["6 % aborted", (f) => (f.cdns["cdn-a"].log = tallies(9_000_000, 575_000)), /575000 bytes were aborted, 6\.005 % of all/],
  ["6 % thrown away", (f) => (f.cdns["cdn-a"].log = tallies(9_000_000, 0, 575_000)), /575000 bytes were aborted/],
  ["one stall missing", (f) => (f.cdns["cdn-a"].stalls.count = 2), /the meter has 2 stalls, the witnesses saw 3/],
  ["stall time 11 % short", (f) => (f.cdns["cdn-a"].stalls.ms = 16_020), /the meter has 16020 ms of stall/],
  ["a stall nobody saw", (f) => (f.cdns["cdn-b"].stalls = { count: 1, ms: 600 }), /cdn-b: the meter has 1 stalls, the witnesses saw 0/],
  ["a throttle without effect", (f) => (f.cdns["cdn-a"].seen = { count: 0, ms: 0 }), /the throttle did not bite/],
  ["a meter that is blind to stalls", (f) => (f.cdns["cdn-a"].stalls = { count: 0, ms: 0 }), /cdn-a: the meter has no stall/],
  ["a viewer who never moved", (f) => delete f.viewers[0]!.meter["cdn-b"], /viewer-1: never moved to cdn-b/],
  ["the control on the wrong edge", (f) => (f.viewers[3]!.meter["cdn-a"] = { bytes: 1, count: 0, ms: 0 }), /viewer-4: should have stayed on cdn-b/],
  ["the control stalled, says the meter", (f) => (f.viewers[3]!.meter["cdn-b"]!.count = 1), /viewer-4: stayed on cdn-b, yet the meter has 1/],
  ["the control stalled, says its witness", (f) => (f.viewers[3]!.seen["cdn-b"] = { count: 1, ms: 300 }), /yet its witness saw 1/],
  ["a viewer without a picture", (f) => (f.viewers[2]!.started = false), /viewer-3: never played/],
  ["a page that was cut off", (f) => (f.viewers[2]!.left = false), /viewer-3: its page did not close properly/],
  ["a viewer unknown to the meter", (f) => (f.viewers[1]!.meter = {}), /viewer-2: the meter knows nothing of it on cdn-a/],
];

for (const [name, spoil, expected] of spoilt) {
  test(`${name} fails, by name`, () => {
    const figures = good();
    spoil(figures);
    assert.match(reasons(figures).join("\n"), expected);
  });
}

test("the last line is one JSON object of the promised shape", () => {
  assert.equal(
    lastLine(good(), true),
    '{"lab":"ok","cdn-a":{"meter_bytes":9000000,"log_bytes":9000000,"aborted_bytes":100000},' +
      '"cdn-b":{"meter_bytes":12000000,"log_bytes":12000000,"aborted_bytes":0},' +
      '"stalls":{"cdn-a":{"count":3,"ms":18000},"cdn-b":{"count":0,"ms":0}},' +
      '"stalls_seen":{"cdn-a":{"count":3,"ms":18000},"cdn-b":{"count":0,"ms":0}}}',
  );
  assert.match(lastLine(good(), false), /^\{"lab":"failed"/);
});
