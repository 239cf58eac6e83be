/**
 * The player's states (CTA-5004-B) and what moves it from one to the next. Pure: no time passes here
 * and nothing is counted. Where the signals come from is in media.ts; what they cost in playback.ts.
 */
import type { State } from './wire';

export type { State };

/**
 * What can happen to a player:
 * `play` the viewer wants it to run · `moving` the picture moves · `waiting` data ran out ·
 * `frozen` the picture stands still though it should move · `reset` the source was replaced ·
 * `suspended` the browser froze the page, or the source was taken away.
 */
export type Signal =
  | 'play' | 'moving' | 'waiting' | 'frozen' | 'seeking' | 'pause'
  | 'ended' | 'fatal' | 'quit' | 'reset' | 'suspended';

export interface Machine {
  state: State;
  /** The state `r` is a stall: it was entered from playing. */
  stalled: boolean;
  /** What waiting means while it is no stall (start-up, a seek, data missing after a pause); null while playing. */
  calm: 's' | 'k' | 'r' | null;
  /** When the last seek gave way to moving pictures. */
  soughtAt: number;
}

export function machine(preload: boolean): Machine {
  return { state: preload ? 'd' : 's', stalled: false, calm: 's', soughtAt: -Infinity };
}

/** The machine after `signal`, which happened at `at`. A wait up to `graceMs` after a seek belongs to the seek. */
export function next(m: Machine, signal: Signal, at: number, graceMs: number): Machine {
  const { state, calm } = m;
  const to = (s: State, c: Machine['calm'] = calm): Machine => ({ ...m, state: s, calm: c, stalled: s === 'r' && (state === 'p' || m.stalled) });
  // Until the first picture every wait is start-up, whatever else happens.
  const later = (c: 'k' | 'r') => (calm === 's' ? 's' : c);

  if (state === 'q') return m;
  switch (signal) {
    case 'quit':
      return to('q');
    case 'fatal':
      return to('f', later('r'));
    case 'ended':
      return to('e', later('k'));
    case 'moving':
      return { ...to('p', null), soughtAt: state === 'k' ? at : m.soughtAt };
    case 'play':
      return calm === 's' && (state === 'd' || state === 'a') ? to('s') : m;
    case 'seeking':
      return state === 's' || state === 'd' ? m : to('k', later('k'));
    case 'pause':
    case 'suspended':
      return 'spkr'.includes(state) ? to('a', calm ?? 'r') : m;
    case 'waiting':
    case 'frozen':
      if (state === 'p') return at - m.soughtAt < graceMs ? to('k', 'k') : to('r');
      return state === 'a' && signal === 'waiting' ? to(calm ?? 'r') : m;
    case 'reset':
      if (state === 'p') return to('r');
      return state === 'f' || state === 'e' ? to(later('r')) : m;
  }
}
