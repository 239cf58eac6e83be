// The bill check's part of the small query service: one vendor's April in Beijing days, of which every byte is
// known, and an invoice with two errors.

import { createHash } from "node:crypto";
import type { BillCheck, BillSessions, BillWindow, BillWindows, CheckDay, ContractSummary, InvoiceSummary, LogImport, LogLines, Simulation, Source, WhatIf } from "../src/bill/shapes";

const WINDOW = 300_000;
const FIRST = Date.parse("2026-04-01T00:00:00+08:00");
const DAYS = 30;
/** 5 % of 8,640 samples, rounded down. */
const DROPPED = 432;

export const sha = (text: string) => createHash("sha256").update(text).digest("hex");
const contract = (id: string, version: number, vendor: string, mode: string, currency: string): ContractSummary => ({
  id, version, sha256: sha(id + version), vendor, currency, tz: "Asia/Shanghai", mode, valid_from: "2026-01-01", valid_to: null, cdns: [vendor], domains: ["live.example.com", "vod.example.com"],
});
export const CONTRACTS = [contract("cdn-a-2026", 1, "cdn-a", "p95_month", "CNY"), contract("cdn-a-2026", 2, "cdn-a", "p95_month", "CNY"), contract("cdn-b-2026", 1, "cdn-b", "traffic", "USD")];
const CHOSEN = CONTRACTS[1]!;

interface Slot {
  at: number;
  client: number;
  overhead: number;
  loss: number;
  foreign: number;
  rest: number;
}

const slots: Slot[] = [];
for (let i = 0; i < DAYS * 288; i++) {
  const hour = (i % 288) / 12;
  const evening = Math.exp(-((hour - 20.5) ** 2) / 9) + 0.35 * Math.exp(-((hour - 12.5) ** 2) / 6);
  const day = Math.floor(i / 288);
  const client = Math.round(2_137_000_000 * (0.18 + evening * (1 + 0.12 * Math.sin(day * 1.7)) + 0.02 * Math.sin(i * 2.3)));
  slots.push({ at: FIRST + i * WINDOW, client, overhead: Math.round(client * 0.07), loss: Math.round(client * 0.0061), foreign: Math.round(client * 0.0102), rest: Math.round(client * (day === 16 ? 0.0118 : 0.0007)) });
}
const logOf = (slot: Slot) => slot.client + slot.overhead + slot.loss + slot.foreign + slot.rest;
const ranked = [...slots].sort((a, b) => logOf(b) - logOf(a));
const rank = new Map(ranked.map((slot, i) => [slot.at, i + 1]));
const total = (of: (slot: Slot) => number, some = slots) => some.reduce((sum, slot) => sum + of(slot), 0);
export const TOTAL = { client: total((s) => s.client), overhead: total((s) => s.overhead), loss: total((s) => s.loss), foreign: total((s) => s.foreign), rest: total((s) => s.rest), log: total(logOf) };

const BILLED_OVERHEAD = Math.round(TOTAL.log * 0.03);
const INVOICED = Math.round(TOTAL.log * 1.0486);

/** An instant as the contract's own clock has it. */
const there = (at: number) => `${new Date(at + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`;
const dayOf = (at: number) => there(at).slice(0, 10);
export const BILLED = there(ranked[DROPPED]!.at);
export const BILLED_DAY = BILLED.slice(0, 10);

const invoice: InvoiceSummary = { vendor: "cdn-a", name: "cdn-a-2026-04.xlsx", sha256: sha("invoice"), known: false, currency: "CNY", total: "1043576.8450", lines: 3, from: "2026-03-31T16:00:00Z", to: "2026-04-30T16:00:00Z" };
const log: LogImport = {
  vendor: "cdn-a", format: "nginx", name: "access-2026-04.log.zst", sha256: sha("log"), known: false, lines: 48_211_906, duplicate_lines: 1_204, bad_lines: 2,
  bad: [{ line: 17, reason: "`$body_bytes_sent`: `-` is no number" }, { line: 90_412, reason: "<b>9 fields</b>; the format has 11" }], bytes: TOTAL.log, from: "2026-03-31T16:00:00Z", to: "2026-04-30T15:59:59Z",
};
const source: Source = { table_version: 4211, offsets: ["0:918273", "1:918004"], contract_sha256: CHOSEN.sha256, invoice_sha256: invoice.sha256, log_sha256: [log.sha256] };

