// The verdict: the meter against the edges' logs, and against stalls seen by somebody else. Pure.

import type { BillFigures } from "./bill.ts";
import type { Tallies } from "./logs.ts";
import { CDNS, type Cdn } from "./settings.ts";

export interface Stalls {
  count: number;
  ms: number;
}

export interface Figures {
  /** The meter's bytes and stalls from its reports; the edge's log; the stalls that the witnesses saw. */
  cdns: Record<Cdn, { meter_bytes: number; log: Tallies; stalls: Stalls; seen: Stalls }>;
  viewers: ViewerFigures[];
  /** What the bill check made of both logs and two wrong invoices. */
  bill?: BillFigures;
}

export interface ViewerFigures {
  name: string;
  starts_on: Cdn;
  started: boolean;
  /** Said goodbye: the page was closed properly. */
  left: boolean;
  /** By the meter, per CDN used. */
  meter: Partial<Record<string, { bytes: number } & Stalls>>;
  seen: Partial<Record<string, Stalls>>;
}

/** Over completed requests, meter and log may differ by this much. */
export const BYTES_APART_MAX = 0.001;
/** Of all body bytes of an edge, so much may have been aborted: beyond it the comparison says too little. */
export const ABORTED_MAX = 0.05;
/** Stalls, count and time, may differ by this much. */
export const STALLS_APART_MAX = 0.1;

/** Why the lab failed; empty when it is ok. */
export function reasons(figures: Figures): string[] {
  return [...figures.viewers.flatMap(presence), ...CDNS.flatMap((cdn) => [...traffic(cdn, figures), ...quality(cdn, figures)]), ...throttling(figures), ...(figures.bill?.wrong ?? [])];
}

export const abortedBytes = (log: Tallies): number => log.aborted.bytes + log.thrown_away.bytes;

/** The last line of the lab. */
export function lastLine(figures: Figures, ok: boolean): string {
  const per = <T>(of: (cdn: Cdn) => T): Record<string, T> => Object.fromEntries(CDNS.map((cdn) => [cdn, of(cdn)]));
  const { cdns } = figures;
  return JSON.stringify({
    lab: ok ? "ok" : "failed",
    ...per((cdn) => ({ meter_bytes: cdns[cdn].meter_bytes, log_bytes: cdns[cdn].log.completed.bytes, aborted_bytes: abortedBytes(cdns[cdn].log) })),
    stalls: per((cdn) => cdns[cdn].stalls),
    stalls_seen: per((cdn) => cdns[cdn].seen),
    ...(figures.bill && { bill: { planted: figures.bill.planted, found: figures.bill.found, evidence_equal: figures.bill.evidence_equal } }),
  });
}

function traffic(cdn: Cdn, { cdns }: Figures): string[] {
  const { meter_bytes, log } = cdns[cdn];
  const bytes = log.completed.bytes;
  if (bytes === 0) return [`${cdn}: its log holds no completed request`];
  const wrong: string[] = [];
  if (Math.abs(meter_bytes - bytes) > BYTES_APART_MAX * bytes) {
    wrong.push(`${cdn}: the meter has ${meter_bytes} bytes, the log ${bytes}: ${percent((meter_bytes - bytes) / bytes)} apart, ${percent(BYTES_APART_MAX)} is allowed`);
  }
  const aborted = abortedBytes(log);
  const share = aborted / (bytes + aborted);
  if (share > ABORTED_MAX) wrong.push(`${cdn}: ${aborted} bytes were aborted, ${percent(share)} of all; ${percent(ABORTED_MAX)} is allowed`);
  return wrong;
}

function quality(cdn: Cdn, { cdns }: Figures): string[] {
  const { stalls, seen } = cdns[cdn];
  const wrong = (what: string, meter: number, witness: number): string[] =>
    Math.abs(meter - witness) > STALLS_APART_MAX * witness
      ? [`${cdn}: the meter has ${meter} ${what}, the witnesses saw ${witness}; ${percent(STALLS_APART_MAX)} apart is allowed`]
      : [];
  return [...wrong("stalls", stalls.count, seen.count), ...wrong("ms of stall", stalls.ms, seen.ms)];
}

/** The throttled edge must have hurt its viewers, and them alone. */
function throttling({ cdns, viewers }: Figures): string[] {
  const wrong: string[] = [];
  if (cdns["cdn-a"].seen.count === 0) wrong.push("cdn-a: the witnesses saw no stall: the throttle did not bite");
  if (cdns["cdn-a"].stalls.count === 0) wrong.push("cdn-a: the meter has no stall");
  for (const viewer of viewers) {
    if (viewer.starts_on === "cdn-a") {
      if (!viewer.meter["cdn-b"]) wrong.push(`${viewer.name}: never moved to cdn-b`);
      continue;
    }
    if (viewer.meter["cdn-a"]) wrong.push(`${viewer.name}: should have stayed on cdn-b, but used cdn-a`);
    const stalls = Object.values(viewer.meter).reduce((n, m) => n + (m?.count ?? 0), 0);
    const seen = Object.values(viewer.seen).reduce((n, s) => n + (s?.count ?? 0), 0);
    if (stalls > 0) wrong.push(`${viewer.name}: stayed on cdn-b, yet the meter has ${stalls} stalls`);
    if (seen > 0) wrong.push(`${viewer.name}: stayed on cdn-b, yet its witness saw ${seen} stalls`);
  }
  return wrong;
}

function presence(viewer: ViewerFigures): string[] {
  const wrong: string[] = [];
  if (!viewer.started) wrong.push(`${viewer.name}: never played`);
  if (!viewer.left) wrong.push(`${viewer.name}: its page did not close properly`);
  if (!viewer.meter[viewer.starts_on]) wrong.push(`${viewer.name}: the meter knows nothing of it on ${viewer.starts_on}`);
  return wrong;
}

export const percent = (share: number): string => `${(share * 100).toFixed(3)} %`;
