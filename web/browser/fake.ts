// A small query service for the browser test: the same HTTP contract, over a fixed set of rows.
// Its shapes are checked by the compiler against the published contract.

import { readFile } from "node:fs/promises";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { Bills } from "./billfake";
import type { Definitions, Problem, QualityReport, QualityRow, Refusals, SqlAnswer, Status, TrafficReport, TrafficRow } from "../src/api";

export const NOW = Date.parse("2026-05-04T10:08:20Z");
const WINDOW = 300_000;
const CDNS = ["cdn-a", "cdn-b", "cdn-c"];
const PROGRAMMES = ["match-7", "news-24", "gala-night", "e-sports-final"];
/** As the service publishes them. */
const DEFINITIONS = JSON.parse(await readFile(new URL("../../schemas/definitions.json", import.meta.url), "utf8")) as Definitions;

/** `away`: connections are cut. `busy`: every report is refused. `empty`: no row was ever written.
 *  `quiet`: rows exist, but none in the range. */
export type Mode = "usual" | "away" | "busy" | "empty" | "quiet";

interface Increment {
  at: number;
  cdn: string;
  programme: string;
  bytes: number;
  aborted: number;
  play: number;
  stall: number;
  stalls: number;
  views: number;
}

/** A day of three CDNs: a wave over the day, and an evil quarter of an hour on cdn-b. */
export const INCREMENTS: Increment[] = [];
for (let at = NOW - (NOW % WINDOW) - 287 * WINDOW; at <= NOW; at += WINDOW) {
  const open = Math.min(WINDOW, NOW - at) / WINDOW;
  CDNS.forEach((cdn, c) => {
    PROGRAMMES.forEach((programme, p) => {
      const wave = 1 + 0.35 * Math.sin(at / 5_400_000 + c) + 0.04 * Math.sin(at / 410_000 + 2 * p + c);
      const bytes = Math.round(1_137_000_000 * [6, 4, 2.6][c]! * [5, 3, 2, 1][p]! * wave * open);
      const bad = c === 1 && NOW - at > 1_500_000 && NOW - at < 2_700_000;
      const play = Math.round((bytes / 1_137_000) * 220);
      const stall = Math.round(play * (bad ? 0.041 : 0.0031 * (1 + c * 0.4) * wave));
      INCREMENTS.push({ at, cdn, programme, bytes, aborted: Math.round(bytes * 0.004), play, stall, stalls: Math.round(stall / 1900), views: Math.round(bytes / 90_000_000) });
    });
  });
}

/** Two services that answer. */
export const REFUSALS: Refusals = {
  asked_at: new Date(NOW).toISOString(),
  services: [{ address: "http://127.0.0.1:8700" }, { address: "http://127.0.0.1:8702" }],
  rows: [
    { by: "ingest", what: "request", cause: "key_refused", count: 14_302 },
    { by: "ingest", what: "event", cause: "too_long", count: 12 },
    { by: "processor", what: "record", cause: "counter_fell", count: 3 },
    { by: "ingest", what: "dead_letter", cause: "over_own_quota", count: 7 },
  ],
};

export interface Fake {
  url: string;
  mode: Mode;
  /** `null`: a service that has no such answer. */
  refusals: Refusals | null;
  /** Paths and bodies asked for, oldest first. */
  asked: string[];
  bills: Bills;
  close(): Promise<void>;
}

