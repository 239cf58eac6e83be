/** A player, a page and a network that do what a test says, on vitest's fake clock. */
import { vi } from 'vitest';
import type { Event as Wire } from '../src/wire';

type FrameCallback = (now: number, facts: { presentationTime: number; presentedFrames: number; mediaTime: number }) => void;

/** A media element: a test sets its properties and fires its events; `run` plays frames. */
export class FakeVideo extends EventTarget {
  paused = true;
  ended = false;
  seeking = false;
  readyState = 4;
  currentTime = 0;
  playbackRate = 1;
  videoWidth = 640;
  srcObject: unknown = null;
  src: string | null = 'blob:x';
  presented = 0;
  private callback: FrameCallback | null = null;

  requestVideoFrameCallback(callback: FrameCallback): number {
    this.callback = callback;
    return 1;
  }
  cancelVideoFrameCallback(): void {
    this.callback = null;
  }
  hasAttribute(name: string): boolean {
    return name === 'src' && this.src !== null;
  }
  querySelector(): null {
    return null;
  }

  fire(name: string): void {
    this.dispatchEvent(new Event(name));
  }
  frame(): void {
    this.presented += 1;
    const callback = this.callback;
    this.callback = null;
    callback?.(performance.now(), { presentationTime: performance.now(), presentedFrames: this.presented, mediaTime: this.currentTime });
  }

  /** Starts playing and stays so: `play`, then the picture. */
  start(): void {
    this.paused = false;
    this.readyState = 4;
    this.fire('play');
    this.fire('playing');
  }
  /** Plays for `ms`, with a frame every `intervalMs` (0: none) while the playhead moves. */
  run(ms: number, intervalMs = 40): void {
    const step = intervalMs || 50;
    for (let t = 0; t < ms; t += step) {
      vi.advanceTimersByTime(Math.min(step, ms - t));
      this.currentTime += step / 1000;
      if (intervalMs) this.frame();
    }
  }
  /** The playhead moves on (sound plays), but no frame is shown. */
  freeze(ms: number): void {
    this.run(ms, 0);
  }
  /** Data ran out for `ms`; then `playing` and the first frame. */
  starve(ms: number): void {
    this.readyState = 2;
    this.fire('waiting');
    vi.advanceTimersByTime(ms);
    this.readyState = 4;
    this.fire('playing');
    this.frame();
  }
}

export interface Posted {
  url: string;
  body: { v: number; app: string; sent_at_ms: number; token?: string; events: Wire[] };
  beacon: boolean;
}

/** The world around a meter: page, network, storage. Answers every post with `reply`. */
export class World {
  posts: Posted[] = [];
  reply: () => Promise<Response> = async () => this.answer();
  beaconTakes = true;
  document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  window = new EventTarget();
  storage = new Map<string, string>();

  answer(heartbeat_ms = 10_000, status = 200, headers: Record<string, string> = {}): Response {
    return new Response(JSON.stringify({ accepted: 1, refused: 0, heartbeat_ms, events: [] }), { status, headers });
  }

  install(): void {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'], now: 1_790_000_000_000 });
    vi.stubGlobal('document', this.document);
    vi.stubGlobal('window', this.window);
    vi.stubGlobal('location', { href: 'https://app.example/watch' });
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
      this.posts.push({ url, body: JSON.parse(String(init.body)), beacon: false });
      return this.reply();
    });
    vi.stubGlobal('navigator', {
      onLine: true,
      sendBeacon: (url: string, body: string) => {
        if (this.beaconTakes) this.posts.push({ url, body: JSON.parse(body), beacon: true });
        return this.beaconTakes;
      },
    });
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => this.storage.get(key) ?? null,
      setItem: (key: string, value: string) => void this.storage.set(key, value),
      removeItem: (key: string) => void this.storage.delete(key),
    });
    vi.stubGlobal('PerformanceObserver', undefined);
  }

  uninstall(): void {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  }

  events(type?: string): any[] {
    const seen = new Map<string, Wire>();
    for (const post of this.posts) for (const event of post.body.events) seen.set(`${event.session_id}/${event.seq}`, event);
    return [...seen.values()].filter((event) => !type || event.type === type);
  }

  hide(): void {
    this.document.visibilityState = 'hidden';
    this.document.dispatchEvent(new Event('visibilitychange'));
  }
  show(): void {
    this.document.visibilityState = 'visible';
    this.document.dispatchEvent(new Event('visibilitychange'));
  }
  leavePage(): void {
    this.window.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: true }));
  }
  comeBack(): void {
    this.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
  }
}

export const OPTIONS = {
  endpoint: 'https://ingest.example/v1/events',
  app: 'demo',
  userId: 'u-1',
  programmeId: 'p-1',
  cdnOf: { 'a.example': 'cdn-a', 'b.example:8080': 'cdn-b' },
};
