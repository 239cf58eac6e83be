// The lab, in the order of things: edges and broadcast, Livemeter, an audience, a throttle, and the comparison.
// The last line on standard output is for programs; why it failed goes to standard error.

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { billed } from "./bill.ts";
import { broadcast, loop } from "./broadcast.ts";
import { Children, freePorts, run, sleep, tail } from "./children.ts";
import { lastLine, reasons, type Figures } from "./compare.ts";
import { onAir, startEdge, type Edge } from "./edges.ts";
import { figures, witnessed } from "./evidence.ts";
import { ask, settled } from "./meter.ts";
import { openSite, type Site } from "./pages.ts";
import { glance, tables } from "./report.ts";
import { startServices, type Services } from "./services.ts";
import { APP, CDNS, PROGRAMME, VIEWERS, settings as read, type Settings } from "./settings.ts";
import { Audience } from "./viewers.ts";

const started_ms = Date.now();
const say = (text: string): void => console.log(`${((Date.now() - started_ms) / 1000).toFixed(0).padStart(4)} s  ${text}`);

/** What must be put away again, whatever happens. */
interface Open {
  children: Children;
  scratch: string;
  site?: Site;
  audience?: Audience;
}

async function main(): Promise<void> {
  const settings = read(process.env);
  await check(settings);
  clear(settings.artefacts);
  const open: Open = { children: new Children(path.join(settings.artefacts, "logs")), scratch: mkdtempSync(path.join(os.tmpdir(), "livemeter-lab-")) };
  const cut_short = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => reject(new Error(`stopped by ${signal}`)));
    open.children.onDeath((child, how) => reject(new Error(`${child.name} ended by itself (${how}):\n${tail(child)}`)));
  });
  let wrong: string[] = [];
  let line = JSON.stringify({ lab: "failed" });
  try {
    const found = await Promise.race([lab(settings, open), cut_short]);
    wrong = reasons(found);
    line = lastLine(found, wrong.length === 0);
  } catch (error) {
    wrong = [error instanceof Error ? error.message : String(error)];
  } finally {
    await tidy(settings, open);
  }
  keep(settings, "result.json", { ...(JSON.parse(line) as object), reasons: wrong });
  for (const reason of wrong) console.error(`lab: ${reason}`);
  console.log(line);
  process.exit(wrong.length === 0 ? 0 : 1);
}

async function lab(settings: Settings, open: Open): Promise<Figures> {
  const { children, scratch } = open;
  const ports = await freePorts(8);
  const port = (i: number): number => ports[i] ?? 0;
  say("edges cdn-a and cdn-b, and a broadcast to both");
  const folder = (cdn: string): string => path.join(scratch, cdn);
  const edges: Edge[] = [];
  for (const [i, cdn] of CDNS.entries()) {
    edges.push(await startEdge(children, cdn, { folder: folder(cdn), http_port: port(2 * i), rtmp_port: port(2 * i + 1) }));
  }
  await broadcast(children, await loop(settings.artefacts), edges.map((edge) => edge.push_url));

  say("broker, topics, ingest, processor, query");
  const services = await startServices(children, settings, scratch, { broker: port(4), ingest: port(5), processor: port(6), query: port(7) });
  const site = (open.site = await openSite(settings));
  await Promise.all(edges.map((edge) => onAir(edge, folder(edge.cdn))));

  say(`${VIEWERS.length} viewers for ${settings.watch_ms / 1000} s`);
  const audience = (open.audience = await Audience.gather(settings.chromium));
  await watch(settings, edges, services, site, audience);

  say("everybody has left; waiting for the ledger");
  await settled(services, VIEWERS.length, settings.settle_ms_max);
  const answer = await ask(services);
  const logs = edges.map((edge) => ({ cdn: edge.cdn, text: readFileSync(edge.access_log, "utf8") }));
  const seen = witnessed(VIEWERS.map(({ name, starts_on }) => ({ name, starts_on, testimony: site.testimony(name) })));
  say("the bill check");
  const bill = await billed(settings, services, path.join(scratch, "bills"), edges.map((edge, i) => ({ cdn: edge.cdn, file: edge.access_log, text: logs[i]?.text ?? "" })));
  const found = { ...figures(answer, logs, seen), bill };
  const network = Object.fromEntries(audience.viewers.map((v) => [v.name, v.network]));
  keep(settings, "figures.json", { figures: found, answer, stalls_seen: seen.map(({ name, verdict }) => ({ name, ...verdict })) });
  for (const { name } of VIEWERS) keep(settings, `${name}.json`, { ...site.testimony(name), network: network[name] });
  console.log(`\n${tables(found, answer, Object.fromEntries(seen.map((s) => [s.name, s.verdict.blind_ms])))}`);
  return found;
}

