// What the services have refused since they started, by cause. Causes are the services' own words, as they stand in
// answers and dead letters: they can be searched for, so they are not translated.

import type { Refusals, RefusalRow } from "./api";
import type { Context } from "./context";
import { el, put } from "./dom";
import * as format from "./format";

export function refusals(context: Context) {
  const { m } = context;
  const body = el("tbody", {});
  const head = el("tr", {}, ...[m.refusedWhat, m.refusedCause].map((label) => el("th", { scope: "col", class: "key" }, label)), el("th", { scope: "col", class: "number" }, m.refusedCount));
  const scroll = el("div", { class: "scroll", tabindex: "0", role: "group", "aria-labelledby": "refusals" }, el("table", {}, el("thead", {}, head), body));
  const none = el("p", {}, m.refusedNothing);
  const silent = el("ul", { class: "silent" });
  const element = el("section", { class: "panel refusals", "aria-labelledby": "refusals", hidden: true }, el("h2", { id: "refusals" }, m.refusedTitle), el("p", { class: "note" }, m.refusedHint), none, scroll, silent);

  return {
    element,
    /** `null`: the query service could not tell; what stood here would be old. */
    update(told: Refusals | null, now: Context): void {
      element.hidden = told === null || told.services.length === 0;
      if (told === null) return;
      const failed = told.services.filter((service) => service.failure);
      scroll.hidden = told.rows.length === 0;
      // Of a service that is silent nobody can say that it refused nothing.
      none.hidden = told.rows.length > 0 || failed.length > 0;
      put(body, ...told.rows.map((row) => line(row, now)));
      put(silent, ...failed.map((service) => el("li", {}, m.refusedSilent(service.address, service.failure ?? ""))));
    },
  };

  function line(row: RefusalRow, now: Context): HTMLElement {
    const what = `${row.by === "ingest" ? m.ingest : m.processor} · ${m.whats[row.what]}`;
    return el("tr", {}, el("th", { scope: "row", class: "key" }, what), el("td", { class: "key" }, el("code", {}, row.cause)), el("td", { class: "number" }, format.count(row.count, now.locale)));
  }
}
