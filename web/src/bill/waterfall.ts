// Where the bars of the waterfall lie: from its steps to shares of the axis. Sums are exact; only what is
// drawn is a float. Pure.

import { type Unit, sizeOf } from "./decimal";
import type { WaterfallStep } from "./shapes";

/** A stretch of the axis is cut off when every total is larger than this share of the largest. */
const CUT_FROM = 0.5;
/** How much of the room is left of the smallest end when the axis is cut. */
const CUT_ROOM = 0.12;
const TICKS_MAX = 6;

export interface Bar {
  step: WaterfallStep;
  /** Shares of the axis, 0 to 1; null where there is nothing to draw. */
  from: number | null;
  to: number | null;
  /** Ends of the interval of an estimate. */
  low: number | null;
  high: number | null;
  /** Where the next bar begins. */
  reached: number | null;
}

export interface Waterfall {
  bars: Bar[];
  ticks: { at: number; bytes: bigint }[];
  /** The axis does not begin at zero. */
  cut: boolean;
  /** A cut would show more. */
  cuttable: boolean;
}

interface Stretch {
  step: WaterfallStep;
  from: bigint;
  to: bigint;
  low: bigint | null;
  high: bigint | null;
}

export function waterfall(steps: WaterfallStep[], unit: Unit, cutWanted: boolean): Waterfall {
  const stretches = laid(steps);
  const known = stretches.filter((one): one is Stretch => one !== null);
  const totals = known.filter(({ step }) => step.kind === "total").map(({ to }) => to);
  const ends = known.flatMap((one) => (one.step.kind === "total" ? [one.to] : [one.from, one.to])).concat(known.flatMap(({ low, high }) => [low, high].filter((end) => end !== null)));
  const [least, most] = [smallest(ends), largest(ends)];
  const cuttable = totals.length > 1 && Number(least) > Number(most) * CUT_FROM && least < most;
  const cut = cuttable && cutWanted;
  const base = cut ? least - (BigInt(Math.round(Number(most - least) * CUT_ROOM)) || 1n) : smallest([0n, least]);
  const room = Number(largest([most, 1n]) - base) * 1.02;
  const share = (at: bigint) => Math.min(1, Math.max(0, Number(at - base) / room));
  const bars = stretches.map((one, i): Bar => {
    if (one === null) return { step: steps[i]!, from: null, to: null, low: null, high: null, reached: null };
    const { step, low, high } = one;
    return { step, from: share(one.from), to: share(one.to), low: low === null ? null : share(low), high: high === null ? null : share(high), reached: share(one.to) };
  });
  return { bars, ticks: ticks(base, base + BigInt(Math.round(room)), unit).map((bytes) => ({ at: share(bytes), bytes })), cut, cuttable };
}

/** Totals begin at zero, differences where the step before them ended. */
function laid(steps: WaterfallStep[]): (Stretch | null)[] {
  let reached = 0n;
  return steps.map((step) => {
    if (step.bytes === null || step.bytes === undefined) return null;
    const from = step.kind === "total" ? 0n : reached;
    const end = (bytes: number | null | undefined) => (bytes === null || bytes === undefined ? null : from + BigInt(bytes));
    reached = from + BigInt(step.bytes);
    return { step, from, to: reached, low: end(step.low_bytes), high: end(step.high_bytes) };
  });
}

/** Round values of the unit: steps of 1, 2 or 5. */
function ticks(from: bigint, to: bigint, unit: Unit): bigint[] {
  const span = Number(to - from) / Number(sizeOf(unit));
  const power = 10 ** Math.floor(Math.log10(span / TICKS_MAX));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => span / size <= TICKS_MAX) ?? span;
  const bytes = BigInt(Math.max(1, Math.round(step * Number(sizeOf(unit)))));
  const first = ((from + bytes - 1n) / bytes) * bytes;
  const found = [];
  for (let at = first; at <= to && found.length <= TICKS_MAX; at += bytes) found.push(at);
  return found;
}

const smallest = (values: bigint[]) => values.reduce((least, value) => (value < least ? value : least), values[0] ?? 0n);
const largest = (values: bigint[]) => values.reduce((most, value) => (value > most ? value : most), values[0] ?? 0n);
