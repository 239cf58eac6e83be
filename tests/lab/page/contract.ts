// What passes between the page and the lab: the page's settings, and what its witness writes down.

export interface PageSettings {
  viewer: string;
  app: string;
  programme: string;
  ingest_url: string;
  cdn: string;
  /** Every CDN this page may use: its playlist and its `host:port`. */
  cdns: Record<string, { playlist_url: string; host: string }>;
  switch_after_stalled_ms: number;
  sample_every_ms: number;
}

/** The player at one moment, read from the video element. Times are milliseconds since 1970. */
export interface Sample {
  at_ms: number;
  /** `video.currentTime`. */
  media_s: number;
  paused: boolean;
  seeking: boolean;
  ended: boolean;
  /** The page has changed the source and nothing has played from it yet. */
  switching: boolean;
  cdn: string;
  /** Frames shown so far and seconds buffered ahead: not judged, kept as evidence. */
  frames: number;
  buffer_s: number;
}

/** One media request as the page saw it end. `left`: still under way when the page was left. */
export interface SeenRequest {
  /** The edge's name for its answer; null when none came. */
  id: string | null;
  url: string;
  outcome: "load" | "abort" | "error" | "timeout" | "left";
  status: number;
  body_bytes: number;
  at_ms: number;
}

export interface Testimony {
  samples: Sample[];
  requests: SeenRequest[];
  /** Things worth knowing: source changes, player errors. */
  notes: { at_ms: number; note: string }[];
  /** The page has said its last word. */
  left: boolean;
}
