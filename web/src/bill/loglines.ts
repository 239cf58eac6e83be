// Lines of a vendor's log as they stand in the file, each with its number; of a bad one, why it was not counted.

import { logLines as ask } from "./calls";
import { el, put } from "../dom";
import { Failure } from "../api";
import * as format from "../format";
import { told } from "../problems";
import type { LogLine, LogLines } from "./shapes";
import type { BillActions, BillContext } from "./state";

export function logLines(found: LogLines, context: BillContext, actions: BillActions): HTMLElement {
  const { w } = context;
  return el(
    "section",
    { class: "panel", "aria-labelledby": "log-lines" },
    el("h2", { id: "log-lines" }, w.linesOf(found.name)),
    list(found.lines, w.linesOf(found.name), context),
    el("div", { class: "actions" }, el("button", { type: "button", onclick: () => actions.choose({ lines: "" }) }, w.close)),
  );
}

/** The bad lines of a log, asked for when they are opened. */
export function badLines(sha256: string, name: string, context: BillContext): HTMLElement {
  const { w, contract } = context;
  const place = el("div", {});
  const details = el("details", { class: "bad", ontoggle: () => void fill() }, el("summary", {}, w.showBad), place);
  return details;

  async function fill(): Promise<void> {
    if (!details.open || place.childElementCount > 0) return;
    try {
      const { lines } = await ask(contract?.vendor ?? "", { sha256 }, new AbortController().signal);
      put(place, list(lines, w.linesOf(name), context));
    } catch (error) {
      put(place, el("p", {}, told(Failure.of(error), context.locale)));
    }
  }
}

function list(lines: LogLine[], caption: string, { w, locale }: BillContext): HTMLElement {
  const reasons = lines.some(({ reason }) => reason);
  const column = (label: string) => el("th", { scope: "col" }, label);
  const rows = lines.map(({ line, text, reason }) => el("tr", {}, el("th", { scope: "row", class: "number" }, format.count(line, locale)), reasons && el("td", {}, reason ?? ""), el("td", {}, el("code", {}, text))));
  return el(
    "div",
    { class: "scroll tall", tabindex: "0", role: "group", "aria-label": caption },
    el("table", { class: "log" }, el("caption", { class: "hidden" }, caption), el("thead", {}, el("tr", {}, column(w.line), reasons && column(w.lineReason), column(w.lineText))), el("tbody", {}, ...rows)),
  );
}
