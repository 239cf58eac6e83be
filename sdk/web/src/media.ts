/**
 * Follows an HTML media element and turns its events, frames and playhead into signals for playback.ts.
 * Knows browsers' habits; decides nothing about stalls.
 */
import type { Guard } from './guard';
import { isHidden, listen, type Stop } from './page';
import { LOOK_MS, type Playback } from './playback';
import type { Signal } from './state';
import type { Watch } from './stall';

const HAVE_CURRENT_DATA = 2;
const HAVE_FUTURE_DATA = 3;

export interface Host {
  guard: Guard;
  now: () => number;
  /** The present session's playback: another one after a page came back from the cache. */
  playback: () => Playback;
  /** The jump under way is the player's own (a nudge, live catch-up), not the viewer's. */
  playersJump: (video: HTMLMediaElement) => boolean;
  sourceReplaced: () => void;
}

interface FrameFacts {
  presentationTime: number;
  presentedFrames: number;
  mediaTime: number;
}

export class MediaWatch {
  readonly #video: HTMLVideoElement;
  readonly #host: Host;
  #timer: ReturnType<typeof setInterval> | undefined;
  #frameHandle = 0;
  /** A new source is starting: jumps to its start position are the player's. */
  #replacing = false;
  #onScreen = true;
  #lastPosition_s = NaN;
  readonly #undo: Stop[] = [];

  constructor(video: HTMLVideoElement, host: Host) {
    this.#video = video;
    this.#host = host;
    const on = (name: string, handle: () => unknown, target: EventTarget = video) =>
      this.#undo.push(listen(host.guard, target, name, handle));
    on('play', () => this.#signal('play'));
    on('playing', () => this.#playing());
    on('waiting', () => this.#waiting());
    on('seeking', () => this.#replacing || host.playersJump(video) || this.#signal('seeking'));
    on('seeked', () => video.paused && host.playback().state === 'k' && this.#signal('pause'));
    on('pause', () => video.ended || this.#signal('pause'));
    on('ended', () => this.#signal('ended'));
    on('emptied', () => this.#emptied());
    if (typeof document === 'object') on('visibilitychange', () => this.#look(), document);
    this.#watchScreen();
    if (video.requestVideoFrameCallback) this.#frameHandle = video.requestVideoFrameCallback(this.#onFrame);
    if (!video.paused) this.#signal('play');
  }

  get position_s(): number {
    return this.#video.currentTime;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#video.cancelVideoFrameCallback?.(this.#frameHandle);
    for (const undo of this.#undo.splice(0)) undo();
  }


  /** Browsers render no frames for a video that is scrolled out of sight. */
  #watchScreen(): void {
    if (typeof IntersectionObserver !== 'function') return;
    const observer = new IntersectionObserver((entries) => {
      this.#onScreen = entries[entries.length - 1]?.isIntersecting ?? true;
    });
    observer.observe(this.#video);
    this.#undo.push(() => observer.disconnect());
  }

  #signal(signal: Signal): void {
    const { guard, playback, now } = this.#host;
    playback().signal(signal, now());
    // The looks rest while nothing should move.
    if (!this.#timer && !this.#video.paused) {
      playback().resume(now());
      this.#timer = setInterval(() => guard.run(() => this.#look()), LOOK_MS);
    }
  }

  #playing(): void {
    this.#replacing = false;
    // After a stall the first frame tells better than the announcement, where frames can be seen.
    if (this.#host.playback().stall && this.#watch() === 'frames') return;
    if (!this.#video.paused) this.#signal('moving');
  }

  #waiting(): void {
    const { paused, ended, readyState } = this.#video;
    if (!paused && !ended && readyState < HAVE_FUTURE_DATA) this.#signal('waiting');
  }

  #emptied(): void {
    const video = this.#video;
    const host = this.#host;
    const replaced = video.hasAttribute('src') || video.srcObject || video.querySelector('source');
    this.#replacing = true;
    host.sourceReplaced();
    this.#signal(replaced ? 'reset' : 'suspended');
  }

  #alive(): boolean {
    const { paused, seeking, ended, readyState } = this.#video;
    return !paused && !seeking && !ended && readyState >= HAVE_FUTURE_DATA;
  }

  #watch(): Watch {
    const video = this.#video;
    if (isHidden()) return 'none';
    if (!video.videoWidth) return video.readyState >= HAVE_CURRENT_DATA ? 'audio' : 'none';
    return this.#frameHandle && this.#onScreen ? 'frames' : 'playhead';
  }

  #look(): void {
    const video = this.#video;
    const host = this.#host;
    const alive = this.#alive();
    const moved = alive && video.currentTime > this.#lastPosition_s;
    this.#lastPosition_s = alive ? video.currentTime : NaN;
    if (moved) this.#replacing = false;
    const starved = video.readyState <= HAVE_CURRENT_DATA;
    host.playback().look(host.now(), { watch: this.#watch(), starved, moved, hidden: isHidden() });
    if (video.paused || video.ended) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  /** Runs for every frame: no closure, no allocation. */
  readonly #onFrame = (_: number, facts: FrameFacts): void => {
    const video = this.#video;
    const host = this.#host;
    if (host.guard.off) return;
    try {
      const now = host.now();
      // When the frame was shown, not when this thread had time to hear of it.
      const shown = facts.presentationTime <= now ? facts.presentationTime : now;
      host.playback().frame(shown, facts.mediaTime * 1000, video.playbackRate, facts.presentedFrames, this.#alive());
      this.#frameHandle = video.requestVideoFrameCallback(this.#onFrame);
    } catch (error) {
      host.guard.failed(error);
    }
  };
}
