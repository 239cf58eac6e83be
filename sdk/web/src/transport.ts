/**
 * How events travel: batches by fetch with retries while the page lives, beacons when it is left.
 * Delivery is at least once. The body is JSON sent as text/plain, which spares the CORS preflight.
 */
import type { Options } from './options';
import type { Queue, Entry } from './queue';
import type { Answer } from './wire';

/** One batch: well under ingest's limits, and one request's worth on a slow uplink. */
const BATCH_EVENTS_MAX = 100;
const BATCH_BYTES_MAX = 48 * 1024;
/** Browsers take 64 KiB of beacons at a time; the batch's own words need a little. */
const BEACON_BYTES_MAX = 58 * 1024;
const TIMEOUT_MS = 10_000;
const BACKOFF_MS = 1_000;
const BACKOFF_MAX_MS = 60_000;
/** A server may ask for patience, but not for ever. */
const RETRY_AFTER_MAX_MS = 10 * 60_000;
/** Small events wait this long for company. */
const GATHER_MS = 1_000;
/** A meter that has ended does not try for ever. */
const LAST_TRIES = 8;

export interface Destination {
  endpoint: string;
  app: string;
  writeKey?: string;
  token?: Options['token'];
  /** The session's clock, for `sent_at_ms`. */
  sentAt_ms: () => number;
  answered: (answer: Answer) => void;
  /** Nothing is left to send after `finish`. */
  finished: () => void;
  failed: (error: unknown) => void;
}

export class Sender {
  readonly #queue: Queue;
  readonly #to: Destination;
  /** In the URL, since a beacon can carry no header; the token goes in the body, which no log keeps. */
  readonly #url: string;
  #token: string | undefined;
  failures = 0;
  #sending = false;
  #stopped = false;
  /** Until then the server or the back-off wants quiet. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #backingOff = false;
  #finishing = false;

  constructor(queue: Queue, to: Destination) {
    this.#queue = queue;
    this.#to = to;
    const { endpoint, writeKey, token } = to;
    this.#url = writeKey ? `${endpoint}${endpoint.includes('?') ? '&' : '?'}key=${encodeURIComponent(writeKey)}` : endpoint;
    if (typeof token === 'string') this.#token = token;
  }

  /** Sends soon; at once when `now` is set. Neither shortens a back-off. */
  flush(now = false): void {
    if (this.#stopped || this.#sending || this.#backingOff) return;
    if (now) return void this.#send();
    this.#timer ??= setTimeout(() => this.#send(), GATHER_MS);
  }

  /** Hands everything to the browser, which delivers it after the page is gone. True when nothing is left to worry about. */
  leave(): boolean {
    const left = this.#queue.take(Infinity, Infinity);
    while (left.length > 0) {
      // The newest first: they hold the last counters, and the browser may not take the rest.
      const batch: Entry[] = [];
      for (let bytes = 0; left.length > 0 && (bytes += left[left.length - 1]!.bytes + 1) <= BEACON_BYTES_MAX; ) batch.unshift(left.pop()!);
      if (batch.length === 0 || !navigator.sendBeacon(this.#url, this.#body(batch))) return false;
      // Whether it arrives nobody can hear. While the network is known to be bad, what went is kept too.
      if (this.failures === 0) this.#queue.remove(batch);
    }
    return this.#queue.length === 0;
  }

  /** Sends what is left, then says so. */
  finish(): void {
    this.#finishing = true;
    this.flush(true);
    this.#checkFinished();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#backingOff = false;
    const batch = this.#queue.take(BATCH_EVENTS_MAX, BATCH_BYTES_MAX);
    if (this.#stopped || batch.length === 0) return;
    this.#sending = true;
    this.#post(batch)
      .catch((error) => {
        this.#to.failed(error);
        return BACKOFF_MS;
      })
      .then((waitMs) => {
        this.#sending = false;
        if (this.#stopped || this.#checkFinished()) return;
        if (waitMs > 0) {
          this.#backingOff = true;
          this.#timer = setTimeout(() => this.#send(), waitMs);
        } else if (this.#queue.length > 0) this.flush();
      });
  }

  #checkFinished(): boolean {
    if (!this.#finishing || this.#sending) return false;
    if (this.failures >= LAST_TRIES) {
      const left = this.#queue.take(Infinity, Infinity);
      this.#queue.remove(left);
      this.#queue.lost('unsent', left.length);
    }
    if (this.#queue.length > 0) return false;
    this.stop();
    this.#to.finished();
    return true;
  }

  /** One attempt; answers how long to wait before the next, 0 when the batch is settled. */
  async #post(batch: Entry[]): Promise<number> {
    const { token } = this.#to;
    const fetched = typeof token === 'function';
    const abort = new AbortController();
    const timeout = setTimeout(() => abort.abort(), TIMEOUT_MS);
    let response: Response;
    let text = '';
    try {
      // When the app's own server is away, it is as if ingest were.
      if (fetched) this.#token ??= await token();
      // A text goes as text/plain, as it does in a beacon.
      response = await fetch(this.#url, { method: 'POST', body: this.#body(batch), credentials: 'omit', signal: abort.signal });
      text = await response.text();
    } catch {
      // No network, no answer in time: the usual case, not an error of ours.
      return this.#backoff(0);
    } finally {
      clearTimeout(timeout);
    }
    const { status } = response;
    if (fetched && status === 401) {
      this.#token = undefined;
      return this.#backoff(0);
    }
    if (status === 408 || status === 429 || status >= 500) return this.#backoff(retryAfter(response));
    this.failures = 0;
    this.#queue.remove(batch);
    if (response.ok || status === 422) this.#heard(text, batch.length);
    else this.#queue.lost(`http_${status}`, batch.length);
    return 0;
  }

  /** Reads the answer. One that can't be read changes nothing: the status said enough. */
  #heard(text: string, events: number): void {
    let answer: Answer;
    try {
      answer = JSON.parse(text);
    } catch {
      return;
    }
    this.#queue.lost('refused', Math.min(events, Number(answer?.refused) || 0));
    this.#to.answered(answer);
  }

  #backoff(askedMs: number): number {
    this.failures += 1;
    const most = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** (this.failures - 1));
    return Math.max(askedMs, most * (0.5 + Math.random() / 2));
  }

  #body(batch: Entry[]): string {
    const { app, sentAt_ms } = this.#to;
    // Without a token JSON leaves the word out.
    const envelope = JSON.stringify({ v: 1, app, sent_at_ms: sentAt_ms(), token: this.#token });
    return `${envelope.slice(0, -1)},"events":[${batch.map((e) => e.json).join()}]}`;
  }
}

/** `Retry-After` as seconds or as a date, in milliseconds; 0 without one. */
function retryAfter(response: Response): number {
  const value = response.headers.get('retry-after');
  if (!value) return 0;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return ms > 0 ? Math.min(ms, RETRY_AFTER_MAX_MS) : 0;
}
