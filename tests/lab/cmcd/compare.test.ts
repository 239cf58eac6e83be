// The verdict on figures made up for it: what agrees is ok, and whatever is apart is named.

import assert from "node:assert/strict";
import test from "node:test";
import { STARTUP_MS_MAX, reasons, type Compared } from "./compare.ts";

const good: Compared = {
  player: "hls.js",
  meter: { play_ms: 20_000, stall_ms: 3_000, stalls: 1, bytes: 900 },
  seen: { play_ms: 20_100, stall_ms: 2_900, stalls: 1 },
  short_stalls: 0,
  startups_ms: [740],
  bytes_told: 900,
  reports: { posted: 40, taken: 40, valid: 40 },
};

test("what agrees is ok", () => {
  assert.deepEqual(reasons(good), []);
  assert.deepEqual(reasons({ ...good, bytes_told: null, meter: { ...good.meter, bytes: 0 } }), []);
});

test("of hls.js alone a start may be missing", () => {
  assert.deepEqual(reasons({ ...good, startups_ms: [] }), []);
  assert.match(reasons({ ...good, player: "shaka", startups_ms: [] }).join("; "), /0 starts/);
});

test("a short standstill may be said or not", () => {
  for (const stalls of [1, 2, 3]) assert.deepEqual(reasons({ ...good, short_stalls: 1, meter: { ...good.meter, stalls } }), []);
  for (const stalls of [0, 4]) assert.match(reasons({ ...good, short_stalls: 1, meter: { ...good.meter, stalls } }).join("; "), /stalls in the ledger/);
});

test("whatever is apart is named", () => {
  const wrong: [Partial<Compared>, RegExp][] = [
    [{ meter: { ...good.meter, play_ms: 19_000 } }, /play_ms is 19000/],
    [{ meter: { ...good.meter, stall_ms: 4_000 } }, /stall_ms is 4000/],
    [{ meter: { ...good.meter, stalls: 3 } }, /3 stalls in the ledger/],
    [{ meter: { ...good.meter, bytes: 899 } }, /899 bytes in the ledger, 900 were told/],
    [{ startups_ms: [STARTUP_MS_MAX] }, /1 starts in the ledger: 8000/],
    [{ startups_ms: [740, 740] }, /2 starts/],
    [{ bytes_told: null }, /of a player that says none/],
    [{ reports: { posted: 40, taken: 39, valid: 40 } }, /39 of 40 posts/],
    [{ seen: { ...good.seen, stalls: 0, stall_ms: 0 } }, /did not bite/],
  ];
  for (const [change, expected] of wrong) assert.match(reasons({ ...good, ...change }).join("; "), expected);
});
