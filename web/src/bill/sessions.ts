// Who is behind a window: sessions with both sides' bytes, the Kafka record and the lines of the log.

import { el } from "../dom";
import { type Cell, type Column, table } from "../table";
import { bytes, exactBytes } from "./decimal";
import type { BillSession, BillSessions } from "./shapes";
import { type BillActions, type BillContext, unitFor } from "./state";
import { lineRange, written } from "./linerange";
import { windowName } from "./windows";

export function sessions(found: BillSessions, context: BillContext, actions: BillActions): HTMLElement {
  const { m, w } = context;
  const unit = unitFor(context, found.sessions.flatMap((one) => [one.client_bytes, one.log_bytes]));
  const size = (value: number | null | undefined): Cell => ({ text: bytes(value, unit), exact: exactBytes(value) });
  const columns: Column<BillSession>[] = [
    { label: w.session, cell: ({ session_id }) => ({ text: session_id === "" ? w.noSession : el("code", {}, session_id) }) },
    { label: m.cdn, cell: ({ cdn }) => ({ text: cdn || "–" }) },
    { label: w.columns.client_bytes ?? "", metric: "client_bytes", cell: (one) => size(one.client_bytes) },
    { label: w.columns.log_bytes ?? "", metric: "log_bytes", cell: (one) => size(one.log_bytes) },
    { label: w.record, cell: ({ record }) => ({ text: record ? el("code", {}, record) : "–" }) },
    { label: w.logLines, cell: ({ log_lines }) => ({ text: log_lines ? openers(log_lines, context, actions) : "–" }) },
  ];
  const made = table<BillSession>("sessions", w.sessionsTitle(windowName(found.window)), columns, context);
  made.update(found.sessions, context, found.truncated);
  made.element.append(el("div", { class: "actions" }, el("button", { type: "button", onclick: () => actions.choose({ window: "" }) }, w.close)));
  return made.element;
}

/** The lines of each file as a way to them, where they can be asked for. */
function openers(lines: string, { w }: BillContext, actions: BillActions): HTMLElement {
  const opener = (words: string) => {
    const range = lineRange(words);
    const name = el("code", {}, words);
    return range ? el("button", { type: "button", class: "link", "data-opens": written(range), "aria-label": w.openLines(words), onclick: () => actions.choose({ lines: written(range) }) }, name) : name;
  };
  return el("span", { class: "openers" }, ...lines.split(" ").map(opener));
}
