/** Which CDN a URL belongs to, by the app's own map or function; and which CDN's media lies where on the timeline. */
import { clip, ID_BYTES_MAX } from './text';

export type CdnOf = Record<string, string> | ((url: URL) => string | null | undefined);

export interface Place {
  /** Null: not to be metered. */
  cdn: string | null;
  host: string;
  /** Absolute. */
  url: string;
}

/** Finds the CDN of a URL. A host missing in a map is its own name: a byte is never lost silently. */
export function placeOf(url: string, cdnOf: CdnOf | undefined): Place {
  const at = new URL(url, globalThis.location?.href);
  const { host, hostname, href } = at;
  const name = typeof cdnOf === 'function' ? cdnOf(at) : (cdnOf?.[host] ?? cdnOf?.[hostname] ?? host);
  // `blob:` and `data:` have no host and touch no network.
  return { cdn: host && name ? clip(name, ID_BYTES_MAX) : null, host, url: href };
}

/** More stretches than any player keeps buffered; older ones are forgotten. */
const STRETCHES_MAX = 128;

/** Remembers from which CDN each stretch of the timeline came. */
export class Timeline {
  #stretches: [from_s: number, to_s: number, cdn: string][] = [];

  put(from_s: number, to_s: number, cdn: string): void {
    if (!(to_s > from_s)) return;
    this.#stretches.push([from_s, to_s, cdn]);
    if (this.#stretches.length > STRETCHES_MAX) this.#stretches.shift();
  }

  /** The newest stretch at a position decides: it replaced what lay there. */
  at(position_s: number): string | null {
    for (let i = this.#stretches.length - 1; i >= 0; i--) {
      const [from, to, cdn] = this.#stretches[i]!;
      if (position_s >= from && position_s < to) return cdn;
    }
    return null;
  }

  clear(): void {
    this.#stretches = [];
  }
}
