// The what-if of the bill check in a real Chromium: asked by keyboard, answered in both languages, refused in words.

import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { CONTRACTS } from "./billfake";
import { plain, ready, rows, soon, stage } from "./billstage";
import { violations } from "./stage";

const on = stage();
const text = (page: Page, selector: string) => page.locator(selector).innerText();
const row = (page: Page, table: string, words: string) => rows(page, table).filter({ hasText: words });

it("works out another allocation by keyboard: both bills, their sum where there is one, and what is refused", async () => {
  on.service.bills.contracts = [...on.service.bills.contracts, { ...CONTRACTS[2]!, id: "cdn-b2-2026", vendor: "cdn-b2", currency: "CNY" }];
  const page = await on.visit();
  await ready(page);
  await page.locator("#what-if-percent").focus();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("12.5");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#what-if-bills");
  expect(new URL(on.service.asked.filter((path) => path.includes("what-if")).at(-1) ?? "", on.service.url).searchParams.toString()).toBe("contracts=cdn-a-2026%2Ccdn-b2-2026&period=2026-04&from=cdn-a-2026&to=cdn-b2-2026&percent=12.5");
  expect(plain(await row(page, "what-if-bills", "cdn-a-2026").innerText())).toMatch(/\(100 %\).*\(87.5 %\).*953,052.0000 CNY.*857,746.8000 CNY.*−95,305.2000 CNY/s);
  expect(plain(await text(page, ".what-if-answer"))).toContain("Cheaper. Together 953,052.0000 CNY before, 937,746.9200 CNY after: −15,305.0800 CNY.");
  expect(await text(page, ".as-if")).toContain("cdn-b2-2026");
  const meanings = page.locator("section[aria-labelledby=what-if-bills] details li .definition code");
  expect(await meanings.count()).toBe(5);
  expect(await violations(page)).toEqual([]);
  // The language changes; what was asked and answered stays.
  await page.click("button[lang=zh-CN]");
  expect(plain(await text(page, ".what-if-answer"))).toContain("合计：移动前 953,052.0000 CNY");
  expect(await page.locator("#what-if-percent").inputValue()).toBe("12.5");
  await page.click("button[lang=en-GB]");
  await page.selectOption("#what-if-to", "cdn-b-2026");
  await page.locator("#what-if-percent").press("Enter");
  await soon(() => text(page, ".what-if-answer")).toContain("no sum");
  await page.fill("#what-if-percent", "999");
  await page.locator("#what-if-percent").press("Enter");
  await soon(() => text(page, ".what-if-answer")).toContain("is no share");
  // Another month has other bills.
  await page.selectOption("#period", { index: 3 });
  await soon(() => text(page, ".what-if-answer")).toBe("");
});
