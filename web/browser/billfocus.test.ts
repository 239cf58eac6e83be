// Papers by keyboard: where the focus stays while a page is drawn anew around it, and a refusal with all it says.

import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { BILLED_DAY } from "./billfake";
import { plain, ready, soon, stage } from "./billstage";
import { violations } from "./stage";

const on = stage();
const checks = () => on.service.asked.filter((path) => path.startsWith("/v1/bills/check")).length;
const focused = (page: Page) => page.evaluate(() => document.activeElement?.id || document.activeElement?.getAttribute("data-opens") || document.activeElement?.textContent || "");
const take = (page: Page, name: string) => page.setInputFiles("#logs-file", { name, mimeType: "text/plain", buffer: Buffer.from(`${name}\n`) });

/** What had the focus has it still when a file is in and the bill is checked anew. */
async function keeps(page: Page, name: string, holder: string): Promise<void> {
  const before = checks();
  await take(page, name);
  await soon(() => page.locator("#paper-logs .uploads > .done", { hasText: name }).count()).toBe(1);
  await soon(checks).toBe(before + 1);
  await ready(page);
  expect(await focused(page)).toBe(holder);
}

it("keeps the focus where it was when a file has come in: on its button, a field, a chooser, an open list, a day", async () => {
  const page = await on.visit();
  await ready(page);
  await page.locator("#paper-logs summary").first().press("Enter");
  const holders = ["#logs-layout", "#period", `[data-opens="${BILLED_DAY}"]`];
  for (const [i, holder] of holders.entries()) {
    await page.locator(holder).focus();
    await keeps(page, `${i}.log`, holder.replace(/^#|^\[data-opens="|"\]$/g, ""));
  }
  await page.locator("#paper-logs .drop button").focus();
  await keeps(page, "button.log", "Choose files…");
  const list = page.locator("#paper-logs .in-hand-list");
  await list.locator("> summary").press("Enter");
  await keeps(page, "list.log", "In hand: 6");
  expect(await list.getAttribute("open")).not.toBeNull();
});

it("hands the focus from the button that went to what came of the upload", async () => {
  const page = await on.visit();
  await ready(page);
  await page.locator("#paper-logs summary").first().press("Enter");
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  await client.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 400_000 });
  await page.setInputFiles("#logs-file", { name: "large.log", mimeType: "text/plain", buffer: Buffer.alloc(4_000_000, "x") });
  await page.locator("#paper-logs .uploads > .sending button").press("Enter");
  await soon(() => page.locator("#paper-logs .uploads > .cancelled").count()).toBe(1);
  expect(await page.evaluate(() => document.activeElement?.className)).toBe("outcome");
});

it("shows all that a refusal says: what was given, and the limit", async () => {
  const page = await on.visit();
  await ready(page);
  on.service.bills.refusal = { refused: "the file has 17179869185 bytes; 17179869184 are accepted", field: "body", value: 17_179_869_185, limit: 17_179_869_184 };
  await page.locator("#paper-logs summary").first().press("Enter");
  await take(page, "huge.log");
  await soon(async () => plain(await page.locator("#paper-logs .refused").innerText())).toContain("Refused: the file has 17179869185 bytes; 17179869184 are accepted");
  expect(plain(await page.locator("#paper-logs .refused .given").innerText())).toBe("field body · given 17,179,869,185 · limit 17,179,869,184");
  expect(await violations(page)).toEqual([]);
});

it("says in Chinese what a refusal means, then the service's own words", async () => {
  const page = await on.visit();
  await ready(page);
  await page.click("button[lang=zh-CN]");
  await ready(page);
  on.service.bills.refusal = { error: "too_large", refused: "the file has 17179869185 bytes; 17179869184 are accepted", field: "body", value: 17_179_869_185, limit: 17_179_869_184 };
  await page.locator("#paper-logs summary").first().press("Enter");
  await take(page, "huge.log");
  await soon(async () => plain(await page.locator("#paper-logs .refused").innerText())).toContain("被拒绝： 超过了大小上限。服务原文：the file has 17179869185 bytes; 17179869184 are accepted");
  expect(await violations(page)).toEqual([]);
});
