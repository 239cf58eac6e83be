// The four key figures, each with its exact value and its definition.

import { type Context, definition } from "./context";
import { el, put, say } from "./dom";
import * as format from "./format";
import type { Snapshot } from "./load";
import { stallRatio, totalBytes } from "./model";

interface Tile {
  element: HTMLElement;
  /** `details`: a line each. */
  set(value: string, exact: string, ...details: string[]): void;
}

function tile(id: string, label: string): Tile & { define(name: string, context: Context): void } {
  const value = el("p", { class: "value", id }, "–");
  const detail = el("div", { class: "detail" });
  const meaning = el("div", { class: "meaning" });
  const element = el("article", { class: "tile" }, el("h2", {}, label), value, detail, meaning);
  return {
    element,
    set(text, exact, ...details) {
      say(value, text);
      value.title = exact;
      put(detail, ...details.map((line) => el("p", {}, line)));
    },
    define: (name, context) => put(meaning, definition(name, context)),
  };
}

export function tiles(context: Context) {
  const { m } = context;
  const bytes = tile("tile-bytes", m.totalBytes);
  const ratio = tile("tile-stall-ratio", m.stallRatio);
  const views = tile("tile-views", m.views);
  const age = tile("tile-freshness", m.freshness);
  bytes.define("bytes", context);
  ratio.define("stall_ratio", context);
  views.define("views", context);
  age.define("freshness_ms", context);
  const element = el("section", { class: "tiles", "aria-label": m.figures }, bytes.element, ratio.element, views.element, age.element);

  return { element, update: (snapshot: Snapshot, now: Context) => update(snapshot, now) };

  function update({ status, nowMs, traffic, quality, qualityTotal }: Snapshot, { locale, tz }: Context): void {
    const total = totalBytes(traffic.rows);
    const aborted = traffic.rows.reduce((sum, row) => sum + row.aborted_bytes, 0);
    const exact = format.exactBytes(total, locale);
    bytes.set(format.bytes(total, locale), exact, exact, m.aborted(format.bytes(aborted, locale)));

    const all = stallRatio(quality.rows);
    const stalled = quality.rows.reduce((sum, row) => sum + row.stall_ms, 0);
    const played = quality.rows.reduce((sum, row) => sum + row.play_ms, 0);
    ratio.set(
      format.percent(all, locale),
      `${format.milliseconds(stalled, locale)} ÷ ${format.milliseconds(played + stalled, locale)}`,
      m.stalledFor(format.duration(stalled, locale)),
      m.playedFor(format.duration(played, locale)),
    );

    const one = qualityTotal.rows[0];
    views.set(format.count(one?.views ?? 0, locale), "", one ? m.stalledViews(format.percent(one.stalled_views_ratio, locale)) : "");

    const newest = status.newest_received_at ? Date.parse(status.newest_received_at) : null;
    age.element.classList.toggle("late", newest !== null && nowMs - newest > 60_000);
    if (newest === null) age.set("–", "");
    else age.set(format.duration(nowMs - newest, locale), status.newest_received_at ?? "", m.newest(format.clock(newest, tz, locale)));
  }
}
