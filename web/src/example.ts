// The first thing a newcomer may send: one heartbeat, as a command to copy. Its shape is checked by the
// compiler against the contract, so that it cannot rot.

import type { components } from "./generated";

/** Stands where the shell puts the time. */
const NOW = 1234567890123;

const BATCH: components["schemas"]["Batch"] = {
  v: 1,
  app: "demo",
  events: [
    {
      type: "heartbeat",
      session_id: "first",
      seq: 0,
      at_ms: NOW,
      user_id: "me",
      programme_id: "hello",
      session_started_at_ms: NOW,
      state: "p",
      counters: [{ cdn: "cdn-a", first_used_at_ms: NOW, bytes: 1_000_000, play_ms: 4000, stall_ms: 0, stalls: 0 }],
    },
  ],
};

export function firstCommand(ingest: string): string {
  const body = JSON.stringify(BATCH).replaceAll(String(NOW), "'$now'");
  return `now=$(date +%s000)\ncurl -X POST ${ingest}/v1/events -H 'content-type: application/json' -d '${body}'`;
}
