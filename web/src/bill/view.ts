// What was chosen on the bill check. It lives in the address, so that a view can be kept and passed on.

import { type Unit, isUnit } from "./decimal";

export interface BillView {
  /** The contract's id; empty: the first one. */
  contract: string;
  /** `2026-10`, or `2026-10-01..2026-10-15`; empty: the last month that is over. */
  period: string;
  /** SHA-256 of an invoice or its beginning; empty: the newest. */
  invoice: string;
  /** Drilled down to a day, and to the start of a window. */
  day: string;
  window: string;
  /** Lines of a log, `836ff184.1201-1260`. */
  lines: string;
  /** Empty: the one that fits. */
  unit: Unit | "";
}

const KEYS = ["contract", "period", "invoice", "day", "window", "lines", "unit"] as const;

export function read(search: string): BillView {
  const query = new URLSearchParams(search);
  const text = (key: string) => query.get(key) ?? "";
  const unit = query.get("unit");
  const period = text("period");
  return {
    contract: text("contract"),
    period: isPeriod(period) ? period : "",
    invoice: text("invoice"),
    day: text("day"),
    window: text("window"),
    lines: text("lines"),
    unit: isUnit(unit) ? unit : "",
  };
}

export function write(view: BillView): string {
  const query = new URLSearchParams({ page: "bill" });
  for (const key of KEYS) if (view[key] !== "") query.set(key, view[key]);
  return `?${query.toString()}`;
}

export function isPeriod(text: string): boolean {
  return /^\d{4}-\d{2}(-\d{2}\.\.\d{4}-\d{2}-\d{2})?$/.test(text);
}

/** The months to choose from, newest first: as many as were asked for, ending with the one of `date`. */
export function months(date: string, count: number): string[] {
  const [year = 1970, month = 1] = date.split("-").map(Number);
  return Array.from({ length: count }, (_, back) => {
    const at = year * 12 + month - 1 - back;
    return `${String(Math.floor(at / 12)).padStart(4, "0")}-${String((at % 12) + 1).padStart(2, "0")}`;
  });
}
