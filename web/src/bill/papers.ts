// The three papers of a check, in the order in which they are needed: contract, logs, invoice. Each says what
// is in hand and takes more; what is missing stands open.

import { el, put, say } from "../dom";
import * as format from "../format";
import { contractForm } from "./contractform";
import { money } from "./decimal";
import { intake } from "./intake";
import type { BillActions, BillContext, BillState } from "./state";

export function papers(now: () => BillContext, state: BillState, actions: BillActions) {
  const { w } = now();
  const contract = card("paper-contract", w.contractStep, w.contractAdd);
  const logs = card("paper-logs", w.logsStep, w.logsAdd);
  const invoice = card("paper-invoice", w.invoiceStep, w.invoiceAdd);
  const form = contractForm(now, state, actions);
  const files = intake("logs", now, state, actions);
  const bill = intake("invoices", now, state, actions);
  contract.body.append(form.element);
  logs.body.append(files.element);
  invoice.body.append(bill.element);
  const cards = el("div", { class: "cards" }, contract.element, logs.element, invoice.element);
  const element = el("section", { class: "papers", "aria-labelledby": "papers" }, el("h2", { id: "papers" }, w.papers), el("p", { class: "definition" }, w.papersHint), cards);

  return {
    element,
    update,
    facts,
    draft: form.update,
    uploads(): void {
      files.uploads();
      bill.uploads();
    },
  };

  function update(): void {
    facts();
    form.update();
    files.update();
    bill.update();
  }

  /** What is in hand, and which of it the check used. */
  function facts(): void {
    const context = now();
    const { locale } = context;
    const chosen = context.contract;
    // An older version may be the one that is valid in the month.
    const checked = state.check.value?.contract;
    const shown = checked && checked.id === chosen?.id ? checked : chosen;
    const known = state.contracts.value !== null;
    contract.set(chosen !== null, known && chosen === null, shown ? [w.contractIs(shown.id, shown.version), w.validity(shown.valid_from ?? w.open, shown.valid_to ?? w.open), w.scope(list(shown.cdns), list(shown.domains))] : [known ? w.contractNone : w.reading]);
    const [ofLogs, ofInvoices] = [state.logs, state.invoices].map((all) => all.filter(({ vendor }) => chosen && vendor === chosen.vendor));
    const lines = (ofLogs as typeof state.logs).reduce((sum, one) => sum + one.lines, 0);
    logs.set((ofLogs?.length ?? 0) > 0, false, [ofLogs?.length ? w.logsIs(format.count(ofLogs.length, locale), format.count(lines, locale)) : w.logsNone]);
    const latest = state.check.value?.invoice ?? (ofInvoices as typeof state.invoices).at(-1);
    invoice.set(latest !== undefined, false, [latest ? w.invoiceIs(latest.name, money(latest.total, latest.currency)) : w.invoiceNone]);
    for (const one of [logs, invoice]) one.element.hidden = chosen === null;
    cards.classList.toggle("first", chosen === null);
  }

  function list(names: string[]): string {
    return names.length === 0 ? w.all : names.join(", ");
  }
}

/** A paper: whether it is in hand, and the place where more is added. */
function card(id: string, title: string, add: string) {
  const mark = el("span", { class: "tick", "aria-hidden": "true" });
  const facts = el("div", { class: "facts" });
  const body = el("div", { class: "body" });
  const details = el("details", {}, el("summary", {}, add), body);
  const element = el("article", { class: "card", id }, el("h3", {}, mark, title), facts, details);
  return {
    element,
    body,
    set(inHand: boolean, open: boolean, lines: string[]): void {
      say(mark, inHand ? "✓" : "○");
      element.classList.toggle("in-hand", inHand);
      put(facts, ...lines.map((line) => el("p", {}, line)));
      if (open) details.open = true;
    },
  };
}
