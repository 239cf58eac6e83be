// What the bill check knows: answers that came, those under way, and those that failed.

import { Failure } from "../api";
import type { Context } from "../context";
import { type Unit, fitting } from "./decimal";
import type { BillCheck, BillSessions, BillWindows, ContractSummary, InvoiceSummary, LogImport, LogLines, Simulation, WhatIf } from "./shapes";
import type { Upload } from "./upload";
import type { BillView } from "./view";
import type { Words } from "./words";

/** One question's standing: the last answer, whether it is asked anew, and why it failed. */
export interface Answer<T> {
  value: T | null;
  asking: boolean;
  failure: Failure | null;
}

export interface BillState {
  contracts: Answer<ContractSummary[]>;
  logs: LogImport[];
  invoices: InvoiceSummary[];
  check: Answer<BillCheck>;
  simulation: Answer<Simulation>;
  windows: Answer<BillWindows>;
  sessions: Answer<BillSessions>;
  lines: Answer<LogLines>;
  /** Another allocation: what was typed, and what it would have cost. */
  whatIf: { percent: string; to: string; answer: Answer<WhatIf> };
  uploads: Upload[];
  /** The contract being written, and why it was refused or what was kept. */
  draft: { text: string; asking: boolean; failure: Failure | null; valid: ContractSummary | null; kept: boolean };
  /** The waterfall's axis begins at zero. */
  fromZero: boolean;
  /** The service's own date, `2026-11-02`. */
  today: string;
}

/** What every part of the page needs. */
export interface BillContext extends Context {
  w: Words;
  view: BillView;
  /** The contract chosen, its newest version. */
  contract: ContractSummary | null;
}

/** What the page asks of its owner. */
export interface BillActions {
  choose(change: Partial<BillView>): void;
  retry(): void;
  upload(kind: "logs" | "invoices", files: File[], vendor: string, layout: string): void;
  /** Checks a contract's text, and keeps it if told so. */
  contract(text: string, keep: boolean): void;
  axis(fromZero: boolean): void;
  /** Asks what the allocation that was typed would have cost. */
  whatIf(): void;
}

export const nothing = <T>(): Answer<T> => ({ value: null, asking: false, failure: null });

/** Asks one question; an answer that is no longer wanted is let go. True when something changed. */
export async function ask<T>(answer: Answer<T>, question: () => Promise<T>, signal: AbortSignal): Promise<boolean> {
  answer.asking = true;
  try {
    const value = await question();
    if (signal.aborted) return false;
    Object.assign(answer, { value, asking: false, failure: null });
  } catch (error) {
    if (signal.aborted) return false;
    Object.assign(answer, { value: null, asking: false, failure: Failure.of(error) });
  }
  return true;
}

/** The unit chosen, else the one that fits these sizes. */
export function unitFor({ view }: BillContext, sizes: (number | bigint | null | undefined)[]): Unit {
  return view.unit || fitting(sizes);
}

/** The newest version of each contract, by name. */
export function newestVersions(contracts: ContractSummary[]): ContractSummary[] {
  const newest = new Map<string, ContractSummary>();
  for (const one of contracts) if ((newest.get(one.id)?.version ?? -1) < one.version) newest.set(one.id, one);
  return [...newest.values()].sort((a, b) => a.id.localeCompare(b.id));
}
