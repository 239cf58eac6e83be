// Samples of a playhead → the stalls a viewer sat through. Pure. This is the second opinion on the SDK's
// figures: it knows currentTime and nothing of the player's events.
//
// A stall is playing → not advancing, though nobody paused or sought; it lasts until the playhead runs again,
// through a change of source and the seeks that come with it. Startup is not a stall.

import type { Sample } from "./page/contract.ts";

export interface Stall {
  /** The CDN in use when it began; it stays charged to that one. */
  cdn: string;
  began_at_ms: number;
  stall_ms: number;
  /** Still standing at the last sample. */
  open: boolean;
}

export interface Verdict {
  stalls: Stall[];
  play_ms: number;
  started: boolean;
  /** The widest gap between two samples: a witness that slept cannot have seen everything. */
  blind_ms: number;
}

export interface Rule {
  /** Standing still for less than this is no stall. */
  stall_ms_min: number;
  /** The playhead runs when it has advanced in this many samples one after the other. */
  steady_samples: number;
}

export const RULE: Rule = { stall_ms_min: 250, steady_samples: 4 };

export function judge(samples: readonly Sample[], rule: Rule = RULE): Verdict {
  const runs = running(samples, rule.steady_samples);
  const verdict: Verdict = { stalls: [], play_ms: 0, started: false, blind_ms: 0 };
  let halt: Halt | undefined;
  for (let i = 1; i < samples.length; i++) {
    const before = samples[i - 1]!;
    const here = samples[i]!;
    verdict.blind_ms = Math.max(verdict.blind_ms, here.at_ms - before.at_ms);
    if (runs[i]) {
      if (halt) finish(halt, before.at_ms, false);
      halt = undefined;
      verdict.started = true;
      verdict.play_ms += here.at_ms - before.at_ms;
      continue;
    }
    if (!verdict.started) continue;
    halt ??= { cdn: before.cdn, began_at_ms: before.at_ms, excused: false };
    // A stall that is old enough to be one stays one, whatever the player does to get out of it.
    const standing_ms = here.at_ms - halt.began_at_ms;
    if (excuse(here) && standing_ms < rule.stall_ms_min) halt.excused = true;
  }
  const last = samples.at(-1);
  if (halt && last) finish(halt, last.at_ms, true);
  return verdict;

  function finish({ cdn, began_at_ms, excused }: Halt, ended_at_ms: number, open: boolean): void {
    const stall_ms = ended_at_ms - began_at_ms;
    if (!excused && stall_ms >= rule.stall_ms_min) verdict.stalls.push({ cdn, began_at_ms, stall_ms, open });
  }
}

interface Halt {
  cdn: string;
  began_at_ms: number;
  excused: boolean;
}

/** A halt that somebody wanted. While the source changes, the element's own pause and seeks are the player's. */
function excuse(sample: Sample): boolean {
  return sample.ended || (!sample.switching && (sample.paused || sample.seeking));
}

/** For each sample, whether the playhead ran in the interval that ends there. */
function running(samples: readonly Sample[], steady: number): boolean[] {
  const moved = samples.map((here, i) => {
    const before = samples[i - 1];
    return before !== undefined && advanced(before, here);
  });
  const runs = new Array<boolean>(samples.length).fill(false);
  for (let i = 1; i < samples.length; i++) {
    if (!moved[i]) continue;
    // One jump is a seek and two are a stumble; what was running before needs no second proof.
    runs[i] = runs[i - 1] === true || moved.slice(i, i + steady).filter(Boolean).length === steady;
  }
  return runs;
}

/** By playing, not by a jump: no further than the clock could have carried it. */
function advanced(before: Sample, here: Sample): boolean {
  if (before.seeking || here.seeking || here.paused) return false;
  const media_ms = (here.media_s - before.media_s) * 1000;
  return media_ms > 0 && media_ms <= 2 * (here.at_ms - before.at_ms) + 100;
}
