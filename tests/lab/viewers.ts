// Four viewers in one headless Chromium, each with a context (cache, connections, name) of its own.
// The browser's own account of its requests is kept beside the page's, as a third witness.

import { chromium, type Browser, type BrowserContext, type CDPSession, type Page } from "playwright-core";
import path from "node:path";
import type { PageSettings } from "./page/contract.ts";
import type { Site } from "./pages.ts";
import { until } from "./children.ts";

/** One request as the browser's network stack saw it. */
export interface NetworkRequest {
  id: string | null;
  url: string;
  body_bytes: number;
  ended: "finished" | "canceled" | "failed" | null;
}

export interface Viewer {
  name: string;
  page: Page;
  network: NetworkRequest[];
}

export const ARGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--mute-audio"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  "--autoplay-policy=no-user-gesture-required",
  // Every page is watched, whichever of them Chromium believes to be in front.
  ...["--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows"],
];

export class Audience {
  readonly viewers: Viewer[] = [];
  private constructor(private readonly browser: Browser) {}

  static async gather(executablePath: string): Promise<Audience> {
    // Signals are the lab's affair: it ends things in order.
    const signals = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
    return new Audience(await chromium.launch({ executablePath, args: ARGS, headless: true, ...signals }));
  }

  async seat(site: Site, settings: PageSettings): Promise<void> {
    const context = await this.browser.newContext({ viewport: { width: 320, height: 180 }, userAgent: await this.agent(settings.viewer) });
    const page = await context.newPage();
    const viewer: Viewer = { name: settings.viewer, page, network: [] };
    page.on("pageerror", (error) => site.testimony(viewer.name).notes.push({ at_ms: Date.now(), note: `page error: ${error.message}` }));
    await listen(context, page, viewer.network);
    await page.goto(site.address(settings));
    this.viewers.push(viewer);
  }

  private own: string | undefined;
  private async agent(name: string): Promise<string> {
    if (this.own === undefined) {
      const page = await this.browser.newPage();
      this.own = await page.evaluate(() => navigator.userAgent);
      await page.close();
    }
    return `${this.own} ${name}`;
  }

  async photograph(folder: string): Promise<void> {
    for (const { name, page } of this.viewers) await page.screenshot({ path: path.join(folder, `${name}.png`) });
  }

  /** What the SDK says of itself in each page; evidence only. */
  async debug(): Promise<Record<string, unknown>> {
    const said = await Promise.all(this.viewers.map(async (v) => [v.name, await v.page.evaluate(() => window.lab.debug())] as const));
    return Object.fromEntries(said);
  }

  /** Everybody leaves the page, as by a link: `pagehide` fires and the last beacons go out. */
  async leave(site: Site): Promise<void> {
    await Promise.all(this.viewers.map(({ page }) => page.goto("about:blank")));
    for (const { name } of this.viewers) {
      await until(`the page of ${name} says goodbye`, 5_000, async () => site.testimony(name).left || undefined);
    }
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}

async function listen(context: BrowserContext, page: Page, seen: NetworkRequest[]): Promise<void> {
  const cdp: CDPSession = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  const open = new Map<string, NetworkRequest>();
  cdp.on("Network.requestWillBeSent", (e) => {
    if (!/\.(m3u8|ts)$/.test(new URL(e.request.url).pathname)) return;
    const request: NetworkRequest = { id: null, url: e.request.url, body_bytes: 0, ended: null };
    open.set(e.requestId, request);
    seen.push(request);
  });
  cdp.on("Network.responseReceived", (e) => {
    const request = open.get(e.requestId);
    const name = Object.keys(e.response.headers).find((h) => h.toLowerCase() === "x-request-id");
    if (request && name) request.id = e.response.headers[name] ?? null;
  });
  cdp.on("Network.dataReceived", (e) => {
    const request = open.get(e.requestId);
    if (request) request.body_bytes += e.dataLength;
  });
  cdp.on("Network.loadingFinished", (e) => end(e.requestId, "finished"));
  cdp.on("Network.loadingFailed", (e) => end(e.requestId, e.canceled ? "canceled" : "failed"));

  function end(id: string, how: NetworkRequest["ended"]): void {
    const request = open.get(id);
    if (request) request.ended = how;
    open.delete(id);
  }
}
