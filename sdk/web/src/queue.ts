/**
 * Events not yet delivered, bounded in count and bytes. Over the bound the oldest heartbeat goes first,
 * because a newer one covers it; then errors and switches, then stalls, then the session's ends.
 * Pure: sending is in transport.ts.
 */
import { utf8Bytes } from './text';

export interface Entry {
  type: string;
  json: string;
  bytes: number;
}

/** Sooner dropped first. */
const WORTH: Record<string, number> = { heartbeat: 0, error: 1, cdn_switch: 1, stall: 2 };
const WORTH_MAX = 3;

export class Queue {
  readonly #eventsMax: number;
  readonly #bytesMax: number;
  readonly dropped: Record<string, number> = {};
  bytes = 0;
  #entries: Entry[] = [];

  constructor(eventsMax: number, bytesMax: number) {
    this.#eventsMax = eventsMax;
    this.#bytesMax = bytesMax;
  }

  get length(): number {
    return this.#entries.length;
  }

  push(type: string, json: string): void {
    const entry = { type, json, bytes: utf8Bytes(json) };
    this.#entries.push(entry);
    this.bytes += entry.bytes;
    while (this.#entries.length > this.#eventsMax || this.bytes > this.#bytesMax) this.#drop(this.#leastWorth());
  }

  /** The oldest entries that fit, at least one; they stay until `remove`. */
  take(eventsMax: number, bytesMax: number): Entry[] {
    const taken: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#entries.slice(0, eventsMax)) {
      bytes += entry.bytes + 1;
      if (taken.length > 0 && bytes > bytesMax) break;
      taken.push(entry);
    }
    return taken;
  }

  /** Takes out what was delivered. What the bound has dropped meanwhile is not there any more, and that is fine. */
  remove(delivered: Entry[]): void {
    const gone = new Set(delivered);
    this.#entries = this.#entries.filter((entry) => !gone.has(entry));
    this.bytes = this.#entries.reduce((sum, entry) => sum + entry.bytes, 0);
  }

  /** Counts events that will never be delivered, by reason. */
  lost(reason: string, events: number): void {
    if (events > 0) this.dropped[reason] = (this.dropped[reason] ?? 0) + events;
  }

  #drop(entry: Entry): void {
    this.remove([entry]);
    this.lost(`full:${entry.type}`, 1);
  }

  #leastWorth(): Entry {
    const heartbeats = this.#entries.filter((entry) => entry.type === 'heartbeat').length;
    // The last heartbeat holds the totals: it outlives everything but the end of the session.
    const worth = (entry: Entry) => (entry.type === 'heartbeat' && heartbeats === 1 ? WORTH_MAX : (WORTH[entry.type] ?? WORTH_MAX));
    return this.#entries.reduce((least, entry) => (worth(entry) < worth(least) ? entry : least));
  }
}
