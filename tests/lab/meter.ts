// What Livemeter says about the lab, asked as any user would ask: the two reports, and SQL where they are too coarse.

import { until } from "./children.ts";
import type { Services } from "./services.ts";
import { APP, CDNS, type Cdn } from "./settings.ts";

export interface Metered {
  bytes: number;
  aborted_bytes: number;
  play_ms: number;
  stall_ms: number;
  stalls: number;
}

export interface MeteredViewer extends Metered {
  viewer: string;
  cdn: string;
}

export interface Answer {
  /** From `GET /v1/reports/traffic` and `/quality`, by CDN. */
  cdns: Record<Cdn, Metered>;
  /** From `POST /v1/sql`: the same, per viewer. */
  viewers: MeteredViewer[];
  /** The stall events: which CDN, when, how long. */
  stalls: { viewer: string; cdn: string; began_at: string; stall_ms: number; kind: string; cause: string | null }[];
}

const NOTHING: Metered = { bytes: 0, aborted_bytes: 0, play_ms: 0, stall_ms: 0, stalls: 0 };
const FIGURES = Object.keys(NOTHING) as (keyof Metered)[];
const SUMS = FIGURES.map((f) => `SUM(${f}) AS ${f}`).join(", ");

/** Waits until the ledger holds the last word of every session, to the byte, and nothing is on the road any more. */
export async function settled(services: Services, viewers: number, ms_max: number): Promise<void> {
  let missing = "nothing asked yet";
  const complete = async (): Promise<true | undefined> => {
    const lag = await services.lag();
    if (lag !== 0) return void (missing = `${lag} records on the road`);
    const ends = await sql(services, `SELECT session_id, raw FROM events WHERE app = '${APP}' AND type = 'session_end'`);
    // Delivery is at least once: a last word may stand there twice.
    const ended = new Set(ends.map((end) => end.session_id)).size;
    if (ended !== viewers) return void (missing = `${ended} of ${viewers} sessions have ended`);
    const booked = await sql(services, `SELECT session_id, cdn, ${SUMS} FROM increments WHERE app = '${APP}' AND status = 'booked' GROUP BY session_id, cdn`);
    missing = unbooked(ends, booked).join("; ");
    return missing === "" || undefined;
  };
  await until("the ledger is complete", ms_max, complete, 1_000).catch((error: Error) => {
    throw new Error(`${error.message}: ${missing}`);
  });
}

/** Where the ledger's sums differ from the counters in the sessions' last words. */
export function unbooked(ends: Row[], booked: Row[]): string[] {
  return ends.flatMap((end) => {
    const { counters } = JSON.parse(String(end.raw)) as { counters: (Metered & { cdn: string })[] };
    return counters.flatMap((last) => {
      const row = booked.find((b) => b.session_id === end.session_id && b.cdn === last.cdn);
      const wrong = FIGURES.filter((f) => Number(row?.[f] ?? 0) !== last[f]);
      return wrong.map((f) => `${String(end.session_id)} on ${last.cdn}: ${f} is ${String(row?.[f] ?? 0)} of ${last[f]}`);
    });
  });
}

export async function ask(services: Services): Promise<Answer> {
  const traffic = await report(services, "traffic");
  const quality = await report(services, "quality");
  const row = (rows: Row[], cdn: Cdn): Row => rows.find((r) => r.cdn === cdn) ?? {};
  const cdns = Object.fromEntries(
    CDNS.map((cdn) => [cdn, figures({ ...row(quality, cdn), ...row(traffic, cdn) })]),
  ) as Record<Cdn, Metered>;
  const sums = await sql(services, `SELECT user_id, cdn, ${SUMS} FROM increments WHERE app = '${APP}' AND status = 'booked' GROUP BY user_id, cdn ORDER BY user_id, cdn`);
  const stalls = await sql(services, `SELECT user_id, cdn, began_at, stall_ms, stall_kind, cause FROM events WHERE app = '${APP}' AND type = 'stall' ORDER BY began_at`);
  return {
    cdns,
    viewers: sums.map((r) => ({ viewer: String(r.user_id), cdn: String(r.cdn), ...figures(r) })),
    stalls: stalls.map((r) => ({
      viewer: String(r.user_id),
      cdn: String(r.cdn),
      began_at: String(r.began_at),
      stall_ms: Number(r.stall_ms),
      kind: String(r.stall_kind),
      cause: r.cause === null ? null : String(r.cause),
    })),
  };
}

export type Row = Record<string, unknown>;

function figures(row: Row): Metered {
  return Object.fromEntries(FIGURES.map((f) => [f, Number(row[f] ?? 0)])) as unknown as Metered;
}

async function report(services: Services, name: "traffic" | "quality"): Promise<Row[]> {
  const answer = await json(`${services.query_url}/v1/reports/${name}?by=cdn&app=${APP}`);
  return (answer as { rows: Row[] }).rows;
}

export async function sql(services: Services, text: string): Promise<Row[]> {
  const asked = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ sql: text }) };
  const { columns, rows } = (await json(`${services.query_url}/v1/sql`, asked)) as { columns: { name: string }[]; rows: unknown[][] };
  return rows.map((row) => Object.fromEntries(columns.map((c, i) => [c.name, row[i]])));
}

async function json(url: string, init?: RequestInit): Promise<unknown> {
  const answer = await fetch(url, init);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text);
}
