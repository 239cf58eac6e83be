// What is owed under the contract by each side's figures, worked out step by step.

import { el } from "../dom";
import * as format from "../format";
import { grouped, money, quantity } from "./decimal";
import type { BillCheck, BillOf } from "./shapes";
import type { BillContext } from "./state";

export function bills(check: BillCheck, context: BillContext): HTMLElement | null {
  if (check.bills.length === 0) return null;
  return el("section", { class: "owed", "aria-labelledby": "owed" }, el("h2", { id: "owed" }, context.w.billsTitle), el("div", { class: "pair" }, ...check.bills.map((bill) => one(bill, context))));
}

function one(bill: BillOf, { w, locale }: BillContext): HTMLElement {
  const count = (value: number | null | undefined) => format.count(value ?? 0, locale);
  const side = w.sides[bill.side] ?? bill.side;
  const id = `owed-${bill.side}`;
  const steps = bill.steps.map(({ name, formula, formula_zh, value }) => el("tr", {}, el("th", { scope: "row" }, w.billSteps[name] ?? name), el("td", { class: "formula" }, locale === "zh" ? formula_zh : formula), el("td", { class: "number" }, grouped(value))));
  return el(
    "article",
    { class: "panel" },
    el("h3", { id }, w.billOf(side)),
    el("p", { class: "amount" }, money(bill.amount, bill.currency)),
    el("p", { class: "definition" }, quantity(bill.quantity, bill.unit), bill.samples !== null && bill.samples !== undefined && ` · ${w.samples(count(bill.samples), count(bill.dropped), count(bill.rank))}`),
    bill.billed_window && el("p", { class: "definition" }, `${w.billedWindow} `, el("time", { datetime: bill.billed_window }, bill.billed_window.slice(0, 16).replace("T", " "))),
    el(
      "div",
      { class: "scroll", tabindex: "0", role: "group", "aria-labelledby": id },
      el("table", { class: "steps" }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, w.step), el("th", { scope: "col" }, w.formula), el("th", { scope: "col", class: "number" }, w.value))), el("tbody", {}, ...steps)),
    ),
  );
}
