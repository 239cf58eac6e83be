// Puts the three accounts side by side: the meter's answer, the edges' logs and the witnesses' samples. Pure.

import type { Figures, Stalls, ViewerFigures } from "./compare.ts";
import { judge, type Verdict } from "./judge.ts";
import { byId, parse, tally } from "./logs.ts";
import type { Answer } from "./meter.ts";
import type { SeenRequest, Testimony } from "./page/contract.ts";
import { CDNS, type Cdn } from "./settings.ts";

export interface Witnessed {
  name: string;
  starts_on: Cdn;
  left: boolean;
  verdict: Verdict;
  requests: SeenRequest[];
}

export function witnessed(viewers: { name: string; starts_on: Cdn; testimony: Testimony }[]): Witnessed[] {
  return viewers.map(({ name, starts_on, testimony }) => ({
    name,
    starts_on,
    left: testimony.left,
    verdict: judge(testimony.samples),
    requests: testimony.requests,
  }));
}

export function figures(answer: Answer, logs: { cdn: Cdn; text: string }[], seen: Witnessed[]): Figures {
  const requests = byId(seen.flatMap((s) => s.requests));
  const all = seen.flatMap((s) => s.verdict.stalls);
  const cdns = Object.fromEntries(
    CDNS.map((cdn) => {
      const { bytes, stalls, stall_ms } = answer.cdns[cdn];
      const log = tally(parse(logs.find((l) => l.cdn === cdn)?.text ?? ""), requests);
      return [cdn, { meter_bytes: bytes, log, stalls: { count: stalls, ms: stall_ms }, seen: sum(all, cdn) }];
    }),
  ) as Figures["cdns"];
  return { cdns, viewers: seen.map((s) => viewer(s, answer)) };
}

function viewer({ name, starts_on, left, verdict }: Witnessed, answer: Answer): ViewerFigures {
  const meter = answer.viewers.filter((m) => m.viewer === name);
  return {
    name,
    starts_on,
    left,
    started: verdict.started,
    meter: Object.fromEntries(meter.map((m) => [m.cdn, { bytes: m.bytes, count: m.stalls, ms: m.stall_ms }])),
    seen: Object.fromEntries([...new Set(verdict.stalls.map((s) => s.cdn))].map((cdn) => [cdn, sum(verdict.stalls, cdn)])),
  };
}

function sum(stalls: Verdict["stalls"], cdn: string): Stalls {
  const of = stalls.filter((s) => s.cdn === cdn);
  return { count: of.length, ms: Math.round(of.reduce((ms, s) => ms + s.stall_ms, 0)) };
}
