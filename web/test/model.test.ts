// From rows to lines and tables.

import { expect, it } from "vitest";
import type { QualityReport, QualityRow, TrafficReport, TrafficRow } from "../src/api";
import { exactIntegers } from "../src/api";
import { csv } from "../src/csv";
import { bandwidthLines, byBytes, colourIndex, stallRatio, stallRatioLines, topProgrammes, totalBytes } from "../src/model";

const T = Date.parse("2026-05-04T10:00:00Z");
const time = (minute: number) => new Date(T + minute * 60_000).toISOString();

const traffic = (row: Partial<TrafficRow>): TrafficRow => ({ bytes: 0, aborted_bytes: 0, sessions: 1, peak_bandwidth_bps: 0, ...row });
const quality = (row: Partial<QualityRow>): QualityRow => ({
  play_ms: 0, stall_ms: 0, stalls: 0, views: 0, stall_ratio: null, stalls_per_100s: null, stall_ms_per_100s: null,
  stalled_views_ratio: null, startup_p50_ms: null, startup_p95_ms: null, ...row,
});

it("sums over sums, never a mean of ratios", () => {
  expect(stallRatio([quality({ play_ms: 900, stall_ms: 100 }), quality({ play_ms: 9000, stall_ms: 0 })])).toBe(0.01);
  expect(stallRatio([quality({})])).toBeNull();
  expect(totalBytes([traffic({ bytes: 5 }), traffic({ bytes: 7 })])).toBe(12);
});

it("divides a whole window by 300 s and an open one by what it has lasted", () => {
  const rows = [traffic({ cdn: "b", time: time(0), bytes: 300 }), traffic({ cdn: "a", time: time(5), bytes: 120 })];
  const lines = bandwidthLines(rows, T + 7 * 60_000);
  expect(lines).toEqual({ times: [T, T + 300_000], open: true, lines: [{ name: "a", values: [0, 8] }, { name: "b", values: [8, 0] }] });
});

it("draws no zero before the meter began, a true zero between, and leaves out a window just opened", () => {
  const rows = [traffic({ cdn: "a", time: time(10), bytes: 300 }), traffic({ cdn: "a", time: time(25), bytes: 300 }), traffic({ cdn: "a", time: time(30), bytes: 9 })];
  const lines = bandwidthLines(rows, T + 30 * 60_000 + 59_000);
  expect(lines.times).toEqual([10, 15, 20, 25].map((m) => T + m * 60_000));
  expect(lines.lines[0]?.values).toEqual([8, 0, 0, 8]);
  expect(lines.open).toBe(false);
});

it("shows no stall ratio where nothing was played", () => {
  const rows = [quality({ cdn: "a", time: time(0), stall_ratio: 0.5 }), quality({ cdn: "a", time: time(10), stall_ratio: 0 })];
  expect(stallRatioLines(rows, T + 3_600_000).lines[0]?.values).toEqual([0.5, null, 0]);
  expect(stallRatioLines([], T)).toEqual({ times: [], lines: [], open: false });
  expect(stallRatioLines([quality({ cdn: "a", time: "soon" })], T).times).toEqual([]);
});

it("sorts, cuts and joins programmes", () => {
  const report = { from: "", to: "", tz: "UTC", table_version: 1, truncated: false, definitions: [], app: null };
  const t: TrafficReport = { ...report, rows: [traffic({ programme: "x", bytes: 1 }), traffic({ programme: "y", bytes: 3 }), traffic({ programme: "z", bytes: 2 })] };
  const q: QualityReport = { ...report, rows: [quality({ programme: "y", views: 4, stall_ratio: 0.25 })] };
  expect(topProgrammes(t, q, 2)).toEqual([
    { programme: "y", bytes: 3, sessions: 1, views: 4, stall_ratio: 0.25 },
    { programme: "z", bytes: 2, sessions: 1, views: 0, stall_ratio: null },
  ]);
  expect(t.rows.map((row) => row.programme), "the report itself is left as it was").toEqual(["x", "y", "z"]);
  expect(byBytes(t.rows)[0]?.programme).toBe("y");
});

it("gives a CDN the same colour whatever else is in view", () => {
  expect(colourIndex("cdn-b", ["cdn-c", "cdn-a", "cdn-b"])).toBe(1);
  expect(colourIndex("new", ["cdn-a"])).toBe(1);
});

it("writes CSV that a spreadsheet reads as it stands, and never as a formula", () => {
  const columns = ["user", "bytes"].map((name) => ({ name, type: "Utf8" }));
  const rows = [["=1+1", -5], ['a "b", c\n', null], ["中文", 9007199254740993n]];
  expect(csv({ columns, rows })).toBe('\ufeffuser,bytes\r\n\'=1+1,-5\r\n"a ""b"", c\n",\r\n中文,9007199254740993\r\n');
});

it("keeps integers beyond 2^53 exact where it can", () => {
  expect(exactIntegers("", 9007199254740992, { source: "9007199254740993" })).toBe(9007199254740993n);
  expect(exactIntegers("", 12, { source: "12" })).toBe(12);
  expect(exactIntegers("", 1e300, { source: "1e300" })).toBe(1e300);
  expect(exactIntegers("", 2 ** 60)).toBe(2 ** 60);
});
