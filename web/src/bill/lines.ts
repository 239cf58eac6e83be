// Expected beside invoiced, line by line, with the difference to the last digit.

import { el } from "../dom";
import { type Cell, type Column, table } from "../table";
import { bytes, exactBytes, money, quantity, readable, sign } from "./decimal";
import { invoiceRows } from "./rows";
import type { BillCheck, CheckLine } from "./shapes";
import { type BillContext, unitFor } from "./state";
import { badge } from "./verdict";

export function lines(check: BillCheck, context: BillContext): HTMLElement | null {
  if (check.lines.length === 0) return null;
  const { w } = context;
  const unit = unitFor(context, check.lines.flatMap((line) => [line.client_bytes, line.log_bytes]));
  const { currency } = check.contract;
  const figure = (metric: string, cell: (line: CheckLine) => Cell): Column<CheckLine> => ({ label: w.columns[metric] ?? metric, metric, cell });
  const size = (value: number | null | undefined): Cell => ({ text: bytes(value, unit), exact: exactBytes(value) });
  const columns: Column<CheckLine>[] = [
    { label: w.item, cell: (line) => ({ text: named(line, context) }) },
    { label: w.verdictOf, cell: (line) => ({ text: verdictWord(line.verdict, context) }) },
    figure("expected_quantity", (line) => ({ text: readable(line.expected_quantity, line.unit), exact: quantity(line.expected_quantity, line.unit) })),
    figure("invoice_quantity", (line) => ({ text: readable(line.invoice_quantity, line.unit), exact: quantity(line.invoice_quantity, line.unit) })),
    figure("expected_amount", (line) => ({ text: money(line.expected_amount, currency) })),
    figure("invoice_amount", (line) => ({ text: money(line.invoice_amount, currency) })),
    figure("difference_amount", (line) => ({ text: difference(line.difference_amount, currency) })),
    figure("client_bytes", (line) => size(line.client_bytes)),
    figure("log_bytes", (line) => size(line.log_bytes)),
  ];
  const made = table<CheckLine>("check-lines", w.linesTitle, columns, context);
  made.update(check.lines, context, false);
  made.element.classList.add("dense");
  return made.element;
}

function named(line: CheckLine, context: BillContext): Node {
  const scope = [line.domain, line.region, invoiceRows(line, context)].filter(Boolean).join(" · ");
  return el("span", { class: "item" }, line.item, scope !== "" && el("small", {}, scope));
}

function difference(amount: string | null | undefined, currency: string): Node {
  return el("span", { class: amount && sign(amount) !== 0 ? "differs" : "" }, money(amount, currency, true));
}

export function verdictWord(verdict: string, { w }: BillContext): Node {
  return el("span", { class: "word" }, badge(verdict), w.verdictShort[verdict] ?? verdict);
}
