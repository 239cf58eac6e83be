// One refresh: everything the page shows, asked for one and the same stretch of time.

import * as api from "./api";
import { span } from "./range";
import type { View } from "./view";

/** Calls under way at once: the console must not crowd out an analyst's own query. */
const AT_ONCE = 2;

export interface Snapshot {
  status: api.Status;
  /** The query service's clock when asked. */
  nowMs: number;
  traffic: api.TrafficReport;
  quality: api.QualityReport;
  /** All CDNs in one row: views cannot be summed over CDNs. */
  qualityTotal: api.QualityReport;
  trafficOverTime: api.TrafficReport;
  qualityOverTime: api.QualityReport;
  trafficByProgramme: api.TrafficReport;
  qualityByProgramme: api.QualityReport;
  /** None: they could not be told, which is no reason to show no figures. */
  refusals: api.Refusals | null;
}

export async function load(view: View, signal: AbortSignal): Promise<Snapshot> {
  const status = await api.status(signal);
  const nowMs = Date.parse(status.now);
  const asked = { ...span(view.range, nowMs, view.tz), tz: view.tz, app: view.app };
  const traffic = (by: string) => () => api.traffic(by, asked, signal);
  const quality = (by: string) => () => api.quality(by, asked, signal);
  const tasks = {
    traffic: traffic("cdn"),
    quality: quality("cdn"),
    qualityTotal: quality(""),
    trafficOverTime: traffic("cdn,time"),
    qualityOverTime: quality("cdn,time"),
    trafficByProgramme: traffic("programme"),
    qualityByProgramme: quality("programme"),
    refusals: () => api.refusals(signal).catch(() => null),
  };
  const reports = await few(tasks);
  return { status, nowMs, ...reports };
}

type Results<T> = { [K in keyof T]: T[K] extends () => Promise<infer R> ? R : never };

/** Runs named tasks, a few at once; the first failure fails all. */
async function few<T extends Record<string, () => Promise<unknown>>>(tasks: T): Promise<Results<T>> {
  const waiting = Object.entries(tasks);
  const results: Record<string, unknown> = {};
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next[0]] = await next[1]();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results as Results<T>;
}
