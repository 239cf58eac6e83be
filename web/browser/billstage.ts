// The stage of a file of tests of the bill check: one browser and one service, a page of its own for each test.

import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { Bills } from "./billfake";
import { type Fake, fake } from "./fake";
import { type Opened, launch, open } from "./stage";

export interface Stage {
  service: Fake;
  opened: Opened | undefined;
  visit(path?: string, options?: Parameters<typeof open>[2]): Promise<Page>;
}

/** To be called once, at the top of the file. */
export function stage(): Stage {
  let browser: Browser;
  const self = { opened: undefined, visit } as unknown as Stage;
  beforeAll(async () => {
    browser = await launch();
    self.service = await fake();
  });
  beforeEach(() => {
    self.service.mode = "usual";
    self.service.bills = new Bills();
    self.service.asked.length = 0;
  });
  afterEach(async () => {
    await self.opened?.page.context().close();
    self.opened = undefined;
  });
  afterAll(async () => {
    await browser.close();
    await self.service.close();
  });
  return self;

  async function visit(path = "?page=bill", options: Parameters<typeof open>[2] = {}): Promise<Page> {
    self.opened = await open(browser, self.service.url + path, options);
    return self.opened.page;
  }
}

export const ready = (page: Page) => page.waitForSelector(".figures[aria-busy=false]:not([hidden]) .verdict");
export const soon = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 15_000 });
export const plain = (words: string) => words.replaceAll(/[\u00a0\u202f]/g, " ");
export const rows = (page: Page, table: string): Locator => page.locator(`section[aria-labelledby=${table}] tbody tr`);

/** A table's figures, a row each by what its column is called; `exact`: as they stand on hover, where they do. */
export async function figures(page: Page, table: string): Promise<{ text: string; exact: string }[][]> {
  const all = await rows(page, table).evaluateAll((trs) => trs.map((tr) => [...tr.querySelectorAll(".number")].map((cell) => ({ text: cell.textContent ?? "", exact: cell.getAttribute("title") ?? "" }))));
  return all.map((cells) => cells.map(({ text, exact }) => ({ text: plain(text), exact: plain(exact) })));
}

export const headings = async (page: Page, table: string) => await page.locator(`section[aria-labelledby=${table}] thead th.number`).allTextContents();
