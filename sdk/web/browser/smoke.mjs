// A real browser, real hls.js, real bytes: plays a clip from edge A, starves it, moves to edge B, seeks,
// pauses, closes the page, and compares what the meter reported with what the edges sent.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { startEdge, startIngest } from './server.mjs';

const here = new URL('.', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'livemeter-web-'));
const wait = (ms) => new Promise((go) => setTimeout(go, ms));

function makeClip() {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25', '-f', 'lavfi', '-i', 'sine=frequency=440'];
  const video = ['-t', '90', '-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '300k', '-maxrate', '300k', '-bufsize', '300k', '-g', '50', '-pix_fmt', 'yuv420p'];
  execFileSync('ffmpeg', ['-v', 'error', ...source, ...video, '-c:a', 'aac', '-b:a', '64k', '-f', 'hls', '-hls_time', '2', '-hls_list_size', '0', join(folder, 'index.m3u8')]);
  cpSync(join(here, 'page.html'), join(folder, 'page.html'));
  cpSync(join(here, '../node_modules/hls.js/dist/hls.min.js'), join(folder, 'hls.min.js'));
  cpSync(join(here, '../dist/livemeter.iife.js'), join(folder, 'livemeter.iife.js'));
}

async function openPlayer(browser, edgeA, edgeB, ingest) {
  const page = await browser.newPage();
  const noise = [];
  page.on('console', (message) => /status of 503/.test(message.text()) || noise.push(message.text()));
  page.on('pageerror', (error) => noise.push(String(error)));
  await page.goto(`http://${edgeA.host}/page.html`);
  await page.evaluate(([endpoint, a, b]) => {
    const video = document.getElementById('video');
    const hls = new Hls({ maxBufferLength: 6, maxMaxBufferLength: 6 });
    const meter = Livemeter.attachHls(hls, video, {
      endpoint, app: 'demo', userId: 'u-1', programmeId: 'clip', heartbeatMs: 2000, cdnOf: { [a]: 'cdn-a', [b]: 'cdn-b' },
    });
    hls.loadSource(`http://${a}/index.m3u8`);
    hls.attachMedia(video);
    video.play();
    Object.assign(window, { hls, meter, video });
    // An independent judge: the playhead, every 50 ms. It stood still since the look before the one that found it so.
    window.judge = { stalls: 0, ms: 0, since: 0, last: 0, lookedAt: 0 };
    setInterval(() => {
      const { judge } = window;
      const now = performance.now();
      const still = video.currentTime === judge.last && !video.paused && !video.seeking && video.currentTime > 0;
      if (still && !judge.since) judge.since = judge.lookedAt;
      if (!still && judge.since) {
        if (now - judge.since > 200) (judge.stalls += 1), (judge.ms += now - judge.since);
        judge.since = 0;
      }
      Object.assign(judge, { last: video.currentTime, lookedAt: now });
    }, 50);
  }, [ingest.url, edgeA.host, edgeB.host]);
  return { page, noise };
}

async function until(what, holds) {
  const patience = Date.now() + 30_000;
  while (!holds()) {
    assert.ok(Date.now() < patience, `waited half a minute for ${what}`);
    await wait(50);
  }
}

const media = (log) => log.filter(({ path }) => /\.(ts|m3u8)$/.test(path));
const sum = (log, completed) => media(log).filter((e) => e.completed === completed).reduce((n, e) => n + e.bytes, 0);
const counter = (counters, cdn) => counters.find((c) => c.cdn === cdn) ?? assert.fail(`no counters of ${cdn}`);

async function main() {
  makeClip();
  const [edgeA, edgeB, ingest] = [await startEdge(folder), await startEdge(folder), await startIngest()];
  // The first playlist fails once: hls.js tries again by itself, and both answers count.
  edgeA.failing = 1;
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required', '--mute-audio'],
  });
  try {
    const { page, noise } = await openPlayer(browser, edgeA, edgeB, ingest);
    await page.waitForFunction(() => window.video.currentTime > 4, null, { timeout: 30_000 });
    edgeA.bytesPerSecond = 5_000;
    await page.waitForFunction(() => window.meter.debug().state === 'r', null, { timeout: 60_000 });
    // Long enough that neither a look nor a frame more or less is a matter of per cent.
    await wait(5000);
    // The same player moves to the other edge: the stall goes on until B's picture comes.
    await page.evaluate((host) => {
      const at = window.video.currentTime;
      window.hls.config.startPosition = at;
      window.hls.loadSource(`http://${host}/index.m3u8`);
      window.video.play();
    }, edgeB.host);
    await page.waitForFunction(() => window.meter.debug().state === 'p', null, { timeout: 30_000 });
    await wait(4000);
    const judged = await page.evaluate(() => ({ ...window.judge }));
    const stallsBeforeSeek = (await page.evaluate(() => window.meter.debug())).counters;

    await page.evaluate(() => (window.video.currentTime += 30));
    await wait(3000);
    await page.evaluate(() => window.video.pause());
    await wait(1000);
    const paused = await page.evaluate(() => window.meter.debug());
    await page.evaluate(() => window.video.play());
    await wait(2000);
    // Leave with a segment in flight.
    edgeB.bytesPerSecond = 10_000;
    await page.evaluate(() => (window.video.currentTime = 2));
    await until('a segment of B to be under way', () => edgeB.log.some((e) => !e.completed && e.bytes > 8_000));
    const last = await page.evaluate(() => window.meter.debug());
    await page.close({ runBeforeUnload: false });
    await wait(1500);

    const events = ingest.events();
    const end = events.filter((e) => e.type === 'session_end');
    const stalls = events.filter((e) => e.type === 'stall');
    const report = { judged, last, noise, stalls, end, types: events.map((e) => e.type).join(' '), A: [sum(edgeA.log, true), sum(edgeA.log, false)], B: [sum(edgeB.log, true), sum(edgeB.log, false)] };
    if (process.env.VERBOSE) console.log(JSON.stringify(report, null, 1));
    else console.log(JSON.stringify({ judged, last, noise, A: report.A, B: report.B }));
    assert.equal(end.length, 1, 'one session_end by beacon');
    assert.deepEqual(ingest.batches.filter((b) => !b.type.startsWith('text/plain') || b.method !== 'POST'), [], 'text/plain posts only, so no preflight');
    assert.equal(last.errors, 0, `no errors inside: ${last.lastError}`);
    const a = counter(end[0].counters, 'cdn-a');
    const b = counter(end[0].counters, 'cdn-b');
    assert.equal(a.bytes, sum(edgeA.log, true), 'completed bytes of A');
    assert.equal(b.bytes, sum(edgeB.log, true), 'completed bytes of B');
    assert.ok(a.aborted_bytes > 0 && a.aborted_bytes <= sum(edgeA.log, false), `A aborted: ${a.aborted_bytes} of ${sum(edgeA.log, false)} sent`);
    assert.ok(b.aborted_bytes > 0 && b.aborted_bytes <= sum(edgeB.log, false), `B in flight: ${b.aborted_bytes} of ${sum(edgeB.log, false)} sent`);
    assert.ok(a.stalls >= 1, 'a stall on A');
    assert.equal(b.stalls, 0, 'none on B: seeks and pauses are none');
    assert.equal(a.stalls, judged.stalls, 'as many stalls as the judge saw');
    assert.ok(Math.abs(a.stall_ms - judged.ms) <= 0.1 * judged.ms, `stall time ${a.stall_ms} against the judge's ${judged.ms}`);
    assert.equal(paused.state, 'a');
    const times = Object.values(last.times).reduce((n, ms) => n + ms, 0);
    assert.ok(times > 0 && a.play_ms + b.play_ms <= last.times.p + 1500, 'play time is time in state p');
    assert.deepEqual(events.filter((e) => e.type === 'cdn_switch').map((e) => [e.from_cdn, e.to_cdn, e.reason]), [['cdn-a', 'cdn-b', 'stall']]);
    assert.deepEqual(events.map((e) => e.seq).sort((x, y) => x - y), [...new Set(events.map((e) => e.seq))].map((_, i) => i), 'seq without gaps or repeats');
    assert.deepEqual(noise, [], 'nothing on the console');
    console.log(JSON.stringify({
      browser: 'ok',
      'cdn-a': { meter_bytes: a.bytes, sent_bytes: sum(edgeA.log, true), aborted_bytes: a.aborted_bytes, sent_aborted_bytes: sum(edgeA.log, false), stalls: a.stalls, stall_ms: a.stall_ms },
      'cdn-b': { meter_bytes: b.bytes, sent_bytes: sum(edgeB.log, true), aborted_bytes: b.aborted_bytes, sent_aborted_bytes: sum(edgeB.log, false), stalls: b.stalls },
      judge: { stalls: judged.stalls, stall_ms: Math.round(judged.ms) }, events: events.length,
    }));
  } finally {
    await browser.close();
    for (const { server } of [edgeA, edgeB, ingest]) server.close(), server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  }
}

// The verdict comes last, where a log's tail shows it.
await main().catch((error) => {
  console.error(error);
  console.error(`browser: FAILED: ${error.message}`);
  process.exitCode = 1;
});
