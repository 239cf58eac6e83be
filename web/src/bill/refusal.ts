// A refusal: what it means, the service's own words, line, field, what was given, the limit.

import type { Failure } from "../api";
import { el } from "../dom";
import { told } from "../problems";
import { grouped } from "./decimal";
import type { BillContext } from "./state";

export function refusal(failure: Failure, { m, w, locale }: BillContext): HTMLElement {
  const { problem } = failure;
  const line = refusedLine(failure);
  const facts: [string, string][] = [];
  if (problem?.field) facts.push([w.refusedField, problem.field]);
  if (problem?.value !== null && problem?.value !== undefined) facts.push([w.refusedValue, grouped(String(problem.value))]);
  if (problem?.limit !== null && problem?.limit !== undefined) facts.push([w.refusedLimit, grouped(String(problem.limit))]);
  return el(
    "div",
    {},
    el("p", {}, el("strong", {}, w.refused), " ", line !== null && el("span", { class: "at" }, w.refusedAt(line)), " ", failure.away ? m.away : told(failure, locale)),
    facts.length > 0 && el("p", { class: "given" }, ...facts.flatMap(([name, value], i) => [i > 0 && " · ", `${name} `, el("code", {}, value)])),
  );
}

/** The line a refusal names: `line 12` in its words or its field. */
export function refusedLine({ message, problem }: Pick<Failure, "message" | "problem">): number | null {
  const found = /\bline[ :]+(\d+)/i.exec(`${problem?.field ?? ""} ${message}`);
  return found ? Number(found[1]) : null;
}
