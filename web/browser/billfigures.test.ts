// Every line, column and figure of the bill check's tables, held against what the service answered. A figure in the
// wrong column looks as right as any other.

import { describe, expect, it } from "vitest";
import { bytes, exactBytes, grouped, money, quantity } from "../src/bill/decimal";
import type { BillCheck, BillSessions, BillWindows, Simulation } from "../src/bill/shapes";
import { BILLED, BILLED_DAY } from "./billfake";
import { figures, headings, plain, ready, rows, soon, stage } from "./billstage";

const on = stage();
const answered = async <T>(path: string) => (await (await fetch(`${on.service.url}v1/bills/${path}`)).json()) as T;
const CHECK = "check?contract=cdn-a-2026&period=2026-04";
const texts = (cells: { text: string }[]) => cells.map(({ text }) => text);
const exacts = (cells: { exact: string }[]) => cells.map(({ exact }) => exact);

describe("a table holds every row, each figure below its own heading", () => {
  it("of the bill's lines", async () => {
    const page = await on.visit();
    await ready(page);
    expect(await headings(page, "check-lines")).toEqual(["Expected quantity", "Invoiced quantity", "Expected", "Invoiced", "Difference", "Client", "Log"]);
    const { lines } = await answered<BillCheck>(CHECK);
    const found = await figures(page, "check-lines");
    expect(found.map((cells) => texts(cells).slice(0, 5))).toEqual(
      lines.map((line) => [quantity(line.expected_quantity, line.unit), quantity(line.invoice_quantity, line.unit), money(line.expected_amount, "CNY"), money(line.invoice_amount, "CNY"), money(line.difference_amount, "CNY", true)].map(plain)),
    );
    expect(found.map((cells) => exacts(cells).slice(5))).toEqual(lines.map((line) => [exactBytes(line.client_bytes), exactBytes(line.log_bytes)].map(plain)));
    expect(await rows(page, "check-lines").locator("th").allTextContents()).toEqual(lines.map((line) => expect.stringContaining(line.item)));
  });

  it("of the days", async () => {
    const page = await on.visit();
    await ready(page);
    expect(await headings(page, "check-days")).toEqual(["Client", "Log", "Overhead", "Telemetry loss", "Without SDK", "Unexplained", "Peak"]);
    const { days } = await answered<BillCheck>(CHECK);
    const expected = days.map((day) => [day.client_bytes, day.log_bytes, day.overhead_bytes, day.telemetry_loss_bytes, day.without_sdk_bytes, day.unexplained_bytes].map((size) => plain(exactBytes(size))).concat(`${grouped(String(day.peak_bandwidth_bps))} bit/s`));
    expect((await figures(page, "check-days")).map(exacts)).toEqual(expected);
    expect(await rows(page, "check-days").locator("th").allTextContents()).toEqual(days.map(({ day }) => day));
  });

  it("of a day's windows and of a window's sessions", async () => {
    const page = await on.visit(`?page=bill&day=${BILLED_DAY}&window=${encodeURIComponent(BILLED)}`);
    await ready(page);
    await soon(() => rows(page, "sessions").count()).toBeGreaterThan(0);
    const { windows } = await answered<BillWindows>(`windows?contract=cdn-a-2026&period=2026-04&day=${BILLED_DAY}`);
    const byRank = [...windows].sort((a, b) => Number(a.rank) - Number(b.rank));
    await soon(() => rows(page, "day-windows").count()).toBe(288);
    expect(await headings(page, "day-windows")).toEqual(["Rank", "Bandwidth", "Client", "Log"]);
    expect((await figures(page, "day-windows")).map((cells) => [cells[0]?.text, ...exacts(cells).slice(2)])).toEqual(byRank.map((one) => [grouped(String(one.rank)), plain(exactBytes(one.client_bytes)), plain(exactBytes(one.log_bytes))]));
    const { sessions } = await answered<BillSessions>(`sessions?contract=cdn-a-2026&window=${encodeURIComponent(BILLED)}`);
    expect(await headings(page, "sessions")).toEqual(["Client", "Log"]);
    expect((await figures(page, "sessions")).map(exacts)).toEqual(sessions.map((one) => [exactBytes(one.client_bytes), exactBytes(one.log_bytes)].map(plain)));
  });

  it("of the modes, and of a bill's steps", async () => {
    const page = await on.visit();
    await ready(page);
    await page.waitForSelector(".simulation");
    const { modes } = await answered<Simulation>("simulation?contract=cdn-a-2026&period=2026-04");
    expect((await figures(page, "modes")).map(texts)).toEqual(modes.map((mode) => [quantity(mode.quantity, mode.unit), money(mode.amount, mode.currency)].map(plain)));
    const { bills } = await answered<BillCheck>(CHECK);
    for (const bill of bills) {
      const steps = await page.locator(`article:has(> #owed-${bill.side}) tbody tr`).evaluateAll((trs) => trs.map((tr) => [...tr.children].slice(1).map((cell) => cell.textContent)));
      expect(steps).toEqual(bill.steps.map(({ formula, value }) => [formula, grouped(value)]));
    }
  });

  it("of the waterfall's twin, whose running total comes out at each sum", async () => {
    const page = await on.visit();
    await ready(page);
    const { waterfall } = await answered<BillCheck>(CHECK);
    let running = 0;
    const expected = waterfall.map(({ kind, bytes: size }) => {
      running = kind === "total" ? Number(size) : running + Number(size);
      return [plain(bytes(size, "GB", kind !== "total")), plain(exactBytes(size)), plain(exactBytes(running))];
    });
    const twin = await page.locator(".twin tbody tr").evaluateAll((trs) => trs.map((tr) => [...tr.querySelectorAll("td")]).map(([size, , sum]) => [size?.textContent ?? "", size?.title ?? "", sum?.title ?? ""]));
    expect(twin.map((cells) => cells.map(plain))).toEqual(expected);
  });

  it("of a waterfall with a step downwards: its sign in the chart, in words and in the twin", async () => {
    const page = await on.visit();
    await page.route("**/v1/bills/check?*", async (route) => {
      const check = (await (await route.fetch()).json()) as BillCheck;
      const less = 123_456_789_000;
      await route.fulfill({ json: { ...check, waterfall: check.waterfall.map((step) => (step.step === "unexplained" ? { ...step, bytes: -less } : step)) } });
    });
    await page.reload();
    await ready(page);
    const chart = page.locator("section[aria-labelledby=waterfall] svg");
    await chart.waitFor();
    const less = "−123.457 GB";
    expect(plain((await chart.getAttribute("aria-label")) ?? "")).toContain(`Unexplained ${less}`);
    expect((await chart.locator("text.figure").allTextContents()).map(plain)).toContain(less);
    expect(plain((await page.locator(".twin tbody tr", { hasText: "Unexplained" }).locator("td").first().textContent()) ?? "")).toBe(less);
  });
});
