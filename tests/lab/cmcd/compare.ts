// What the ledger says of each player against what its page saw. Pure.

import type { Verdict } from "../judge.ts";

export interface Metered {
  play_ms: number;
  stall_ms: number;
  stalls: number;
  bytes: number;
}

export interface Compared {
  player: string;
  meter: Metered;
  seen: { play_ms: number; stall_ms: number; stalls: number };
  /** Standstills too short to be asked for; a player may say them all the same. */
  short_stalls: number;
  /** How long each first picture took, as the ledger has it: a view has one. */
  startups_ms: number[];
  /** Bytes that the page told its player, where it counts them. */
  bytes_told: number | null;
  /** Reports posted, answered 2xx, and without a fault by the standard's own validator. */
  reports: { posted: number; taken: number; valid: number };
}

/** A player says its states as its events come; the page looks every 50 ms. */
export const PLAY_APART_MS = 500;
export const STALL_APART_MS = 500;
/** Said by a player, and over before the page looked again. That none is counted twice, the reporter without a player shows. */
export const UNSEEN_STALLS_MAX = 1;
/** From a free edge, on a busy machine. */
export const STARTUP_MS_MAX = 8_000;

export const seen = ({ play_ms, stalls }: Verdict): Compared["seen"] => ({
  play_ms: Math.round(play_ms),
  stall_ms: Math.round(stalls.reduce((sum, stall) => sum + stall.stall_ms, 0)),
  stalls: stalls.length,
});

/** Why it failed; empty when it is ok. */
export function reasons({ player, meter, seen, short_stalls, startups_ms, bytes_told, reports }: Compared): string[] {
  const wrong: string[] = [];
  const apart = (what: "play_ms" | "stall_ms", allowed_ms: number): void => {
    const ms = Math.abs(meter[what] - seen[what]);
    if (ms > allowed_ms) wrong.push(`${player}: ${what} is ${meter[what]} in the ledger, ${seen[what]} was seen: ${ms} apart, ${allowed_ms} is allowed`);
  };
  if (seen.play_ms < 5_000) wrong.push(`${player}: played for ${seen.play_ms} ms alone`);
  if (seen.stalls === 0) wrong.push(`${player}: no stall was seen: the throttle did not bite`);
  apart("play_ms", PLAY_APART_MS);
  apart("stall_ms", STALL_APART_MS * Math.max(seen.stalls, 1));
  if (meter.stalls < seen.stalls || meter.stalls > seen.stalls + short_stalls + UNSEEN_STALLS_MAX) wrong.push(`${player}: ${meter.stalls} stalls in the ledger, ${seen.stalls} were seen, and ${short_stalls} short ones`);
  // hls.js says within some milliseconds that it starts and that it plays; the one may overtake the other on the way.
  const fewest = player === "hls.js" ? 0 : 1;
  const soon = startups_ms.filter((ms) => ms > 0 && ms < STARTUP_MS_MAX).length === startups_ms.length;
  if (!soon || startups_ms.length < fewest || startups_ms.length > 1) wrong.push(`${player}: ${startups_ms.length} starts in the ledger: ${startups_ms.join(", ")} ms`);
  if (bytes_told === null && meter.bytes !== 0) wrong.push(`${player}: ${meter.bytes} bytes in the ledger, of a player that says none`);
  if (bytes_told !== null && (bytes_told === 0 || meter.bytes !== bytes_told)) wrong.push(`${player}: ${meter.bytes} bytes in the ledger, ${bytes_told} were told`);
  if (reports.posted === 0 || reports.taken !== reports.posted) wrong.push(`${player}: ${reports.taken} of ${reports.posted} posts were taken`);
  return wrong;
}