/** Why something was not taken. */
export interface Refused {
  refused: string;
  /** The word for programs. */
  error?: string;
  field?: string;
  value?: number;
  limit?: number;
}

export class Bills {
  /** Every paper is refused with this. */
  refusal: Refused | null = null;
  contracts: ContractSummary[] = CONTRACTS;
  logs: LogImport[] = [log];
  invoices: InvoiceSummary[] = [invoice];

  /** What is answered; a number is a status, its words the refusal. */
  answer(method: string, path: string, query: URLSearchParams, body: string): object | Refused {
    const name = path.replace("/v1/bills/", "");
    if (method === "POST") return this.refusal ?? this.take(name, query, body);
    if (name === "contracts") return { contracts: this.contracts };
    if (name === "logs") return { imports: this.logs.map((one) => ({ ...one, bad: [] })) };
    if (name === "invoices") return { invoices: this.invoices };
    if (name === "windows") return windows(query.get("day") ?? "");
    if (name === "sessions") return sessions(query.get("window") ?? "");
    if (name === "lines") return lines(query.get("first"), query.get("last"));
    if (name === "what-if") return whatIf(query);
    if (name === "simulation") return simulation(query.get("period") ?? "");
    return check(query.get("period") ?? "", this.invoices.at(-1), this.logs.length > 0);
  }

  private take(name: string, query: URLSearchParams, body: string): object {
    const text = (key: string) => query.get(key) ?? "";
    if (name === "contracts") {
      const line = body.split("\n").findIndex((one) => one.includes("KB"));
      if (line !== -1) return { refused: `line ${line + 1}: \`KB\` is no unit; GB and GiB are`, field: "unit" };
      const kept = contract(/id = "(.+?)"/.exec(body)?.[1] ?? "new", 1, /vendor = "(.+?)"/.exec(body)?.[1] ?? "cdn-n", "traffic", "CNY");
      if (query.get("check") !== "true") this.contracts = [...this.contracts, kept];
      return kept;
    }
    const lines = body.split("\n").filter(Boolean).length;
    if (name === "invoices") {
      if (text("template") !== "focus") return { refused: `\`${text("template")}\` is no template`, field: "template" };
      const taken = { ...invoice, vendor: text("vendor"), name: text("name"), sha256: sha(body), lines };
      this.invoices = [...this.invoices, taken];
      return taken;
    }
    if (text("format") !== "nginx") return { refused: `line 1: 11 fields; \`${text("format")}\` has 33`, field: "format" };
    const taken: LogImport = { ...log, vendor: text("vendor"), name: text("name"), sha256: sha(body), lines, duplicate_lines: 1, bad_lines: 1, bad: [{ line: 2, reason: "no time" }], bytes: 3_000 };
    this.logs = [...this.logs, taken];
    return taken;
  }
}

/** A step that is no estimate: it has no interval. */
const step = (name: string, kind: string, bytes: number) => ({ step: name, kind, bytes, low_bytes: null, high_bytes: null });

