// The two CDN edges: each its own nginx with its own configuration, log and files.
// Reading what their logs say is not here: see logs.ts.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run, until, type Children } from "./children.ts";
import { STREAM, type Cdn } from "./settings.ts";

export interface Edge {
  cdn: Cdn;
  push_url: string;
  playlist_url: string;
  /** `host:port` as the browser sees it. */
  host: string;
  access_log: string;
  /** Limits every response to this many body bytes a second, from the next request on; null takes the limit away. */
  throttle(bytes_per_s: number | null): Promise<void>;
}

interface Place {
  folder: string;
  http_port: number;
  rtmp_port: number;
}

export async function startEdge(children: Children, cdn: Cdn, place: Place): Promise<Edge> {
  const { folder, http_port, rtmp_port } = place;
  for (const sub of ["hls", "tmp"]) mkdirSync(path.join(folder, sub), { recursive: true });
  chmodSync(folder, 0o755);
  const file = path.join(folder, "nginx.conf");
  const nginx = (...more: string[]): string[] => ["-p", folder, "-c", file, "-e", path.join(folder, "error.log"), ...more];
  writeFileSync(file, configuration(place, null));
  await run("nginx", nginx("-t", "-q"));
  await children.start(cdn, "nginx", nginx());
  await until(`${cdn} answers`, 5_000, async () => (await fetch(`http://127.0.0.1:${http_port}/alive`)).ok || undefined);
  return {
    cdn,
    push_url: `rtmp://127.0.0.1:${rtmp_port}/live/${STREAM}`,
    playlist_url: `http://127.0.0.1:${http_port}/${STREAM}.m3u8`,
    host: `127.0.0.1:${http_port}`,
    access_log: path.join(folder, "access.log"),
    async throttle(bytes_per_s: number | null) {
      writeFileSync(file, configuration(place, bytes_per_s));
      await run("nginx", nginx("-s", "reload"));
      // The old worker lives on for the broadcaster's connection. It closes idle viewers' connections and
      // answers no second request on a busy one, so every request from here on meets the limit.
      await until(`${cdn} is throttled`, 5_000, async () => {
        const answer = await fetch(`http://127.0.0.1:${http_port}/alive`, { headers: { connection: "close" } });
        return (await answer.text()) === String(bytes_per_s ?? "free") || undefined;
      });
    },
  };
}

/** Waits until the edge's playlist names enough segments for a player to start at once. */
export async function onAir(edge: Edge, folder: string): Promise<void> {
  const playlist = path.join(folder, "hls", `${STREAM}.m3u8`);
  await until(`${edge.cdn} is on air`, 30_000, async () => {
    if (!existsSync(playlist)) return undefined;
    return readFileSync(playlist, "utf8").split("#EXTINF").length > 4 || undefined;
  });
}

// `body` is what the edge put on the wire below the headers; `length` is what it promised.
const LOG_FORMAT = [
  `"msec":$msec`,
  `"method":"$request_method"`,
  `"path":"$uri"`,
  `"id":"$request_id"`,
  `"agent":"$http_user_agent"`,
  `"status":$status`,
  `"body":$body_bytes_sent`,
  `"length":"$sent_http_content_length"`,
  `"completion":"$request_completion"`,
  `"seconds":$request_time`,
  `"connection":$connection`,
].join(",");

function configuration({ folder, http_port, rtmp_port }: Place, bytes_per_s: number | null): string {
  const root = process.getuid?.() === 0 ? "user root;" : "";
  return `# Written by the lab; a new one at every change.
${root}
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 256; }

rtmp {
  access_log off;
  server {
    listen 127.0.0.1:${rtmp_port};
    application live {
      live on;
      allow publish 127.0.0.1;
      hls on;
      hls_path ${folder}/hls;
      hls_fragment 2s;
      hls_playlist_length 20s;
    }
  }
}

http {
  log_format meter escape=json '{${LOG_FORMAT}}';
  access_log ${folder}/access.log meter;
  client_body_temp_path ${folder}/tmp/body;
  proxy_temp_path ${folder}/tmp/proxy;
  fastcgi_temp_path ${folder}/tmp/fastcgi;
  uwsgi_temp_path ${folder}/tmp/uwsgi;
  scgi_temp_path ${folder}/tmp/scgi;
  types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; application/dash+xml mpd; video/mp4 m4s mp4; }
  gzip off;       # the browser counts decoded bytes, the log counts sent ones: they are the same only unpacked
  etag off;       # nothing is answered by "not modified"
  if_modified_since off;
  ${bytes_per_s === null ? "" : `limit_rate ${bytes_per_s};`}

  server {
    listen 127.0.0.1:${http_port};
    root ${folder}/hls;
    add_header Access-Control-Allow-Origin * always;
    add_header Timing-Allow-Origin * always;
    add_header Cache-Control no-store always;
    add_header X-Request-Id $request_id always;
    add_header Access-Control-Expose-Headers X-Request-Id always;
    location = /alive { access_log off; return 200 "${bytes_per_s ?? "free"}"; }
  }
}
`;
}
