// What passes between a page of the CMCD lab and the lab itself.

import type { Sample } from "../page/contract.ts";

/** Each plays with its own CMCD reporter, and nothing of ours. */
export type Player = "hls.js" | "dash.js" | "shaka";
export const PLAYERS: readonly Player[] = ["hls.js", "dash.js", "shaka"];

export interface PageSettings {
  player: Player;
  session: string;
  programme: string;
  /** Where the player's reporter posts. */
  collector_url: string;
  /** Playlist or manifest. */
  media_url: string;
  sample_every_ms: number;
}

/** What the page itself saw. */
export interface Seen {
  samples: Sample[];
  /** Body bytes of the player's completed media requests, as far as the page told its player. */
  bytes_told: number;
  notes: string[];
}
