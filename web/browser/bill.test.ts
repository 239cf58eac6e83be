// The bill check in a real Chromium, against a service of which every byte is known.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bytes, exactBytes } from "../src/bill/decimal";
import { BILLED, Bills, TOTAL, sha } from "./billfake";
import { type Fake, fake } from "./fake";
import { type Opened, launch, open, violations } from "./stage";

const ARTEFACTS = fileURLToPath(new URL("../../artefacts/", import.meta.url));

let browser: Browser;
let service: Fake;
let opened: Opened | undefined;

beforeAll(async () => {
  await mkdir(ARTEFACTS, { recursive: true });
  browser = await launch();
  service = await fake();
});
beforeEach(() => {
  service.mode = "usual";
  service.bills = new Bills();
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

async function visit(path = "?page=bill", options: Parameters<typeof open>[2] = {}): Promise<Page> {
  opened = await open(browser, service.url + path, options);
  return opened.page;
}

const ready = (page: Page) => page.waitForSelector(".figures[aria-busy=false]:not([hidden]) .verdict");
const text = (page: Page, selector: string) => page.locator(selector).innerText();
const soon = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 15_000 });
const plain = (words: string) => words.replaceAll(/[\u00a0\u202f]/g, " ");
const row = (page: Page, table: string, words: string) => page.locator(`section[aria-labelledby=${table}] tbody tr`, { hasText: words });
const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? "");

