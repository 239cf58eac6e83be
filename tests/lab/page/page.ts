// One viewer: hls.js, our SDK, and the rule by which this page leaves a CDN that has stopped delivering.

import Hls from "hls.js";
import type { PageSettings } from "./contract.ts";
import { Witness, now } from "./witness.ts";

interface Meter {
  sessionId: string;
  debug(): unknown;
}

declare global {
  /** The SDK, from a script tag, as a site would embed it. */
  const Livemeter: { attachHls(hls: Hls, video: HTMLVideoElement, options: object): Meter };
  interface Window {
    lab: { debug(): unknown; session: string };
  }
}

const settings = JSON.parse(decodeURIComponent(location.hash.slice(1))) as PageSettings;
const video = document.querySelector("video") as HTMLVideoElement;
const source = { cdn: settings.cdn, switching: false };
const witness = new Witness(settings.viewer, video, () => source);

const hls = new Hls({
  // Three segments behind the live edge: six seconds of patience.
  liveSyncDurationCount: 3,
  maxBufferLength: 10,
  backBufferLength: 10,
  xhrSetup: (xhr, url) => witness.follow(xhr, url),
});
hls.on(Hls.Events.ERROR, (_, e) => witness.note(`${e.fatal ? "fatal " : ""}${e.type}/${e.details}`));

const meter = Livemeter.attachHls(hls, video, {
  endpoint: settings.ingest_url,
  app: settings.app,
  userId: settings.viewer,
  programmeId: settings.programme,
  region: "lab",
  cdnOf: Object.fromEntries(Object.entries(settings.cdns).map(([cdn, { host }]) => [host, cdn])),
});
window.lab = { debug: () => meter.debug(), session: meter.sessionId };

witness.start(settings.sample_every_ms);
load(settings.cdn);
hls.attachMedia(video);
video.addEventListener("canplay", () => void video.play().catch((e: unknown) => witness.note(`play: ${String(e)}`)));
watch();

function load(cdn: string): void {
  const place = settings.cdns[cdn];
  if (!place) throw new Error(`no such CDN: ${cdn}`);
  witness.note(`loads ${cdn}`);
  source.cdn = cdn;
  hls.loadSource(place.playlist_url);
}

/** The page's own decision: the playhead has stood still for so long, after it once ran, that it moves on. */
function watch(): void {
  let media_s = 0;
  let moved_at_ms: number | undefined;
  setInterval(() => {
    const advanced = video.currentTime > media_s && !video.seeking;
    media_s = video.currentTime;
    if (advanced) {
      moved_at_ms = now();
      source.switching = false;
    } else if (moved_at_ms !== undefined && now() - moved_at_ms > settings.switch_after_stalled_ms) {
      moved_at_ms = now();
      source.switching = true;
      load(Object.keys(settings.cdns).find((cdn) => cdn !== source.cdn) ?? source.cdn);
    }
    document.title = `${settings.viewer} · ${source.cdn}`;
  }, 100);
}
