// The bill check's part of the query service's contract, as calls and as addresses to download from.

import { Failure, answered, call, get } from "../api";
import type { BillCheck, BillSessions, BillWindows, ContractSummary, Contracts, InvoiceSummary, Invoices, LogImport, LogImports, LogLines, Simulation, WhatIf } from "./shapes";

const ROOT = "/v1/bills";

/** What `check`, `export`, `evidence` and `simulation` are asked about. */
export interface Asked {
  contract: string;
  period: string;
  /** Empty: the newest. */
  invoice: string;
}

export const FORMATS = ["csv", "xlsx", "parquet", "focus-1.4", "focus-1.2"] as const;
export type Format = (typeof FORMATS)[number];

export const contracts = (signal: AbortSignal) => get<Contracts>(`${ROOT}/contracts`, signal);
export const logs = (signal: AbortSignal) => get<LogImports>(`${ROOT}/logs`, signal);
export const invoices = (signal: AbortSignal) => get<Invoices>(`${ROOT}/invoices`, signal);
export const check = (asked: Asked, signal: AbortSignal) => get<BillCheck>(`${ROOT}/check?${about(asked)}`, signal);
export const simulation = (asked: Asked, signal: AbortSignal) => get<Simulation>(`${ROOT}/simulation?${about(asked)}`, signal);
/** Takes a share of each window from one contract to another. */
export const whatIf = (from: string, to: string, percent: string, period: string, signal: AbortSignal) => get<WhatIf>(`${ROOT}/what-if?${new URLSearchParams({ contracts: `${from},${to}`, period, from, to, percent })}`, signal);
export const windows = (contract: string, day: string, period: string, signal: AbortSignal) => get<BillWindows>(`${ROOT}/windows?${new URLSearchParams({ contract, day, period })}`, signal);
export const sessions = (contract: string, window: string, signal: AbortSignal) => get<BillSessions>(`${ROOT}/sessions?${new URLSearchParams({ contract, window })}`, signal);

/** Lines as they stand in the log; without `first` the bad ones. */
export function logLines(vendor: string, { sha256, first, last }: LineRange, signal: AbortSignal): Promise<LogLines> {
  const query = new URLSearchParams({ vendor, sha256 });
  if (first !== undefined) query.set("first", String(first));
  if (last !== undefined) query.set("last", String(last));
  return get<LogLines>(`${ROOT}/lines?${query}`, signal);
}

/** Lines of a log, counted from 1, both inclusive. */
export interface LineRange {
  /** The log's SHA-256, or its first 8 letters. */
  sha256: string;
  first?: number;
  last?: number;
}

/** A contract's text: refused by line and field, or kept; only checked when `keep` is not set. */
export function addContract(toml: string, keep: boolean, signal: AbortSignal): Promise<ContractSummary> {
  return call<ContractSummary>(`${ROOT}/contracts${keep ? "" : "?check=true"}`, { method: "POST", headers: { "content-type": "application/toml" }, body: toml }, signal);
}

/** Rows of an export: per line of the bill, per 5 minutes, session or user. FOCUS has rows of its own. */
export const DETAILS = ["summary", "windows", "sessions", "users"] as const;
export type Detail = (typeof DETAILS)[number];

export function exportAddress(asked: Asked, format: Format, detail: Detail): string {
  const rows = detail === "summary" || format.startsWith("focus") ? "" : `&detail=${detail}`;
  return `${ROOT}/export?${about(asked)}&format=${format}${rows}`;
}

export const evidenceAddress = (asked: Asked) => `${ROOT}/evidence?${about(asked)}`;

function about({ contract, period, invoice }: Asked): string {
  const query = new URLSearchParams({ contract, period });
  if (invoice !== "") query.set("invoice", invoice);
  return query.toString();
}

/** What a file is sent as. `format` of a log, `template` of an invoice. */
export interface Paper {
  kind: "logs" | "invoices";
  vendor: string;
  layout: string;
  file: File;
}

/** Sends a file's bytes as they are. The browser reads them from the disk as they go: a file of any size.
 *  XMLHttpRequest, because `fetch` does not tell how far an upload has got. */
export function send(paper: Paper, progress: (sent: number) => void, signal: AbortSignal): Promise<LogImport | InvoiceSummary> {
  const layout = paper.kind === "logs" ? { format: paper.layout } : { template: paper.layout };
  const query = new URLSearchParams({ vendor: paper.vendor, ...layout, name: paper.file.name });
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${ROOT}/${paper.kind}?${query}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("load", () => {
      try {
        resolve(answered(request.status, request.statusText, request.responseText));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    request.addEventListener("error", () => reject(new Failure(true, "the connection was cut")));
    request.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    request.send(paper.file);
  });
}