describe("reading", () => {
  it("says what is claimed, owed and why, with every digit as it came", async () => {
    const page = await visit();
    await ready(page);
    expect(await text(page, "#verdict")).toContain("To be disputed");
    const sums = plain(await text(page, ".sums"));
    for (const sum of ["1,043,576.8450 CNY", "937,416.0000 CNY", "953,052.0000 CNY", "+90,524.8450 CNY"]) expect(sums).toContain(sum);
    expect(await page.locator(".causes h3").allInnerTexts()).toEqual(["Wrong unit", "A day billed twice"]);
    expect(plain(await text(page, ".causes li:first-child"))).toContain("+46,358.5950 CNY");
    expect(plain(await row(page, "check-lines", "Supplement").innerText())).toMatch(/disputed.*0 day.*1 day.*44,166.2500 CNY.*\+44,166.2500 CNY/s);
    expect(await text(page, "article:has(> #owed-log)")).toContain("sample of rank 433");
    // Every row that a line rests on, or the first of them and how many more.
    expect(await row(page, "check-lines", "Bandwidth").innerText()).toContain("invoice rows 2, 7, 9 and 1,204 more");
    expect(await row(page, "check-lines", "Requests").innerText()).toMatch(/invoice rows 4, 5\s/);
    expect(plain(await text(page, ".source"))).toContain("4211");
    expect(await violations(page)).toEqual([]);
    expect(opened?.errors).toEqual([]);
    await page.screenshot({ path: `${ARTEFACTS}bill.png`, fullPage: true });
  });

  it("draws the waterfall with its figures, and has a twin as a table", async () => {
    const page = await visit();
    await ready(page);
    const chart = page.locator("section[aria-labelledby=waterfall] svg");
    await chart.waitFor();
    const said = plain((await chart.getAttribute("aria-label")) ?? "");
    const shown = plain((await chart.locator("text").allTextContents()).join("|"));
    for (const [size, signed] of [[TOTAL.client, false], [TOTAL.overhead, true], [TOTAL.loss, true], [TOTAL.foreign, true], [TOTAL.rest, true], [TOTAL.log, false]] as const) {
      expect(said).toContain(plain(bytes(size, "GB", signed)));
      expect(shown).toContain(plain(bytes(size, "GB", signed)));
    }
    expect(shown).toContain("estimate: 20.418 GB to 96.986 GB");
    expect(await chart.locator(".whisker").count()).toBe(1);
    expect(await chart.locator(".tear").count()).toBe(3);
    await page.locator("#from-zero").press("Space");
    await soon(() => chart.locator(".tear").count()).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("from-zero");
    await page.locator("section[aria-labelledby=waterfall] summary").first().press("Enter");
    const twin = page.locator(".twin tbody tr");
    expect(await twin.count()).toBe(9);
    expect(await twin.nth(5).locator("td").first().getAttribute("title")).toBe(exactBytes(TOTAL.log));
    expect(await twin.nth(7).locator("td").last().getAttribute("title")).toBe(await twin.nth(8).locator("td").first().getAttribute("title"));
    // Client and differences add up to the log exactly.
    expect(await twin.nth(4).locator("td").last().getAttribute("title")).toBe(exactBytes(TOTAL.log));
  });

  it("shows bytes in the unit chosen, and keeps it in the address", async () => {
    const page = await visit();
    await ready(page);
    await page.focus("#unit");
    await page.selectOption("#unit", "GiB");
    await soon(async () => plain(await row(page, "check-lines", "Bandwidth").innerText())).toContain(plain(bytes(TOTAL.log, "GiB")));
    expect(new URL(page.url()).searchParams.get("unit")).toBe("GiB");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("unit");
    expect(plain(await text(page, "footer"))).toContain("1 GB = 1000³ bytes, 1 GiB = 1024³ bytes");
  });

  it("defines every figure of its tables", async () => {
    const page = await visit("?page=bill&day=2026-04-17");
    await ready(page);
    await page.waitForSelector("section[aria-labelledby=day-windows]");
    for (const table of ["check-lines", "check-days", "day-windows", "modes"]) {
      const meanings = page.locator(`section[aria-labelledby=${table}] details li .definition code`);
      expect(await meanings.count()).toBe(await page.locator(`section[aria-labelledby=${table}] thead th.number`).count());
    }
    const steps = page.locator("section[aria-labelledby=waterfall] .meanings li");
    expect(await steps.count()).toBeGreaterThan(5);
    expect(await steps.locator(".definition code").count()).toBe(await steps.count());
    expect(await page.locator(".ahead .definition code").allInnerTexts()).toEqual(["forecast_p95_bps", "burst_slots"]);
  });

  it("shows modes by cost, the forecast with its interval, and the burst budget with its alert", async () => {
    const page = await visit();
    await ready(page);
    await page.waitForSelector(".simulation");
    expect(plain(await text(page, "section[aria-labelledby=modes] tbody tr:first-child"))).toMatch(/Traffic, progressive tiers\s*cheapest.*912,004.1172 CNY/s);
    expect(plain(await text(page, ".ahead"))).toContain("90 % of outcomes lie between 77.80 Mbit/s and 83.01 Mbit/s");
    expect(plain(await text(page, ".burst"))).toContain("398 of 432 free windows used");
    expect(plain(await text(page, ".burst"))).toContain("34 left above 79.42 Mbit/s (last month's percentile)");
    expect(await text(page, ".warned")).toContain("Few free windows are left");
  });

  it("offers every export as a plain link that downloads", async () => {
    const page = await visit("?page=bill&contract=cdn-a-2026&period=2026-04&invoice=ab12cd34");
    await ready(page);
    const links = await page.locator(".downloads a[download]").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
    const about = "contract=cdn-a-2026&period=2026-04&invoice=ab12cd34";
    expect(links).toEqual([...["csv", "xlsx", "parquet", "focus-1.4", "focus-1.2"].map((format) => `/v1/bills/export?${about}&format=${format}`), `/v1/bills/evidence?${about}`]);
    await page.selectOption("#detail", "windows");
    expect(await page.locator(".downloads a[download]").nth(1).getAttribute("href")).toBe(`/v1/bills/export?${about}&format=xlsx&detail=windows`);
    expect(await page.locator(".downloads a[download]").nth(3).getAttribute("href")).toBe(links[3]);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(".downloads a")]);
    expect(download.suggestedFilename()).toBe("bill.csv");
  });
});

