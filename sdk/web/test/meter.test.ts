/** The meter as a whole: whose bytes, whose time, which events, what the page's life does, and that nothing escapes. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { meter, type Meter } from '../src/index';
import { FakeVideo, OPTIONS, World } from './fakes';

const A = 'https://a.example/seg.ts';
const B = 'https://b.example:8080/seg.ts';
let world: World;
let m: Meter;

beforeEach(() => {
  world = new World();
  world.install();
});
afterEach(() => {
  m?.end();
  world.uninstall();
});

const start = (options = {}) => (m = meter({ ...OPTIONS, ...options }));
const counters = () => Object.fromEntries((m.debug().counters as any[]).map((c) => [c.cdn, c]));
const attach = (video: FakeVideo) => m.attach(video as unknown as HTMLVideoElement);

describe('bytes', () => {
  it('go to the CDN of the host, completed and aborted apart, each request once', () => {
    start();
    const done = m.request(A, { media: true });
    done.done(1000);
    done.done(1000);
    done.abort(500);
    m.request(B).abort(70);
    let sofar = 30;
    const flying = m.request(B, { loaded: () => sofar });
    sofar = 40;
    flying.abort();
    expect(counters()).toMatchObject({ 'cdn-a': { bytes: 1000, aborted_bytes: 0 }, 'cdn-b': { bytes: 0, aborted_bytes: 110 } });
  });

  it('are the length on the wire when it is known, and a text\'s bytes otherwise', () => {
    start();
    m.request(A).done(5000, 200, undefined, 1200);
    m.request(B).done('#EXTM3U 直播');
    expect(counters()).toMatchObject({ 'cdn-a': { bytes: 1200 }, 'cdn-b': { bytes: 14 } });
  });

  it('follow a redirect to the CDN that answered', () => {
    start();
    m.request(A).done(100, 200, B);
    expect(counters()).toMatchObject({ 'cdn-a': { bytes: 0 }, 'cdn-b': { bytes: 100 } });
  });

  it('of an unknown host are its own, of null nobody\'s', () => {
    start();
    m.request('https://ads.example/x').done(5);
    m.request('blob:https://app.example/1').done(5);
    expect(counters()).toMatchObject({ 'ads.example': { bytes: 5 } });
    start({ cdnOf: (url: URL) => (url.hostname === 'a.example' ? 'cdn-a' : null) });
    m.request(A).done(1);
    m.request(B).done(1);
    expect(Object.keys(counters())).toEqual(['cdn-a']);
  });

  it('of more than 16 CDNs share one entry', () => {
    start();
    for (let i = 0; i < 40; i++) m.request(`https://h${i}.example/x`).done(1);
    expect(Object.keys(counters())).toHaveLength(16);
    expect(counters().other.bytes).toBe(25);
  });

  it('come from Resource Timing when it tells; a cache hit is nothing', () => {
    let queued: object[] = [];
    vi.stubGlobal('PerformanceObserver', class {
      observe() {}
      disconnect() {}
      takeRecords() {
        return queued.splice(0);
      }
    });
    start();
    const timing = { name: A, startTime: performance.now(), initiatorType: 'xmlhttprequest', requestStart: 1 };
    queued = [{ ...timing, encodedBodySize: 400, transferSize: 700 }];
    m.request(A).done(1000);
    expect(counters()['cdn-a'].bytes).toBe(400);
    queued = [{ ...timing, encodedBodySize: 400, transferSize: 0 }];
    m.request(A).done(1000);
    expect(counters()['cdn-a'].bytes).toBe(400);
    queued = [{ ...timing, encodedBodySize: 400, transferSize: 0, requestStart: 0 }];
    m.request(A).done(1000);
    expect(counters()['cdn-a'].bytes).toBe(1400);
  });
});

describe('a CDN switch', () => {
  function switching(): FakeVideo {
    start();
    const video = new FakeVideo();
    attach(video);
    m.request(A, { media: true }).done(1000);
    m.buffered(0, 4, A);
    video.start();
    video.run(3000);
    return video;
  }

  it('is seen from the next media request; play time stays with the media at the playhead', async () => {
    const video = switching();
    m.request(B, { media: true }).done(500);
    m.buffered(4, 60, B);
    video.run(6000);
    await vi.advanceTimersByTimeAsync(1000);
    expect(world.events('cdn_switch')).toMatchObject([{ from_cdn: 'cdn-a', to_cdn: 'cdn-b', reason: 'steering' }]);
    expect(Math.abs(counters()['cdn-a'].play_ms - 4000)).toBeLessThan(300);
    expect(Math.abs(counters()['cdn-b'].play_ms - 5000)).toBeLessThan(300);
  });

  it('in a stall leaves the stall with the CDN that was awaited', async () => {
    const video = switching();
    m.request(A, { media: true });
    video.readyState = 2;
    video.fire('waiting');
    vi.advanceTimersByTime(2000);
    m.request(B, { media: true }).done(500);
    m.buffered(3, 60, B);
    vi.advanceTimersByTime(1000);
    video.starve(0);
    video.run(2000);
    video.paused = true;
    video.fire('pause');
    await vi.advanceTimersByTimeAsync(1100);
    expect(counters()['cdn-a']).toMatchObject({ stalls: 1, stall_ms: 3000 });
    expect(counters()['cdn-b']).toMatchObject({ stalls: 0, stall_ms: 0 });
    expect(world.events('stall')).toMatchObject([{ cdn: 'cdn-a', stall_ms: 3000 }]);
    expect(world.events('cdn_switch')).toMatchObject([{ reason: 'stall' }]);
  });

  it('with the old CDN\'s media still playing: a rebuffer belongs to the request awaited, a frozen picture to the playhead', () => {
    const video = switching();
    m.request(B, { media: true });
    video.starve(1000);
    expect(counters()).toMatchObject({ 'cdn-a': { stalls: 0 }, 'cdn-b': { stalls: 1, stall_ms: 1000 } });
    video.run(500);
    video.currentTime = 3;
    vi.advanceTimersByTime(800);
    video.frame();
    expect(counters()).toMatchObject({ 'cdn-a': { stalls: 1 }, 'cdn-b': { stalls: 1 } });
  });

  it('goes by the newest of two segments for the same stretch', () => {
    const video = switching();
    m.buffered(0, 60, B);
    video.run(5000);
    expect(counters()['cdn-b'].play_ms).toBeGreaterThan(4500);
  });

  it('announced by the app is said once, and not taken back by a straggler', async () => {
    switching();
    m.switchCdn('cdn-b', 'user');
    m.request(A, { media: true }).done(1);
    m.request(B, { media: true }).done(1);
    await vi.advanceTimersByTimeAsync(1100);
    expect(world.events('cdn_switch')).toMatchObject([{ from_cdn: 'cdn-a', to_cdn: 'cdn-b', reason: 'user' }]);
  });
});

describe('events', () => {
  it('carry one head each, seq without gaps, times that never fall, and cumulative counters', async () => {
    start({ region: 'shanghai', player: 'x/1' });
    const video = new FakeVideo();
    attach(video);
    m.request(A, { media: true }).done(10);
    video.start();
    for (let i = 0; i < 5; i++) {
      video.run(9000);
      m.request(i % 2 ? A : B, { media: true }).done(10);
      video.starve(700);
      m.error('fragLoadError', 'x'.repeat(5000));
      await vi.advanceTimersByTimeAsync(1000);
      video.frame();
    }
    m.end();
    await vi.advanceTimersByTimeAsync(2000);
    const events = world.events().sort((x, y) => x.seq - y.seq);
    expect(events.map((e) => e.seq)).toEqual(events.map((_, i) => i));
    expect(events[0]).toMatchObject({ type: 'session_start', cdn: 'cdn-a', player: 'x/1', at_ms: 1_790_000_000_000 });
    expect(events[events.length - 1].type).toBe('session_end');
    let at = 0;
    const last: Record<string, any> = {};
    for (const e of events) {
      expect(e).toMatchObject({ session_id: m.sessionId, user_id: 'u-1', programme_id: 'p-1', region: 'shanghai' });
      expect(e.at_ms).toBeGreaterThanOrEqual(at);
      at = e.at_ms;
      for (const c of e.counters ?? []) {
        for (const name of ['bytes', 'aborted_bytes', 'play_ms', 'stall_ms', 'stalls', 'first_used_at_ms']) {
          expect(Number.isInteger(c[name])).toBe(true);
          expect(c[name]).toBeGreaterThanOrEqual(last[c.cdn]?.[name] ?? 0);
        }
        last[c.cdn] = c;
      }
    }
    expect(events.filter((e) => e.type === 'error').every((e) => e.message.length <= 1024)).toBe(true);
    expect(world.posts[0]!.body).toMatchObject({ v: 1, app: 'demo' });
  });

  it('outside the sample sends its counters seldom and nothing else, until the server wants all again', async () => {
    world.reply = async () => new Response(JSON.stringify({ accepted: 1, refused: 0, heartbeat_ms: 10_000, sampling: 0, events: [] }));
    start();
    m.switchCdn('cdn-a');
    await vi.advanceTimersByTimeAsync(12_000);
    expect(m.debug().heartbeatMs).toBe(300_000);
    const before = world.events().length;
    m.error('x');
    await vi.advanceTimersByTimeAsync(200_000);
    expect(world.events()).toHaveLength(before);
    expect((m.debug().queue as any).dropped).toEqual({ sampled: 1 });
    world.reply = async () => world.answer();
    await vi.advanceTimersByTimeAsync(150_000);
    expect([world.events('heartbeat').length > 0, m.debug().heartbeatMs]).toEqual([true, 10_000]);
    world.reply = async () => new Response(JSON.stringify({ accepted: 1, refused: 0, heartbeat_ms: 10_000, sampling: 0, events: [] }));
    await vi.advanceTimersByTimeAsync(12_000);
    m.end();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(world.events('session_end')).toHaveLength(1);
  });

  it('beat every 10 s, jittered, and as the server asks, within reason', async () => {
    start();
    const gaps = async (ms: number) => {
      const from = world.events('heartbeat').length;
      await vi.advanceTimersByTimeAsync(ms);
      return world.events('heartbeat').slice(Math.max(0, from - 1)).map((e) => e.at_ms).map((t, i, all) => t - all[i - 1]).slice(1);
    };
    const first = await gaps(200_000);
    expect(Math.min(...first)).toBeGreaterThanOrEqual(9_000);
    expect(Math.max(...first)).toBeLessThanOrEqual(11_000);
    expect(new Set(first).size).toBeGreaterThan(3);
    world.reply = async () => world.answer(1);
    await vi.advanceTimersByTimeAsync(12_000);
    expect(m.debug().heartbeatMs).toBe(1000);
    world.reply = async () => world.answer(1e12);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(m.debug().heartbeatMs).toBe(300_000);
    world.reply = async () => new Response('{"heartbeat_ms":"often"}');
    await vi.advanceTimersByTimeAsync(600_000);
    expect(m.debug()).toMatchObject({ heartbeatMs: 300_000, errors: 0 });
  });

  it('of the same failure again and again are said once', async () => {
    start();
    for (let i = 0; i < 1000; i++) m.error('fragLoadError');
    m.error('fragLoadError', 'gave up', true);
    await vi.advanceTimersByTimeAsync(1100);
    expect(world.events('error')).toMatchObject([{ fatal: false }, { fatal: true }]);
    expect(m.debug().state).toBe('f');
  });
});

describe('leaving the page', () => {
  it('sends the last counters by beacon, with requests in flight as far as they got', () => {
    start();
    m.request(A, { loaded: () => 250 });
    world.leavePage();
    const beacon = world.posts.filter((p) => p.beacon);
    expect(beacon).toHaveLength(1);
    expect(beacon[0]!.body.events.map((e) => e.type)).toEqual(['session_start', 'session_end']);
    expect(beacon[0]!.body.events[1]).toMatchObject({ reason: 'quit', counters: [{ cdn: 'cdn-a', aborted_bytes: 250 }] });
  });

  it('and coming back from the cache begins a new session; a request that completes adds only the rest', async () => {
    start();
    const first = m.sessionId;
    const flying = m.request(A, { loaded: () => 250 });
    world.leavePage();
    await vi.advanceTimersByTimeAsync(30_000);
    world.comeBack();
    expect(m.sessionId).not.toBe(first);
    flying.done(1000);
    expect(counters()['cdn-a'].bytes).toBe(750);
    await vi.advanceTimersByTimeAsync(12_000);
    expect(world.events().filter((e) => e.session_id === first && e.type === 'heartbeat')).toEqual([]);
    const again = world.events().filter((e) => e.session_id === m.sessionId);
    expect(again.map((e) => [e.seq, e.type])).toEqual([[0, 'session_start'], [1, 'heartbeat']]);
  });

  it('only hidden: a heartbeat by beacon, and the session goes on', async () => {
    start();
    m.request(A).done(10);
    world.hide();
    expect(world.posts.map((p) => [p.beacon, p.body.events.map((e) => e.type)])).toEqual([[true, ['session_start', 'heartbeat']]]);
    world.show();
    await vi.advanceTimersByTimeAsync(12_000);
    expect(world.events('heartbeat')).toHaveLength(2);
    expect(world.events('session_end')).toHaveLength(0);
  });

  it('with the programme over says so; end() is final', async () => {
    start();
    const video = new FakeVideo();
    attach(video);
    video.start();
    video.run(1000);
    video.ended = true;
    video.fire('ended');
    m.end();
    m.end();
    world.leavePage();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.events('session_end')).toMatchObject([{ reason: 'ended' }]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('nothing reaches the player', () => {
  it('from a cdnOf that throws: the meter switches itself off after a while', () => {
    start({ cdnOf: () => { throw new Error('theirs'); } });
    for (let i = 0; i < 30; i++) m.request(A).done(1);
    expect(m.debug()).toMatchObject({ off: true, errors: 20, lastError: 'Error: theirs' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('from a transport that throws, or answers nonsense', async () => {
    start();
    world.reply = () => { throw new Error('no network'); };
    await vi.advanceTimersByTimeAsync(60_000);
    world.reply = async () => new Response('<html>');
    await vi.advanceTimersByTimeAsync(60_000);
    world.reply = async () => new Response('null');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(m.debug().off).toBe(false);
  });

  it.each(['performance', 'Date', 'crypto', 'TextEncoder', 'URL', 'navigator', 'fetch', 'localStorage'])('without %s', async (name) => {
    const video = new FakeVideo();
    vi.stubGlobal(name, undefined);
    start({ persist: true });
    attach(video);
    m.request(A, { media: true }).done(1);
    m.error('x');
    m.switchCdn('cdn-b');
    m.end();
    // Some it can do without; the others switch it off.
    expect(m.debug().off).toBe(['crypto', 'Date'].includes(name));
    vi.unstubAllGlobals();
    world.install();
  });

  it('from options that are missing: it is off, and says why', () => {
    start({ app: '' });
    m.request(A).done(1);
    expect(m.debug()).toMatchObject({ off: true, lastError: 'Error: app is missing' });
    expect(m.sessionId).toBe('');
  });

  it('from a video that throws', () => {
    start();
    const video = new FakeVideo();
    attach(video);
    Object.defineProperty(video, 'readyState', { get: () => { throw new Error('detached'); } });
    expect(() => video.start()).toThrow();
    for (let i = 0; i < 40; i++) video.fire('waiting');
    expect(m.debug()).toMatchObject({ off: true });
  });

  it('nor the console', async () => {
    const spies = (['log', 'warn', 'error', 'info', 'debug'] as const).map((name) => vi.spyOn(console, name));
    start({ cdnOf: () => { throw new Error('theirs'); } });
    for (let i = 0; i < 30; i++) m.request(A).done(1);
    await vi.advanceTimersByTimeAsync(20_000);
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });
});
