/** Until it has arrived: the queue's bounds, retries, Retry-After, refusals, beacons, and what survives a visit. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { meter } from '../src/index';
import { Queue } from '../src/queue';
import { randomId, Session } from '../src/session';
import { clip } from '../src/text';
import { Sender } from '../src/transport';
import { OPTIONS, World } from './fakes';

let world: World;
beforeEach(() => {
  world = new World();
  world.install();
});
afterEach(() => world.uninstall());

const TYPES = ['heartbeat', 'stall', 'error', 'cdn_switch', 'session_start', 'playback_start', 'session_end'];

describe('the queue', () => {
  it('stays within its bounds, counts what it drops, and keeps the newest heartbeat', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom(...TYPES), fc.integer({ min: 2, max: 60 })), { maxLength: 200 }), (pushes) => {
      const queue = new Queue(10, 300);
      let newest = '';
      pushes.forEach(([type, size], i) => {
        const json = `${i}`.padEnd(size, '.');
        queue.push(type, json);
        if (type === 'heartbeat') newest = json;
        const kept = queue.take(Infinity, Infinity);
        expect(queue.length).toBeLessThanOrEqual(10);
        expect(queue.bytes).toBe(kept.reduce((sum, e) => sum + e.bytes, 0));
        expect(queue.bytes).toBeLessThanOrEqual(300);
        const lesser = kept.some((e) => ['stall', 'error', 'cdn_switch'].includes(e.type));
        // It goes only when nothing lesser is left to go instead; what comes after that cannot bring it back.
        if (newest && !kept.some((e) => e.json === newest)) {
          expect(lesser).toBe(false);
          newest = '';
        }
      });
      const dropped = Object.values(queue.dropped).reduce((sum, n) => sum + n, 0);
      expect(queue.length + dropped).toBe(pushes.length);
    }));
  });

  it('drops the oldest heartbeat first, then errors, then stalls', () => {
    const queue = new Queue(4, 10_000);
    for (const [type, json] of [['session_start', '1'], ['heartbeat', '2'], ['stall', '3'], ['heartbeat', '4'], ['error', '5'], ['stall', '6'], ['stall', '7']] as const) queue.push(type, json);
    expect(queue.take(9, 999).map((e) => e.json)).toEqual(['1', '4', '6', '7']);
    expect(queue.dropped).toEqual({ 'full:heartbeat': 1, 'full:error': 1, 'full:stall': 1 });
  });

  it('can drop an event larger than all of it', () => {
    const queue = new Queue(4, 10);
    queue.push('session_end', 'x'.repeat(11));
    expect([queue.length, queue.bytes]).toEqual([0, 0]);
  });
});

const DESTINATION = { endpoint: 'https://i/v1/events', app: 'a', sentAt_ms: () => Date.now(), answered: () => {}, finished: () => {}, failed: () => {} };

function sender(events = 1) {
  const queue = new Queue(1000, 1_000_000);
  const answers: unknown[] = [];
  const failures: unknown[] = [];
  const s = new Sender(queue, { endpoint: 'https://i/v1/events', app: 'a"b', sentAt_ms: () => Date.now(), answered: (a) => void answers.push(a), finished: () => {}, failed: (e) => void failures.push(e) });
  for (let i = 0; i < events; i++) queue.push('stall', `{"type":"stall","session_id":"s","seq":${i}}`);
  return { queue, s, answers, failures };
}

describe('sending', () => {
  it('retries with growing, jittered waits, and stamps each attempt anew', async () => {
    const { queue, s, failures } = sender();
    const at: number[] = [];
    world.reply = async () => { at.push(Date.now()); throw new Error('offline'); };
    s.flush(true);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    const waits = at.map((t, i) => t - at[i - 1]!).slice(1);
    waits.forEach((wait, i) => {
      const most = Math.min(60_000, 1000 * 2 ** i);
      expect(wait).toBeGreaterThanOrEqual(most / 2 - 1);
      expect(wait).toBeLessThanOrEqual(most + 1);
    });
    expect(waits.length).toBeGreaterThan(8);
    expect(world.posts.map((p) => p.body.sent_at_ms)).toEqual(at);
    expect([queue.length, failures]).toEqual([1, []]);
    world.reply = async () => world.answer();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(queue.length).toBe(0);
    s.stop();
  });

  it.each([[429, '20', 20_000], [503, '20', 20_000], [503, new Date(1_790_000_000_000 + 30_000).toUTCString(), 30_000], [503, '99999999', 600_000]])('obeys Retry-After of %i: %s', async (status, value, wait) => {
    const { queue, s } = sender();
    world.reply = async () => world.answer(10_000, status, { 'retry-after': value });
    s.flush(true);
    await vi.advanceTimersByTimeAsync(wait - 100);
    // Neither new events nor impatience shorten it.
    s.flush(true);
    expect(world.posts).toHaveLength(1);
    world.reply = async () => world.answer();
    await vi.advanceTimersByTimeAsync(200);
    expect([world.posts.length, queue.length]).toEqual([2, 0]);
  });

  it.each([400, 401, 404, 413])('drops and counts what %i refused for good', async (status) => {
    const { queue, s } = sender(3);
    world.reply = async () => world.answer(10_000, status);
    s.flush(true);
    await vi.advanceTimersByTimeAsync(5000);
    expect([world.posts.length, queue.length, queue.dropped]).toEqual([1, 0, { [`http_${status}`]: 3 }]);
  });

  it('counts events that were refused one by one', async () => {
    const { queue, s, answers } = sender(3);
    world.reply = async () => new Response('{"accepted":1,"refused":2,"heartbeat_ms":5000,"events":[]}', { status: 422 });
    s.flush(true);
    await vi.advanceTimersByTimeAsync(100);
    expect([queue.length, queue.dropped, answers.length]).toEqual([0, { refused: 2 }, 1]);
  });

  it('gives up on an answer that never comes, and keeps the events', async () => {
    const { queue, s } = sender();
    vi.stubGlobal('fetch', (_: string, init: RequestInit) => new Promise((__, no) => init.signal!.addEventListener('abort', () => no(new Error('aborted')))));
    s.flush(true);
    await vi.advanceTimersByTimeAsync(10_100);
    expect([s.failures, queue.length]).toEqual([1, 1]);
    s.stop();
  });

  it('splits what is too much for one batch, in order', async () => {
    const { s } = sender(250);
    s.flush(true);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(world.posts.map((p) => p.body.events.length)).toEqual([100, 100, 50]);
    expect(world.posts[0]!.body.app).toBe('a"b');
  });

  it('carries the write key in the URL and the token in the body, also in a beacon', async () => {
    const queue = new Queue(10, 10_000);
    const s = new Sender(queue, { ...DESTINATION, writeKey: 'lmw_1&2', token: 'a.b.c' });
    queue.push('stall', '{}');
    s.flush(true);
    await vi.advanceTimersByTimeAsync(100);
    queue.push('stall', '{}');
    expect(s.leave()).toBe(true);
    expect(world.posts.map((p) => [p.url, p.body.token, p.beacon])).toEqual([
      ['https://i/v1/events?key=lmw_1%262', 'a.b.c', false],
      ['https://i/v1/events?key=lmw_1%262', 'a.b.c', true],
    ]);
  });

  it('asks for a new token when the last one is not taken any more, and loses nothing', async () => {
    const queue = new Queue(10, 10_000);
    let asked = 0;
    const token = async () => {
      asked += 1;
      if (asked === 2) throw new Error('the app has a bad day');
      return `token-${asked}`;
    };
    const s = new Sender(queue, { ...DESTINATION, endpoint: 'https://i/v1/events?x=1', writeKey: 'k', token });
    world.reply = async () => world.answer(10_000, world.posts.at(-1)!.body.token === 'token-1' ? 401 : 200);
    queue.push('stall', '{}');
    s.flush(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.posts.map((p) => p.body.token)).toEqual(['token-1', 'token-3']);
    expect(world.posts[0]!.url).toBe('https://i/v1/events?x=1&key=k');
    expect([queue.length, queue.dropped, s.failures]).toEqual([0, {}, 0]);
  });

  it('leaves by beacons under 60 KiB, the newest first', () => {
    const { queue, s } = sender(0);
    for (let i = 0; i < 20; i++) queue.push('stall', JSON.stringify({ session_id: 's', seq: i, pad: 'x'.repeat(10_000) }));
    expect(s.leave()).toBe(true);
    expect(world.posts.every((p) => p.beacon && JSON.stringify(p.body).length < 60 * 1024)).toBe(true);
    expect(world.posts.flatMap((p) => p.body.events)).toHaveLength(20);
    expect(world.posts[0]!.body.events.map((e) => e.seq)).toEqual([15, 16, 17, 18, 19]);
    expect(queue.length).toBe(0);
  });
});

describe('persist', () => {
  it('keeps what could not be sent until the next visit, and only when asked', async () => {
    for (const persist of [false, true]) {
      const m = meter({ ...OPTIONS, persist });
      m.request('https://a.example/x').done(7);
      world.beaconTakes = false;
      world.leavePage();
      world.beaconTakes = true;
      expect([...world.storage.keys()]).toEqual(persist ? ['livemeter'] : []);
      m.end();
      await vi.advanceTimersByTimeAsync(100);
    }
    world.posts = [];
    meter({ ...OPTIONS, persist: true }).error('later');
    await vi.advanceTimersByTimeAsync(2000);
    expect(world.events('session_end')).toMatchObject([{ counters: [{ bytes: 7 }] }]);
    expect(world.storage.size).toBe(0);
  });

  it('survives rubbish in the store', () => {
    for (const rubbish of ['{', '[1]', '[["a","{"]]', '"x"', '[[{},{}]]']) {
      world.storage.set('livemeter', rubbish);
      const m = meter({ ...OPTIONS, persist: true });
      expect(m.debug()).toMatchObject({ off: false, errors: 0, queue: { events: 0 } });
      m.end();
    }
  });
});

describe('texts and ids', () => {
  it('are always valid for the contract', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 8, max: 128 }), (text, max) => {
      const clipped = clip(text, max);
      expect(new TextEncoder().encode(clipped).length).toBeLessThanOrEqual(max);
      expect(clipped).not.toMatch(/[\x00-\x1f\x7f]/);
      expect(JSON.stringify(clipped)).not.toMatch(/\\ud[89a-f]/);
    }));
  });

  it('of one session carry times that never fall, though a frame is heard of late', () => {
    const session = new Session(1000, { userId: 'u', programmeId: 'p' });
    const at = [1000, 1500, 1490, 1600].map((t) => session.event('error', t, { code: 'x', fatal: false }).at_ms - 1_790_000_000_000);
    expect(at).toEqual([0, 500, 500, 600]);
  });

  it('are UUIDs with and without a secure context', () => {
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(randomId()).toMatch(uuid);
    vi.stubGlobal('crypto', { getRandomValues: (a: Uint8Array) => a.fill(Math.random() * 256) });
    for (let i = 0; i < 50; i++) expect(randomId()).toMatch(uuid);
  });
});