describe("drilling down", () => {
  it("goes from a day to its windows to their sessions by keyboard alone, and back", async () => {
    const page = await visit();
    await ready(page);
    await row(page, "check-days", BILLED.slice(0, 10)).locator("button").press("Enter");
    await soon(() => focused(page)).toContain(`5-minute windows of ${BILLED.slice(0, 10)}`);
    const billed = page.locator("section[aria-labelledby=day-windows] tr:has(.role.billed)");
    expect(plain(await billed.innerText())).toMatch(/billed\s+433\s/);
    expect(await page.locator(".role.dropped").count()).toBeGreaterThan(0);
    await billed.locator("button").press("Enter");
    await soon(() => focused(page)).toContain(`Sessions of ${BILLED.slice(0, 16).replace("T", " ")}`);
    const sessions = page.locator("section[aria-labelledby=sessions] tbody");
    expect(await sessions.innerText()).toContain("0:918100");
    expect(await sessions.innerText()).toContain("<i>0c11</i>");
    expect(await sessions.innerText()).toContain(`${sha("log").slice(0, 8)}:1201-1260`);
    expect(new URL(page.url()).searchParams.get("window")).toBe(BILLED);
    expect(await violations(page)).toEqual([]);
    await sessions.locator("button").first().press("Enter");
    await soon(() => focused(page)).toContain("Lines of access-2026-04.log.zst");
    const log = page.locator("section[aria-labelledby=log-lines]");
    expect(await log.locator("tbody tr").count()).toBe(60);
    expect(await log.locator("tbody tr").first().innerText()).toMatch(/1,201\s+192\.0\.2\.201/);
    expect(new URL(page.url()).searchParams.get("lines")).toBe(`${sha("log").slice(0, 8)}.1201-1260`);
    await page.reload();
    await log.locator("tbody tr").first().waitFor();
    await page.waitForSelector("section[aria-labelledby=sessions] tbody tr");
    await log.locator(".actions button").press("Enter");
    await soon(() => log.count()).toBe(0);
    expect(await focused(page)).toContain("1201-1260");
    await page.locator("section[aria-labelledby=sessions] .actions button").press("Enter");
    await soon(() => page.locator("section[aria-labelledby=sessions]").count()).toBe(0);
    await page.locator("section[aria-labelledby=day-windows] .actions button").press("Enter");
    await soon(() => page.locator("section[aria-labelledby=day-windows]").count()).toBe(0);
    expect(new URL(page.url()).searchParams.get("day")).toBeNull();
    expect(await focused(page)).toBe(BILLED.slice(0, 10));
  });

  it("reads the windows' chart by arrow keys, and opens the window under the cursor", async () => {
    const page = await visit("?page=bill&day=2026-04-17");
    await ready(page);
    const chart = page.locator("section[aria-labelledby=windows]").first();
    await chart.locator("canvas").waitFor();
    await soon(() => chart.locator(".when").innerText()).toBe("23:55–00:00");
    await chart.locator(".reader").focus();
    await page.keyboard.press("ArrowLeft");
    await soon(() => chart.locator(".when").innerText()).toBe("23:50–23:55");
    await page.keyboard.press("Enter");
    await soon(() => focused(page)).toContain("Sessions of 2026-04-17 23:50");
  });
});

