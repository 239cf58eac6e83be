// One file being sent, and what the service made of it.

import { el, put, say } from "../dom";
import * as format from "../format";
import { money } from "./decimal";
import { refusal } from "./refusal";
import type { InvoiceSummary, LogImport } from "./shapes";
import type { BillContext } from "./state";
import type { Upload } from "./upload";

export function uploadRow(upload: Upload, { w }: BillContext) {
  const { file } = upload.paper;
  const bar = el("progress", { "aria-label": w.progressOf(file.name), max: String(Math.max(1, file.size)) });
  const told = el("span", { class: "told" });
  const outcome = el("div", { class: "outcome", role: "status", tabindex: "-1" });
  const cancel = el("button", { type: "button", class: "quiet", onclick: () => upload.cancel() }, w.cancel);
  const element = el("li", {}, el("div", { class: "file" }, el("strong", {}, file.name), told, cancel), bar, outcome);
  let shown: unknown;
  return { element, update };

  function update(context: BillContext): void {
    const { standing } = upload;
    const under = standing === "sending" || standing === "waiting" || standing === "counting";
    const held = document.activeElement === cancel;
    bar.hidden = cancel.hidden = !under;
    element.className = standing;
    if (standing === "counting") bar.removeAttribute("value");
    else bar.value = upload.sent;
    say(told, words(context));
    if (shown === standing) return;
    shown = standing;
    if (upload.failure && standing === "refused") put(outcome, refusal(upload.failure, context));
    else if (upload.result) put(outcome, ...came(upload.result, context));
    // The button under the focus has gone: what came of it is read next.
    if (held && !under) outcome.focus();
  }

  function words({ locale }: BillContext): string {
    const size = (bytes: number) => format.bytes(bytes, locale);
    if (upload.standing === "sending") return w.sending(size(upload.sent), size(file.size), `${size(upload.rate)}/s`);
    if (upload.standing === "counting") return w.counting;
    if (upload.standing === "waiting") return w.waiting;
    return upload.standing === "cancelled" ? w.cancelled : size(file.size);
  }
}

/** What a paper holds, in words. */
export function came(result: LogImport | InvoiceSummary, context: BillContext): HTMLElement[] {
  const { w } = context;
  const facts = "total" in result ? [w.invoiceLines(format.count(result.lines, context.locale), money(result.total, result.currency))] : counted(result, context);
  if (result.from && result.to) facts.push(w.stretch(moment(result.from, context), moment(result.to, context)));
  const bad = "bad" in result && result.bad.length > 0 ? result.bad : [];
  return [
    el("p", {}, facts.join(" · ")),
    ...(result.known ? [el("p", { class: "note" }, w.knownFile)] : []),
    ...(bad.length === 0 ? [] : [el("details", { class: "bad" }, el("summary", {}, w.badLinesHint), el("ul", {}, ...bad.map(({ line, reason }) => el("li", {}, el("strong", {}, w.badLine(format.count(line, context.locale))), ` ${reason}`))))]),
  ];
}

function counted(result: LogImport, { w, locale }: BillContext): string[] {
  const { lines, duplicate_lines, bad_lines, bytes } = result;
  return [w.lines(format.count(lines, locale)), w.duplicates(format.count(duplicate_lines, locale)), w.badLines(format.count(bad_lines, locale)), format.bytes(bytes, locale)];
}

function moment(text: string, { tz, locale }: BillContext): string {
  const at = Date.parse(text);
  return Number.isNaN(at) ? text : format.moment(at, tz, locale);
}