/** The show: everybody watches, half way edge A is throttled, at the end everybody leaves. */
async function watch(settings: Settings, edges: Edge[], services: Services, site: Site, audience: Audience): Promise<void> {
  const cdns = Object.fromEntries(edges.map(({ cdn, playlist_url, host }) => [cdn, { playlist_url, host }]));
  for (const { name, starts_on } of VIEWERS) {
    const { switch_after_stalled_ms, sample_every_ms } = settings;
    const page = { viewer: name, app: APP, programme: PROGRAMME, ingest_url: services.events_url, cdn: starts_on, cdns };
    await audience.seat(site, { ...page, switch_after_stalled_ms, sample_every_ms });
  }
  const began_ms = Date.now();
  const at = async (ms: number): Promise<void> => {
    while (Date.now() - began_ms < ms) {
      await sleep(Math.min(5_000, began_ms + ms - Date.now()));
      say(VIEWERS.map(({ name }) => `${name.replace("viewer-", "#")} ${glance(site.testimony(name))}`).join(" · "));
    }
  };
  await at(settings.throttle_at_ms);
  for (const edge of edges.filter((e) => e.cdn === "cdn-a")) await edge.throttle(settings.throttled_bytes_per_s);
  say(`cdn-a is throttled to ${settings.throttled_bytes_per_s} bytes/s a response`);
  await at(settings.watch_ms);
  await audience.photograph(settings.artefacts);
  keep(settings, "sdk.json", await audience.debug());
  await audience.leave(site);
}

/** Says what is missing before anything is started. */
async function check(settings: Settings): Promise<void> {
  const missing: string[] = [];
  for (const [program, args] of [["nginx", ["-v"]], ["ffmpeg", ["-version"]]] as const) {
    await run(program, [...args]).catch(() => missing.push(`${program} (Debian package ${program})`));
  }
  const files = [
    ["/usr/lib/nginx/modules/ngx_rtmp_module.so", "Debian package libnginx-mod-rtmp"],
    [settings.chromium, "Debian package chromium, or CHROMIUM"],
    [path.join(settings.bin, "livemeter"), "cargo build, or LIVEMETER_BIN_DIR"],
    [path.join(settings.bin, "livemeter-broker"), "cargo build --workspace, or LIVEMETER_BIN_DIR"],
    [path.join(settings.sdk, "dist/livemeter.iife.js"), "npm ci && npm run build in sdk/web"],
  ] as const;
  for (const [file, from] of files) if (!existsSync(file)) missing.push(`${file} (${from})`);
  if (missing.length > 0) throw new Error(`missing: ${missing.join("; ")}`);
}

/** The last run's artefacts go; the encoded loop stays. */
function clear(artefacts: string): void {
  mkdirSync(artefacts, { recursive: true });
  for (const name of readdirSync(artefacts)) if (!name.startsWith("loop-")) rmSync(path.join(artefacts, name), { recursive: true });
  mkdirSync(path.join(artefacts, "logs"));
}

function keep(settings: Settings, name: string, what: unknown): void {
  writeFileSync(path.join(settings.artefacts, name), JSON.stringify(what, null, 1));
}

async function tidy(settings: Settings, { children, scratch, site, audience }: Open): Promise<void> {
  await audience?.close();
  await site?.close();
  await children.stop();
  for (const cdn of CDNS) {
    for (const log of ["access.log", "error.log"]) {
      const from = path.join(scratch, cdn, log);
      if (existsSync(from)) copyFileSync(from, path.join(settings.artefacts, "logs", `${cdn}-${log}`));
    }
  }
  rmSync(scratch, { recursive: true, force: true });
}

await main().catch((error: Error) => {
  console.error(`lab: ${error.message}`);
  console.log(JSON.stringify({ lab: "failed" }));
  process.exit(1);
});
