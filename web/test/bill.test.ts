// The bill check's pure parts: exact figures, the waterfall's layout, the view in the address.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Definitions } from "../src/api";
import { dayColumns } from "../src/bill/daycolumns";
import { UNITS, bytes, exactBytes, fitting, grouped, inUnit, minus, money, quantity, readable, sign } from "../src/bill/decimal";
import { LINES_MAX, lineRange, written } from "../src/bill/linerange";
import { refusedLine } from "../src/bill/refusal";
import type { BillWindow, CheckDay, ContractSummary, WaterfallStep } from "../src/bill/shapes";
import { newestVersions } from "../src/bill/state";
import { type Mark, rate } from "../src/bill/upload";
import { months, read, write } from "../src/bill/view";
import { waterfall } from "../src/bill/waterfall";
import { bySize, windowLines } from "../src/bill/windowlines";
import { en } from "../src/bill/words";
import { zh } from "../src/bill/words.zh";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("decimals", () => {
  it.each([
    ["0", "0"],
    ["1234", "1,234"],
    ["-1234567.80", "−1,234,567.80"],
    ["999.123456789012345678", "999.123456789012345678"],
    ["12345678901234567890.0001", "12,345,678,901,234,567,890.0001"],
    ["1e5", "1e5"],
    ["79421000 bit/s", "79,421,000 bit/s"],
    ["≈ 7", "≈ 7"],
  ])("%s reads %s: every digit stays", (given, shown) => {
    expect(grouped(given)).toBe(shown);
  });

  it("signs a difference, but not a zero", () => {
    expect(grouped("12.50", true)).toBe("+12.50");
    expect(grouped("0.00", true)).toBe("0.00");
    expect(["-0.00", "0.01", "-3"].map(sign)).toEqual([0, 1, -1]);
  });

  it("keeps the currency and the unit beside the figure", () => {
    expect(plain(money("1000.10", "CNY"))).toBe("1,000.10 CNY");
    expect(plain(money("1043576.8450", "CNY"))).toBe("1,043,576.8450 CNY");
    expect(money(null, "CNY")).toBe("–");
    expect(plain(quantity("79.4210", "Mbps"))).toBe("79.4210 Mbps");
  });

  it.each([
    ["35094.576755137508735061", "35,094.576755 GiB"],
    ["-0.0000005", "−0.000001 GiB"],
    ["0.999999999", "1.000000 GiB"],
    ["79.4210", "79.4210 GiB"],
    ["n/a", "n/a GiB"],
  ])("%s is read as %s in a column", (decimal, shown) => {
    expect(plain(readable(decimal, "GiB"))).toBe(shown);
  });

  it.each([
    ["0.3", "0.1", "0.2"],
    ["1043576.8450", "953052.0000", "90524.8450"],
    ["1", "1.005", "-0.005"],
    ["12345678901234567890.01", "0.02", "12345678901234567889.99"],
    ["5", "5", "0"],
  ])("%s − %s is %s, exactly", (a, b, difference) => {
    expect(minus(a, b)).toBe(difference);
  });

  it("subtracts nothing that is no decimal", () => {
    expect(minus("n/a", "1")).toBeNull();
  });
});

describe("bytes", () => {
  it("takes GB for 1000³ and GiB for 1024³", () => {
    expect(inUnit(1_000_000_000, "GB")).toBe("1.000");
    expect(inUnit(1_073_741_824, "GiB")).toBe("1.000");
    expect(inUnit(1_073_741_824, "GB")).toBe("1.074");
    expect(plain(bytes(-1_234_567_890_123, "GB"))).toBe("−1,234.568 GB");
  });

  it("stays exact beyond 2^53", () => {
    expect(inUnit(9_007_199_254_740_993n, "B")).toBe("9007199254740993");
    expect(plain(exactBytes(9_007_199_254_740_993n))).toBe("9,007,199,254,740,993 B");
    expect(inUnit(9_007_199_254_740_993_000_000n, "MB")).toBe("9007199254740993.000");
  });

  it("rounds half away from zero, and never to minus zero", () => {
    expect(inUnit(500_000, "GB")).toBe("0.001");
    expect(inUnit(-500_000, "GB")).toBe("-0.001");
    expect(inUnit(-1, "GB")).toBe("0.000");
  });

  it("finds a unit in which small differences still show", () => {
    expect([9n, 20_000_000, 9_098_765_000_000, 2_000_000_000_000_000].map((size) => fitting([1, size, null]))).toEqual(["B", "MB", "GB", "TB"]);
    expect(UNITS).toContain(fitting([]));
  });
});

