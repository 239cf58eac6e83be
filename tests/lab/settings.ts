// What the lab is made of: sizes, rates and times, each with its reason. Only this file reads the environment.

import path from "node:path";
import { fileURLToPath } from "node:url";

export type Cdn = "cdn-a" | "cdn-b";
export const CDNS: readonly Cdn[] = ["cdn-a", "cdn-b"];
export const STREAM = "loop";
export const APP = "lab";
export const PROGRAMME = "lab-loop";

/** Who watches what at the start. The last one is the control: it never touches edge A. */
export const VIEWERS: readonly { name: string; starts_on: Cdn }[] = [
  { name: "viewer-1", starts_on: "cdn-a" },
  { name: "viewer-2", starts_on: "cdn-a" },
  { name: "viewer-3", starts_on: "cdn-a" },
  { name: "viewer-4", starts_on: "cdn-b" },
];

const room = path.dirname(fileURLToPath(import.meta.url));
const repo = path.resolve(room, "../..");

export interface Settings {
  /** How long the audience watches. */
  watch_ms: number;
  /** When edge A is throttled, counted from the same start. */
  throttle_at_ms: number;
  /** Body bytes per second and response on a throttled edge. A thirteenth of the stream's rate: the player
   *  must stall, and the segment it gives up on has cost little (aborted bytes are at most 5 %). */
  throttled_bytes_per_s: number;
  /** A page that has stood still this long on its CDN moves to the other one. */
  switch_after_stalled_ms: number;
  /** The page samples the playhead this often: a twentieth of the shortest stall that matters here. */
  sample_every_ms: number;
  /** How long the road from the last beacon to the ledger may take before the lab gives up. */
  settle_ms_max: number;
  room: string;
  sdk: string;
  artefacts: string;
  bin: string;
  chromium: string;
}

export function settings(env: NodeJS.ProcessEnv): Settings {
  const seconds = number(env, "LAB_SECONDS", 180, 45, 3600);
  const target = env.CARGO_TARGET_DIR ?? path.join(repo, "target");
  return {
    watch_ms: seconds * 1000,
    throttle_at_ms: seconds * 500,
    throttled_bytes_per_s: 4_000,
    switch_after_stalled_ms: 5_000,
    sample_every_ms: 50,
    settle_ms_max: 60_000,
    room,
    sdk: path.join(repo, "sdk/web"),
    artefacts: path.join(repo, "artefacts/lab"),
    bin: path.resolve(repo, env.LIVEMETER_BIN_DIR ?? path.join(target, "debug")),
    chromium: env.CHROMIUM ?? "/usr/bin/chromium",
  };
}

function number(env: NodeJS.ProcessEnv, name: string, otherwise: number, min: number, max: number): number {
  const text = env[name];
  if (text === undefined || text === "") return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Error(`${name}=${text}: a whole number from ${min} to ${max} is accepted`);
  }
  return value;
}