function check(period: string, invoiced: InvoiceSummary | undefined, logged: boolean): BillCheck {
  const owed = { samples: 8640, dropped: DROPPED, rank: DROPPED + 1, billed_window: BILLED, unit: "Mbps", currency: "CNY" };
  return {
    contract: CHOSEN,
    period,
    from: `${period}-01T00:00:00+08:00`,
    to: `${period}-30T24:00:00+08:00`,
    invoice: invoiced ?? null,
    verdict: invoiced && logged ? "disputed" : "incomplete",
    waterfall: [
      step("client", "total", TOTAL.client),
      step("log_overhead", "difference", TOTAL.overhead),
      ...(logged
        ? [
            { step: "telemetry_loss", kind: "difference", bytes: TOTAL.loss, low_bytes: Math.round(TOTAL.loss * 0.4), high_bytes: Math.round(TOTAL.loss * 1.9) },
            step("without_sdk", "difference", TOTAL.foreign),
            step("unexplained", "difference", TOTAL.rest),
            step("log", "total", TOTAL.log),
          ]
        : []),
      step("overhead", "difference", BILLED_OVERHEAD),
      ...(invoiced ? [step("invoice_difference", "difference", INVOICED - TOTAL.log - BILLED_OVERHEAD), step("invoice", "total", INVOICED)] : []),
    ],
    bills: [
      { side: "client", quantity: "78.1180", amount: "937416.0000", steps: steps("73.0075", "78.1180", "937416.0000"), ...owed },
      ...(logged ? [{ side: "log", quantity: "79.4210", amount: "953052.0000", steps: steps("79.4210", "79.4210", "953052.0000"), ...owed }] : []),
    ],
    causes: invoiced
      ? [
          { cause: "wrong_unit", invoice_row: 2, invoice_rows: [2], invoice_rows_more: 0, day: null, amount: "46358.5950", evidence: "The invoice has 83.2841 Mbps; our 79.4210 Mbps × 1.048576 is 83.2789: 1024² was taken for 1000².", evidence_zh: "账单为 83.2841 Mbps；我方 79.4210 Mbps × 1.048576 为 83.2789：把 1024² 当作了 1000²。" },
          { cause: "day_billed_twice", invoice_row: 3, invoice_rows: [3], invoice_rows_more: 0, day: "2026-04-17", amount: "44166.2500", evidence: "Rows 2 and 3 both bill 2026-04-17: once within the month, once alone as “supplement”.", evidence_zh: "第 2 行与第 3 行都收取 2026-04-17：一次在全月之内，一次单独作为“补收”。" },
        ]
      : [],
    lines: [
      { item: "Bandwidth, monthly 95th percentile", domain: null, region: null, client_bytes: TOTAL.client, log_bytes: TOTAL.log, invoice_row: 2, invoice_rows: [2, 7, 9], invoice_rows_more: 1_204, invoice_quantity: "83.2841", expected_quantity: "79.4210", unit: "Mbps", invoice_amount: "999410.5950", expected_amount: "953052.0000", difference_amount: "46358.5950", verdict: "disputed" },
      { item: "Supplement 17 April", domain: "live.example.com", region: null, client_bytes: 0, log_bytes: null, invoice_row: 3, invoice_rows: [3], invoice_rows_more: 0, invoice_quantity: "1", expected_quantity: "0", unit: "day", invoice_amount: "44166.2500", expected_amount: "0.0000", difference_amount: "44166.2500", verdict: "disputed" },
      { item: "Requests over HTTPS", domain: "vod.example.com", region: "cn-east", client_bytes: 0, log_bytes: 0, invoice_row: 4, invoice_rows: [4, 5], invoice_rows_more: 0, invoice_quantity: "0", expected_quantity: "0", unit: "10k", invoice_amount: "0.0000", expected_amount: "0.0000", difference_amount: "0.0000", verdict: "ok" },
    ],
    days: Array.from({ length: DAYS }, (_, i): CheckDay => {
      const some = slots.slice(i * 288, (i + 1) * 288);
      return {
        day: dayOf(some[0]!.at), client_bytes: total((s) => s.client, some), log_bytes: logged ? total(logOf, some) : null, overhead_bytes: total((s) => s.overhead, some), telemetry_loss_bytes: total((s) => s.loss, some),
        without_sdk_bytes: total((s) => s.foreign, some), unexplained_bytes: total((s) => s.rest, some), peak_bandwidth_bps: Math.floor((Math.max(...some.map(logOf)) * 8) / 300), verdict: i === 16 ? "disputed" : i === 3 ? "within_tolerance" : "ok",
      };
    }),
    source,
  };
}

const steps = (p95: string, billed: string, amount: string) => [
  { name: "Samples", formula: "288 windows × 30 days", formula_zh: "288 个窗口 × 30 天", value: "8640" },
  { name: "Dropped", formula: "floor(0.05 × 8640), the largest", formula_zh: "floor(0.05 × 8640)，最大的", value: "432" },
  { name: "95th percentile", formula: "sample of rank 433, bytes × 8 ÷ 300 s ÷ 1000²", formula_zh: "第 433 名采样，字节 × 8 ÷ 300 秒 ÷ 1000²", value: p95 },
  { name: "Overhead", formula: "client's count × 1.07; none on the log", formula_zh: "客户端计量 × 1.07；日志不加", value: billed },
  { name: "Amount", formula: `${billed} Mbps × 12000.0000 CNY`, formula_zh: `${billed} Mbps × 12000.0000 CNY`, value: amount },
];

