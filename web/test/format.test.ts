// Numbers and times as people read them.

import { describe, expect, it } from "vitest";
import * as format from "../src/format";

/** No-break spaces are a matter of layout. */
const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.000 kB"],
    [999_949, "999.9 kB"],
    [999_950, "1.000 MB"],
    [1_000_000_000, "1.000 GB"],
    [1_073_741_824, "1.074 GB"],
    [12_345_678_901, "12.35 GB"],
    [123_456_789_012_345, "123.5 TB"],
    [9_007_199_254_740_993, "9.007 PB"],
    [5e18, "5,000.0 PB"],
  ])("%d is %s: a GB is 1000³ bytes", (value, text) => {
    expect(plain(format.bytes(value, "en"))).toBe(text);
  });

  it("keeps every digit in the exact form", () => {
    expect(plain(format.exactBytes(1_284_123_456_789, "en"))).toBe("1,284,123,456,789 B");
    expect(plain(format.exactBytes(1_284_123_456_789, "zh"))).toBe("1,284,123,456,789 B");
  });
});

it.each([
  [0, "0 bit/s"],
  [999.96, "1.000 kbit/s"],
  [1_500_000, "1.500 Mbit/s"],
  [42_700_000_000, "42.70 Gbit/s"],
])("%d bit/s is %s", (value, text) => {
  expect(plain(format.bitsPerSecond(value, "en"))).toBe(text);
});

it.each([
  [null, "–"],
  [undefined, "–"],
  [0, "0.00%"],
  [0.0123, "1.23%"],
  [0.00123, "0.123%"],
  [0.000123, "0.0123%"],
  [1, "100.00%"],
])("ratio %s is %s", (value, text) => {
  expect(format.percent(value, "en")).toBe(text);
});

it.each([
  [0, "0 s", "0 秒"],
  [-500, "0 s", "0 秒"],
  [8_400, "8 s", "8 秒"],
  [65_000, "1 min 5 s", "1 分 5 秒"],
  [3_600_000, "1 h", "1 小时"],
  [3_605_000, "1 h", "1 小时"],
  [11_520_000, "3 h 12 min", "3 小时 12 分"],
  [90_061_000, "1 d 1 h", "1 天 1 小时"],
])("%d ms is %s, %s", (ms, en, zh) => {
  expect(plain(format.duration(ms, "en"))).toBe(en);
  expect(plain(format.duration(ms, "zh"))).toBe(zh);
});

it("tells the time of the zone asked for", () => {
  const at = Date.parse("2026-03-01T16:30:05Z");
  expect(format.clock(at, "UTC", "en")).toBe("16:30:05");
  expect(format.clock(at, "Asia/Shanghai", "zh", false)).toBe("00:30");
  expect(format.moment(at, "Asia/Shanghai", "en")).toContain("02/03/2026");
});
