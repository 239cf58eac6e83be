/**
 * Requests from start to finish, and the bytes each one moved over the network. A request is settled
 * once, as completed or aborted. When the page is left with requests in flight they are charged as
 * aborted as far as they got; one that completes after all adds only the rest.
 */
import { utf8Bytes } from './text';
import type { LastSegment } from './wire';

/** How a request ended, as far as the player knows. */
export interface Outcome {
  /** Body bytes the loader saw: unzipped, when the body was zipped. A text stands for its own length in bytes. */
  loaded: number | string;
  status?: number;
  /** After redirects. */
  url?: string;
  /** The `Content-Length` header: exact even when the body was zipped. */
  contentLength?: number | null;
}

export interface Request {
  cdn: string;
  host: string;
  url: string;
  /** A segment of the main track. */
  media: boolean;
  startedAt: number;
  /** Body bytes so far. */
  loaded: () => number;
  /** Bytes already charged as aborted while still in flight. */
  charged: number;
}

/** A player has a handful in flight; one that forgets to end them must not fill the memory. */
const IN_FLIGHT_MAX = 64;

export class Requests {
  last: LastSegment | undefined;
  readonly #flying = new Set<Request>();
  readonly #timings = new Timings();

  open(request: Request): void {
    this.#flying.add(request);
    if (this.#flying.size > IN_FLIGHT_MAX) this.#flying.delete(this.#flying.values().next().value!);
  }

  /** Ends a request; false when it had ended before. */
  close(request: Request): boolean {
    return this.#flying.delete(request);
  }

  /** Network body bytes of a completed response. */
  networkBytes(request: Request, outcome: Outcome): number {
    const timing = this.#timings.find(request, outcome.url);
    const { loaded, contentLength } = outcome;
    if (timing !== null) return timing;
    if (contentLength != null && contentLength >= 0) return contentLength;
    return typeof loaded === 'string' ? utf8Bytes(loaded) : loaded;
  }

  /** Keeps the last media response: evidence for the next stall. */
  remember(request: Request, bytes: number, status: number, now: number): void {
    const seconds = Math.max(1, now - request.startedAt) / 1000;
    this.last = { status, bytes, throughput_bps: Math.round((bytes * 8) / seconds), host: request.host };
  }

  /** The request playback is waiting for: the oldest for media, else the oldest at all. */
  outstanding(): Request | null {
    let any: Request | null = null;
    for (const request of this.#flying) {
      if (request.media) return request;
      any ??= request;
    }
    return any;
  }

  /** Bytes in flight not charged yet; marks them as charged. */
  *charge(): Generator<[Request, number]> {
    for (const request of this.#flying) {
      const bytes = Math.max(0, request.loaded() - request.charged);
      request.charged += bytes;
      yield [request, bytes];
    }
  }

  stop(): void {
    this.#flying.clear();
    this.#timings.stop();
  }
}

/** Responses whose timing has not been asked for yet: a page's other requests pass through here too. */
const TIMINGS_MAX = 256;

/**
 * The browser's own account of each response (Resource Timing). Read through an observer, because
 * the page-wide list is full after 250 entries. Other origins show it only with `Timing-Allow-Origin`.
 */
class Timings {
  readonly #kept: PerformanceResourceTiming[] = [];
  #observer: PerformanceObserver | null = null;

  constructor() {
    if (typeof PerformanceObserver !== 'function') return;
    this.#observer = new PerformanceObserver((list) => this.#keep(list.getEntries()));
    this.#observer.observe({ type: 'resource' });
  }

  /** Body bytes over the network; 0 for a cache hit; null when the browser does not tell. */
  find(request: Request, finalUrl: string | undefined): number | null {
    if (!this.#observer) return null;
    this.#keep(this.#observer.takeRecords());
    // One millisecond of slack: browsers round these times.
    // A loader may have added to the URL on its way: then the final one has it.
    const i = this.#kept.findIndex((t) => (t.name === request.url || t.name === finalUrl) && t.startTime >= request.startedAt - 1);
    const [timing] = i < 0 ? [] : this.#kept.splice(i, 1);
    // Without Timing-Allow-Origin `requestStart` is 0, and a cache hit can't be told from a download.
    if (!timing?.requestStart || !timing.encodedBodySize) return null;
    return timing.transferSize < timing.encodedBodySize ? 0 : timing.encodedBodySize;
  }

  stop(): void {
    this.#observer?.disconnect();
    this.#observer = null;
  }

  #keep(entries: PerformanceEntryList): void {
    this.#kept.push(...(entries as PerformanceResourceTiming[]));
    this.#kept.splice(0, this.#kept.length - TIMINGS_MAX);
  }
}
