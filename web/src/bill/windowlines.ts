// From the windows of a day to lines and rows. Pure.

import type { Lines } from "../model";
import type { BillWindow } from "./shapes";

const SECONDS = 300;

/** Bytes × 8 ÷ 300 s, of the log where there is one. */
export function bandwidthBps({ client_bytes, log_bytes }: BillWindow): number {
  return (Number(log_bytes ?? client_bytes) * 8) / SECONDS;
}

/** A line a side; of the log only where it has any window. */
export function windowLines(windows: BillWindow[]): Lines {
  const bps = (bytes: number | null | undefined) => (bytes === null || bytes === undefined ? null : (Number(bytes) * 8) / SECONDS);
  const client = { name: "client", values: windows.map((one) => bps(one.client_bytes)) };
  const log = { name: "log", values: windows.map((one) => bps(one.log_bytes)) };
  return { times: windows.map(({ start }) => Date.parse(start)), lines: log.values.some((value) => value !== null) ? [client, log] : [client], open: false };
}

/** By rank, the largest first; without ranks by bytes. */
export function bySize(windows: BillWindow[]): BillWindow[] {
  return [...windows].sort((a, b) => (a.rank ?? Infinity) - (b.rank ?? Infinity) || bandwidthBps(b) - bandwidthBps(a) || a.start.localeCompare(b.start));
}
