/** The rules of what is a stall, each by itself, through the public meter and a fake media element. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { meter, type Meter } from '../src/index';
import { FakeVideo, OPTIONS, World } from './fakes';

let world: World;
let video: FakeVideo;
let m: Meter;

beforeEach(() => {
  world = new World();
  world.install();
  video = new FakeVideo();
  m = meter(OPTIONS);
  m.attach(video as unknown as HTMLVideoElement);
  m.request('https://a.example/seg0.ts', { media: true }).done(1000);
});

afterEach(() => {
  expect(m.debug().errors).toBe(0);
  expect(m.debug().lastError).toBe(null);
  m.end();
  world.uninstall();
});

const counters = () => (m.debug().counters as any[]).reduce((sum, c) => ({ stalls: sum.stalls + c.stalls, stall_ms: sum.stall_ms + c.stall_ms, play_ms: sum.play_ms + c.play_ms }), { stalls: 0, stall_ms: 0, play_ms: 0 });
const state = () => m.debug().state;
const stalls = async () => {
  await vi.advanceTimersByTimeAsync(2000);
  return world.posts.flatMap((p) => p.body.events).filter((e) => e.type === 'stall') as any[];
};

function play(ms = 5000): void {
  video.start();
  video.run(ms);
}

describe('a stall', () => {
  it('is playing to rebuffering, from waiting to the next picture', async () => {
    play();
    video.starve(1500);
    video.run(1000);
    expect(counters()).toMatchObject({ stalls: 1, stall_ms: 1500 });
    expect(state()).toBe('p');
  });

  it('rises when it begins and grows in each heartbeat while it lasts', async () => {
    play();
    video.readyState = 2;
    video.fire('waiting');
    expect(counters().stalls).toBe(1);
    await vi.advanceTimersByTimeAsync(25_000);
    const lasting = world.events('heartbeat').filter((e) => e.state === 'r').map((e) => e.counters[0]);
    expect(lasting.length).toBeGreaterThanOrEqual(2);
    expect(lasting.every((c) => c.stalls === 1)).toBe(true);
    expect(lasting[1].stall_ms - lasting[0].stall_ms).toBeGreaterThan(8_000);
    expect(world.events('stall')).toEqual([]);
  });

  it('is explained once it is over', async () => {
    play();
    m.request('https://a.example/seg1.ts', { media: true });
    m.hint('bufferStalledError');
    video.starve(2000);
    video.run(500);
    await vi.advanceTimersByTimeAsync(1100);
    expect(world.events('stall')).toMatchObject([{
      cdn: 'cdn-a', stall_ms: 2000, kind: 'rebuffer', media: 'muxed', threshold_ms: 500, cause: 'bufferStalledError',
      last_segment: { status: 200, bytes: 1000, host: 'a.example' },
    }]);
  });

  it('is told on leaving while it lasts', () => {
    play();
    video.readyState = 2;
    video.fire('waiting');
    vi.advanceTimersByTime(3000);
    world.leavePage();
    const last = world.posts.filter((p) => p.beacon).flatMap((p) => p.body.events) as any[];
    expect(last.find((e) => e.type === 'stall')).toMatchObject({ stall_ms: 3000 });
    expect(last.find((e) => e.type === 'session_end')).toMatchObject({ reason: 'quit', counters: [{ stalls: 1, stall_ms: 3000 }] });
  });
});

describe('no stall', () => {
  it('during start-up, however long', () => {
    video.paused = false;
    video.readyState = 1;
    video.fire('play');
    video.fire('waiting');
    vi.advanceTimersByTime(8000);
    expect(state()).toBe('s');
    play(1000);
    expect(counters()).toMatchObject({ stalls: 0, stall_ms: 0 });
  });

  it('during a seek, nor in the micro-stall just after it', () => {
    play();
    video.seeking = true;
    video.readyState = 1;
    video.fire('seeking');
    video.fire('waiting');
    vi.advanceTimersByTime(2000);
    expect(state()).toBe('k');
    video.seeking = false;
    video.fire('seeked');
    video.start();
    video.run(400);
    video.starve(700);
    expect(counters()).toMatchObject({ stalls: 0, stall_ms: 0 });
    video.run(3000);
    video.starve(700);
    expect(counters()).toMatchObject({ stalls: 1, stall_ms: 700 });
  });

  it('in a pause, nor when data is missing after it', () => {
    play();
    video.paused = true;
    video.fire('pause');
    vi.advanceTimersByTime(60_000);
    expect(state()).toBe('a');
    video.paused = false;
    video.readyState = 2;
    video.fire('play');
    video.fire('waiting');
    vi.advanceTimersByTime(2000);
    expect(state()).toBe('r');
    video.start();
    video.run(1000);
    expect(counters()).toMatchObject({ stalls: 0, stall_ms: 0 });
  });

  it('while the browser froze the hidden page', () => {
    play();
    world.hide();
    // No timer runs, the playhead stands; then the page wakes.
    vi.setSystemTime(Date.now() + 60_000);
    const real = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => real + 60_000);
    video.readyState = 2;
    vi.advanceTimersByTime(250);
    expect(state()).toBe('a');
    video.fire('waiting');
    expect(counters()).toMatchObject({ stalls: 0, stall_ms: 0 });
    vi.mocked(performance.now).mockRestore();
  });

  it('while a hidden tab plays on without showing frames', () => {
    play();
    world.hide();
    video.freeze(10_000);
    world.show();
    video.run(1000);
    expect(counters()).toMatchObject({ stalls: 0, stall_ms: 0 });
    expect(counters().play_ms).toBeGreaterThan(15_000);
  });
});

describe('a frozen picture', () => {
  it('is a stall from the last rendered frame, though sound plays on', async () => {
    play();
    video.freeze(2000);
    expect(state()).toBe('r');
    expect(counters().stalls).toBe(1);
    video.run(1000);
    expect(counters().stalls).toBe(1);
    expect(counters().stall_ms).toBeGreaterThanOrEqual(2000);
    expect(counters().stall_ms).toBeLessThanOrEqual(2050);
    expect(await stalls()).toMatchObject([{ kind: 'frozen', media: 'video', cdn: 'cdn-a' }]);
  });

  it('is none below the threshold', () => {
    play();
    video.freeze(450);
    video.run(1000);
    expect(counters()).toMatchObject({ stalls: 0, stall_ms: 0 });
  });

  it('that overlaps a rebuffer is one stall', async () => {
    play();
    video.freeze(1000);
    expect(counters().stalls).toBe(1);
    video.starve(2000);
    video.run(1000);
    expect(counters().stalls).toBe(1);
    expect(counters().stall_ms).toBeGreaterThanOrEqual(3000);
    expect(await stalls()).toMatchObject([{ kind: 'rebuffer' }]);
  });

  it('that waits for data is a rebuffer', () => {
    play();
    video.readyState = 2;
    vi.advanceTimersByTime(1000);
    expect(m.debug().stall).toMatchObject({ kind: 'rebuffer' });
    video.readyState = 4;
    video.frame();
    expect(counters()).toMatchObject({ stalls: 1, stall_ms: 1000 });
  });

  it('is not judged in content under 5 frames a second', () => {
    video.start();
    video.run(6000, 600);
    expect(counters()).toMatchObject({ stalls: 0, stall_ms: 0 });
  });

  it('is not seen in a page that was too busy to hear of the frames shown', () => {
    play();
    video.presented += 40;
    video.currentTime += 1.6;
    const real = performance.now();
    const spy = vi.spyOn(performance, 'now').mockImplementation(() => real + 1600);
    video.frame();
    spy.mockRestore();
    expect(counters().stalls).toBe(0);
  });

  it('is found by the playhead where frames cannot be seen', () => {
    const plain = new FakeVideo();
    (plain as any).requestVideoFrameCallback = undefined;
    const other = meter(OPTIONS);
    other.attach(plain as unknown as HTMLVideoElement);
    other.request('https://a.example/seg0.ts', { media: true }).done(1000);
    plain.start();
    plain.run(3000);
    vi.advanceTimersByTime(2000);
    expect(other.debug().state).toBe('r');
    expect((other.debug().counters as any[])[0].stalls).toBe(1);
    other.end();
  });
});

describe('the player\'s own jumps', () => {
  it('do not end a stall', () => {
    play();
    m.playersJump = () => true;
    video.readyState = 2;
    video.fire('waiting');
    vi.advanceTimersByTime(1000);
    video.currentTime += 10;
    video.fire('seeking');
    vi.advanceTimersByTime(1000);
    video.fire('seeked');
    expect(state()).toBe('r');
    video.start();
    video.frame();
    expect(counters()).toMatchObject({ stalls: 1, stall_ms: 2000 });
  });

  it('to a new source neither: the stall lasts until its picture moves', () => {
    play();
    video.readyState = 2;
    video.fire('waiting');
    vi.advanceTimersByTime(1000);
    video.readyState = 0;
    video.paused = true;
    video.fire('emptied');
    vi.advanceTimersByTime(500);
    video.paused = false;
    video.fire('play');
    video.fire('seeking');
    vi.advanceTimersByTime(500);
    expect(state()).toBe('r');
    video.start();
    video.frame();
    expect(counters()).toMatchObject({ stalls: 1, stall_ms: 2000 });
  });

  it('but taking the source away is no stall', () => {
    play();
    // As the element's load algorithm leaves it.
    Object.assign(video, { src: null, readyState: 0, paused: true });
    video.fire('emptied');
    vi.advanceTimersByTime(60_000);
    expect(state()).toBe('a');
    expect(counters().stalls).toBe(0);
  });
});

it('says playback_start once, with the time spent starting', async () => {
  vi.advanceTimersByTime(700);
  play(2000);
  video.starve(700);
  await vi.advanceTimersByTimeAsync(1100);
  expect(world.events('playback_start')).toMatchObject([{ startup_ms: 700, cdn: 'cdn-a' }]);
});
