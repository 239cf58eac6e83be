// What the answer was computed from: enough to ask for the same again.

import { el } from "../dom";
import type { BillCheck } from "./shapes";
import type { BillContext } from "./state";

export function source({ source: from }: BillCheck, { w }: BillContext): HTMLElement {
  const hash = (sha256: string) => el("code", { title: sha256 }, sha256.slice(0, 8));
  const row = (name: string, ...values: (Node | string)[]) => (values.length === 0 ? [] : [el("div", {}, el("dt", {}, name), el("dd", {}, ...values.flatMap((value, i) => (i === 0 ? [value] : [" ", value]))))]);
  return el(
    "section",
    { class: "panel source", "aria-labelledby": "source" },
    el("h2", { id: "source" }, w.sourceTitle),
    el(
      "dl",
      {},
      ...row(w.sourceTable, String(from.table_version ?? "–")),
      ...row(w.sourceContract, hash(from.contract_sha256)),
      ...row(w.sourceInvoice, ...(from.invoice_sha256 ? [hash(from.invoice_sha256)] : [])),
      ...row(w.sourceLogs, ...from.log_sha256.map(hash)),
      ...row(w.sourceOffsets, ...from.offsets.map((offset) => el("code", {}, offset))),
    ),
  );
}
