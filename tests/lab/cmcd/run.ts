// `make cmcd`: hls.js, dash.js and Shaka Player in Chromium, each with its own CMCD reporter and no SDK of ours, posting
// to the real ingest, from an edge that is throttled half way; and the Common Media Library's reporter without a player.
// The ledger is compared with what the pages saw. The last line on standard output is for programs.

import { validateCmcdEventReport } from "@svta/cml-cmcd";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { loop, onDemand } from "../broadcast.ts";
import { Children, freePorts, sleep, until } from "../children.ts";
import { startEdge, type Edge } from "../edges.ts";
import { judge, type Rule } from "../judge.ts";
import { sql } from "../meter.ts";
import { openSite, type Site } from "../pages.ts";
import { startServices, type Services } from "../services.ts";
import { settings as read } from "../settings.ts";
import { ARGS } from "../viewers.ts";
import { reasons, seen, type Compared, type Metered } from "./compare.ts";
import { PLAYERS, type PageSettings, type Player, type Seen } from "./contract.ts";
import { synthetic, type Truth } from "./reporter.ts";

const APP = "cmcd";
/** When the edge is throttled, for how long at least and at most, and how long everybody stays after that. */
const THROTTLE_AT_MS = 9_000;
const THROTTLED_MS = 7_000;
const THROTTLED_MS_MAX = 16_000;
const RECOVERED_MS = 14_000;
/** Players hold more or less ahead of the picture: the throttle stays until each has stood still for so long. */
const BITTEN_MS = 1_200;
/** Body bytes a second and response: two fifths of the stream's rate, so that players run dry and segments still end. */
const THROTTLED_BYTES_PER_S = 18_000;

/** A player tells what it waited for; a hiccup of a busy machine it does not. */
const RULE: Rule = { stall_ms_min: 500, steady_samples: 4 };
const ANY: Rule = { ...RULE, stall_ms_min: 150 };

interface Post {
  body: string;
  headers: Record<string, string>;
  status: number;
}

interface Viewer {
  player: Player;
  session: string;
  page: Page;
  posts: Post[];
}

const settings = { ...read(process.env) };
settings.artefacts = path.join(settings.artefacts, "..", "cmcd");
mkdirSync(path.join(settings.artefacts, "logs"), { recursive: true });
const children = new Children(path.join(settings.artefacts, "logs"));
const scratch = mkdtempSync(path.join(os.tmpdir(), "livemeter-cmcd-"));
const say = (text: string): void => console.log(`${new Date().toISOString().slice(11, 19)}  ${text}`);
let browser: Browser | undefined;
let site: Site | undefined;

async function main(): Promise<{ line: object; wrong: string[] }> {
  const [edge_port, rtmp_port, broker, ingest, processor, query] = (await freePorts(6)) as [number, number, number, number, number, number];
  const edge = await startEdge(children, "cdn-a", { folder: path.join(scratch, "cdn-a"), http_port: edge_port, rtmp_port });
  await onDemand(await loop(settings.artefacts), path.join(scratch, "cdn-a", "hls"));
  say("broker, ingest, processor, query");
  const services = await startServices(children, settings, scratch, { broker, ingest, processor, query }, ["--cmcd-hosts", `${edge.host}=cdn-a`]);
  site = await openSite(settings, { html: "cmcd/index.html", script: "cmcd/page.ts", sdk: false });
  const started = Date.now();
  const truth = await synthetic(`${services.cmcd_url}?app=${APP}`, `synthetic-${started}`, 12);
  say(`the library's reporter: ${truth.posts} posts, ${truth.repeated} of them sent again`);
  browser = await chromium.launch({ executablePath: settings.chromium, args: ARGS, headless: true });
  const viewers = await Promise.all(PLAYERS.map((player) => seat(player, `${player}-${started}`, edge, services)));
  await show(edge, viewers);
  const said = await Promise.all(viewers.map(({ page }) => page.evaluate(() => window.viewer.seen())));
  await browser.close();
  await until("the ledger has everything", settings.settle_ms_max, async () => ((await services.lag()) === 0 && (await knows(services, viewers)) ? true : undefined), 1_000);
  const audit = await services.audit();
  say(`audit: ${audit.trim().split("\n").at(-1) ?? ""}`);
  const compared = await Promise.all(viewers.map((viewer, i) => compare(services, viewer, said[i]!)));
  const found = await metered(services, truth.session, "cdn-s");
  const wrong = [...compared.flatMap(reasons), ...known(truth, found)];
  keep("seen.json", said);
  keep("posts.json", viewers.map(({ player, posts }) => ({ player, posts })));
  keep("compared.json", { compared, truth, found });
  for (const of of compared) say(JSON.stringify(of));
  const figures = Object.fromEntries(compared.map((of) => [of.player, of]));
  return { line: { cmcd: wrong.length === 0 ? "ok" : "failed", ...figures, reporter: { ...truth, meter: found } }, wrong };
}

