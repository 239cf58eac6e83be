// The 5-minute windows of a day: a chart of both sides with what is billed and what is dropped, and the table
// whose windows open their sessions.

import { type Mark, chart } from "../chart";
import { el } from "../dom";
import * as format from "../format";
import { type Cell, type Column, table } from "../table";
import { WINDOW_MS } from "../range";
import { bytes, exactBytes } from "./decimal";
import type { BillWindow, BillWindows } from "./shapes";
import { type BillActions, type BillContext, unitFor } from "./state";
import { bandwidthBps, bySize, windowLines } from "./windowlines";

export function windows(found: BillWindows, context: BillContext, actions: BillActions): HTMLElement {
  const { w } = context;
  const close = el("button", { type: "button", onclick: () => actions.choose({ day: "" }) }, w.close);
  if (found.windows.length === 0) return el("section", { class: "panel" }, el("h2", {}, w.windowsTitle(found.day)), el("p", { class: "definition" }, w.noWindows), close);
  const open = (at: number) => {
    const window = found.windows.find(({ start }) => Date.parse(start) === at);
    if (window) actions.choose({ window: window.start });
  };
  const picture = chart(
    { id: "windows", title: w.windowsTitle(found.day), metric: "window_bandwidth_bps", least: 1000, help: w.pickHelp, pick: open, name: (side) => w.columns[`${side}_bytes`] ?? side, show: (value, { locale }, tick) => (value === null ? "–" : format.bitsPerSecond(value, locale, tick)) },
    context,
  );
  const from = Date.parse(found.windows[0]?.start ?? "");
  const to = Date.parse(found.windows.at(-1)?.start ?? "") + WINDOW_MS;
  const drawn = { lines: windowLines(found.windows), from, to, marks: marks(found.windows) };
  // Its place must be in the page before it can be drawn.
  requestAnimationFrame(() => picture.update(drawn, context));
  if (found.windows.some(({ role }) => role !== "counted")) picture.element.append(el("p", { class: "note" }, w.markedDropped));
  return el("div", { class: "drill" }, picture.element, list(found, context, actions, close));
}

function list(found: BillWindows, context: BillContext, actions: BillActions, close: HTMLElement): HTMLElement {
  const { w } = context;
  const unit = unitFor(context, found.windows.flatMap((one) => [one.client_bytes, one.log_bytes]));
  const size = (value: number | null | undefined): Cell => ({ text: bytes(value, unit), exact: exactBytes(value) });
  const columns: Column<BillWindow>[] = [
    { label: w.window, cell: ({ start }) => ({ text: el("button", { type: "button", class: "link", "data-opens": start, "aria-label": w.openWindow(windowName(start)), onclick: () => actions.choose({ window: start }) }, start.slice(11, 16)) }) },
    { label: w.role, cell: ({ role }) => ({ text: el("span", { class: `role ${role}` }, w.roles[role] ?? role) }) },
    { label: w.columns.rank ?? "", metric: "rank", cell: ({ rank }, { locale }) => ({ text: rank === null || rank === undefined ? "–" : format.count(rank, locale) }) },
    { label: w.columns.window_bandwidth_bps ?? "", metric: "window_bandwidth_bps", cell: (one, { locale }) => ({ text: format.bitsPerSecond(bandwidthBps(one), locale) }) },
    { label: w.columns.client_bytes ?? "", metric: "client_bytes", cell: (one) => size(one.client_bytes) },
    { label: w.columns.log_bytes ?? "", metric: "log_bytes", cell: (one) => size(one.log_bytes) },
  ];
  const made = table<BillWindow>("day-windows", w.windowsTable(found.day), columns, context);
  made.update(bySize(found.windows), context, false);
  made.element.querySelector(".scroll")?.classList.add("tall");
  made.element.append(el("div", { class: "actions" }, close));
  return made.element;
}

function marks(windows: BillWindow[]): Mark[] {
  return windows.filter(({ role }) => role !== "counted").map(({ start, role }) => ({ from: Date.parse(start), to: Date.parse(start) + WINDOW_MS, strong: role === "billed" }));
}

/** Date and minute of the contract's own clock, as the service wrote them. */
export function windowName(start: string): string {
  return start.slice(0, 16).replace("T", " ");
}
