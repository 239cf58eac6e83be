// The judge against playheads drawn by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "./judge.ts";
import type { Sample } from "./page/contract.ts";

const STEP_MS = 50;

/** A film of a playhead: each scene lasts `ms`, with the playhead running at `rate`, and what else is set. */
function film(...scenes: (Partial<Sample> & { ms: number; rate: number; jump_s?: number })[]): Sample[] {
  const samples: Sample[] = [];
  let media_s = 0;
  let at_ms = 1_000_000;
  for (const { ms, rate, jump_s, ...set } of scenes) {
    media_s = set.media_s ?? media_s + (jump_s ?? 0);
    for (let t = 0; t < ms; t += STEP_MS) {
      at_ms += STEP_MS;
      media_s += (rate * STEP_MS) / 1000;
      const usual = { paused: false, seeking: false, ended: false, switching: false, cdn: "cdn-a", frames: 0, buffer_s: 0 };
      samples.push({ ...usual, ...set, at_ms, media_s });
    }
  }
  return samples;
}

const stalls = (samples: Sample[]) => judge(samples).stalls.map((s) => [s.cdn, s.stall_ms]);

test("startup is not a stall, and playing through is none", () => {
  const verdict = judge(film({ ms: 3000, rate: 0 }, { ms: 10_000, rate: 1 }));
  assert.deepEqual(verdict.stalls, []);
  assert.equal(verdict.play_ms, 10_000);
  assert.equal(verdict.blind_ms, STEP_MS);
});

test("a page that never starts has neither started nor stalled", () => {
  const verdict = judge(film({ ms: 30_000, rate: 0 }));
  assert.equal(verdict.started, false);
  assert.deepEqual(verdict.stalls, []);
  assert.deepEqual(judge([]).stalls, []);
});

test("a halt while playing is a stall as long as it lasts", () => {
  assert.deepEqual(stalls(film({ ms: 5000, rate: 1 }, { ms: 4000, rate: 0 }, { ms: 5000, rate: 1 })), [["cdn-a", 4000]]);
});

test("a stumble shorter than the rule is none", () => {
  assert.deepEqual(stalls(film({ ms: 5000, rate: 1 }, { ms: 200, rate: 0 }, { ms: 5000, rate: 1 })), []);
});

test("a stall that began on A and ends on B, through an empty source and a seek, is one stall of A", () => {
  const samples = film(
    { ms: 5000, rate: 1 },
    { ms: 5000, rate: 0 },
    { ms: 500, rate: 0, media_s: 0, cdn: "cdn-b", switching: true, paused: true },
    { ms: 300, rate: 0, media_s: 93, cdn: "cdn-b", switching: true, seeking: true },
    { ms: 5000, rate: 1, cdn: "cdn-b" },
  );
  assert.deepEqual(stalls(samples), [["cdn-a", 5850]]); // the sample at which the seek is over proves nothing yet
});

test("a pause and a seek are what somebody wanted", () => {
  const pause = film({ ms: 5000, rate: 1 }, { ms: 4000, rate: 0, paused: true }, { ms: 5000, rate: 1 });
  const seek = film({ ms: 5000, rate: 1 }, { ms: 2000, rate: 0, jump_s: 60, seeking: true }, { ms: 5000, rate: 1 });
  assert.deepEqual(stalls(pause), []);
  assert.deepEqual(stalls(seek), []);
});

test("a player that nudges its playhead while it stalls does not end the stall", () => {
  const samples = film(
    { ms: 5000, rate: 1 },
    { ms: 2000, rate: 0 },
    { ms: 2000, rate: 0, jump_s: 0.1 },
    { ms: 5000, rate: 1 },
  );
  assert.deepEqual(stalls(samples), [["cdn-a", 4000]]);
});

test("two stalls are two, each on its own CDN, and one that is never over is still counted", () => {
  const samples = film(
    { ms: 5000, rate: 1 },
    { ms: 1000, rate: 0 },
    { ms: 5000, rate: 1 },
    { ms: 1000, rate: 1, cdn: "cdn-b" },
    { ms: 3000, rate: 0, cdn: "cdn-b" },
  );
  assert.deepEqual(stalls(samples), [["cdn-a", 1000], ["cdn-b", 3000]]);
  assert.equal(judge(samples).stalls[1]?.open, true);
});

test("a witness that slept says how long", () => {
  const samples = film({ ms: 5000, rate: 1 }, { ms: 5000, rate: 1 });
  samples.splice(50, 40);
  assert.equal(judge(samples).blind_ms, 41 * STEP_MS);
});
