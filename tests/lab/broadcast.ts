// The broadcaster: one small loop, encoded once, pushed by RTMP to every edge at its own pace.

import { createHash } from "node:crypto";
import { existsSync, renameSync } from "node:fs";
import path from "node:path";
import { run, type Child, type Children } from "./children.ts";

// 320×180 at 15 frames/s: two cores decode it four times over and have most of themselves left.
// Noise makes the encoder need its bits, so that the rate is the same in every second of the loop:
// about 340 kbit/s of video and 48 of audio. A keyframe every 2 s lets the edges cut there.
const LOOP_S = 60;
const ENCODE = [
  ...["-f", "lavfi", "-i", `testsrc2=size=320x180:rate=15:duration=${LOOP_S},noise=alls=16:allf=t`],
  ...["-f", "lavfi", "-i", `sine=frequency=330:sample_rate=44100:duration=${LOOP_S}`],
  ...["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"],
  ...["-b:v", "340k", "-maxrate", "340k", "-bufsize", "340k", "-g", "30", "-keyint_min", "30", "-sc_threshold", "0"],
  ...["-c:a", "aac", "-b:a", "48k", "-ac", "1"],
];

/** The loop's file; made when it is not there yet, named by how it is made. */
export async function loop(folder: string): Promise<string> {
  const how = createHash("sha256").update(ENCODE.join(" ")).digest("hex").slice(0, 12);
  const file = path.join(folder, `loop-${how}.mp4`);
  if (existsSync(file)) return file;
  const half = path.join(folder, `half-${process.pid}.mp4`);
  await run("ffmpeg", ["-hide_banner", "-loglevel", "error", "-y", ...ENCODE, half]);
  renameSync(half, file);
  return file;
}

/** The loop cut into segments of 2 s, as HLS and as DASH, in this folder. */
export async function onDemand(file: string, folder: string): Promise<void> {
  const copy = ["-hide_banner", "-loglevel", "error", "-y", "-i", file, "-c", "copy"];
  await run("ffmpeg", [...copy, "-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_filename", path.join(folder, "vod-%03d.ts"), path.join(folder, "vod.m3u8")]);
  await run("ffmpeg", [...copy, "-f", "dash", "-seg_duration", "2", "-use_template", "1", "-use_timeline", "0", path.join(folder, "vod.mpd")]);
}

/** Pushes the loop, as if live, to every address until it is stopped. */
export async function broadcast(children: Children, file: string, to: string[]): Promise<Child> {
  const outputs = to.flatMap((url) => ["-c", "copy", "-f", "flv", "-flvflags", "no_duration_filesize", url]);
  const args = ["-hide_banner", "-loglevel", "warning", "-nostdin", "-re", "-stream_loop", "-1", "-i", file, ...outputs];
  return children.start("broadcast", "ffmpeg", args);
}
