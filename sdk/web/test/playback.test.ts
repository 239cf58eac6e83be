/** Laws of the pure core under random scripts: one state at a time, time adds up, stalls only out of playing, nothing falls. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Playback, type Stall } from '../src/playback';
import { machine, next, type Signal } from '../src/state';
import { Liveness } from '../src/stall';

const RULES = { frozenMs: 500, frozenAudioMs: 200, seekGraceMs: 1000 };
const SIGNALS: Signal[] = ['play', 'moving', 'waiting', 'frozen', 'seeking', 'pause', 'ended', 'fatal', 'reset', 'suspended'];

type Step =
  | { do: 'signal'; signal: Signal; ms: number }
  | { do: 'frame'; shown: number; alive: boolean; ms: number }
  | { do: 'look'; watch: 'frames' | 'playhead' | 'audio' | 'none'; starved: boolean; moved: boolean; hidden: boolean; ms: number };

const ms = fc.oneof({ weight: 8, arbitrary: fc.double({ min: 0, max: 300, noNaN: true }) }, { weight: 2, arbitrary: fc.double({ min: 0, max: 40_000, noNaN: true }) });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('signal' as const), signal: fc.constantFrom(...SIGNALS), ms }),
  fc.record({ do: fc.constant('frame' as const), shown: fc.integer({ min: 1, max: 3 }), alive: fc.boolean(), ms }),
  fc.record({
    do: fc.constant('look' as const), watch: fc.constantFrom('frames' as const, 'playhead' as const, 'audio' as const, 'none' as const),
    starved: fc.boolean(), moved: fc.boolean(), hidden: fc.boolean(), ms,
  }),
);

function play(script: Step[]) {
  let now = 1000;
  let media = 0;
  let presented = 0;
  const log = { spent: {} as Record<string, number>, stallMs: 0, began: 0, ended: 0, endedMs: 0, open: null as Stall | null, states: ['s'] };
  const p = new Playback(now, false, RULES, {
    spent: (state, t, stall) => {
      expect(t).toBeGreaterThan(0);
      // Only `r` is ever a stall.
      if (stall) expect(state).toBe('r');
      log.spent[state] = (log.spent[state] ?? 0) + t;
      if (stall) log.stallMs += t;
    },
    began: (stall) => {
      expect(log.open).toBe(null);
      expect(stall.beganAt).toBeLessThanOrEqual(now);
      // The state before the stall was playing.
      expect(log.states[log.states.length - 2]).toBe('p');
      log.open = stall;
      log.began += 1;
    },
    ended: (stall, at) => {
      expect(stall).toBe(log.open);
      log.open = null;
      log.ended += 1;
      log.endedMs += at - stall.beganAt;
    },
    changed: (state) => {
      expect(state).not.toBe(log.states[log.states.length - 1]);
      log.states.push(state);
    },
  });
  for (const s of script) {
    now += s.ms;
    if (s.do === 'signal') p.signal(s.signal, now);
    else if (s.do === 'frame') p.frame(now, (media += s.ms), 1, (presented += s.shown), s.alive);
    else p.look(now, s);
    const total = Object.values(p.timesAt(now)).reduce((sum, t) => sum + t, 0);
    expect(Math.abs(total - (now - 1000))).toBeLessThan(1e-3);
    expect(log.states[log.states.length - 1]).toBe(p.state);
    expect(p.stall).toBe(log.open);
  }
  return { p, log, now };
}

describe('playback', () => {
  it('spends each millisecond on exactly one state, and stalls come out of playing only', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 120 }), (script) => {
      const { p, log, now } = play(script);
      p.signal('quit', now);
      expect(log.open).toBe(null);
      expect(log.began).toBe(log.ended);
      expect(Math.abs(log.stallMs - log.endedMs)).toBeLessThan(1e-3);
      const spent = Object.values(log.spent).reduce((sum, t) => sum + t, 0);
      expect(Math.abs(spent - (now - 1000))).toBeLessThan(1e-3);
    }), { numRuns: 500 });
  });

  it('never stalls in a script without frames frozen, waits or a new source', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (script) => {
      const calm = script.filter((s) => (s.do === 'signal' && !['waiting', 'frozen', 'reset'].includes(s.signal)) || (s.do === 'frame' && s.ms <= 300));
      expect(play(calm).log.began).toBe(0);
    }));
  });

  it('reports a stall that nobody looked at in time, once, from the last frame', () => {
    const script: Step[] = [{ do: 'signal', signal: 'moving', ms: 0 }, { do: 'look', watch: 'frames', starved: false, moved: true, hidden: false, ms: 10 }];
    for (let i = 0; i < 20; i++) script.push({ do: 'frame', shown: 1, alive: true, ms: 40 });
    script.push({ do: 'frame', shown: 1, alive: true, ms: 900 });
    const { log } = play(script);
    expect([log.began, Math.round(log.stallMs)]).toEqual([1, 900]);
  });
});

it('does not judge a look that comes late: frames may have been shown meanwhile', () => {
  const look: Step = { do: 'look', watch: 'frames', starved: false, moved: true, hidden: false, ms: 10 };
  const script: Step[] = [{ do: 'signal', signal: 'moving', ms: 0 }, look];
  for (let i = 0; i < 20; i++) script.push({ do: 'frame', shown: 1, alive: true, ms: 40 });
  const busy: Step[] = [{ ...look, ms: 900 }, { do: 'frame', shown: 3, alive: true, ms: 5 }];
  expect(play([...script, ...busy]).log.began).toBe(0);
  expect(play([...script, ...busy.slice(0, 1), { ...look, ms: 250 }]).log.began).toBe(1);
});

describe('the state machine', () => {
  const cases: [from: string, signals: Signal[], to: string, stalled: boolean][] = [
    ['start-up', ['waiting', 'seeking', 'waiting'], 's', false],
    ['start-up paused and resumed', ['pause', 'play'], 's', false],
    ['a stall', ['moving', 'waiting'], 'r', true],
    ['a frozen picture', ['moving', 'frozen'], 'r', true],
    ['a stall ended by a pause', ['moving', 'waiting', 'pause'], 'a', false],
    ['data missing after a pause', ['moving', 'pause', 'play', 'waiting'], 'r', false],
    ['a seek made in a pause', ['moving', 'pause', 'seeking', 'pause', 'play', 'waiting'], 'k', false],
    ['a viewer\'s seek out of a stall', ['moving', 'waiting', 'seeking'], 'k', false],
    ['replay', ['moving', 'ended', 'seeking', 'waiting'], 'k', false],
    ['the end', ['moving', 'pause', 'ended'], 'e', false],
    ['fatal and mended', ['moving', 'fatal', 'reset', 'moving'], 'p', false],
    ['fatal before the first picture, and tried again', ['fatal', 'reset'], 's', false],
    ['a frozen page', ['moving', 'suspended', 'waiting'], 'r', false],
    ['nothing after quit', ['moving', 'quit', 'moving', 'play'], 'q', false],
  ];
  it.each(cases)('%s', (_, signals, to, stalled) => {
    // Far enough apart that no seek's grace is at work.
    const end = signals.reduce((m, s, i) => next(m, s, i * 10_000, 1000), machine(false));
    expect([end.state, end.stalled]).toEqual([to, stalled]);
  });

  it('starts preloading when nobody has asked yet', () => {
    expect(next(machine(true), 'waiting', 0, 0).state).toBe('d');
    expect(next(machine(true), 'play', 0, 0).state).toBe('s');
  });
});

describe('liveness', () => {
  it('knows the content\'s rate from media time, whatever the gaps', () => {
    for (const [fps, judges] of [[3, false], [4.9, false], [5.1, true], [25, true], [60, true]] as const) {
      const life = new Liveness(0, RULES);
      life.reset(0, 'frames');
      for (let i = 1; i < 12; i++) life.frame(i * 700, (i * 1000) / fps, 1, i);
      expect([fps, life.judges]).toEqual([fps, judges]);
    }
  });

  it('needs a few frames before it judges', () => {
    const life = new Liveness(0, RULES);
    life.reset(0, 'frames');
    life.frame(40, 40, 1, 1);
    expect(life.frozen(10_000)).toBe(false);
  });
});