export async function fake(): Promise<Fake> {
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const self: Fake = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    mode: "usual",
    refusals: REFUSALS,
    asked: [],
    bills: new Bills(),
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
  return self;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", self.url);
    const file = { "/": "index.html", "/console.js": "console.js", "/console.css": "console.css" }[url.pathname];
    if (file) return send(response, 200, await readFile(fileURLToPath(new URL(`../dist/${file}`, import.meta.url)), "utf8"), file);
    const body = await text(request).catch(() => null);
    // An upload that was cancelled.
    if (body === null) return;
    self.asked.push(`${url.pathname}${url.search}${body}`);
    if (self.mode === "away") return void request.socket.destroy();
    if (url.pathname === "/v1/definitions") return json(response, DEFINITIONS);
    if (url.pathname === "/v1/status") return json(response, status(self.mode));
    if (url.pathname === "/v1/refusals") return self.refusals === null ? json(response, { error: "not_found", reason: "an older service", retry: false } satisfies Problem, 404) : json(response, self.refusals);
    if (self.mode === "busy") return json(response, { error: "busy", reason: "8 queries are running; the limit is 8", retry: true } satisfies Problem, 429);
    if (url.pathname.startsWith("/v1/bills/")) return bill(response, self.bills, request.method ?? "GET", url, body);
    if (url.pathname === "/v1/reports/traffic") return json(response, traffic(url.searchParams, self.mode));
    if (url.pathname === "/v1/reports/quality") return json(response, quality(url.searchParams, self.mode));
    if (url.pathname === "/v1/sql") return sql(response, (JSON.parse(body) as { sql: string }).sql);
    return json(response, { error: "not_found", reason: `no ${url.pathname}`, retry: false } satisfies Problem, 404);
  }
}

async function text(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}

function bill(response: ServerResponse, bills: Bills, method: string, url: URL, body: string): void {
  if (/export|evidence/.test(url.pathname)) return void response.writeHead(200, { "content-disposition": 'attachment; filename="bill.csv"' }).end("day,bytes\n");
  const answer = bills.answer(method, url.pathname, url.searchParams, body);
  if (!("refused" in answer)) return json(response, answer);
  json(response, { error: answer.error ?? "refused", reason: answer.refused, field: answer.field ?? null, value: answer.value ?? null, limit: answer.limit ?? null, retry: false } satisfies Problem, 422);
}

function json(response: ServerResponse, value: object, code = 200): void {
  send(response, code, JSON.stringify(value), "x.json");
}

function send(response: ServerResponse, code: number, body: string, file: string): void {
  const types = { html: "text/html", js: "text/javascript", css: "text/css", json: "application/json" } as Record<string, string>;
  response.writeHead(code, {
    "content-type": `${types[file.split(".").at(-1) ?? ""]}; charset=utf-8`,
    // As strict as the service's own: a style or script that breaks it is an error in the page's log.
    "content-security-policy":
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
  });
  response.end(body);
}

function status(mode: Mode): Status {
  const empty = mode === "empty";
  const table = (name: string, version: number, rows: number) => ({ name, version: empty ? null : version, rows: empty ? 0 : rows, committed_at: empty ? null : new Date(NOW - 4_000).toISOString() });
  return {
    now: new Date(NOW).toISOString(),
    newest_received_at: empty ? null : new Date(NOW - 8_200).toISOString(),
    apps: empty ? [] : ["demo", "sports"],
    cdns: empty ? [] : CDNS,
    tables: [table("increments", 4211, 913_744), table("events", 1873, 40_118)],
  };
}

