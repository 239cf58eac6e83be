// The smoke test's world: a player page, two "CDN" hosts that count each body byte they send, and an
// ingest that records batches. Plain Node, loopback only, free ports.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const TYPES = { '.m3u8': 'application/vnd.apple.mpegurl', '.ts': 'video/mp2t', '.js': 'text/javascript', '.html': 'text/html', '.mjs': 'text/javascript' };

function listen(handle) {
  const server = createServer((req, res) => handle(req, res).catch(() => res.writeHead(404).end('no such file')));
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done({ server, port: server.address().port })));
}

/** Serves `folder`; `log` gets `{ path, bytes, completed }` for each request. `edge.bytesPerSecond` throttles when set. */
export async function startEdge(folder) {
  const edge = { log: [], bytesPerSecond: 0, failing: 0, server: null, port: 0, host: '' };
  const { server, port } = await listen(async (req, res) => {
    const path = new URL(req.url, 'http://x').pathname;
    const entry = { path, bytes: 0, completed: false };
    edge.log.push(entry);
    const headers = { 'access-control-allow-origin': '*', 'timing-allow-origin': '*', 'cache-control': 'no-store' };
    if (edge.failing > 0 && /\.(ts|m3u8)$/.test(path)) {
      edge.failing -= 1;
      const sorry = 'the edge is tired';
      Object.assign(entry, { bytes: sorry.length, completed: true });
      return res.writeHead(503, headers).end(sorry);
    }
    let body = await readFile(join(folder, path));
    headers['content-type'] = TYPES[path.slice(path.lastIndexOf('.'))] ?? 'application/octet-stream';
    // Zipped without a length, as nginx does it on the fly: the unzipped length would be wrong.
    const zipped = path.endsWith('.m3u8') && /gzip/.test(req.headers['accept-encoding'] ?? '');
    if (zipped) {
      body = gzipSync(body);
      headers['content-encoding'] = 'gzip';
    } else headers['content-length'] = body.length;
    res.writeHead(200, headers);
    let gone = false;
    res.on('close', () => (gone = true));
    for (let at = 0; at < body.length && !gone; ) {
      const step = edge.bytesPerSecond ? Math.ceil(edge.bytesPerSecond / 20) : body.length;
      const part = body.subarray(at, at + step);
      if (!res.write(part)) await new Promise((go) => (res.once('drain', go), res.once('close', go)));
      at += part.length;
      entry.bytes = at;
      if (edge.bytesPerSecond) await new Promise((go) => setTimeout(go, 50));
    }
    if (!gone) res.end(() => (entry.completed = true));
  });
  return Object.assign(edge, { server, port, host: `127.0.0.1:${port}` });
}

/** Records every batch that arrives. */
export async function startIngest() {
  const ingest = { batches: [], server: null, url: '' };
  const { server, port } = await listen(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const batch = JSON.parse(Buffer.concat(chunks).toString());
    ingest.batches.push({ batch, type: req.headers['content-type'], method: req.method, mode: req.headers['sec-fetch-mode'], at: Date.now() });
    const answer = { accepted: batch.events.length, refused: 0, heartbeat_ms: 2000, events: batch.events.map(() => ({ status: 'accepted' })) };
    res.writeHead(200, {
      'content-type': 'application/json',
      'access-control-allow-origin': req.headers.origin ?? '*',
      'access-control-allow-credentials': 'true',
    });
    res.end(JSON.stringify(answer));
  });
  return Object.assign(ingest, { server, url: `http://127.0.0.1:${port}/v1/events`, events: () => ingest.batches.flatMap((b) => b.batch.events) });
}
