// The lab's own eyes in the page: samples the playhead and watches the media requests.
// It shares no code with the SDK and does not know that there is one. Judging is not here: see judge.ts.

import type { Sample, SeenRequest, Testimony } from "./contract.ts";

export const now = (): number => performance.timeOrigin + performance.now();

export class Witness {
  private said: Testimony = { samples: [], requests: [], notes: [], left: false };
  private readonly open = new Set<SeenRequest>();

  constructor(
    private readonly viewer: string,
    private readonly video: HTMLVideoElement,
    private readonly source: () => { cdn: string; switching: boolean },
  ) {}

  start(every_ms: number): void {
    setInterval(() => this.said.samples.push(this.sample()), every_ms);
    setInterval(() => this.tell(), 1_000);
    addEventListener("pagehide", () => this.leave());
  }

  note(note: string): void {
    this.said.notes.push({ at_ms: now(), note });
  }

  sample(): Sample {
    const { video } = this;
    return {
      at_ms: now(),
      media_s: video.currentTime,
      paused: video.paused,
      seeking: video.seeking,
      ended: video.ended,
      ...this.source(),
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      buffer_s: ahead(video),
    };
  }

  /** Follows one of the player's requests to its end. The edge names each answer in a header and in its log. */
  follow(xhr: XMLHttpRequest, url: string): void {
    const request: SeenRequest = { id: null, url, outcome: "left", status: 0, body_bytes: 0, at_ms: 0 };
    this.open.add(request);
    xhr.addEventListener("readystatechange", () => {
      if (xhr.readyState !== XMLHttpRequest.HEADERS_RECEIVED) return;
      request.id = xhr.getResponseHeader("x-request-id");
      request.status = xhr.status;
    });
    // An abort's own event counts from zero again: what had arrived is what progress and load said.
    for (const arrived of ["progress", "load"] as const) {
      xhr.addEventListener(arrived, (e) => (request.body_bytes = e.loaded));
    }
    for (const outcome of ["load", "abort", "error", "timeout"] as const) {
      xhr.addEventListener(outcome, () => this.close(request, outcome));
    }
  }

  private close(request: SeenRequest, outcome: SeenRequest["outcome"]): void {
    if (!this.open.delete(request)) return;
    this.said.requests.push(Object.assign(request, { outcome, at_ms: now() }));
  }

  private leave(): void {
    for (const request of [...this.open]) this.close(request, "left");
    this.said.samples.push(this.sample());
    this.said.left = true;
    this.tell();
  }

  private tell(): void {
    const body = JSON.stringify(this.said);
    if (navigator.sendBeacon(`/witness/${this.viewer}`, body)) {
      this.said = { samples: [], requests: [], notes: [], left: false };
    }
  }
}

function ahead(video: HTMLVideoElement): number {
  for (let i = 0; i < video.buffered.length; i++) {
    if (video.buffered.start(i) <= video.currentTime + 0.1 && video.currentTime <= video.buffered.end(i)) {
      return video.buffered.end(i) - video.currentTime;
    }
  }
  return 0;
}
