// Reports as the Common Media Library writes them, and what its decoder makes of them: the collector's own tests read
// both files. UPDATE_CONTRACTS=1 writes them anew.

import { decodeCmcd, encodeCmcd, validateCmcdEvents, type Cmcd } from "@svta/cml-cmcd";
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const folder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../../ingest/testdata");
const AT_MS = 1_790_000_000_000;

const reports: object[] = [
  { e: "ps", sta: "s", sid: "6e2fb550-c457-11e9-bb97-0800200c9a66", cid: "news", sn: 0, ts: AT_MS },
  { e: "ps", sta: "p", sid: "s", cid: 'with "quotes" and \\ in it', sn: 1, ts: AT_MS + 740, msd: 740, bl: [2149.7], br: [1500.4], pr: 1.05, ltc: 3_200 },
  { e: "ps", sta: "r", sid: "s", cid: "news", sn: 2, ts: AT_MS + 9_000, h: "edge.example:8081", bs: true, su: true },
  { e: "t", sta: "r", sid: "s", cid: "news", sn: 3, ts: AT_MS + 10_000, mtp: [25_400], bg: true },
  { e: "rr", sid: "s", cid: "news", sn: 4, ts: AT_MS + 8_000, url: "https://edge.example:8081/a/b.m4s?x=1", rc: 200, ttfb: 40, ttlb: 900 },
  { e: "e", sid: "s", cid: "news", sn: 5, ts: AT_MS + 11_000, ec: ["fragLoadError", "404"], sta: "f" },
  { e: "ce", cen: "left", sid: "s", cid: "news", sn: 6, ts: AT_MS + 12_000, "com.livemeter-bytes": "1596684", "com.example-shelf": "a b" },
];

const lines = reports.map((report) => encodeCmcd(report as Cmcd, { version: 2, reportingMode: "event" }));

function same(name: string, text: string): void {
  const file = path.join(folder, name);
  if (process.env.UPDATE_CONTRACTS) writeFileSync(file, text);
  assert.equal(readFileSync(file, "utf8"), text, `${name} is stale: run the test with UPDATE_CONTRACTS=1`);
}

test("the encoder writes what the collector's tests read", () => {
  same("cmcd.lines", lines.join("\n"));
  same("cmcd.json", `${JSON.stringify(lines.map((line) => decodeCmcd(line)), null, 1)}\n`);
});

test("the standard's validator takes them", () => {
  const { valid, issues } = validateCmcdEvents(lines.join("\n"));
  assert.ok(valid, JSON.stringify(issues));
});
