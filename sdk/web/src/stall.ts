/**
 * Does the picture move? Keeps the last sign of life (a rendered frame, or the playhead where frames
 * can't be seen) and judges the gap since. Pure; playback.ts turns a gap into a stall.
 */

export interface Rules {
  /** Gap between rendered frames that counts as frozen. */
  frozenMs: number;
  /** The same for sound alone, by the playhead. */
  frozenAudioMs: number;
  /** A wait this soon after a seek belongs to the seek. */
  seekGraceMs: number;
}

/** What the signs of life are: frames, the playhead of a video, the playhead of sound alone, or none (hidden page). */
export type Watch = 'frames' | 'playhead' | 'audio' | 'none';

/** Content under 5 frames a second stands still by nature. */
const INTERVAL_MAX_MS = 200;
/** Enough frames to know the content's rate, few enough to notice a change of it. */
const INTERVALS = 9;
const INTERVALS_NEEDED = 4;

export class Liveness {
  readonly #rules: Rules;
  /** The last sign of life. */
  last: number;
  watch: Watch = 'none';
  #presented = 0;
  #mediaMs = NaN;
  readonly #intervals: number[] = [];
  #slot = 0;

  constructor(now: number, rules: Rules) {
    this.#rules = rules;
    this.last = now;
  }

  get thresholdMs(): number {
    return this.watch === 'audio' ? this.#rules.frozenAudioMs : this.#rules.frozenMs;
  }

  /** Starts afresh: no gap reaches back beyond `now`. */
  reset(now: number, watch: Watch = this.watch): void {
    this.watch = watch;
    this.last = now;
    this.#presented = 0;
    this.#mediaMs = NaN;
  }

  /** The gap that ends with a frame at `now`. Frames that were shown while the page's own thread was busy divide it. */
  gap(now: number, presented = 0): number {
    const shown = presented > this.#presented && this.#presented > 0 ? presented - this.#presented : 1;
    return (now - this.last) / shown;
  }

  /** A frame was rendered. Called for each one: no allocation, no loop. */
  frame(now: number, mediaMs: number, rate: number, presented: number): void {
    const step = (mediaMs - this.#mediaMs) / (rate > 0 ? rate : 1) / Math.max(1, presented - this.#presented);
    if (step > 0) {
      this.#intervals[this.#slot] = step;
      this.#slot = (this.#slot + 1) % INTERVALS;
    }
    this.#mediaMs = mediaMs;
    this.#presented = presented;
    this.last = now;
  }

  /** Whether a gap may be judged at all: something is watched, and the content is fast enough to tell. */
  get judges(): boolean {
    if (this.watch !== 'frames') return this.watch !== 'none';
    if (this.#intervals.length < INTERVALS_NEEDED) return false;
    const sorted = [...this.#intervals].sort((a, b) => a - b);
    return (sorted[sorted.length >> 1] ?? 0) <= INTERVAL_MAX_MS;
  }

  frozen(gapMs: number): boolean {
    return gapMs > this.thresholdMs && this.judges;
  }
}
