/**
 * The adapter for hls.js 1.x. Wraps the loaders of a player that exists, follows its events and its
 * media element. Typed by shape, so that no version of hls.js is pulled in.
 */
import { meteredLoader, type LoaderClass } from './loader';
import { Meter } from './meter';
import type { Options } from './options';

/** What is needed of an hls.js player. */
export interface HlsLike {
  config: { loader: unknown; fLoader?: unknown; pLoader?: unknown };
  liveSyncPosition?: number | null;
  on(event: any, handle: (event: any, data: any) => void): void;
  off(event: any, handle: (event: any, data: any) => void): void;
}

/** A jump this close to where hls.js wants to be in a live stream is its own. */
const LIVE_SYNC_TOLERANCE_S = 1;
/** The element tells of a jump shortly after hls.js made it. */
const JUMP_MS = 500;
const JUMPS = ['bufferNudgeOnStall', 'bufferSeekOverHole'];

/** Meters an hls.js player. Call it before `loadSource`, so that the first playlist counts too. */
export function attachHls(hls: HlsLike, video: HTMLVideoElement, options: Options): Meter {
  const meter = new Meter({ player: playerName(hls), ...options });
  const { guard } = meter;
  guard.run(() => {
    const cdnOfFrag = new WeakMap<object, string>();
    const { config } = hls;
    for (const name of ['loader', 'fLoader', 'pLoader'] as const) {
      if (typeof config[name] === 'function') config[name] = meteredLoader(config[name] as LoaderClass, meter, cdnOfFrag);
    }

    let jumpedAt = -Infinity;
    meter.playersJump = (element) => {
      const sync = hls.liveSyncPosition;
      const toLive = sync != null && element.readyState < 4 && Math.abs(element.currentTime - sync) < LIVE_SYNC_TOLERANCE_S;
      return toLive || performance.now() - jumpedAt < JUMP_MS;
    };

    const on = (event: string, handle: (data: any) => void) => hls.on(event, (_, data) => void guard.run(() => handle(data)));
    on('hlsFragBuffered', ({ frag }) => {
      if (frag.type === 'main') meter.bufferedFrom(frag.start, frag.end, cdnOfFrag.get(frag) ?? null);
    });
    on('hlsError', (data) => {
      // hls.js cancelled a request itself: nothing failed.
      if (data.details === 'aborted') return;
      if (JUMPS.includes(data.details)) jumpedAt = performance.now();
      // Stalls and holes are the meter's own subject: hls.js's word for them only explains.
      if (data.fatal || data.type === 'networkError') meter.error(data.details, data.error?.message ?? data.reason, data.fatal);
      else meter.hint(data.details);
    });
    on('hlsDestroying', () => meter.end());
    meter.attach(video);
  });
  return meter;
}

function playerName(hls: HlsLike): string {
  const version: unknown = (hls.constructor as { version?: unknown } | undefined)?.version;
  return typeof version === 'string' ? `hls.js/${version}` : 'hls.js';
}