/** Rows within the parameters' range, grouped by their keys. */
function grouped(query: URLSearchParams, mode: Mode): Map<string, Increment[]> {
  const instant = (name: string) => {
    const value = query.get(name) ?? "";
    return value.length === 10 ? localMidnight(value, query.get("tz") ?? "UTC") : Date.parse(value);
  };
  const by = (query.get("by") ?? "cdn").split(",");
  const [from, to] = [instant("from"), instant("to")];
  const rows = mode === "usual" && query.get("app") !== "sports" ? INCREMENTS.filter((row) => row.at >= from && row.at < to) : [];
  const keys = (row: Increment) => ({
    ...(by.includes("time") ? { time: new Date(row.at).toISOString() } : {}),
    ...(by.includes("cdn") ? { cdn: row.cdn } : {}),
    ...(by.includes("programme") ? { programme: row.programme } : {}),
  });
  const groups = new Map<string, Increment[]>();
  for (const row of rows) {
    const key = JSON.stringify(keys(row));
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}

/** Enough for the zones the test uses: a fixed offset, found from the zone's own clock. */
function localMidnight(date: string, tz: string): number {
  const utc = Date.parse(`${date}T00:00:00Z`);
  const there = Date.parse(`${new Date(utc).toLocaleString("sv-SE", { timeZone: tz }).replace(" ", "T")}Z`);
  return utc - (there - utc);
}

const sum = (rows: Increment[], of: (row: Increment) => number) => rows.reduce((total, row) => total + of(row), 0);

function head(query: URLSearchParams) {
  const utc = (name: string) => new Date(grouping(query.get(name) ?? "", query.get("tz") ?? "UTC", name === "to")).toISOString();
  return { app: query.get("app"), from: utc("from"), to: utc("to"), tz: query.get("tz") ?? "UTC", table_version: 4211, truncated: false, definitions: DEFINITIONS.metrics };
}

/** Whole windows, as the service answers them: `from` down, `to` up. */
function grouping(value: string, tz: string, up: boolean): number {
  const at = value.length === 10 ? localMidnight(value, tz) : Date.parse(value);
  return (up ? Math.ceil(at / WINDOW) : Math.floor(at / WINDOW)) * WINDOW;
}

function traffic(query: URLSearchParams, mode: Mode): TrafficReport {
  const rows = [...grouped(query, mode)].map(([keys, rows]): TrafficRow => ({
    ...(JSON.parse(keys) as Partial<TrafficRow>),
    bytes: sum(rows, (r) => r.bytes),
    aborted_bytes: sum(rows, (r) => r.aborted),
    sessions: sum(rows, (r) => r.views),
    peak_bandwidth_bps: Math.floor((Math.max(...perWindow(rows).values()) * 8) / 300),
  }));
  return { ...head(query), rows };
}

function perWindow(rows: Increment[]): Map<number, number> {
  const windows = new Map<number, number>();
  for (const row of rows) windows.set(row.at, (windows.get(row.at) ?? 0) + row.bytes);
  return windows;
}

function quality(query: URLSearchParams, mode: Mode): QualityReport {
  const rows = [...grouped(query, mode)].map(([keys, rows]): QualityRow => {
    const [play, stall, stalls, views] = [sum(rows, (r) => r.play), sum(rows, (r) => r.stall), sum(rows, (r) => r.stalls), sum(rows, (r) => r.views)];
    return {
      ...(JSON.parse(keys) as Partial<QualityRow>),
      play_ms: play,
      stall_ms: stall,
      stalls,
      views,
      stall_ratio: stall / (play + stall),
      stalls_per_100s: (stalls * 100_000) / play,
      stall_ms_per_100s: (stall * 100_000) / play,
      stalled_views_ratio: 0.0472,
      startup_p50_ms: 812,
      startup_p95_ms: 2304,
    };
  });
  return { ...head(query), rows };
}

function sql(response: ServerResponse, statement: string): void {
  if (!/^\s*(select|with)/i.test(statement)) {
    return json(response, { error: "not_a_select", reason: `${statement.trim().split(/\s/)[0]} is not a SELECT; only SELECT is answered`, retry: false } satisfies Problem, 400);
  }
  const answer: SqlAnswer = {
    columns: [{ name: "cdn", type: "Utf8" }, { name: "bytes", type: "Int64" }, { name: "note", type: "Utf8" }],
    rows: CDNS.map((cdn) => [cdn, sum(INCREMENTS.filter((r) => r.cdn === cdn), (r) => r.bytes), cdn === "cdn-c" ? "<img src=x onerror=alert(1)>" : null]),
    row_count: CDNS.length,
    truncated: false,
    table_versions: { increments: 4211 },
    elapsed_ms: 37,
  };
  return json(response, answer);
}