describe("papers", () => {
  const LINES = "one\ntwo\nthree\n";

  it("sends log files one after the other, and shows lines, duplicates and bad lines with reasons", async () => {
    const page = await visit();
    await ready(page);
    await page.locator("#paper-logs summary").first().press("Enter");
    expect(await page.inputValue("#logs-vendor")).toBe("cdn-a");
    expect(await page.inputValue("#logs-layout")).toBe("nginx");
    await page.setInputFiles("#logs-file", ["a.log", "b.log"].map((name) => ({ name, mimeType: "text/plain", buffer: Buffer.from(LINES + name) })));
    const done = page.locator("#paper-logs .uploads > .done");
    await soon(() => done.count()).toBe(2);
    expect(plain(await done.first().innerText())).toMatch(/a\.log.*4 lines · 1 counted before · 1 bad line/s);
    await done.first().locator("summary").press("Enter");
    expect(await done.first().locator(".bad").innerText()).toMatch(/Line 2\s+no time/);
    const sent = service.asked.filter((path) => path.includes("/logs?vendor"));
    expect(sent.map((path) => path.slice(0, path.indexOf("one")))).toEqual(["a", "b"].map((name) => `/v1/bills/logs?vendor=cdn-a&format=nginx&name=${name}.log`));
    expect(sent[1]).toContain(LINES);
    await soon(() => text(page, "#paper-logs .facts")).toBe("3 files, 48,211,914 lines");
    await page.locator("#paper-logs .in-hand-list > summary").press("Enter");
    await page.locator("#paper-logs .in-hand-list .bad summary").first().press("Enter");
    await soon(() => page.locator("#paper-logs .in-hand-list .bad").first().innerText()).toMatch(/17\s+`\$body_bytes_sent`: `-` is no number\s+192\.0\.2\.17/);
    await soon(() => service.asked.filter((path) => path.startsWith("/v1/bills/check")).length).toBe(2);
    expect(await violations(page)).toEqual([]);
  });

  it("shows how far an upload has got, and cancels it", async () => {
    const page = await visit();
    await ready(page);
    await page.locator("#paper-logs summary").first().press("Enter");
    const client = await page.context().newCDPSession(page);
    await client.send("Network.enable");
    await client.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 400_000 });
    await page.setInputFiles("#logs-file", { name: "large.log", mimeType: "text/plain", buffer: Buffer.alloc(8_000_000, "x") });
    const row = page.locator("#paper-logs .uploads > li", { hasText: "large.log" });
    await soon(async () => plain(await row.locator(".told").innerText())).toMatch(/^[1-9].* of 8\.000 MB, [1-9].*B\/s$/);
    expect(await row.locator("progress").evaluate((bar) => (bar as HTMLProgressElement).position)).toBeGreaterThan(0);
    await row.locator("button").press("Enter");
    await soon(() => row.innerText()).toContain("Cancelled");
    expect(service.bills.logs.length).toBe(1);
  });

  it("shows a refusal by line and field: of a log in another's format, of an invoice", async () => {
    const page = await visit();
    await ready(page);
    await page.locator("#paper-logs summary").first().press("Enter");
    await page.fill("#logs-layout", "cloudfront");
    await page.setInputFiles("#logs-file", { name: "x.log", mimeType: "text/plain", buffer: Buffer.from(LINES) });
    await soon(async () => plain(await text(page, "#paper-logs .refused"))).toMatch(/Refused: Line 1 .*`cloudfront` has 33.*field format/s);
    await page.locator("#paper-invoice summary").first().press("Enter");
    await page.fill("#invoices-layout", "nonesuch");
    await page.setInputFiles("#invoices-file", { name: "x.csv", mimeType: "text/csv", buffer: Buffer.from("a,b\n") });
    await soon(() => text(page, "#paper-invoice .refused")).toContain("`nonesuch` is no template");
    expect(await violations(page)).toEqual([]);
    await page.fill("#invoices-layout", "focus");
    await page.setInputFiles("#invoices-file", { name: "x.csv", mimeType: "text/csv", buffer: Buffer.from("a,b\n") });
    await soon(async () => plain(await text(page, "#paper-invoice .facts"))).toBe("x.csv, 1,043,576.8450 CNY");
  });

  it("begins with nothing: says what to do, refuses a contract by line and field, keeps a mended one", async () => {
    service.bills.contracts = [];
    const page = await visit();
    await page.waitForSelector("#paper-contract details[open]");
    expect(await text(page, "#paper-contract .facts")).toContain("begin here");
    expect(await page.locator(".figures").isVisible()).toBe(false);
    expect(await page.locator("#paper-logs").isVisible()).toBe(false);
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Start from an example" }).press("Enter");
    const example = await page.inputValue("#contract-text");
    expect(example).toContain("currency");
    await page.fill("#contract-text", `${example}\nunit = "KB"\n`);
    await page.getByRole("button", { name: "Check and keep" }).press("Enter");
    await soon(() => text(page, ".refusal")).toMatch(/Refused: Line \d+ .*`KB` is no unit.*field unit/s);
    const marked = await page.evaluate(() => {
      const area = document.activeElement as HTMLTextAreaElement;
      return area.value.slice(area.selectionStart, area.selectionEnd);
    });
    expect(marked).toBe('unit = "KB"');
    await page.screenshot({ path: `${ARTEFACTS}bill-refused.png` });
    await page.setInputFiles("#contract-file", { name: "c.toml", mimeType: "text/plain", buffer: Buffer.from('id = "mended"\nvendor = "cdn-a"\n') });
    await soon(() => text(page, "#paper-contract .summary")).toBe("mended, version 1, is valid; it is not kept yet.");
    expect(service.bills.contracts.length).toBe(0);
    await page.getByRole("button", { name: "Check and keep" }).press("Enter");
    await ready(page);
    expect(await text(page, "#paper-contract .facts")).toContain("mended, version 1");
    expect(await page.inputValue("#contract")).toBe("mended");
  });

  it("says what is missing: without logs no losses, without an invoice no claim", async () => {
    [service.bills.logs, service.bills.invoices] = [[], []];
    const page = await visit();
    await ready(page);
    expect(await text(page, "#verdict")).toContain("A side is missing");
    expect(await text(page, ".said")).toContain("The vendor's logs are missing. The invoice is missing.");
    expect(await text(page, "#paper-logs .facts")).toContain("No log of this vendor yet");
    expect(await page.locator(".causes").count()).toBe(0);
    expect(await violations(page)).toEqual([]);
  });
});

