// The verdict at a glance: what is claimed, what is owed by each side, by how much they differ; and the files
// to take along.

import { el, put } from "../dom";
import { DETAILS, type Detail, FORMATS, evidenceAddress, exportAddress } from "./calls";
import { count } from "../format";
import { minus, money, sign } from "./decimal";
import type { BillCheck } from "./shapes";
import type { BillContext } from "./state";

export function verdict(check: BillCheck, context: BillContext): HTMLElement {
  const { w } = context;
  const { invoice } = check;
  const owed = check.bills.find(({ side }) => side === "log") ?? check.bills[0];
  const difference = invoice && owed && invoice.currency === owed.currency ? minus(invoice.total, owed.amount) : null;
  const missing = [check.bills.some(({ side }) => side === "log") ? "" : w.missing.log, invoice ? "" : w.missing.invoice];
  return el(
    "section",
    { class: `panel verdict ${check.verdict}`, "aria-labelledby": "verdict" },
    el("div", { class: "said" }, el("h2", { id: "verdict" }, badge(check.verdict), w.verdicts[check.verdict] ?? check.verdict), el("p", {}, [...missing.filter(Boolean), check.causes.length > 0 ? `${w.explained(count(check.causes.length, context.locale))}${context.locale === "zh" ? "。" : "."}` : ""].filter(Boolean).join(" ")), el("p", { class: "definition" }, w.checkedPeriod(day(check.from), day(check.to), check.contract.tz))),
    el(
      "dl",
      { class: "sums" },
      ...sum(w.claimed, money(invoice?.total, invoice?.currency ?? check.contract.currency)),
      ...check.bills.flatMap((bill) => sum(w.owed(w.sides[bill.side] ?? bill.side), money(bill.amount, bill.currency))),
      ...(difference === null ? [] : sum(w.columns.difference_amount ?? "", money(difference, check.contract.currency, true), sign(difference) === 0 ? "" : "differs")),
    ),
    downloads(context),
  );
}

function sum(name: string, value: string, look = ""): HTMLElement[] {
  return [el("div", { class: look }, el("dt", {}, name), el("dd", {}, value))];
}

/** A sign beside the word: a verdict must not hang on its colour alone. */
export function badge(verdict: string): HTMLElement {
  const signs: Record<string, string> = { ok: "✓", within_tolerance: "≈", disputed: "✗", incomplete: "…" };
  return el("i", { class: `badge ${verdict}`, "aria-hidden": "true" }, signs[verdict] ?? "?");
}

/** The contract's own clock, as the service wrote it: date and minute. */
function day(text: string): string {
  return text.slice(0, 16).replace("T", " ");
}

function downloads({ w, view }: BillContext): HTMLElement {
  const asked = { contract: view.contract, period: view.period, invoice: view.invoice };
  const link = (href: string, label: string) => el("a", { class: "button", href, download: true }, label);
  const links = FORMATS.map((format) => link(exportAddress(asked, format, "summary"), w.downloadNames[format] ?? format));
  const detail = el("select", { id: "detail", onchange: () => FORMATS.forEach((format, i) => (links[i]!.href = exportAddress(asked, format, detail.value as Detail))) });
  put(detail, ...DETAILS.map((one) => el("option", { value: one }, w.details[one])));
  return el(
    "div",
    { class: "downloads" },
    el("h3", { id: "downloads" }, w.downloads),
    el("label", { for: "detail" }, w.detail),
    detail,
    el("ul", { "aria-labelledby": "downloads" }, ...links.map((one) => el("li", {}, one)), el("li", {}, link(evidenceAddress(asked), w.evidence))),
    el("p", { class: "definition" }, w.evidenceHint),
  );
}
