/** What an app may set, and what it gets when it doesn't. */
import type { CdnOf } from './cdn';

export interface Options {
  /** Ingest's URL, `…/v1/events`. */
  endpoint: string;
  /** Whose traffic, of what. */
  app: string;
  userId: string;
  programmeId: string;
  /** The app's write key (`lmw_…`): public, good for writing alone. */
  writeKey?: string;
  /** A session token from the app's own server; a function is asked again when ingest no longer takes the last one. */
  token?: string | (() => string | Promise<string>);
  /** Where the viewer is, as coarse as the app likes. */
  region?: string;
  /** `{ 'host' or 'host:port': name }`, or a function; null means not to be metered. */
  cdnOf?: CdnOf;
  /** Player and version, such as `hls.js/1.7.4`. */
  player?: string;
  /** The viewer has not asked yet: start-up counts from `play`. */
  preload?: boolean;
  heartbeatMs?: number;
  frozenMs?: number;
  frozenAudioMs?: number;
  seekGraceMs?: number;
  queueEvents?: number;
  queueBytes?: number;
  /** Keeps unsent events in localStorage for the next visit. */
  persist?: boolean;
}

export const DEFAULTS = {
  heartbeatMs: 10_000,
  frozenMs: 500,
  frozenAudioMs: 200,
  // hls.js and browsers need a moment after a seek until the buffer is steady.
  seekGraceMs: 1_000,
  // A quarter of an hour without network at ten seconds a heartbeat, with room for what explains it.
  queueEvents: 200,
  queueBytes: 128 * 1024,
};

export type Settings = Options & typeof DEFAULTS;

/** Options with their defaults, also where a number is no number above zero. Throws without the words nobody can guess. */
export function settle(options: Options): Settings {
  const settings: Settings = { ...DEFAULTS, ...options };
  for (const name of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
    if (!(settings[name] > 0)) settings[name] = DEFAULTS[name];
  }
  const missing = (['endpoint', 'app', 'userId', 'programmeId'] as const).find((name) => !options[name]);
  if (missing) throw new Error(`${missing} is missing`);
  return settings;
}
