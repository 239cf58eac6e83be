// The console in a real Chromium. Against a fake of the query service, so that every figure is known;
// with CONSOLE_URL set, the tests that hold for any service run against that one instead.

import { mkdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as format from "../src/format";
import { type Fake, INCREMENTS, NOW, REFUSALS, fake } from "./fake";
import { type Opened, launch, open, violations } from "./stage";

const REAL = process.env.CONSOLE_URL;
const ARTEFACTS = fileURLToPath(new URL("../../artefacts/", import.meta.url));

let browser: Browser;
let service: Fake;
let url: string;
let opened: Opened | undefined;

beforeAll(async () => {
  await mkdir(ARTEFACTS, { recursive: true });
  browser = await launch();
  service = await fake();
  url = REAL ?? service.url;
});
beforeEach(() => {
  service.mode = "usual";
  service.refusals = REFUSALS;
  service.asked.length = 0;
});
afterEach(async () => {
  await opened?.page.context().close();
  opened = undefined;
});
afterAll(async () => {
  await browser.close();
  await service.close();
});

async function visit(path = "", options: Parameters<typeof open>[2] = {}): Promise<Page> {
  opened = await open(browser, url + path, options);
  return opened.page;
}

/** The figures are there and current. */
const ready = (page: Page) => page.waitForSelector(".figures[aria-busy=false]:not([hidden])");
const text = (page: Page, selector: string) => page.locator(selector).innerText();
/** The machine may be busy: what must come is waited for, but not for ever. */
const soon = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 15_000 });
const plain = (words: string) => words.replaceAll(/[\u00a0\u202f]/g, " ");

describe("any service", () => {
  it("shows figures, without an error, an outside resource or a serious barrier", async () => {
    const page = await visit();
    await ready(page);
    expect(await page.title()).toBe("Livemeter");
    expect(await text(page, "#tile-bytes")).toMatch(/\d.*B$/);
    // The tiles come from an answer of their own: the charts may take a moment longer.
    await soon(() => page.locator(".plot canvas").count()).toBe(2);
    expect(await violations(page)).toEqual([]);
    await page.screenshot({ path: `${ARTEFACTS}console.png`, fullPage: true });
    expect(opened?.errors).toEqual([]);
  });

  it("speaks both languages, remembers the choice, and keeps what was typed", async () => {
    const page = await visit();
    await ready(page);
    await page.fill("#sql", "SELECT 1");
    await page.click("button[lang=zh-CN]");
    expect(await page.getAttribute("html", "lang")).toBe("zh-CN");
    expect(await text(page, "#traffic")).toBe("各 CDN 流量");
    expect(await page.inputValue("#sql")).toBe("SELECT 1");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("lang"))).toBe("zh-CN");
    await page.reload();
    await ready(page);
    expect(await text(page, "#traffic")).toBe("各 CDN 流量");
    expect(await violations(page)).toEqual([]);
    await page.click("button[lang=en-GB]");
    expect(await text(page, "#traffic")).toBe("Traffic per CDN");
  });

  it("shows a definition beside each figure", async () => {
    const page = await visit();
    await ready(page);
    for (const name of ["bytes", "stall_ratio", "views", "freshness_ms"]) {
      expect(await text(page, `.tile .definition:has(code:text-is("${name}"))`)).toMatch(new RegExp(`^${name} .+version \\d`, "s"));
    }
    expect(await text(page, "section:has(> #bandwidth) > .definition")).toContain("× 8 ÷");
    expect(await text(page, "section:has(> #stall-ratio) > .definition")).toContain("÷");
    const meanings = page.locator("section[aria-labelledby=quality] details");
    await meanings.locator("summary").press("Enter");
    expect(await meanings.locator("li").count()).toBe(await page.locator("section[aria-labelledby=quality] thead th.number").count());
    expect(plain(await text(page, "footer"))).toContain("1 GB = 1000³ bytes");
  });

  it("fits 360 px without scrolling sideways", async () => {
    const page = await visit("", { viewport: { width: 360, height: 780 } });
    await ready(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    expect(await violations(page)).toEqual([]);
    await page.screenshot({ path: `${ARTEFACTS}console-360.png`, fullPage: true });
  });

  it("is as readable in the dark", async () => {
    const page = await visit("", { colorScheme: "dark" });
    await ready(page);
    expect(await violations(page)).toEqual([]);
    await page.screenshot({ path: `${ARTEFACTS}console-dark.png`, fullPage: true });
  });
});

