// The readable table at the end, and the progress lines before it. Pure: figures in, text out.

import { abortedBytes, percent, type Figures } from "./compare.ts";
import type { Sample, Testimony } from "./page/contract.ts";
import type { Answer } from "./meter.ts";
import { CDNS } from "./settings.ts";

export function tables(figures: Figures, answer: Answer, blind_ms: Record<string, number>): string {
  const traffic = CDNS.map((cdn) => {
    const { meter_bytes, log } = figures.cdns[cdn];
    const apart = log.completed.bytes === 0 ? "" : percent((meter_bytes - log.completed.bytes) / log.completed.bytes);
    const share = percent(abortedBytes(log) / Math.max(1, log.completed.bytes + abortedBytes(log)));
    const { completed, aborted, thrown_away } = log;
    return [cdn, completed.requests, meter_bytes, completed.bytes, apart, aborted.bytes, thrown_away.bytes, share, answer.cdns[cdn].aborted_bytes];
  });
  const stalls = CDNS.map((cdn) => {
    const { stalls, seen } = figures.cdns[cdn];
    return [cdn, stalls.count, seen.count, stalls.ms, seen.ms, seen.ms === 0 ? "" : percent((stalls.ms - seen.ms) / seen.ms)];
  });
  const viewers = figures.viewers.flatMap((viewer) =>
    answer.viewers
      .filter((m) => m.viewer === viewer.name)
      .map((m) => {
        const seen = viewer.seen[m.cdn] ?? { count: 0, ms: 0 };
        return [viewer.name, m.cdn, m.bytes, m.aborted_bytes, m.play_ms, m.stalls, seen.count, m.stall_ms, seen.ms, Math.round(blind_ms[viewer.name] ?? 0)];
      }),
  );
  return [
    "Bytes: the meter (traffic report) against each edge's access log",
    table(["edge", "requests", "meter", "log, completed", "apart", "log, aborted", "thrown away", "share", "meter, aborted"], traffic),
    "Stalls: the meter (quality report) against what the witnesses in the pages saw",
    table(["charged to", "meter", "seen", "meter ms", "seen ms", "apart"], stalls),
    "Viewers (SQL): who used what, and how it played; the widest gap between two looks of the witness",
    table(["viewer", "cdn", "bytes", "aborted", "play ms", "stalls", "seen", "stall ms", "seen ms", "gap ms"], viewers),
  ].join("\n");
}

function table(head: string[], rows: (string | number)[][]): string {
  const lines = [head, ...rows.map((row) => row.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en") : cell)))];
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const isNumber = (i: number): boolean => rows.some((row) => typeof row[i] === "number" || String(row[i]).endsWith("%"));
  const text = lines.map((line) =>
    line.map((cell, i) => (isNumber(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join("  ").trimEnd(),
  );
  return ["", text[0], widths.map((w) => "─".repeat(w)).join("──"), ...text.slice(1), ""].map((line) => `  ${line}`.trimEnd()).join("\n");
}

/** One word on a viewer, from the last second of its samples. */
export function glance({ samples }: Testimony): string {
  const last = samples.at(-1);
  if (!last) return "opening";
  const earlier = samples.findLast((s) => s.at_ms < last.at_ms - 500) ?? samples[0] ?? last;
  return `${last.cdn.replace("cdn-", "").toUpperCase()} ${state(earlier, last)} ${last.buffer_s.toFixed(1)} s ahead`;
}

function state(earlier: Sample, last: Sample): string {
  if (last.switching) return "moving  ";
  if (last.media_s > earlier.media_s && earlier.cdn === last.cdn) return "playing ";
  return last.media_s === 0 ? "starting" : "stalled ";
}