describe("waterfall", () => {
  const step = (name: string, size: number | null, low?: number, high?: number): WaterfallStep => ({ step: name, kind: ["client", "log", "invoice"].includes(name) ? "total" : "difference", bytes: size, low_bytes: low ?? null, high_bytes: high ?? null });
  const STEPS = [step("client", 1000), step("overhead", 70), step("telemetry_loss", 10, 4, 22), step("unexplained", -5), step("log", 1075), step("invoice", 1200)];

  it("begins each difference where the step before it ends, and totals at zero", () => {
    const { bars } = waterfall(STEPS, "B", false);
    const ends = bars.map(({ from, to }) => [from, to]);
    expect(ends[0]?.[0]).toBe(0);
    expect(ends[4]?.[0]).toBe(0);
    for (const i of [1, 2, 3]) expect(ends[i]?.[0]).toBe(ends[i - 1]?.[1]);
    expect(ends[3]?.[1]).toBe(ends[4]?.[1]);
    expect(bars[0]!.to! / bars[5]!.to!).toBeCloseTo(1000 / 1200, 10);
    expect(bars[3]!.to!).toBeLessThan(bars[3]!.from!);
  });

  it("draws the interval of an estimate from where its step begins", () => {
    const [, , loss] = waterfall(STEPS, "B", false).bars;
    expect(loss!.low! / loss!.from!).toBeCloseTo(1074 / 1070, 10);
    expect(loss!.high! / loss!.from!).toBeCloseTo(1092 / 1070, 10);
  });

  it("cuts the axis only where that shows more, keeps the order, and says so", () => {
    const { bars, cut, cuttable, ticks } = waterfall(STEPS, "B", true);
    expect([cut, cuttable]).toEqual([true, true]);
    expect(bars[0]!.to).toBeGreaterThan(0);
    expect(bars[1]!.to! - bars[1]!.from!).toBeGreaterThan(0.2);
    expect(Math.max(...bars.flatMap(({ from, to, high }) => [from!, to!, high ?? 0]))).toBeLessThanOrEqual(1);
    expect(ticks.map((tick) => tick.bytes)).toEqual([1000n, 1050n, 1100n, 1150n, 1200n]);
    expect(waterfall([step("client", 10), step("unexplained", 90), step("log", 100)], "B", true).cut).toBe(false);
  });

  it("draws no bar for an invoice without bytes, and survives nothing at all", () => {
    const { bars } = waterfall([step("client", 5), step("invoice", null)], "GB", true);
    expect(bars[1]).toMatchObject({ from: null, to: null, reached: null });
    expect(waterfall([], "GB", true).bars).toEqual([]);
    expect(waterfall([step("client", 0), step("log", 0)], "GB", true).bars.map(({ to }) => to)).toEqual([0, 0]);
  });

  it("lays out sums beyond 2^53", () => {
    const large = { ...step("client", 0), bytes: 9_007_199_254_740_993n as unknown as number };
    expect(waterfall([large, step("overhead", 1)], "TB", false).bars[1]?.from).toBeGreaterThan(0.9);
  });
});

describe("windows and days", () => {
  const window = (minute: number, client: number, log: number | null, rank: number | null): BillWindow => ({ start: `2026-04-01T00:${String(minute).padStart(2, "0")}:00+08:00`, client_bytes: client, log_bytes: log, rank, role: "counted" });

  it("divides by 300 s, and draws the log only where there is one", () => {
    expect(windowLines([window(0, 300, null, null)]).lines).toEqual([{ name: "client", values: [8] }]);
    expect(windowLines([window(0, 300, 600, 1), window(5, 300, null, 2)]).lines[1]).toEqual({ name: "log", values: [16, null] });
  });

  it("sorts by rank, without ranks by size, and then by time", () => {
    expect(bySize([window(0, 1, null, 3), window(5, 9, null, 1)]).map(({ rank }) => rank)).toEqual([1, 3]);
    expect(bySize([window(10, 1, null, null), window(5, 1, null, null), window(0, 2, null, null)]).map(({ start }) => start.slice(14, 16))).toEqual(["00", "05", "10"]);
  });

  it("gives each day its column, and a label where there is room", () => {
    const days = Array.from({ length: 30 }, (_, i): CheckDay => ({ day: `2026-04-${String(i + 1).padStart(2, "0")}`, client_bytes: 50, log_bytes: i === 4 ? 100 : null, overhead_bytes: null, telemetry_loss_bytes: null, without_sdk_bytes: null, unexplained_bytes: null, peak_bandwidth_bps: 0, verdict: i === 4 ? "disputed" : "ok" }));
    const columns = dayColumns(days, 300, 112);
    expect(columns[4]).toMatchObject({ x: 40, width: 10, log: 100, client: 50, disputed: true });
    expect(columns.map(({ label }) => label).filter(Boolean)).toEqual(["1", "4", "7", "10", "13", "16", "19", "22", "25", "28"]);
  });
});