describe("the room", () => {
  it("is reached by keyboard, and nothing is asked for the live page meanwhile", async () => {
    const page = await visit("");
    await page.waitForSelector(".figures[aria-busy=false]:not([hidden])");
    await page.locator("nav a", { hasText: "Bill check" }).press("Enter");
    await ready(page);
    expect(await page.locator("nav [aria-current=page]").innerText()).toBe("Bill check");
    expect(await focused(page)).toBe("Bill check");
    expect(new URL(page.url()).search).toContain("page=bill&contract=cdn-a-2026&period=2026-04");
    const reports = () => service.asked.filter((path) => path.startsWith("/v1/reports")).length;
    const before = reports();
    await page.waitForTimeout(11_000);
    expect(reports()).toBe(before);
    await page.goBack();
    await page.waitForSelector("#tile-bytes");
    await soon(reports).toBeGreaterThan(before);
    await page.goForward();
    await ready(page);
  });

  it("speaks both languages and keeps what was chosen and typed", async () => {
    const page = await visit("?page=bill&day=2026-04-17");
    await ready(page);
    await page.locator("#paper-contract summary").first().press("Enter");
    await page.fill("#contract-text", "id = 1");
    await page.click("button[lang=zh-CN]");
    expect(await text(page, "#verdict")).toContain("应提出异议");
    expect(await page.locator(".causes h3").allInnerTexts()).toEqual(["单位错误", "某天重复计费"]);
    // What the service says in words, it says in the page's language.
    expect(await text(page, ".causes li:first-child")).toContain("把 1024² 当作了 1000²");
    expect(await text(page, "article:has(> #owed-log) .formula >> nth=2")).toBe("第 433 名采样，字节 × 8 ÷ 300 秒 ÷ 1000²");
    expect(await text(page, ".ahead")).toContain("估计值，方法：按整日重抽样");
    expect(await text(page, "#windows")).toBe("2026-04-17 的 5 分钟窗口");
    expect(await page.inputValue("#contract-text")).toBe("id = 1");
    expect(await page.getAttribute("html", "lang")).toBe("zh-CN");
    await soon(() => page.locator("section[aria-labelledby=waterfall] svg").getAttribute("aria-label")).toContain("厂商日志");
    expect(await violations(page)).toEqual([]);
    await page.screenshot({ path: `${ARTEFACTS}bill-zh.png`, fullPage: true });
  });

  it("asks anew for another contract or month, and lets the drill-down go", async () => {
    const page = await visit("?page=bill&day=2026-04-17");
    await ready(page);
    await page.selectOption("#period", "2026-03");
    await soon(() => service.asked.some((path) => path === "/v1/bills/check?contract=cdn-a-2026&period=2026-03")).toBe(true);
    await ready(page);
    expect(await page.locator("#windows").count()).toBe(0);
    await page.selectOption("#contract", "cdn-b-2026");
    await soon(() => service.asked.some((path) => path === "/v1/bills/check?contract=cdn-b-2026&period=2026-03")).toBe(true);
    expect(new URL(page.url()).search).toBe("?page=bill&contract=cdn-b-2026&period=2026-03");
  });

  it("shows no month's figures for another when the service goes away, and recovers when asked", async () => {
    const page = await visit();
    await ready(page);
    service.mode = "away";
    await page.selectOption("#period", "2026-03");
    await page.waitForSelector(".notice:not([hidden])");
    expect(await text(page, ".notice")).toContain("does not answer");
    expect(await page.locator(".figures").isVisible()).toBe(false);
    expect(await violations(page)).toEqual([]);
    service.mode = "usual";
    await page.click(".notice button");
    await ready(page);
    expect(await page.locator(".notice").isVisible()).toBe(false);
  });

  it.each([["dark", 1440], ["light", 360], ["dark", 360]] as const)("is readable %s at %d px", async (colorScheme, width) => {
    const page = await visit("?page=bill&day=2026-04-17", { colorScheme, viewport: { width, height: 800 } });
    await ready(page);
    await page.waitForSelector("section[aria-labelledby=day-windows]");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(await violations(page)).toEqual([]);
    await page.screenshot({ path: `${ARTEFACTS}bill-${colorScheme}-${width}.png`, fullPage: true });
  });
});
