/**
 * The meter: ties clock, playback, counters, requests and queue together for one player object.
 * The public face; every call is guarded, so that nothing in here reaches the player.
 */
import { placeOf, Timeline } from './cdn';
import { monotonicClock } from './clock';
import { Guard } from './guard';
import { MediaWatch } from './media';
import { settle, type Options, type Settings } from './options';
import { onPage, type Stop } from './page';
import { Queue } from './queue';
import { Requests, type Outcome, type Request } from './requests';
import { View } from './view';
import { save, takeSaved } from './storage';
import { clip, ID_BYTES_MAX, TEXT_BYTES_MAX } from './text';
import { Sender } from './transport';
import type { Answer, EndReason, SwitchReason } from './wire';

const HEARTBEAT_MIN_MS = 1_000;
const HEARTBEAT_MAX_MS = 5 * 60_000;
/** An app that announced a switch may still have segments of the old CDN on the way. */
const SWITCH_PATIENCE_MS = 10_000;

/** One request, as the player reports it. */
export interface RequestReport {
  /** Body bytes (or the text itself), and what else is known. */
  done(loaded: number | string, status?: number, finalUrl?: string, contentLength?: number | null): void;
  abort(bytes?: number): void;
  /** The CDN it was charged to, after redirects; null when it isn't metered. */
  readonly cdn: string | null;
}

export interface RequestFacts {
  /** A segment of the main track. */
  media?: boolean;
  /** Body bytes so far. */
  loaded?: () => number;
}

