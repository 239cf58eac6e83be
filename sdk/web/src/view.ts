/**
 * One session's account of itself: charges time, stalls and bytes to CDNs and says each event when
 * it happens. Ends once; a page that comes back gets a new one.
 */
import { Counters } from './counters';
import { Playback, type Stall } from './playback';
import type { Settings } from './options';
import { Session } from './session';
import type { Counters as Wire, EndReason, Event, Fields, LastSegment, SwitchReason } from './wire';

declare const SDK_VERSION: string | undefined;

/** What the view has to ask others. */
export interface Surroundings {
  emit: (event: Event) => void;
  /** Whose media is at the playhead. */
  playheadCdn: () => string | null;
  /** Whose answer the player is waiting for. */
  awaitedCdn: () => string | null;
  lastSegment: () => LastSegment | undefined;
}

/** Time and stalls of a player that never said what it loads. */
const UNKNOWN = 'unknown';
/** A word of the player's this old does not explain a stall, a failure this old not a switch. */
const FRESH_MS = 5_000;
/** A player that fails in a loop says the same thing for ever. */
const ERRORS_MAX = 50;
const NEVER = { code: '', at: -Infinity };
const SAME_ERROR_MS = 10_000;

export class View {
  readonly #now: () => number;
  readonly #settings: Settings;
  readonly #around: Surroundings;
  readonly session: Session;
  readonly playback: Playback;
  cdn: string | null = null;
  over = false;
  readonly #counters = new Counters();
  #saidStart = false;
  #saidPicture = false;
  #charged: { cdn: string; last_segment: LastSegment | undefined } | null = null;
  #stallEndedAt = -Infinity;
  #lastHint = NEVER;
  #lastError = NEVER;
  #errorsSaid = 0;

  constructor(now: () => number, settings: Settings, preload: boolean, around: Surroundings) {
    this.#now = now;
    this.#settings = settings;
    this.#around = around;
    const at = now();
    this.session = new Session(at, settings);
    this.playback = new Playback(at, preload, settings, {
      spent: (state, ms, stall) => {
        if (state === 'p') this.count(this.#playing(), 'play_ms', ms);
        else if (stall) this.count(this.#charged!.cdn, 'stall_ms', ms);
      },
      began: (stall) => this.#stallBegan(stall),
      ended: (stall, at) => this.#stallEnded(stall, at),
      changed: (state, at) => state === 'p' && this.#picture(at),
    });
  }

  /** The CDN in use is `cdn` from now on. */
  use(cdn: string, reason?: SwitchReason): void {
    const from = this.cdn;
    this.cdn = cdn;
    if (!from) this.#sayStart();
    else if (from !== cdn) this.#say('cdn_switch', { from_cdn: from, to_cdn: cdn, reason: reason ?? this.#switchReason() });
  }

  count(cdn: string, what: 'bytes' | 'aborted_bytes' | 'play_ms' | 'stall_ms' | 'stalls', amount: number): void {
    if (!this.over) this.#counters.add(cdn, what, amount, this.session.at_ms(this.#now()));
  }

  beat(): void {
    this.playback.settle(this.#now());
    this.#say('heartbeat', { ...this.#totals(), state: this.playback.state, cdn: this.cdn ?? undefined });
  }

  hint(code: string): void {
    this.#lastHint = { code, at: this.#now() };
  }

  error(code: string, message: string | undefined, fatal: boolean): void {
    const at = this.#now();
    const same = code === this.#lastError.code && at - this.#lastError.at < SAME_ERROR_MS;
    this.#lastHint = this.#lastError = { code, at };
    if (fatal) this.playback.signal('fatal', at);
    if (fatal || (!same && this.#errorsSaid++ < ERRORS_MAX)) this.#say('error', { cdn: this.cdn ?? undefined, code, message, fatal });
  }

  /** The last word. A stall that still lasts is explained as far as it got. */
  end(reason?: EndReason): void {
    const { playback } = this;
    const state = playback.state;
    playback.signal('quit', this.#now());
    this.#say('session_end', { ...this.#totals(), reason: reason ?? (state === 'e' ? 'ended' : state === 'f' ? 'fatal' : 'quit') });
    this.over = true;
  }

  debug() {
    const { playback, session } = this;
    return { sessionId: session.id, state: playback.state, stall: playback.stall, times: playback.timesAt(this.#now()), cdn: this.cdn, counters: this.#counters.wire() };
  }

  #totals(): { session_started_at_ms: number; counters: Wire[] } {
    return { session_started_at_ms: this.session.at_ms(this.session.startedAt), counters: this.#counters.wire() };
  }

  #playing(): string {
    return this.#around.playheadCdn() ?? this.cdn ?? UNKNOWN;
  }

  #picture(at: number): void {
    if (this.#saidPicture) return;
    this.#saidPicture = true;
    this.#say('playback_start', { cdn: this.#playing(), startup_ms: Math.round(this.playback.times.s ?? 0) }, at);
  }

  #stallBegan(stall: Stall): void {
    const awaited = stall.kind === 'rebuffer' ? this.#around.awaitedCdn() : null;
    const cdn = awaited ?? this.#playing();
    this.#charged = { cdn, last_segment: this.#around.lastSegment() };
    this.count(cdn, 'stalls', 1);
  }

  #stallEnded(stall: Stall, at: number): void {
    const { beganAt, kind, media, thresholdMs } = stall;
    this.#stallEndedAt = at;
    const hint = this.#lastHint;
    this.#say('stall', {
      ...this.#charged!,
      began_at_ms: this.session.at_ms(beganAt),
      stall_ms: Math.round(at - beganAt),
      kind,
      media,
      threshold_ms: thresholdMs,
      cause: hint.at >= beganAt - FRESH_MS ? hint.code : undefined,
    }, at);
  }

  #switchReason(): SwitchReason {
    const now = this.#now();
    if (this.playback.stall || now - this.#stallEndedAt < FRESH_MS) return 'stall';
    return now - this.#lastError.at < FRESH_MS ? 'error' : 'steering';
  }

  /** The attempt is said when the first CDN is known, or before whatever comes first. */
  #sayStart(): void {
    if (this.#saidStart) return;
    this.#saidStart = true;
    const sdk = typeof SDK_VERSION === 'string' ? SDK_VERSION : 'web';
    this.#say('session_start', { cdn: this.cdn ?? undefined, sdk, player: this.#settings.player }, this.session.startedAt);
  }

  #say<T extends Event['type']>(type: T, fields: Fields<T>, at = this.#now()): void {
    if (this.over) return;
    this.#sayStart();
    this.#around.emit(this.session.event(type, at, fields));
  }
}
