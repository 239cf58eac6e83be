// The planted invoices: right but for what was planted.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesByDay, invoice } from "./bill.ts";

const line = (msec: number, body: number): string =>
  JSON.stringify({ msec, method: "GET", path: "/a", id: "1", agent: "", status: 200, body, length: "", completion: "OK", seconds: 1 });

test("bytes are summed by UTC day", () => {
  const midnight = Date.UTC(2026, 9, 2) / 1000;
  assert.deepEqual(bytesByDay([line(midnight - 1, 5), line(midnight, 7), line(midnight + 1, 1)].join("\n")), [
    { day: "2026-10-01", bytes: 5n },
    { day: "2026-10-02", bytes: 8n },
  ]);
});

test("one invoice is in the wrong unit, the other bills its last day twice", () => {
  const days = [{ day: "2026-10-01", bytes: 1_000_000n }, { day: "2026-10-02", bytes: 2_000_000n }];
  assert.deepEqual(invoice("cdn-b", days).split("\n").slice(1, -1), [
    "2026-10-01,Traffic,0.001000000000,GB,1000.00",
    "2026-10-02,Traffic,0.002000000000,GB,2000.00",
    "2026-10-02,Traffic,0.002000000000,GB,2000.00",
  ]);
  assert.equal(invoice("cdn-a", days).split("\n")[1], "2026-10-01,Traffic,0.001073741824,GB,1073.74");
});
