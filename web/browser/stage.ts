// A real Chromium for the tests, with everything that goes wrong in a page collected.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { type Browser, type BrowserContextOptions, type Page, chromium } from "playwright-core";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

export interface Opened {
  page: Page;
  /** Errors of the page, broken security policy included. */
  errors: string[];
}

export async function open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", timezoneId: "Europe/Berlin", ...options });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  const origin = new URL(url).origin;
  page.on("request", (request) => {
    const external = !request.url().startsWith(origin) && !/^(data|blob):/.test(request.url());
    if (external) errors.push(`external resource: ${request.url()}`);
  });
  await page.goto(url);
  return { page, errors };
}

interface Violation {
  id: string;
  impact: string;
  help: string;
  nodes: { html: string }[];
}

/** What axe-core finds against WCAG 2.2 AA and its own best practices, serious or worse. */
export async function violations(page: Page): Promise<string[]> {
  const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  // Through the debugger, which the page's own security policy does not bind.
  await page.evaluate(source);
  const found = await page.evaluate(async () => {
    const axe = (globalThis as unknown as { axe: { run(): Promise<{ violations: unknown[] }> } }).axe;
    return (await axe.run()).violations as unknown[];
  });
  return (found as Violation[])
    .filter((one) => ["serious", "critical", "moderate"].includes(one.impact))
    .map((one) => `${one.impact} ${one.id}: ${one.help}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
}
