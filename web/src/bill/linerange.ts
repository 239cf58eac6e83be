// Which lines of a log are meant: from the words of a session's row to the address and back. Pure.

import type { LineRange } from "./calls";

/** As many lines as one look takes in. */
export const LINES_MAX = 200;

/** `836ff184:1201-1260`, however the three are parted. */
export function lineRange(words: string): LineRange | null {
  const found = /^([0-9a-f]{8,64})\D+(\d+)(?:\D+(\d+))?$/.exec(words.trim());
  if (!found) return null;
  const [, sha256 = "", first, last] = found;
  const from = Number(first);
  return { sha256, first: from, last: Math.min(Number(last ?? first), from + LINES_MAX - 1) };
}

/** As the address holds it. */
export function written({ sha256, first, last }: LineRange): string {
  return `${sha256}.${first ?? ""}-${last ?? ""}`;
}