describe.skipIf(REAL !== undefined)("known figures", () => {
  const within = (fromMs: number) => INCREMENTS.filter((row) => row.at >= fromMs);
  const total = (rows: typeof INCREMENTS, of: (row: (typeof INCREMENTS)[number]) => number) => rows.reduce((sum, row) => sum + of(row), 0);

  it("adds up: tiles, rows and their exact values", async () => {
    const page = await visit("?range=1h&tz=UTC");
    await ready(page);
    const rows = within(Date.parse("2026-05-04T09:05:00Z"));
    const bytes = total(rows, (r) => r.bytes);
    expect(await text(page, "#tile-bytes")).toBe(format.bytes(bytes, "en"));
    expect(await page.getAttribute("#tile-bytes", "title")).toBe(format.exactBytes(bytes, "en"));
    const [stall, play] = [total(rows, (r) => r.stall), total(rows, (r) => r.play)];
    expect(await text(page, "#tile-stall-ratio")).toBe(format.percent(stall / (stall + play), "en"));
    expect(await text(page, "#tile-views")).toBe(format.count(total(rows, (r) => r.views), "en"));
    expect(await text(page, "#tile-freshness")).toBe(format.duration(8_200, "en"));

    const row = page.locator("section[aria-labelledby=traffic] tbody tr", { hasText: "cdn-b" });
    const ofB = total(rows.filter((r) => r.cdn === "cdn-b"), (r) => r.bytes);
    expect(await row.locator("td").first().getAttribute("title")).toBe(format.exactBytes(ofB, "en"));
    expect(plain(await text(page, "section[aria-labelledby=traffic] tfoot"))).toContain(plain(format.bytes(bytes, "en")));
    expect(await page.locator("section[aria-labelledby=programmes] tbody th").allInnerTexts()).toEqual(["match-7", "news-24", "gala-night", "e-sports-final"]);
  });

  it("reads a chart by keyboard and as a table", async () => {
    const page = await visit("?range=1h&tz=Asia/Shanghai");
    await ready(page);
    const chart = page.locator("section[aria-labelledby=bandwidth]").first();
    expect(await chart.locator(".when").innerText()).toBe("18:00–18:05");
    await chart.locator(".reader").focus();
    await page.keyboard.press("ArrowLeft");
    expect(await chart.locator(".when").innerText()).toBe("17:55–18:00");
    const at = Date.parse("2026-05-04T09:55:00Z");
    const bps = (total(INCREMENTS.filter((r) => r.at === at && r.cdn === "cdn-a"), (r) => r.bytes) * 8) / 300;
    expect(await chart.locator(".legend li").first().innerText()).toContain(format.bitsPerSecond(bps, "en"));
    await page.keyboard.press("Escape");
    expect(await chart.locator(".when").innerText()).toBe("18:00–18:05");
    await chart.locator("summary").press("Enter");
    await soon(() => chart.locator("details tbody tr").count()).toBe(13);
  });

  it("asks for the range, zone and app chosen, by keyboard alone", async () => {
    const page = await visit("?range=1h&tz=UTC");
    await ready(page);
    await page.focus("input[value='1h']");
    await page.keyboard.press("ArrowLeft");
    await soon(() => service.asked.some((path) => path.includes("from=2026-05-04T09%3A50"))).toBe(true);
    await page.selectOption("#tz", "Asia/Shanghai");
    await page.check("input[value=today]", { force: true });
    await soon(() => service.asked.some((path) => path.includes("from=2026-05-04&") && path.includes("tz=Asia%2FShanghai"))).toBe(true);
    await page.selectOption("#app", "demo");
    await soon(() => service.asked.some((path) => path.includes("app=demo"))).toBe(true);
    expect(new URL(page.url()).search).toBe("?range=today&tz=Asia%2FShanghai&app=demo");
    await page.check("input[value=yesterday]", { force: true });
    await soon(() => service.asked.some((path) => path.includes("from=2026-05-03&to=2026-05-04&"))).toBe(true);
  });

  it("answers SQL, refuses by the service's own words, and never takes text for markup", async () => {
    const page = await visit();
    await ready(page);
    await page.focus("#sql");
    await page.keyboard.press("Control+Enter");
    await page.waitForSelector(".sql tbody tr");
    expect(await page.locator(".sql tbody td").last().innerText()).toBe("<img src=x onerror=alert(1)>");
    expect(await text(page, ".sql .summary")).toContain("increments 4211");
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(".sql button[type=button]")]);
    const file = await readFile(await download.path(), "utf8");
    expect(download.suggestedFilename()).toBe("livemeter.csv");
    expect(file).toContain(`cdn-a,${total(INCREMENTS.filter((r) => r.cdn === "cdn-a"), (r) => r.bytes)},\r\n`);
    expect(await violations(page)).toEqual([]);
    await page.fill("#sql", "DROP TABLE increments");
    await page.click(".sql button[type=submit]");
    await soon(() => text(page, ".sql .summary")).toBe("DROP is not a SELECT; only SELECT is answered");
    expect(await page.locator(".sql tbody tr").count()).toBe(0);
  });

  it("tells what was refused, by cause, in both languages, and who could not be asked", async () => {
    const page = await visit();
    await ready(page);
    const rows = page.locator(".refusals tbody tr");
    expect((await rows.allInnerTexts()).map((row) => row.split("\t"))).toEqual([
      ["Ingest · whole requests", "key_refused", "14,302"],
      ["Ingest · events", "too_long", "12"],
      ["Processor · records", "counter_fell", "3"],
      ["Ingest · dead letters, by what became of them", "over_own_quota", "7"],
    ]);
    await page.click("button[lang=zh-CN]");
    expect(await text(page, "#refusals")).toBe("被拒绝的数据，按原因");
    expect((await rows.first().innerText()).split("\t")).toEqual(["接入服务 · 整个请求", "key_refused", "14,302"]);
    expect(await violations(page)).toEqual([]);
    await page.screenshot({ path: `${ARTEFACTS}console-refusals.png`, fullPage: true });

    // A word from a service is text, whatever is in it; and a silent service is not a clean one.
    service.refusals = { ...REFUSALS, services: [{ address: "http://127.0.0.1:8700", failure: "<img src=x onerror=alert(1)>" }], rows: [] };
    await page.click("button[lang=en-GB]");
    await page.selectOption("#app", "demo");
    await soon(() => text(page, ".refusals .silent")).toBe("http://127.0.0.1:8700 could not be asked, so its counts are missing: <img src=x onerror=alert(1)>");
    expect([await rows.count(), await page.getByText("Nothing has been refused.").isVisible()]).toEqual([0, false]);

    service.refusals = { ...REFUSALS, rows: [] };
    await page.selectOption("#app", "");
    await soon(() => page.getByText("Nothing has been refused.").isVisible()).toBe(true);
    // Nobody is asked, or nobody can tell: no section, and the figures stay.
    for (const told of [{ ...REFUSALS, services: [], rows: [] }, null]) {
      service.refusals = told;
      await page.selectOption("#app", told === null ? "" : "demo");
      await soon(() => page.locator(".refusals").isVisible()).toBe(false);
      expect(await page.locator(".figures").isVisible()).toBe(true);
    }
  });

  it("says what to do when there is nothing yet, and when there is nothing here", async () => {
    service.mode = "empty";
    let page = await visit();
    await page.waitForSelector(".hint:not([hidden])");
    expect(await text(page, ".hint")).toContain("No data yet");
    expect(await text(page, ".hint")).toContain("curl -X POST http://127.0.0.1:8700/v1/events");
    expect(await violations(page)).toEqual([]);
    await page.screenshot({ path: `${ARTEFACTS}console-empty.png`, fullPage: true });
    await page.context().close();
    service.mode = "quiet";
    page = await visit("?tz=UTC");
    await page.waitForSelector(".hint:not([hidden])");
    expect(await text(page, ".hint")).toContain("The newest row was received 04/05/2026, 10:08");
  });

  it("keeps the last figures when the service goes away, and recovers when asked", async () => {
    const page = await visit();
    await ready(page);
    const before = await text(page, "#tile-bytes");
    service.mode = "away";
    await page.check("input[value='6h']", { force: true });
    await page.waitForSelector(".notice:not([hidden])");
    expect(await text(page, ".notice")).toContain("does not answer");
    expect(await text(page, "#tile-bytes")).toBe(before);
    expect(await violations(page)).toEqual([]);
    await page.screenshot({ path: `${ARTEFACTS}console-away.png` });
    service.mode = "busy";
    await page.click(".notice button");
    await soon(() => text(page, ".notice")).toContain("8 queries are running; the limit is 8");
    service.mode = "usual";
    await page.click(".notice button");
    await page.waitForSelector(".notice", { state: "hidden" });
    expect(await text(page, "#tile-bytes")).not.toBe(before);
  });

  it("starts although the service is away, and refreshes by itself", async () => {
    service.mode = "away";
    opened = await open(browser, url);
    const page = opened.page;
    await page.waitForSelector(".notice:not([hidden])");
    expect(await page.locator(".figures").isVisible()).toBe(false);
    service.mode = "usual";
    await page.waitForSelector(".figures[aria-busy=false]:not([hidden])", { timeout: 15_000 });
    expect(await page.locator(".notice").isVisible()).toBe(false);
  });

  it("stops asking while it is paused", async () => {
    const page = await visit();
    await ready(page);
    await page.click("button.quiet");
    expect(await text(page, "button.quiet")).toBe("Resume");
    const asked = service.asked.length;
    await page.waitForTimeout(11_000);
    expect(service.asked.length).toBe(asked);
    await page.click("button.quiet");
    await soon(() => service.asked.length).toBeGreaterThan(asked);
  });

  it("follows the browser's language and zone", async () => {
    const page = await visit("", { locale: "zh-CN", timezoneId: "Asia/Shanghai" });
    await ready(page);
    expect(await text(page, "#quality")).toBe("各 CDN 播放质量");
    expect(await page.inputValue("#tz")).toBe("Asia/Shanghai");
    expect(await text(page, ".updated")).toBe(`更新于 ${format.clock(NOW, "Asia/Shanghai", "zh")}`);
    await page.screenshot({ path: `${ARTEFACTS}console-zh.png`, fullPage: true });
  });
});
