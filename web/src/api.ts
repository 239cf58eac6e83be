// The query service's published contract, as calls. Shapes come from the contract itself (generated.ts);
// every failure becomes a `Failure` with a sentence for people.

import type { components } from "./generated";

type Schemas = components["schemas"];
export type TrafficRow = Schemas["TrafficRow"];
export type QualityRow = Schemas["QualityRow"];
export type TrafficReport = Schemas["TrafficRowReport"];
export type QualityReport = Schemas["QualityRowReport"];
export type Definitions = Schemas["Definitions"];
export type Metric = Schemas["Metric"];
export type Status = Schemas["Status"];
export type Refusals = Schemas["Refusals"];
export type RefusalRow = Schemas["RefusalRow"];
export type SqlAnswer = Schemas["SqlAnswer"];
export type Problem = Schemas["Problem"];

/** Nothing is waited for longer: a query's own deadline is shorter than this. */
const TIMEOUT_MS = 60_000;

/** Why a call failed. `away`: no answer at all; otherwise the service's own words. */
export class Failure extends Error {
  constructor(
    readonly away: boolean,
    reason: string,
    /** The refusal as it came: field, value and limit, where it names them. */
    readonly problem: Problem | null = null,
  ) {
    super(reason);
  }

  static of(error: unknown): Failure {
    return error instanceof Failure ? error : new Failure(false, String(error));
  }
}

export interface ReportParameters {
  from: string;
  to: string;
  tz: string;
  app: string;
}

export const status = (signal: AbortSignal) => get<Status>("/v1/status", signal);
export const refusals = (signal: AbortSignal) => get<Refusals>("/v1/refusals", signal);
export const definitions = (signal: AbortSignal) => get<Definitions>("/v1/definitions", signal);

export function traffic(by: string, asked: ReportParameters, signal: AbortSignal): Promise<TrafficReport> {
  return get<TrafficReport>(`/v1/reports/traffic?${parameters(by, asked)}`, signal);
}

export function quality(by: string, asked: ReportParameters, signal: AbortSignal): Promise<QualityReport> {
  return get<QualityReport>(`/v1/reports/quality?${parameters(by, asked)}`, signal);
}

export function sql(text: string, signal: AbortSignal): Promise<SqlAnswer> {
  const body = JSON.stringify({ sql: text });
  return call<SqlAnswer>("/v1/sql", { method: "POST", headers: { "content-type": "application/json" }, body }, signal);
}

function parameters(by: string, asked: ReportParameters): string {
  const query = new URLSearchParams({ by, from: asked.from, to: asked.to, tz: asked.tz });
  if (by.includes("time")) query.set("step", "5m");
  if (asked.app !== "") query.set("app", asked.app);
  return query.toString();
}

export function get<T>(path: string, signal: AbortSignal): Promise<T> {
  return call<T>(path, {}, signal);
}

export async function call<T>(path: string, init: RequestInit, signal: AbortSignal): Promise<T> {
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(path, { ...init, signal: AbortSignal.any([signal, deadline]), cache: "no-store" });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Failure(true, error instanceof Error ? error.message : String(error));
  }
  return answered<T>(response.status, response.statusText, await response.text());
}

/** An answer as its value; a refusal is thrown. */
export function answered<T>(status: number, statusText: string, text: string): T {
  if (status >= 200 && status < 300) return JSON.parse(text, exactIntegers) as T;
  const problem = refusal(text);
  throw new Failure(false, problem?.reason ?? `HTTP ${status} ${statusText}`.trim(), problem);
}

/** A sum of bytes may pass 2^53 within a month: such an integer stays exact, as a BigInt, where the
 *  browser hands out the number's own text. */
export function exactIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  const whole = typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
  return whole && context?.source !== undefined && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
}

function refusal(text: string): Problem | null {
  try {
    return JSON.parse(text) as Problem | null;
  } catch {
    return null;
  }
}