describe("view", () => {
  it("keeps everything in the address and survives a bad one", () => {
    const view = { contract: "a&b", period: "2026-10-01..2026-10-15", invoice: "ab12", day: "2026-10-03", window: "2026-10-03T20:30:00+08:00", lines: "836ff184.1-9", unit: "GiB" as const };
    expect(read(write(view))).toEqual(view);
    expect(read("?page=bill&period=last&unit=KB")).toEqual({ contract: "", period: "", invoice: "", day: "", window: "", lines: "", unit: "" });
  });

  it("counts months back over the year", () => {
    expect(months("2026-02-28", 4)).toEqual(["2026-02", "2026-01", "2025-12", "2025-11"]);
  });
});

it("shows the newest version of each contract", () => {
  const of = (id: string, version: number) => ({ id, version }) as ContractSummary;
  expect(newestVersions([of("b", 1), of("a", 2), of("a", 10), of("a", 3)]).map(({ id, version }) => id + version)).toEqual(["a10", "b1"]);
});

it("finds the lines of a log in a session's words, as many as one look takes in", () => {
  expect(lineRange("836ff184 1201–1260")).toEqual({ sha256: "836ff184", first: 1201, last: 1260 });
  expect(lineRange("836ff184: 7")).toEqual({ sha256: "836ff184", first: 7, last: 7 });
  expect(lineRange("836ff184 1-100000")?.last).toBe(LINES_MAX);
  expect(lineRange("none")).toBeNull();
  const range = { sha256: "836ff184", first: 12, last: 15 };
  expect(lineRange(written(range))).toEqual(range);
});

it("tells the rate of the last seconds, not of the whole way", () => {
  const marks: Mark[] = [{ at: 0, sent: 0 }];
  expect(rate(marks, { at: 1000, sent: 1000 })).toBe(1000);
  for (let second = 2; second <= 10; second++) rate(marks, { at: second * 1000, sent: 1000 });
  expect(rate(marks, { at: 10_500, sent: 1000 })).toBe(0);
  expect(rate([{ at: 5, sent: 0 }], { at: 5, sent: 9 })).toBe(0);
});

it.each([
  ["line 6: `KB` is no unit", null, 6],
  ["unknown unit", "line 12, tiers[2].unit", 12],
  ["TOML parse error at line 3, column 9", null, 3],
  ["the outline is missing", "unit", null],
])("finds the line in a refusal: %s", (message, field, line) => {
  expect(refusedLine({ message, problem: { error: "x", reason: message, retry: false, field } })).toBe(line);
});

describe("words", () => {
  it("has every key of every table in both languages", () => {
    for (const [key, value] of Object.entries(en)) {
      if (typeof value === "object") expect(Object.keys(zh[key as keyof typeof zh]).sort(), key).toEqual(Object.keys(value).sort());
    }
  });

  it("leaves nothing untranslated but names", () => {
    const same = Object.entries(en).filter(([key, value]) => typeof value === "string" && zh[key as keyof typeof zh] === value);
    expect(same.map(([key]) => key)).toEqual([]);
  });

  it("counts one as one, and more as more", () => {
    const said = (count: string) => [en.logsIs(count, count), en.lines(count), en.badLines(count), en.invoiceLines(count, "5 CNY"), en.explained(count), en.samples(count, count, "2"), en.burstUsed(count, count)];
    expect(said("1")).toEqual(["1 file, 1 line", "1 line", "1 bad line", "1 line, total 5 CNY", "1 cause named", "1 sample, the largest dropped, rank 2 billed", "1 of 1 free window used"]);
    expect(said("0").slice(0, 2)).toEqual(["0 files, 0 lines", "0 lines"]);
    expect(en.samples("9", "0", "1")).toBe("9 samples, none dropped, rank 1 billed");
    expect(said("1,201")).toEqual(["1,201 files, 1,201 lines", "1,201 lines", "1,201 bad lines", "1,201 lines, total 5 CNY", "1,201 causes named", "1,201 samples, the 1,201 largest dropped, rank 2 billed", "1,201 of 1,201 free windows used"]);
  });

  it("finds every column with a figure among the definitions that the service publishes", () => {
    const { metrics } = JSON.parse(readFileSync(new URL("../../schemas/definitions.json", import.meta.url), "utf8")) as Definitions;
    const names = metrics.map(({ name }) => name);
    expect(Object.keys(en.columns).filter((column) => !names.includes(column))).toEqual([]);
  });
});
