// Which stretch of time is shown: from a choice ("last hour", "today") to the parameters of a report.
// The clock is the query service's own, never the browser's.

export const WINDOW_MS = 5 * 60 * 1000;

export const RANGES = ["15m", "1h", "6h", "24h", "today", "yesterday"] as const;
export type Range = (typeof RANGES)[number];

const LENGTH_MS: Partial<Record<Range, number>> = { "15m": 900_000, "1h": 3_600_000, "6h": 21_600_000, "24h": 86_400_000 };

/** `from` and `to` as the reports take them: an instant, or a local date of `tz`. */
export interface Span {
  from: string;
  to: string;
}

export function isRange(text: string | null): text is Range {
  return RANGES.includes(text as Range);
}

/** A rolling range begins with a whole window, so that no first window is cut. */
export function span(range: Range, nowMs: number, tz: string): Span {
  const length = LENGTH_MS[range];
  const now = new Date(nowMs).toISOString();
  if (length !== undefined) {
    const from = Math.floor((nowMs - length) / WINDOW_MS) * WINDOW_MS;
    return { from: new Date(from).toISOString(), to: now };
  }
  const today = localDate(nowMs, tz);
  return range === "today" ? { from: today, to: now } : { from: previousDate(today), to: today };
}

/** The calendar date of an instant in `tz`, `YYYY-MM-DD`. */
export function localDate(atMs: number, tz: string): string {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: tz, year: "numeric", month: "2-digit", day: "2-digit" });
  return parts.format(atMs);
}

/** The day before, by the calendar alone: days of 23 or 25 hours don't matter. */
export function previousDate(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}

/** The zones offered: the browser's own first, then the ones that bills are written in. */
export function zones(): string[] {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  return [...new Set([own, "UTC", "Asia/Shanghai", "Asia/Singapore", "Asia/Tokyo", "Europe/London", "Europe/Berlin", "America/New_York", "America/Los_Angeles"])];
}

/** Whether this browser, hence the service's zone database too, can be asked for `tz`. */
export function isZone(tz: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: tz });
    return true;
  } catch {
    return false;
  }
}
