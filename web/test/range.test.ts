// Which stretch of time is asked for, in any zone, over any change of clocks.

import { expect, it } from "vitest";
import { localDate, previousDate, span } from "../src/range";
import { read, write } from "../src/view";

const at = (text: string) => Date.parse(text);

it("begins a rolling range with a whole window", () => {
  expect(span("15m", at("2026-05-04T10:07:13.500Z"), "UTC")).toEqual({ from: "2026-05-04T09:50:00.000Z", to: "2026-05-04T10:07:13.500Z" });
  expect(span("1h", at("2026-05-04T10:05:00Z"), "Asia/Shanghai").from).toBe("2026-05-04T09:05:00.000Z");
  expect(span("24h", at("2026-05-04T10:05:00Z"), "UTC").from).toBe("2026-05-03T10:05:00.000Z");
});

it("takes days from the zone's own calendar: a Beijing day begins at 16:00 UTC", () => {
  const now = at("2026-02-28T16:00:00Z");
  expect(span("today", now, "Asia/Shanghai")).toEqual({ from: "2026-03-01", to: "2026-02-28T16:00:00.000Z" });
  expect(span("yesterday", now, "Asia/Shanghai")).toEqual({ from: "2026-02-28", to: "2026-03-01" });
  expect(span("yesterday", now - 1, "Asia/Shanghai")).toEqual({ from: "2026-02-27", to: "2026-02-28" });
  expect(localDate(now, "UTC")).toBe("2026-02-28");
});

it("finds yesterday although that day had 23 or 25 hours", () => {
  expect(span("yesterday", at("2026-03-30T00:30:00+02:00"), "Europe/Berlin")).toEqual({ from: "2026-03-29", to: "2026-03-30" });
  expect(span("yesterday", at("2026-10-26T00:30:00+01:00"), "Europe/Berlin")).toEqual({ from: "2026-10-25", to: "2026-10-26" });
  expect(previousDate("2024-03-01")).toBe("2024-02-29");
});

it("keeps the view in the address and survives a bad one", () => {
  const view = { range: "yesterday" as const, tz: "Asia/Shanghai", app: "de mo&x" };
  expect(read(write(view))).toEqual(view);
  const fallen = read("?range=forever&tz=Mars/Olympus");
  expect(fallen.range).toBe("1h");
  expect(() => new Intl.DateTimeFormat("en", { timeZone: fallen.tz })).not.toThrow();
});
