// The web site the viewers visit: the page, its scripts, and the desk where its witness hands in what it saw.

import { build } from "esbuild";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { Testimony } from "./page/contract.ts";
import type { Settings } from "./settings.ts";

/** What the page is made of, below the lab's folder, and whether it embeds our SDK. */
export interface Made {
  html: string;
  script: string;
  sdk: boolean;
}

const LAB: Made = { html: "page/index.html", script: "page/page.ts", sdk: true };

export interface Site {
  address(page: object): string;
  /** All that this viewer's page has said so far. */
  testimony(viewer: string): Testimony;
  close(): Promise<void>;
}

export async function openSite(settings: Settings, made: Made = LAB): Promise<Site> {
  const files = new Map([
    ["/", { type: "text/html", text: readFileSync(path.join(settings.room, made.html), "utf8") }],
    ["/page.js", { type: "text/javascript", text: await bundle(path.join(settings.room, made.script)) }],
  ]);
  if (made.sdk) {
    files.set("/livemeter.js", { type: "text/javascript", text: readFileSync(path.join(settings.sdk, "dist/livemeter.iife.js"), "utf8") });
  }
  const heard = new Map<string, Testimony>();
  const testimony = (viewer: string): Testimony => {
    const said = heard.get(viewer) ?? { samples: [], requests: [], notes: [], left: false };
    heard.set(viewer, said);
    return said;
  };

  const server = http.createServer((request, response) => {
    const where = new URL(request.url ?? "/", "http://lab").pathname;
    const file = files.get(where);
    if (file) {
      response.writeHead(200, { "content-type": file.type, "cache-control": "no-store" }).end(file.text);
    } else if (where.startsWith("/witness/") && request.method === "POST") {
      void body(request).then((text) => {
        hear(testimony(where.slice("/witness/".length)), JSON.parse(text) as Testimony);
        response.writeHead(204).end();
      });
    } else {
      response.writeHead(404).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    address: (page) => `http://127.0.0.1:${port}/#${encodeURIComponent(JSON.stringify(page))}`,
    testimony,
    async close() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}

async function bundle(entry: string): Promise<string> {
  const built = await build({ entryPoints: [entry], bundle: true, format: "esm", target: "chrome120", write: false, logLevel: "error" });
  return built.outputFiles[0]?.text ?? "";
}

async function body(request: http.IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

/** Beacons may overtake one another: samples are put in the order in which they were taken. */
function hear(all: Testimony, more: Testimony): void {
  const late = (all.samples.at(-1)?.at_ms ?? 0) > (more.samples[0]?.at_ms ?? Infinity);
  all.samples.push(...more.samples);
  if (late) all.samples.sort((a, b) => a.at_ms - b.at_ms);
  all.requests.push(...more.requests);
  all.notes.push(...more.notes);
  all.left ||= more.left;
}