async function seat(player: Player, session: string, edge: Edge, services: Services): Promise<Viewer> {
  const page = await (await browser!.newContext({ viewport: { width: 320, height: 180 } })).newPage();
  const viewer: Viewer = { player, session, page, posts: [] };
  page.on("pageerror", (error) => say(`${player}: ${error.message}`));
  page.on("requestfinished", async (request) => {
    if (request.method() !== "POST" || !request.url().startsWith(services.cmcd_url)) return;
    const answer = await request.response();
    viewer.posts.push({ body: request.postData() ?? "", headers: request.headers(), status: answer?.status() ?? 0 });
  });
  const media_url = `http://${edge.host}/${player === "hls.js" ? "vod.m3u8" : "vod.mpd"}`;
  const { sample_every_ms } = settings;
  const of_page: PageSettings = { player, session, programme: "vod", collector_url: `${services.cmcd_url}?app=${APP}`, media_url, sample_every_ms };
  await page.goto(site!.address(of_page));
  return viewer;
}

async function show(edge: Edge, viewers: Viewer[]): Promise<void> {
  say(PLAYERS.join(" and "));
  await sleep(THROTTLE_AT_MS);
  await edge.throttle(THROTTLED_BYTES_PER_S);
  say(`the edge is throttled to ${THROTTLED_BYTES_PER_S} bytes/s a response`);
  await Promise.all([sleep(THROTTLED_MS), bitten(viewers)]);
  await edge.throttle(null);
  say("the edge is free");
  await sleep(RECOVERED_MS);
  await Promise.all(viewers.map(({ page }) => page.evaluate(() => window.viewer.leave())));
  // The last reports go out, and their answers come.
  await sleep(2_500);
}

/** Until every viewer has stalled, or it is for the comparison to say who has not. */
async function bitten(viewers: Viewer[]): Promise<void> {
  const stood = async ({ page }: Viewer): Promise<boolean> => {
    const { samples } = await page.evaluate(() => window.viewer.seen());
    return seen(judge(samples, RULE)).stall_ms >= BITTEN_MS;
  };
  const all = async (): Promise<true | undefined> => ((await Promise.all(viewers.map(stood))).every(Boolean) ? true : undefined);
  await until("every viewer has stalled", THROTTLED_MS_MAX, all, 500).catch((error: unknown) => say(String(error)));
}

async function knows(services: Services, viewers: Viewer[]): Promise<boolean> {
  const rows = await sql(services, `SELECT DISTINCT session_id FROM increments WHERE app = '${APP}'`).catch(() => []);
  return viewers.every(({ session }) => rows.some((row) => row.session_id === session));
}

/** On the CDN that the hosts' table, or the reporter, names: nowhere else. */
async function metered(services: Services, session: string, cdn: string): Promise<Metered> {
  const sums = "SUM(play_ms) AS play_ms, SUM(stall_ms) AS stall_ms, SUM(stalls) AS stalls, SUM(bytes) AS bytes";
  const [row] = await sql(services, `SELECT ${sums} FROM increments WHERE app = '${APP}' AND session_id = '${session}' AND cdn = '${cdn}' AND status = 'booked'`);
  const of = (name: string): number => Number(row?.[name] ?? 0);
  return { play_ms: of("play_ms"), stall_ms: of("stall_ms"), stalls: of("stalls"), bytes: of("bytes") };
}

async function startups(services: Services, session: string): Promise<number[]> {
  const rows = await sql(services, `SELECT startup_ms FROM events WHERE app = '${APP}' AND session_id = '${session}' AND type = 'playback_start'`);
  return rows.map((row) => Number(row.startup_ms));
}

async function compare(services: Services, { player, session, posts }: Viewer, said: Seen): Promise<Compared> {
  // hls.js ends its bodies with a line feed, which the standard's validator does not like and the collector trims.
  const valid = posts.filter(({ body, headers }) => validateCmcdEventReport({ url: services.cmcd_url, method: "POST", headers, body: body.trimEnd() }).valid).length;
  const taken = posts.filter(({ status }) => status === 204).length;
  const startups_ms = await startups(services, session);
  const bytes_told = player === "dash.js" ? null : said.bytes_told;
  const of_page = seen(judge(said.samples, RULE));
  const short_stalls = seen(judge(said.samples, ANY)).stalls - of_page.stalls;
  const reports = { posted: posts.length, taken, valid };
  return { player, meter: await metered(services, session, "cdn-a"), seen: of_page, short_stalls, startups_ms, bytes_told, reports };
}

/** The reporter without a player: to the millisecond. */
function known(truth: Truth, found: Metered): string[] {
  const names = ["play_ms", "stall_ms", "stalls", "bytes"] as const;
  const wrong = names.filter((name) => truth[name] !== found[name]).map((name) => `reporter: ${name} is ${found[name]} in the ledger, ${truth[name]} in truth`);
  return truth.repeated > 0 ? wrong : [...wrong, "reporter: nothing was sent twice"];
}

function keep(name: string, what: unknown): void {
  writeFileSync(path.join(settings.artefacts, name), JSON.stringify(what, null, 1));
}

let ended: { line: object; wrong: string[] } = { line: { cmcd: "failed" }, wrong: [] };
try {
  ended = await main();
} catch (error) {
  ended.wrong = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
} finally {
  await browser?.close();
  await site?.close();
  await children.stop();
  rmSync(scratch, { recursive: true, force: true });
}
for (const reason of ended.wrong) console.error(`cmcd: ${reason}`);
console.log(JSON.stringify(ended.line));
process.exit(ended.wrong.length === 0 ? 0 : 1);