function windows(day: string): BillWindows {
  const some = slots.filter(({ at }) => dayOf(at) === day);
  const made = some.map((slot): BillWindow => {
    const place = rank.get(slot.at) ?? 0;
    return { start: there(slot.at), client_bytes: slot.client, log_bytes: logOf(slot), rank: place, role: place <= DROPPED ? "dropped" : place === DROPPED + 1 ? "billed" : "counted" };
  });
  return { day, windows: made, source };
}

function sessions(window: string): BillSessions {
  const slot = slots.find(({ at }) => at === Date.parse(window));
  const part = (share: number) => Math.round((slot?.client ?? 0) * share);
  return {
    window,
    sessions: [
      { session_id: "7f3c0b52-9a51", cdn: "cdn-a", client_bytes: part(0.5), log_bytes: part(0.51), record: "0:918100", log_lines: `${log.sha256.slice(0, 8)}:1201-1260` },
      { session_id: "<i>0c11</i>", cdn: "cdn-a", client_bytes: part(0.3), log_bytes: part(0.31), record: "1:917555", log_lines: `${log.sha256.slice(0, 8)}:1203-1259` },
      { session_id: "", cdn: null, client_bytes: 0, log_bytes: slot?.foreign ?? 0, record: null, log_lines: `${log.sha256.slice(0, 8)}:1207-1255 ${sha("older").slice(0, 8)}:1-3` },
    ],
    truncated: true,
    source,
  };
}

function lines(first: string | null, last: string | null): LogLines {
  const text = (line: number) => `192.0.2.${line % 250} - - [17/Apr/2026:20:30:00 +0800] "GET /live/${line}.ts?sid=7f3c0b52-9a51 HTTP/1.1" 200 1048576`;
  const good = Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => ({ line: Number(first) + i, text: text(Number(first) + i), reason: null }));
  return { vendor: "cdn-a", sha256: log.sha256, name: log.name, lines: first === null ? log.bad.map(({ line, reason }) => ({ line, reason, text: text(line) })) : good };
}

/** A share of cdn-a's bytes goes to cdn-b, which bills in dollars: no sum; to cdn-b2 in yuan: one. */
function whatIf(query: URLSearchParams): WhatIf | Refused {
  const [to, percent] = [query.get("to") ?? "", Number(query.get("percent"))];
  if (!(percent >= 0 && percent <= 100)) return { refused: `percent "${query.get("percent")}" is no share`, field: "percent" };
  const other = CONTRACTS.find(({ id }) => id === to) ?? contract(to, 1, "cdn-b2", "traffic", "CNY");
  const moved = Math.floor((TOTAL.client * percent) / 100);
  const figures = (bytes: number, amount: string) => ({ bytes, share_percent: String(Math.round((bytes / TOTAL.client) * 10_000) / 100), quantity: "1.5", unit: "GB", amount });
  return {
    period: query.get("period") ?? "", from: "2026-04-01T00:00:00+08:00", to: "2026-05-01T00:00:00+08:00", side: "client", moved_bytes: moved,
    contracts: [
      { contract: CHOSEN, as_if: false, before: figures(TOTAL.client, "953052.0000"), after: figures(TOTAL.client - moved, "857746.8000"), difference_amount: "-95305.2000", source },
      { contract: other, as_if: true, before: figures(0, "0.00"), after: figures(moved, "80000.12"), difference_amount: "80000.12", source },
    ],
    total: other.currency === "CNY" ? { before_amount: "953052.0000", after_amount: "937746.9200", difference_amount: "-15305.0800", currency: "CNY" } : null,
  };
}

function simulation(period: string): Simulation {
  const cost = (mode: string, quantity: string, unit: string, amount: string, cheapest = false, of = "cdn-a-2026") => ({ contract: of, mode, quantity, unit, amount, currency: "CNY", cheapest });
  return {
    contract: CHOSEN,
    period,
    modes: [cost("traffic", "9714.203", "GB", "912004.1172", true, "cdn-a-2025"), cost("p95_day_avg", "77.0042", "Mbps", "924050.4000"), cost("p95_month", "79.4210", "Mbps", "953052.0000"), cost("peak4_month", "91.0003", "Mbps", "1092003.6000")],
    forecast: { method: "bootstrap over whole days", method_zh: "按整日重抽样", p50_bps: 79_421_000, low_bps: 77_802_113, high_bps: 83_009_771, confidence_percent: 90 },
    burst: { level_bps: 79_421_000, level: "last_month", slots: DROPPED, used: 398, left: 34, alert: true },
    source,
  };
}
