/**
 * @livemeter/web, in the order in which data meets it:
 *
 * hls, loader     the hls.js adapter: every request, once
 * media, page     the media element's and the page's life, as signals
 * state, stall    the state machine, and whether the picture moves (pure)
 * playback        where every millisecond goes
 * cdn, requests   whose URL, whose stretch of the timeline; requests and their bytes
 * view            one session: what is charged to whom, and which event says so
 * session, counters, clock, wire   who speaks, in which words, at which time
 * queue, transport, storage        until it has arrived
 * meter, guard, options            the face of it all, and the wall around it
 */
import { Meter } from './meter';
import type { Options } from './options';

export { attachHls, type HlsLike } from './hls';
export type { CdnOf } from './cdn';
export type { Meter, RequestFacts, RequestReport } from './meter';
export type { Options } from './options';
export type { EndReason, SwitchReason } from './wire';

/** A meter for any player; `attachHls` is the short way for hls.js. Never throws. */
export function meter(options: Options): Meter {
  return new Meter(options);
}
