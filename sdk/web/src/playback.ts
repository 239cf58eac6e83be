/**
 * Where every millisecond goes. Joins the state machine with the signs of life, spends time on
 * exactly one state each, and tells its sink when a stall begins, lasts and ends.
 *
 * Playing time since the last rendered frame is *in doubt*: the next frame shows it was play, or a
 * gap shows it was a stall. It is spent only then, so that what was reported never has to be taken back.
 */
import { machine, next, type Machine, type Signal, type State } from './state';
import { Liveness, type Rules, type Watch } from './stall';
import type { Media, StallKind } from './wire';

export interface Stall {
  beganAt: number;
  kind: StallKind;
  media: Media;
  thresholdMs: number;
}

/** Hears what playback does. `spent` comes in order and adds up to the time passed. */
export interface Sink {
  spent(state: State, ms: number, stall: Stall | null): void;
  began(stall: Stall): void;
  ended(stall: Stall, at: number): void;
  changed(state: State, at: number): void;
}

/** What is known about the picture at one look. */
export interface Look {
  watch: Watch;
  /** The media element lacks data for the next frame. */
  starved: boolean;
  /** The playhead moved since the last look. */
  moved: boolean;
  hidden: boolean;
}

/** How often media.ts looks. A look that comes much later says that the page's thread was busy. */
export const LOOK_MS = 250;
const BUSY_MS = 2.5 * LOOK_MS;
/** A hidden page not run for this long was frozen by the browser; a visible one, with its whole machine, after 30 s. */
const FROZEN_PAGE_MS = 5_000;
const ASLEEP_MS = 30_000;

export class Playback {
  readonly #rules: Rules;
  readonly #sink: Sink;
  readonly times: Partial<Record<State, number>> = {};
  stall: Stall | null = null;
  #m: Machine;
  readonly #life: Liveness;
  #spentUntil: number;
  #lookedAt: number;
  #wasHidden = false;

  constructor(now: number, preload: boolean, rules: Rules, sink: Sink) {
    this.#rules = rules;
    this.#sink = sink;
    this.#m = machine(preload);
    this.#life = new Liveness(now, rules);
    this.#spentUntil = this.#lookedAt = now;
  }

  get state(): State {
    return this.#m.state;
  }

  /** Time in each state up to `now`, doubtful play included: always adds up to the time passed. */
  timesAt(now: number): Partial<Record<State, number>> {
    return { ...this.times, [this.state]: (this.times[this.state] ?? 0) + Math.max(0, now - this.#spentUntil) };
  }

  signal(signal: Signal, now: number): void {
    if (signal !== 'moving' && this.state === 'p') this.#judge(now, signal === 'waiting');
    if (signal === 'waiting' && this.stall) this.stall.kind = 'rebuffer';
    this.#move(signal, now, signal === 'reset' || signal === 'waiting' ? 'rebuffer' : 'frozen');
  }

  /** Looks come again after a rest: the time between was no gap. */
  resume(now: number): void {
    this.#lookedAt = now;
  }

  /** A frame was rendered. Only one of a player that is `alive` (data at hand, not paused, not seeking) ends a wait. */
  frame(now: number, mediaMs: number, rate: number, presented: number, alive: boolean): void {
    if (this.state !== 'p') {
      if (!alive) return;
      this.#move('moving', now, 'frozen');
    } else if (this.#life.watch === 'frames' && this.#life.frozen(this.#life.gap(now, presented))) {
      // Nobody looked in time: the whole stall is seen at once, at its end.
      this.#move('frozen', this.#life.last, 'frozen');
      this.#move('moving', now, 'frozen');
    }
    this.#life.frame(now, mediaMs, rate, presented);
  }

  /** The regular look at the player. */
  look(now: number, look: Look): void {
    const since = now - this.#lookedAt;
    const unseen = since > (look.hidden || this.#wasHidden ? FROZEN_PAGE_MS : ASLEEP_MS);
    const from = this.#lookedAt;
    this.#lookedAt = now;
    this.#wasHidden = look.hidden;

    if (unseen && !look.moved) this.#move('suspended', Math.max(from, this.#spentUntil), 'frozen');
    if (look.watch !== this.#life.watch || unseen) {
      if (this.state === 'p') this.#spend(now);
      this.#life.reset(now, look.watch);
    }
    // Where frames are seen, only a frame shows that the picture moves: sound alone moves the playhead too.
    if (look.moved && !(look.watch === 'frames' && (this.state === 'p' || this.stall))) {
      if (this.state !== 'p') this.#move('moving', now, 'frozen');
      this.#life.last = now;
    }
    // After a busy spell frames may have been shown that we have not been told of yet.
    if (since < BUSY_MS) this.#judge(now, look.starved);
    this.settle(now);
  }

  /** Spends all time that is beyond doubt. */
  settle(now: number): void {
    const doubted = this.state === 'p' && this.#life.judges;
    this.#spend(doubted ? Math.min(now, this.#life.last) : now);
  }

  #judge(now: number, starved: boolean): void {
    if (this.state === 'p' && this.#life.frozen(now - this.#life.last)) this.#move('frozen', this.#life.last, starved ? 'rebuffer' : 'frozen');
  }

  #spend(until: number): void {
    const ms = until - this.#spentUntil;
    if (!(ms > 0)) return;
    this.#spentUntil = until;
    this.times[this.state] = (this.times[this.state] ?? 0) + ms;
    this.#sink.spent(this.state, ms, this.stall);
  }

  #move(signal: Signal, at: number, kind: StallKind): void {
    const to = next(this.#m, signal, at, this.#rules.seekGraceMs);
    if (to.state !== this.state) {
      this.#spend(at);
      if (to.state === 'p') this.#life.reset(Math.max(at, this.#spentUntil));
    }
    const ended = !to.stalled && this.stall;
    const changed = to.state !== this.state;
    this.#m = to;
    if (ended) {
      this.stall = null;
      this.#sink.ended(ended, this.#spentUntil);
    }
    if (changed) this.#sink.changed(to.state, this.#spentUntil);
    if (to.stalled && !this.stall) this.#begin(kind);
  }

  #begin(kind: StallKind): void {
    const { watch, thresholdMs } = this.#life;
    const media: Media = watch === 'audio' ? 'audio' : kind === 'frozen' ? 'video' : 'muxed';
    this.stall = { beganAt: this.#spentUntil, kind, media, thresholdMs };
    this.#sink.began(this.stall);
  }
}
