// The live page as a whole, in one language: choices, notices, figures. It is built anew when the language
// changes; figures are only updated.

import type { Definitions } from "./api";
import { chart } from "./chart";
import type { Context } from "./context";
import { el, put, say } from "./dom";
import * as format from "./format";
import { firstCommand } from "./example";
import { type FrameActions, frame } from "./frame";
import type { Snapshot } from "./load";
import { bandwidthLines, stallRatioLines } from "./model";
import { RANGES, type Range, zones } from "./range";
import { refusals } from "./refusals";
import { type Kept, sqlBox } from "./sqlbox";
import { tables } from "./tables";
import { tiles } from "./tiles";
import type { View } from "./view";

/** Where ingest listens unless told otherwise: only named in the first hint, never asked. */
const INGEST = "http://127.0.0.1:8700";

/** What the page asks of its owner. */
export interface Actions extends FrameActions {
  choose(change: Partial<View>): void;
  retry(): void;
  pause(): void;
}

export function page(context: Context, view: View, definitions: Definitions | null, actions: Actions, kept?: Kept) {
  const { m, locale } = context;
  const updated = el("span", { class: "updated" }, m.loading);
  const pause = el("button", { type: "button", class: "quiet", onclick: () => actions.pause() }, m.pause);
  const notice = el("div", { class: "notice", role: "alert", hidden: true });
  const hint = el("section", { class: "panel hint", hidden: true });
  const app = el("select", { id: "app", onchange: () => actions.choose({ app: app.value }) });
  const versions = el("span", {});

  const numbers = tiles(context);
  const bandwidth = chart({ id: "bandwidth", title: m.bandwidthChart, metric: "bandwidth_bps", least: 1000, show: (value, { locale: l }, tick) => (value === null ? "–" : format.bitsPerSecond(value, l, tick)) }, context);
  const stalls = chart({ id: "stall-ratio", title: m.stallChart, metric: "stall_ratio", least: 0.001, show: (value, { locale: l }, tick) => format.percent(value, l, tick) }, context);
  const lists = tables(context);
  const refused = refusals(context);
  const box = sqlBox(context, kept);
  const figures = el("div", { class: "figures", "aria-busy": "true" }, numbers.element, el("div", { class: "pair" }, bandwidth.element, stalls.element), lists.traffic, lists.quality, lists.programmes);

  const choices = el("section", { class: "choices", "aria-label": m.view }, ranges(), zone(), el("div", { class: "choice" }, el("label", { for: "app" }, m.app), app));
  const main = [choices, notice, hint, figures, refused.element, box.element];
  const footer = [el("p", {}, m.units), el("p", {}, versions)];
  const element = frame({ room: "live", beside: [updated, pause], main, footer }, context, actions);
  apps([]);

  return { element, show, fail, paused, kept: box.kept, redraw: () => [bandwidth, stalls].forEach((one) => one.redraw()) };

  function show(snapshot: Snapshot, now: Context): void {
    const { status, nowMs, traffic, quality } = snapshot;
    notice.hidden = true;
    figures.classList.remove("old");
    figures.setAttribute("aria-busy", "false");
    say(updated, m.updated(format.clock(nowMs, now.tz, locale)));
    apps(status.apps);
    const empty = traffic.rows.length === 0 && quality.rows.length === 0;
    figures.hidden = empty;
    hint.hidden = !empty;
    if (empty) explain(status.newest_received_at ?? null, now);
    const stretch = { from: Date.parse(traffic.from), to: Date.parse(traffic.to) };
    numbers.update(snapshot, now);
    bandwidth.update({ ...stretch, lines: bandwidthLines(snapshot.trafficOverTime.rows, nowMs) }, now);
    stalls.update({ ...stretch, lines: stallRatioLines(snapshot.qualityOverTime.rows, nowMs) }, now);
    lists.update(snapshot, now);
    refused.update(snapshot.refusals, now);
    const ledger = status.tables.map((table) => `${table.name} ${table.version ?? "–"}`).join(", ");
    say(versions, m.versions(ledger, String(definitions?.version ?? "–")));
  }

  function fail(away: boolean, reason: string, some: boolean): void {
    figures.classList.add("old");
    if (!some) figures.hidden = true;
    const words = `${away ? m.away : m.failed} ${some ? `${m.staleFigures} ` : ""}${m.tryingAgain}`;
    const retry = el("button", { type: "button", onclick: () => actions.retry() }, m.retry);
    // The same failure again must not be read out again, nor take the focus from its button.
    if (notice.hidden || notice.querySelector(".reason")?.textContent !== reason) {
      put(notice, el("div", {}, el("p", {}, el("strong", {}, words)), el("p", { class: "reason" }, reason)), retry);
    }
    notice.hidden = false;
  }

  function paused(is: boolean): void {
    say(pause, is ? m.resume : m.pause);
    if (is) say(updated, `${m.paused} · ${updated.textContent ?? ""}`);
  }

  /** Nothing to show: is the ledger empty, or only this stretch of it? */
  function explain(newest: string | null, now: Context): void {
    const first = firstCommand(INGEST);
    if (newest === null) put(hint, el("h2", {}, m.empty), el("p", {}, m.emptyHint), el("pre", { tabindex: "0" }, "make up\n\n", first));
    else put(hint, el("h2", {}, m.emptyRange), el("p", {}, m.emptyRangeHint(format.moment(Date.parse(newest), now.tz, locale))));
  }

  function apps(known: string[]): void {
    const chosen = app.options.length > 0 ? app.value : view.app;
    const names = [...new Set([...known, chosen].filter(Boolean))].sort();
    const wanted = ["", ...names];
    if (app.options.length === wanted.length && wanted.every((name, i) => app.options[i]?.value === name)) return;
    put(app, ...wanted.map((name) => el("option", { value: name, selected: name === chosen }, name === "" ? m.allApps : name)));
  }

  function ranges(): HTMLElement {
    const radio = (range: Range) =>
      el("label", {}, el("input", { type: "radio", name: "range", value: range, checked: range === view.range, onchange: () => actions.choose({ range }) }), el("span", {}, m.ranges[range]));
    return el("div", { class: "choice segments" }, el("span", { class: "label", id: "range" }, m.range), el("div", { role: "radiogroup", "aria-labelledby": "range" }, ...RANGES.map(radio)));
  }

  function zone(): HTMLElement {
    const own = zones()[0];
    const names = [...new Set([...zones(), view.tz])];
    const select = el("select", { id: "tz", onchange: () => actions.choose({ tz: select.value }) });
    put(select, ...names.map((name) => el("option", { value: name, selected: name === view.tz }, name === own ? `${name} (${m.ownZone})` : name)));
    return el("div", { class: "choice" }, el("label", { for: "tz" }, m.zone), select);
  }
}
