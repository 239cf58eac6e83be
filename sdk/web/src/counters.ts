/**
 * Cumulative counters of every CDN a session has used. They only grow: whatever is added is checked
 * to be a number above zero. What is charged to whom is decided elsewhere.
 */
import type { Counters as Wire } from './wire';

/** The contract allows 16 CDNs a session; the last place is kept for all further ones together. */
const CDNS_MAX = 16;
export const OTHER = 'other';

type Count = 'bytes' | 'aborted_bytes' | 'play_ms' | 'stall_ms' | 'stalls';

export class Counters {
  readonly #byCdn = new Map<string, Wire>();

  /** `first_used_at_ms` of a CDN seen for the first time is `at_ms`. */
  add(cdn: string, count: Count, amount: number, at_ms: number): void {
    const entry = this.#entry(cdn, at_ms);
    if (amount > 0 && amount < Infinity) entry[count] += amount;
  }

  #entry(cdn: string, at_ms: number): Wire {
    let entry = this.#byCdn.get(cdn);
    if (!entry && this.#byCdn.size >= CDNS_MAX - 1 && cdn !== OTHER) return this.#entry(OTHER, at_ms);
    if (!entry) {
      entry = { cdn, first_used_at_ms: at_ms, bytes: 0, aborted_bytes: 0, play_ms: 0, stall_ms: 0, stalls: 0 };
      this.#byCdn.set(cdn, entry);
    }
    return entry;
  }

  /** As the wire wants them: whole numbers, in the order of first use. Rounding down keeps them from ever falling. */
  wire(): Wire[] {
    return [...this.#byCdn.values()].map((c) => ({ ...c, play_ms: Math.floor(c.play_ms), stall_ms: Math.floor(c.stall_ms) }));
  }
}
