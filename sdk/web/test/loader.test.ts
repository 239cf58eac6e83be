/** The hls.js adapter against a loader and a player of hls.js's shape: every request once, whatever becomes of it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import Hls from 'hls.js';
import { attachHls, type Meter } from '../src/index';
import { FakeVideo, OPTIONS, World } from './fakes';

const URL_A = 'https://a.example/seg1.ts';
const FRAG = { type: 'main', start: 0, end: 4 };

/** Behaves like hls.js's BaseLoader: settled by hand, calls nobody back after `destroy`. */
class BaseLoader {
  static all: BaseLoader[] = [];
  stats: any = { loaded: 0, retry: 0 };
  callbacks: any = null;
  context: any = null;
  details: any = null;
  constructor(public config: any) {
    BaseLoader.all.push(this);
  }
  load(context: any, _config: any, callbacks: any): void {
    this.context = context;
    this.callbacks = callbacks;
  }
  abort(): void {
    this.callbacks?.onAbort?.(this.stats, this.context, null);
  }
  destroy(): void {
    this.callbacks = this.stats = null;
  }
  retry(): void {
    this.stats.retry += 1;
    this.stats.loaded = 0;
  }
  getNetworkDetails(): any {
    return this.details;
  }
  succeed(data: ArrayBuffer | string, headers = '', url = this.context.url): void {
    this.stats.loaded = typeof data === 'string' ? data.length : data.byteLength;
    this.callbacks.onSuccess({ url, data, code: 200 }, this.stats, this.context, { getAllResponseHeaders: () => headers });
  }
}

class FakeHls {
  static version = '1.7.4';
  config: any = { loader: BaseLoader };
  liveSyncPosition: number | null = null;
  handlers = new Map<string, (event: string, data: any) => void>();
  on(event: string, handle: (event: string, data: any) => void): void {
    this.handlers.set(event, handle);
  }
  off(): void {}
  trigger(event: string, data: any = {}): void {
    this.handlers.get(event)?.(event, data);
  }
  load(context: any = { url: URL_A, frag: FRAG }, callbacks: any = {}, loader = 'loader'): BaseLoader {
    const made = new this.config[loader](this.config);
    made.load(context, {}, { onSuccess() {}, onError() {}, onTimeout() {}, ...callbacks });
    return made;
  }
}

let world: World;
let hls: FakeHls;
let video: FakeVideo;
let m: Meter;
beforeEach(() => {
  world = new World();
  world.install();
  hls = new FakeHls();
  video = new FakeVideo();
  m = attachHls(hls, video as unknown as HTMLVideoElement, OPTIONS);
});
afterEach(() => {
  m.end();
  world.uninstall();
});

const a = () => (m.debug().counters as any[]).find((c) => c.cdn === 'cdn-a');
const buffer = (bytes: number) => new ArrayBuffer(bytes);

describe('a request', () => {
  it('that succeeds counts once, though hls.js destroys its loader after', () => {
    const heard: string[] = [];
    const loader = hls.load(undefined, { onSuccess: () => { heard.push('success'); loader.destroy(); } });
    loader.succeed(buffer(1000));
    expect(heard).toEqual(['success']);
    expect(a()).toMatchObject({ bytes: 1000, aborted_bytes: 0 });
  });

  it('for a playlist counts its bytes, not its characters, and its length on the wire when shown', () => {
    hls.load({ url: URL_A }).succeed('直播');
    expect(a().bytes).toBe(6);
    hls.load({ url: URL_A }).succeed('x'.repeat(500), 'content-type: text/plain\r\nContent-Length: 77\r\n');
    expect(a().bytes).toBe(83);
  });

  it('that is aborted, destroyed or timed out counts as far as it got, apart', () => {
    const aborted = hls.load();
    aborted.stats.loaded = 10;
    aborted.abort();
    aborted.destroy();
    const destroyed = hls.load({ url: URL_A });
    destroyed.stats.loaded = 5;
    destroyed.destroy();
    const late = hls.load();
    late.callbacks.onTimeout({ loaded: 7 }, late.context, null);
    late.destroy();
    expect(a()).toMatchObject({ bytes: 0, aborted_bytes: 22 });
  });

  it('that ends in an error status is a whole response; one that breaks off is not', () => {
    const missing = hls.load();
    missing.callbacks.onError({ code: 404, text: '' }, missing.context, null, { loaded: 150 });
    const broken = hls.load();
    broken.callbacks.onError({ code: 0, text: '' }, broken.context, null, { loaded: 33 });
    expect(a()).toMatchObject({ bytes: 150, aborted_bytes: 33 });
  });

  it('that the loader retries by itself counts each attempt', () => {
    const loader = hls.load({ url: URL_A });
    loader.stats.loaded = 40;
    loader.retry();
    loader.stats.loaded = 17;
    loader.details = { readyState: 4, status: 503, getAllResponseHeaders: () => '' };
    loader.retry();
    loader.succeed(buffer(100));
    expect(a()).toMatchObject({ bytes: 117, aborted_bytes: 40 });
  });

  it('in flight when the page is left counts as far as it got', () => {
    hls.load().stats.loaded = 66;
    world.leavePage();
    expect(world.events('session_end')[0].counters[0]).toMatchObject({ aborted_bytes: 66 });
  });

  it('goes through pLoader and fLoader too, and through a wrapper around a retrying loader', () => {
    class Wrapper {
      loader: BaseLoader;
      constructor(config: any) {
        this.loader = new BaseLoader(config);
      }
      get stats() { return this.loader.stats; }
      load(...args: [any, any, any]) { this.loader.load(...args); }
      abort() { this.loader.abort(); }
      destroy() { this.loader.destroy(); }
    }
    const other = new FakeHls();
    Object.assign(other.config, { pLoader: Wrapper, fLoader: BaseLoader });
    const both = attachHls(other, video as unknown as HTMLVideoElement, OPTIONS);
    const wrapped = other.load({ url: URL_A }, {}, 'pLoader') as unknown as Wrapper;
    wrapped.loader.stats.loaded = 9;
    wrapped.loader.retry();
    wrapped.loader.succeed(buffer(20));
    other.load(undefined, {}, 'fLoader').succeed(buffer(300));
    expect((both.debug().counters as any[])[0]).toMatchObject({ bytes: 320, aborted_bytes: 9 });
    both.end();
  });
});

