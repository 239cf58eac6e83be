// An edge's access log → what it says it delivered. Pure.
//
// nginx calls a request complete when the last byte is in the socket's buffer. A viewer who leaves at that moment
// never sees it: such a response is `thrown_away`, known from the page, and counted with the aborted ones.

import type { SeenRequest } from "./page/contract.ts";

export interface LogLine {
  at_ms: number;
  method: string;
  path: string;
  /** The edge's name for this answer, as it stands in the answer's header. */
  id: string;
  agent: string;
  status: number;
  /** Body bytes put on the wire. */
  body_bytes: number;
  /** Body bytes promised; null when the answer did not say. */
  length_bytes: number | null;
  completion: string;
  seconds: number;
}

export type Class = "completed" | "aborted" | "thrown_away" | "refused" | "not_ours";

export interface Tally {
  requests: number;
  bytes: number;
}

export type Tallies = Record<Class, Tally>;

/** One JSON object a line, as the edge's `log_format` writes it. A line that is none is an error, not a zero. */
export function parse(text: string): LogLine[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line, i) => {
      const raw = record(line, i + 1);
      const length = raw.length === "" ? null : number(raw.length, "length", i + 1);
      return {
        at_ms: number(raw.msec, "msec", i + 1) * 1000,
        method: String(raw.method),
        path: String(raw.path),
        id: String(raw.id),
        agent: String(raw.agent),
        status: number(raw.status, "status", i + 1),
        body_bytes: number(raw.body, "body", i + 1),
        length_bytes: length,
        completion: String(raw.completion),
        seconds: number(raw.seconds, "seconds", i + 1),
      };
    });
}

function record(line: string, at: number): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    throw new Error(`access log, line ${at}: not JSON: ${line.slice(0, 200)}`);
  }
}

function number(value: unknown, field: string, at: number): number {
  const n = typeof value === "string" && value !== "" ? Number(value) : value;
  if (typeof n !== "number" || !Number.isFinite(n)) throw new Error(`access log, line ${at}: ${field} is ${JSON.stringify(value)}`);
  return n;
}

/** Which viewer asked; the lab's browsers end their `User-Agent` with the viewer's name. */
export function viewerOf(line: LogLine): string | null {
  return /\b(viewer-\d+)$/.exec(line.agent)?.[1] ?? null;
}

export function classify(line: LogLine, seen: SeenRequest | undefined): Class {
  if (viewerOf(line) === null || line.method !== "GET") return "not_ours";
  if (line.status !== 200 && line.status !== 206) return "refused";
  const whole = line.completion === "OK" && (line.length_bytes === null || line.body_bytes >= line.length_bytes);
  if (!whole) return "aborted";
  // What the page says counts only against "complete", and only when it says so: silence changes nothing.
  return seen !== undefined && seen.outcome !== "load" ? "thrown_away" : "completed";
}

export function tally(lines: readonly LogLine[], seen: ReadonlyMap<string, SeenRequest>): Tallies {
  const empty = (): Tally => ({ requests: 0, bytes: 0 });
  const sums: Tallies = { completed: empty(), aborted: empty(), thrown_away: empty(), refused: empty(), not_ours: empty() };
  for (const line of lines) {
    const sum = sums[classify(line, seen.get(line.id))];
    sum.requests += 1;
    sum.bytes += line.body_bytes;
  }
  return sums;
}

/** What the pages saw, by the edge's name for it. */
export function byId(requests: readonly SeenRequest[]): Map<string, SeenRequest> {
  return new Map(requests.flatMap((r) => (r.id === null ? [] : [[r.id, r] as const])));
}
