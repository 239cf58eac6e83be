// Why the sides differ: each cause by its name, with the money it accounts for and its evidence in words.

import { el } from "../dom";
import { money } from "./decimal";
import { invoiceRows } from "./rows";
import type { BillCheck, Cause } from "./shapes";
import type { BillContext } from "./state";

export function causes({ causes: found, contract, invoice }: BillCheck, context: BillContext): HTMLElement | null {
  const { w, locale } = context;
  if (!invoice && found.length === 0) return null;
  const where = (cause: Cause) =>
    [invoiceRows(cause, context) || w.wholeInvoice, cause.day ? w.ofDay(cause.day) : ""].filter(Boolean).join(", ");
  const items = found.map((cause) =>
    el(
      "li",
      {},
      el("div", { class: "cause" }, el("h3", {}, w.causes[cause.cause] ?? cause.cause), el("span", { class: "where" }, where(cause)), el("strong", { class: "amount" }, money(cause.amount, contract.currency, true))),
      el("p", {}, locale === "zh" ? cause.evidence_zh : cause.evidence),
    ),
  );
  return el("section", { class: "panel", "aria-labelledby": "causes" }, el("h2", { id: "causes" }, w.causesTitle), items.length === 0 ? el("p", { class: "definition" }, w.noCauses) : el("ol", { class: "causes" }, ...items));
}