export class Meter {
  /** For adapters: the wall to stand behind. @internal */
  readonly guard: Guard = new Guard(() => this.#dispose());
  readonly #requests = new Requests();
  readonly #timeline = new Timeline();
  #settings!: Settings;
  #queue!: Queue;
  #sender!: Sender;
  #view!: View;
  #watch: MediaWatch | null = null;
  #heartbeat: ReturnType<typeof setTimeout> | undefined;
  #heartbeatMs = 0;
  /** Drawn once a session; one that is outside the server's sample says only its counters, and seldom. */
  #luck = 0;
  #quiet = false;
  /** By the app: final. */
  #ended = false;
  /** What is said now travels by beacon. */
  #leaving = false;
  #page: Stop[] = [];
  #now: () => number = () => 0;
  #mediaCdn: string | null = null;
  #announced: { cdn: string; until: number } | null = null;
  /** For adapters: which jumps the viewer did not ask for. @internal */
  playersJump: (video: HTMLMediaElement) => boolean = () => false;

  constructor(options: Options) {
    // A meter that could not start has nothing to measure with.
    if (!this.guard.run(() => this.#start(options))) this.guard.switchOff();
  }

  get sessionId(): string {
    return this.guard.run(() => this.#view.session.id) ?? '';
  }

  /** Follows a media element from now on, in place of any other. */
  attach(video: HTMLVideoElement): void {
    this.guard.run(() => {
      this.#watch?.stop();
      const { guard } = this;
      const now = this.#now;
      this.#watch = new MediaWatch(video, {
        guard,
        now,
        playback: () => this.#view.playback,
        playersJump: (v) => this.playersJump(v),
        sourceReplaced: () => this.#timeline.clear(),
      });
    });
  }

  /** A request begins. Whoever reports it ends it, once, by `done` or `abort`. */
  request(url: string, facts: RequestFacts = {}): RequestReport {
    const request = this.guard.run(() => this.#open(url, facts));
    return {
      done: (loaded, status = 200, url, contentLength) =>
        void this.guard.run(() => request && this.#done(request, { loaded, status, url, contentLength })),
      abort: (bytes) => void this.guard.run(() => request && this.#abort(request, bytes)),
      get cdn() {
        return request?.cdn ?? null;
      },
    };
  }

  /** The timeline from `from_s` to `to_s` came from `url`. */
  buffered(from_s: number, to_s: number, url: string): void {
    this.guard.run(() => this.bufferedFrom(from_s, to_s, placeOf(url, this.#settings.cdnOf).cdn));
  }

  /** The same by name. @internal */
  bufferedFrom(from_s: number, to_s: number, cdn: string | null): void {
    if (cdn) this.guard.run(() => this.#timeline.put(from_s, to_s, cdn));
  }

  switchCdn(cdn: string, reason: SwitchReason = 'user'): void {
    this.guard.run(() => {
      const name = clip(cdn, ID_BYTES_MAX);
      this.#view.use(name, reason);
      this.#announced = { cdn: name, until: this.#now() + SWITCH_PATIENCE_MS };
    });
  }

  error(code: string, message?: string, fatal = false): void {
    this.guard.run(() => this.#view.error(clip(code, ID_BYTES_MAX), message && clip(message, TEXT_BYTES_MAX), fatal));
  }

  /** A word for what is going on, kept for the stall it may explain. @internal */
  hint(code: string): void {
    this.guard.run(() => this.#view.hint(clip(code, TEXT_BYTES_MAX)));
  }

  end(reason?: EndReason): void {
    this.guard.run(() => {
      this.#ended = true;
      this.#finish(reason);
      this.#watch?.stop();
      this.#sender.finish();
    });
  }

  debug(): Record<string, unknown> {
    const { guard } = this;
    const self = { off: guard.off, errors: guard.errors, lastError: guard.last };
    const view = guard.run(() => this.#view.debug());
    const queue = guard.run(() => ({ events: this.#queue.length, bytes: this.#queue.bytes, failures: this.#sender.failures, dropped: { ...this.#queue.dropped } }));
    return { ...self, ...view, heartbeatMs: this.#heartbeatMs, queue };
  }

  #start(options: Options): true {
    const settings = (this.#settings = settle(options));
    this.#now = monotonicClock();
    this.#heartbeatMs = settings.heartbeatMs;
    this.#queue = new Queue(settings.queueEvents, settings.queueBytes);
    this.#sender = new Sender(this.#queue, {
      endpoint: settings.endpoint,
      app: settings.app,
      writeKey: settings.writeKey,
      token: settings.token,
      sentAt_ms: () => this.#view.session.at_ms(this.#now()),
      answered: (answer) => void this.guard.run(() => this.#answered(answer)),
      finished: () => this.#dispose(),
      failed: (error) => this.guard.failed(error),
    });
    if (settings.persist) this.guard.run(() => takeSaved().forEach(([type, json]) => this.#queue.push(type, json)));
    this.#begin(settings.preload ?? false, null);
    this.#page = onPage(this.guard, {
      hidden: () => this.#leave(() => this.#view.beat()),
      left: () => this.#leave(() => this.#finish()),
      restored: () => this.#ended || this.#begin(true, this.#view.cdn),
    });
    return true;
  }

  /** A new session: at the start, and when the page comes back from the back/forward cache. */
  #begin(preload: boolean, cdn: string | null): void {
    this.#luck = Math.random();
    this.#view = new View(this.#now, this.#settings, preload, {
      emit: (event) => {
        if (this.#quiet && event.type !== 'heartbeat' && event.type !== 'session_end') return this.#queue.lost('sampled', 1);
        this.#queue.push(event.type, JSON.stringify(event));
        if (!this.#leaving) this.#sender.flush(event.type === 'heartbeat');
      },
      playheadCdn: () => (this.#watch ? this.#timeline.at(this.#watch.position_s) : null),
      awaitedCdn: () => this.#requests.outstanding()?.cdn ?? this.#mediaCdn,
      lastSegment: () => this.#requests.last,
    });
    if (cdn) this.#view.use(cdn);
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#heartbeat);
    const wait = this.#heartbeatMs * (0.9 + Math.random() * 0.2);
    this.#heartbeat = setTimeout(() => this.guard.run(() => {
      // Before the beat, so that one that fails is not the last.
      this.#schedule();
      this.#view.beat();
    }), wait);
  }

  #answered(answer: Answer): void {
    this.#quiet = this.#luck >= Number(answer?.sampling ?? 1);
    const asked = this.#quiet ? HEARTBEAT_MAX_MS : Math.min(HEARTBEAT_MAX_MS, Math.max(HEARTBEAT_MIN_MS, Number(answer?.heartbeat_ms)));
    if (!asked || asked === this.#heartbeatMs) return;
    this.#heartbeatMs = asked;
    if (!this.#view.over) this.#schedule();
  }

  #open(url: string, { media = false, loaded = () => 0 }: RequestFacts): Request | null {
    const place = placeOf(url, this.#settings.cdnOf);
    const { cdn } = place;
    if (!cdn) return null;
    const now = this.#now();
    const request: Request = { ...place, cdn, media, startedAt: now, loaded, charged: 0 };
    this.#requests.open(request);
    this.#view.count(cdn, 'bytes', 0);
    if (media) this.#mediaCdn = cdn;
    if (!this.#view.cdn) this.#view.use(cdn);
    else if (media && !this.#awaitsOther(cdn, now)) this.#view.use(cdn);
    return request;
  }

  /** An announced switch is not taken back by a straggler of the old CDN. */
  #awaitsOther(cdn: string, now: number): boolean {
    if (!this.#announced) return false;
    if (this.#announced.cdn === cdn || now > this.#announced.until) this.#announced = null;
    return this.#announced !== null;
  }

  #done(request: Request, outcome: Outcome): void {
    if (!this.#requests.close(request)) return;
    const bytes = this.#requests.networkBytes(request, outcome);
    const final = outcome.url && placeOf(outcome.url, this.#settings.cdnOf).cdn;
    if (final) request.cdn = final;
    this.#view.count(request.cdn, 'bytes', bytes - request.charged);
    if (request.media) this.#requests.remember(request, bytes, outcome.status ?? 0, this.#now());
  }

  #abort(request: Request, bytes = request.loaded()): void {
    if (!this.#requests.close(request)) return;
    this.#view.count(request.cdn, 'aborted_bytes', bytes - request.charged);
    if (request.media) this.#requests.remember(request, bytes, 0, this.#now());
  }

  /** The last words, by beacon: a browser may end a hidden page without another word. */
  #leave(last: () => void): void {
    this.#leaving = true;
    if (!this.#view.over) last();
    this.#leaving = false;
    const took = this.#sender.leave();
    if (this.#settings.persist && (!took || navigator.onLine === false)) {
      save(this.#queue.take(Infinity, Infinity), this.#settings.queueBytes);
    }
  }

  #finish(reason?: EndReason): void {
    clearTimeout(this.#heartbeat);
    if (this.#view.over) return;
    for (const [request, bytes] of this.#requests.charge()) this.#view.count(request.cdn, 'aborted_bytes', bytes);
    this.#view.end(reason);
  }

  #dispose(): void {
    clearTimeout(this.#heartbeat);
    this.#watch?.stop();
    this.#requests.stop();
    this.#sender?.stop();
    this.#page.splice(0).forEach((stop) => stop());
  }
}
