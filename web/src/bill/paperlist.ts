// The vendor's papers in hand, each with what it holds and its hash.

import { el } from "../dom";
import * as format from "../format";
import type { BillContext, BillState } from "./state";
import { badLines } from "./loglines";
import { came } from "./uploadrow";

export function paperList(kind: "logs" | "invoices", context: BillContext, state: BillState, open: boolean): HTMLElement | null {
  const { w, locale, contract } = context;
  const found = state[kind].filter(({ vendor }) => vendor === contract?.vendor);
  if (found.length === 0) return null;
  const items = found.map((paper) =>
    el("li", {}, el("div", { class: "file" }, el("strong", {}, paper.name), el("code", { title: paper.sha256 }, paper.sha256.slice(0, 8))), ...came({ ...paper, known: false }, context), "bad" in paper && paper.bad_lines > 0 && paper.bad.length === 0 && badLines(paper.sha256, paper.name, context)),
  );
  return el("details", { class: "in-hand-list", open }, el("summary", {}, w.inHand(format.count(found.length, locale))), el("ul", { class: "uploads" }, ...items));
}