describe('the player', () => {
  it('gets its callbacks and its loader\'s own errors, whatever the meter does', () => {
    vi.spyOn(m, 'request').mockImplementation(() => { throw new Error('ours'); });
    const heard: unknown[] = [];
    const loader = hls.load(undefined, { onSuccess: (response: any) => heard.push(response.code) });
    loader.succeed(buffer(10));
    expect(heard).toEqual([200]);
    expect(m.debug().errors).toBeGreaterThan(0);

    class Broken extends BaseLoader {
      override load(): void { throw new Error('theirs'); }
    }
    const other = new FakeHls();
    other.config.loader = Broken;
    const calm = attachHls(other, video as unknown as HTMLVideoElement, OPTIONS);
    expect(() => other.load()).toThrow('theirs');
    expect(calm.debug().errors).toBe(0);
    calm.end();
  });

  it('plays on with a meter that is off', () => {
    const other = new FakeHls();
    const off = attachHls(other, video as unknown as HTMLVideoElement, { ...OPTIONS, app: '' });
    expect(off.debug().off).toBe(true);
    expect(other.config.loader).toBe(BaseLoader);
  });

  it('tells of segments\' places: play time goes by them', () => {
    hls.load().succeed(buffer(10));
    hls.trigger('hlsFragBuffered', { frag: FRAG });
    const onB = { type: 'main', start: 4, end: 60 };
    hls.load({ url: 'https://b.example:8080/2.ts', frag: onB }).succeed(buffer(10));
    hls.trigger('hlsFragBuffered', { frag: onB });
    video.start();
    video.run(10_000);
    const b = (m.debug().counters as any[]).find((c) => c.cdn === 'cdn-b');
    expect(Math.abs(a().play_ms - 4000)).toBeLessThan(300);
    expect(Math.abs(b.play_ms - 6000)).toBeLessThan(600);
  });

  it('jumps to the live edge in a stall: the stall goes on', () => {
    video.start();
    video.run(3000);
    video.readyState = 2;
    video.fire('waiting');
    vi.advanceTimersByTime(1000);
    hls.liveSyncPosition = 60;
    video.currentTime = 60.01;
    video.fire('seeking');
    expect(m.debug().state).toBe('r');
    hls.trigger('hlsError', { details: 'bufferNudgeOnStall', type: 'mediaError', fatal: false });
    video.currentTime = 70;
    video.fire('seeking');
    expect(m.debug().state).toBe('r');
    vi.advanceTimersByTime(1000);
    video.fire('seeking');
    expect(m.debug().state).toBe('k');
  });

  it('says its errors; what it cancelled itself is none; destroying it ends the session', async () => {
    hls.load();
    hls.trigger('hlsError', { details: 'aborted', type: 'networkError', fatal: false });
    hls.trigger('hlsError', { details: 'fragLoadError', type: 'networkError', fatal: false, error: new Error('HTTP Error 404') });
    hls.trigger('hlsError', { details: 'bufferStalledError', type: 'mediaError', fatal: false });
    hls.trigger('hlsDestroying');
    await vi.advanceTimersByTimeAsync(2000);
    expect(world.events('error')).toMatchObject([{ code: 'fragLoadError', message: 'HTTP Error 404', fatal: false }]);
    expect(world.events('session_start')).toMatchObject([{ cdn: 'cdn-a', player: 'hls.js/1.7.4' }]);
    expect(world.events('session_end')).toHaveLength(1);
  });
});

it('the installed hls.js still has what the adapter leans on', () => {
  expect(Hls.version).toBe('1.7.4');
  const { Events, ErrorDetails, ErrorTypes } = Hls;
  expect([Events.FRAG_BUFFERED, Events.ERROR, Events.DESTROYING]).toEqual(['hlsFragBuffered', 'hlsError', 'hlsDestroying']);
  expect([ErrorDetails.BUFFER_NUDGE_ON_STALL, ErrorDetails.BUFFER_SEEK_OVER_HOLE, ErrorDetails.INTERNAL_ABORTED, ErrorTypes.NETWORK_ERROR]).toEqual(['bufferNudgeOnStall', 'bufferSeekOverHole', 'aborted', 'networkError']);
  const prototype = Object.getPrototypeOf((Hls.DefaultConfig.loader as any).prototype);
  for (const method of ['retry', 'load', 'abort', 'destroy']) expect(typeof prototype[method]).toBe('function');
});
