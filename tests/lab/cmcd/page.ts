// One viewer: a player with its own CMCD reporter in event mode, and an eye on the playhead that knows nothing of it.

import * as dashjs from "dashjs";
import Hls, { type CmcdCustomReporter } from "hls.js";
// The shipped builds without "debug" in their names rename the key of the state: their reports lack it (see decision 13).
import shaka from "shaka-player/dist/shaka-player.compiled.debug.js";
import type { Sample } from "../page/contract.ts";
import type { PageSettings, Seen } from "./contract.ts";

declare global {
  interface Window {
    viewer: { seen(): Seen; leave(): void };
  }
}

const settings = JSON.parse(decodeURIComponent(location.hash.slice(1))) as PageSettings;
const video = document.querySelector("video") as HTMLVideoElement;
const seen: Seen = { samples: [], bytes_told: 0, notes: [] };
const now = (): number => performance.timeOrigin + performance.now();
const note = (text: string): void => void seen.notes.push(`${Math.round(now())} ${text}`);

/** Little ahead of the playhead, so that a slow edge is felt soon. */
const AHEAD_S = 4;
/** Reports besides those of changes. */
const INTERVAL_S = 1;
const EVENTS = ["ps", "t", "e", "rr", "ce"] as const;
const KEYS = ["bl", "br", "cen", "cid", "e", "ec", "h", "ltc", "msd", "mtp", "pr", "rc", "sf", "sid", "sn", "st", "sta", "ts", "url", "v"] as const;

const leave = { "hls.js": withHls, "dash.js": withDash, shaka: withShaka }[settings.player]();
setInterval(() => seen.samples.push(sample()), settings.sample_every_ms);
window.viewer = { seen: () => ({ ...seen, samples: [...seen.samples, sample()] }), leave };

function withHls(): () => void {
  let custom: CmcdCustomReporter | undefined;
  let bytes = 0;
  const tell = (): void => {
    // A custom key is a text; this one is cumulative, so a report that is lost costs nothing.
    custom?.updateCustomData({ "com.livemeter-bytes": String(bytes) });
    seen.bytes_told = bytes;
  };
  const hls = new Hls({
    maxBufferLength: AHEAD_S,
    maxMaxBufferLength: AHEAD_S,
    xhrSetup: (xhr) =>
      xhr.addEventListener("load", (e) => {
        bytes += e.loaded;
        tell();
      }),
    cmcd: {
      version: 2,
      sessionId: settings.session,
      contentId: settings.programme,
      includeKeys: [],
      eventTargets: [{ url: settings.collector_url, events: [...EVENTS], interval: INTERVAL_S, includeKeys: [...KEYS, "com.livemeter-bytes"] }],
      reporterCallback: (reporter) => (custom = reporter),
    },
  });
  hls.on(Hls.Events.ERROR, (_, e) => note(`${e.fatal ? "fatal " : ""}${e.type}/${e.details}`));
  hls.loadSource(settings.media_url);
  hls.attachMedia(video);
  video.addEventListener("canplay", () => void video.play(), { once: true });
  return () => {
    video.pause();
    custom?.recordCustomEvent("left");
    setTimeout(() => hls.destroy(), 500);
  };
}

function withDash(): () => void {
  const player = dashjs.MediaPlayer().create();
  player.updateSettings({
    streaming: {
      buffer: { bufferTimeDefault: AHEAD_S, bufferTimeAtTopQuality: AHEAD_S, bufferTimeAtTopQualityLongForm: AHEAD_S },
      abandonLoadTimeout: 60_000,
      cmcd: {
        enabled: true,
        version: 2,
        sid: settings.session,
        cid: settings.programme,
        // None on the media's own requests.
        enabledKeys: [],
        eventTargets: [{ enabled: true, url: settings.collector_url, events: [...EVENTS], interval: INTERVAL_S, enabledKeys: [...KEYS], batchSize: 1 }],
      },
    },
  });
  player.on(dashjs.MediaPlayer.events.ERROR, (e) => note(JSON.stringify(e).slice(0, 200)));
  player.initialize(video, settings.media_url, true);
  return () => {
    player.pause();
    setTimeout(() => player.destroy(), 500);
  };
}

/** Shaka lends its reporter to nobody: what the page has to say goes into the report by a filter on its way out. */
function withShaka(): () => void {
  const { RequestType } = shaka.net.NetworkingEngine;
  const player = new shaka.Player();
  player.configure({
    streaming: { bufferingGoal: AHEAD_S },
    cmcd: {
      enabled: true,
      version: 2,
      sessionId: settings.session,
      contentId: settings.programme,
      // No keys at all would mean every key on the media's own requests.
      includeKeys: ["sid"],
      eventTargets: [{ enabled: true, url: settings.collector_url, events: [...EVENTS], interval: INTERVAL_S, includeKeys: [...KEYS], batchSize: 1 }],
    },
  });
  const network = player.getNetworkingEngine();
  network?.registerResponseFilter((type, { data }) => {
    if (type !== RequestType.CMCD) seen.bytes_told += (data as ArrayBuffer).byteLength;
  });
  network?.registerRequestFilter((type, request) => {
    if (type !== RequestType.CMCD) return;
    const report = `${new TextDecoder().decode(request.body as ArrayBuffer).trimEnd()},com.livemeter-bytes="${seen.bytes_told}"`;
    request.body = new TextEncoder().encode(report).buffer;
  });
  player.addEventListener("error", (e) => note(JSON.stringify((e as unknown as { detail: unknown }).detail).slice(0, 200)));
  video.addEventListener("canplay", () => void video.play(), { once: true });
  void player
    .attach(video)
    .then(() => player.load(settings.media_url))
    .catch((e: unknown) => note(String(e)));
  return () => {
    video.pause();
    setTimeout(() => void player.destroy(), 500);
  };
}

function sample(): Sample {
  const { currentTime, paused, seeking, ended } = video;
  const frames = video.getVideoPlaybackQuality().totalVideoFrames;
  return { at_ms: now(), media_s: currentTime, paused, seeking, ended, switching: false, cdn: "cdn-a", frames, buffer_s: 0 };
}
