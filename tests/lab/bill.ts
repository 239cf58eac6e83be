// The bill check over the lab: both edges' access logs as vendors' logs, and for each an invoice with one planted error.
// The service must name both; its evidence must come to the same figures in DuckDB. Money is of this test alone.

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "./children.ts";
import { parse } from "./logs.ts";
import type { Services } from "./services.ts";
import { CDNS, type Cdn, type Settings } from "./settings.ts";

export interface BillFigures {
  planted: number;
  /** Planted errors that the check has named. */
  found: number;
  /** Whether DuckDB alone came to the figures of every bundle. */
  evidence_equal: boolean;
  /** What else went wrong, in words. */
  wrong: string[];
}

/** What each edge's invoice gets wrong. */
export const PLANTED: Record<Cdn, "wrong_unit" | "day_billed_twice"> = { "cdn-a": "wrong_unit", "cdn-b": "day_billed_twice" };
/** Of a gigabyte. High, so that a lab's few megabytes are money. */
const PRICE = 1_000_000n;
const GIGABYTE = 1_000_000_000n;
const GIBIBYTE = 1_073_741_824n;

const vendorOf = (cdn: Cdn): string => cdn.replace("cdn", "edge");

export async function billed(settings: Settings, services: Services, root: string, logs: readonly { cdn: Cdn; file: string; text: string }[]): Promise<BillFigures> {
  const figures: BillFigures = { planted: CDNS.length, found: 0, evidence_equal: true, wrong: [] };
  papers(root);
  const python = (await run(path.join(settings.room, "../readers/fetch"), ["files"])).trim();
  for (const { cdn, file, text } of logs) {
    const days = bytesByDay(text);
    const [first, last] = [days[0]?.day ?? "", days.at(-1)?.day ?? ""];
    writeFileSync(path.join(root, `${cdn}.toml`), contract(cdn, first));
    writeFileSync(path.join(root, `${cdn}.csv`), invoice(cdn, days));
    const livemeter = path.join(settings.bin, "livemeter");
    const papersOf = ["--vendor", vendorOf(cdn), "--bills", root];
    await run(livemeter, ["bill", "contract", "add", path.join(root, `${cdn}.toml`), "--bills", root]);
    await run(livemeter, ["logs", "import", file, "--format", "lab", ...papersOf]);
    await run(livemeter, ["bill", "invoice", "import", path.join(root, `${cdn}.csv`), "--template", "lab", ...papersOf]);
    const question = new URLSearchParams({ contract: cdn, period: `${first}..${last}` }).toString();
    const check = await fetch(`${services.query_url}/v1/bills/check?${question}`);
    const told = (await check.json()) as { causes?: { cause: string }[] };
    writeFileSync(path.join(settings.artefacts, `bill-${cdn}.json`), JSON.stringify(told, null, 1));
    const causes = new Set((told.causes ?? []).map((cause) => cause.cause));
    if (causes.has(PLANTED[cdn])) figures.found += 1;
    else figures.wrong.push(`${cdn}: the bill check found ${[...causes].join(", ") || "nothing"}, planted was ${PLANTED[cdn]}`);
    for (const other of causes) if (other !== PLANTED[cdn]) figures.wrong.push(`${cdn}: the bill check also found ${other}, which was not planted`);
    await recompute(python, settings, `${services.query_url}/v1/bills/evidence?${question}`, cdn).catch((error: Error) => {
      figures.evidence_equal = false;
      figures.wrong.push(`${cdn}: the evidence does not recompute: ${error.message}`);
    });
  }
  return figures;
}

/** The edges' own log format, and the invoices' columns. */
function papers(root: string): void {
  for (const folder of ["formats", "templates"]) mkdirSync(path.join(root, folder), { recursive: true });
  const format = { time: "msec", bytes: "body", request_id: "id", url: "path", status: "status" };
  const fields = Object.entries(format).map(([name, key]) => `${name} = "${key}"`);
  writeFileSync(path.join(root, "formats/lab.toml"), ['name = "lab"', 'lines = "json"', "[fields]", ...fields, "[time]", 'format = "unix"', ""].join("\n"));
  const columns = ["period", "item", "quantity", "unit", "amount"].map((name) => `${name} = "${name}"`);
  writeFileSync(path.join(root, "templates/lab.toml"), ['name = "lab"', 'tz = "UTC"', 'currency = "USD"', "[columns]", ...columns, ""].join("\n"));
}

function contract(cdn: Cdn, from: string): string {
  return [
    `id = "${cdn}"`,
    "version = 1",
    `vendor = "${vendorOf(cdn)}"`,
    'currency = "USD"',
    'zone = "UTC"',
    `valid_from = "${from}"`,
    `scopes = [{ cdn = "${cdn}", domain = "${cdn}.lab" }]`,
    'mode = "traffic"',
    'unit = "GB"',
    'tiers_apply = "progressive"',
    `tiers = [{ from = "0", price = "${PRICE}" }]`,
    "",
  ].join("\n");
}

export interface Day {
  day: string;
  bytes: bigint;
}

/** What an edge says it delivered on each day, UTC. */
export function bytesByDay(text: string): Day[] {
  const sums = new Map<string, bigint>();
  for (const line of parse(text)) {
    const day = new Date(line.at_ms).toISOString().slice(0, 10);
    sums.set(day, (sums.get(day) ?? 0n) + BigInt(line.body_bytes));
  }
  return [...sums].map(([day, bytes]) => ({ day, bytes })).sort((a, b) => a.day.localeCompare(b.day));
}

/** A row a day; of one edge all in the unit of the other base, of the other the last day twice. */
export function invoice(cdn: Cdn, days: readonly Day[]): string {
  const rows = days.map(({ day, bytes }) => {
    const inWrongUnit = PLANTED[cdn] === "wrong_unit";
    // Taken for gibibytes: the quantity is larger by the ratio of both.
    const [scale, over] = inWrongUnit ? [GIBIBYTE, GIGABYTE * GIGABYTE] : [1n, GIGABYTE];
    return `${day},Traffic,${decimal(bytes * scale, over, 12)},GB,${decimal(bytes * scale * PRICE, over, 2)}`;
  });
  const twice = PLANTED[cdn] === "day_billed_twice" ? rows.slice(-1) : [];
  return ["period,item,quantity,unit,amount", ...rows, ...twice, ""].join("\n");
}

/** A fraction as a decimal, half away from zero. */
function decimal(value: bigint, over: bigint, places: number): string {
  const scaled = (2n * value * 10n ** BigInt(places) + over) / (2n * over);
  const text = scaled.toString().padStart(places + 1, "0");
  return `${text.slice(0, -places)}.${text.slice(-places)}`;
}

async function recompute(python: string, settings: Settings, url: string, cdn: Cdn): Promise<void> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  const zip = path.join(settings.artefacts, `evidence-${cdn}.zip`);
  writeFileSync(zip, Buffer.from(await answer.arrayBuffer()));
  const folder = path.join(settings.artefacts, `evidence-${cdn}`);
  await run(python, ["-m", "zipfile", "-e", zip, folder]);
  await run(python, [path.join(settings.room, "../readers/recompute.py"), folder, "facts.parquet"]);
}
