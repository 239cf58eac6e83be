// From the rows of reports to what is drawn: totals, lines over time, sorted tables. Pure.

import type { QualityReport, QualityRow, TrafficReport, TrafficRow } from "./api";
import { WINDOW_MS } from "./range";

/** An open window younger than this is not drawn: its rate is noise. */
const OPEN_MS_MIN = 60_000;

/** Lines over the same windows, one per name; `null` where there is nothing to say. */
export interface Lines {
  /** Starts of the windows, milliseconds since 1970. */
  times: number[];
  lines: { name: string; values: (number | null)[] }[];
  /** The last window is not over yet: its values are "so far". */
  open: boolean;
}

export function totalBytes(rows: TrafficRow[]): number {
  return rows.reduce((sum, row) => sum + row.bytes, 0);
}

/** Sum over sum: never a mean of ratios. */
export function stallRatio(rows: Pick<QualityRow, "play_ms" | "stall_ms">[]): number | null {
  const stalled = rows.reduce((sum, row) => sum + row.stall_ms, 0);
  const wall = rows.reduce((sum, row) => sum + row.stall_ms + row.play_ms, 0);
  return wall === 0 ? null : stalled / wall;
}

/** Bandwidth per CDN: bytes × 8 ÷ 300 s; for a window still open, ÷ the seconds it has lasted. */
export function bandwidthLines(rows: TrafficRow[], nowMs: number): Lines {
  // Between the first and the last window with any traffic, no row means no bytes: a true zero.
  return lines(rows, nowMs, 0, (row, seconds) => (row.bytes * 8) / seconds);
}

export function stallRatioLines(rows: QualityRow[], nowMs: number): Lines {
  return lines(rows, nowMs, null, (row) => row.stall_ratio ?? null);
}

function lines<Row extends { time?: string | null; cdn?: string | null }>(
  rows: Row[],
  nowMs: number,
  missing: 0 | null,
  value: (row: Row, seconds: number) => number | null,
): Lines {
  const at = (row: Row) => Date.parse(row.time ?? "");
  const drawn = rows.filter((row) => Number.isFinite(at(row)) && nowMs - at(row) >= OPEN_MS_MIN);
  if (drawn.length === 0) return { times: [], lines: [], open: false };
  const starts = drawn.map(at);
  const first = starts.reduce((a, b) => Math.min(a, b));
  const last = starts.reduce((a, b) => Math.max(a, b));
  const times = Array.from({ length: (last - first) / WINDOW_MS + 1 }, (_, i) => first + i * WINDOW_MS);
  const names = [...new Set(drawn.map((row) => row.cdn ?? ""))].sort();
  const found = names.map((name) => ({ name, values: times.map((): number | null => missing) }));
  for (const row of drawn) {
    const line = found[names.indexOf(row.cdn ?? "")];
    const seconds = Math.min(WINDOW_MS, nowMs - at(row)) / 1000;
    if (line) line.values[(at(row) - first) / WINDOW_MS] = value(row, seconds);
  }
  return { times, lines: found, open: last + WINDOW_MS > nowMs };
}

export interface ProgrammeRow {
  programme: string;
  bytes: number;
  sessions: number;
  views: number;
  stall_ratio: number | null;
}

/** The programmes with most bytes, with their quality. */
export function topProgrammes(traffic: TrafficReport, quality: QualityReport, most: number): ProgrammeRow[] {
  const played = new Map(quality.rows.map((row) => [row.programme ?? "", row]));
  return byBytes(traffic.rows)
    .slice(0, most)
    .map((row) => {
      const programme = row.programme ?? "";
      const beside = played.get(programme);
      return { programme, bytes: row.bytes, sessions: row.sessions, views: beside?.views ?? 0, stall_ratio: beside?.stall_ratio ?? null };
    });
}

export function byBytes(rows: TrafficRow[]): TrafficRow[] {
  return [...rows].sort((a, b) => b.bytes - a.bytes);
}

export function byCdn<Row extends { cdn?: string | null }>(rows: Row[]): Row[] {
  return [...rows].sort((a, b) => (a.cdn ?? "").localeCompare(b.cdn ?? ""));
}

/** Colours follow the sorted names of all CDNs known, so that a CDN keeps its colour from view to view. */
export function colourIndex(cdn: string, known: readonly string[]): number {
  const place = [...known].sort().indexOf(cdn);
  return place === -1 ? known.length : place;
}
