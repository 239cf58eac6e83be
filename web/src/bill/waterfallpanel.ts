// The waterfall with what belongs to it: the chart, the choice of its axis, what its steps mean, its twin as a
// table.

import { definition } from "../context";
import { el } from "../dom";
import { bytes, exactBytes } from "./decimal";
import type { BillCheck } from "./shapes";
import { type BillActions, type BillContext, unitFor } from "./state";
import { waterfall } from "./waterfall";
import { waterfallChart } from "./waterfallchart";

/** Which definition a step has. */
const MEANING: Record<string, string> = {
  client: "client_bytes", log_overhead: "log_overhead_bytes", invoice_difference: "invoice_difference_bytes", overhead: "overhead_bytes", telemetry_loss: "telemetry_loss_bytes", without_sdk: "without_sdk_bytes",
  unexplained: "unexplained_bytes", without_sdk_or_unexplained: "without_sdk_bytes", log: "log_bytes", invoice: "invoice_quantity",
};

export function waterfallPanel(check: BillCheck, context: BillContext, fromZero: boolean, actions: BillActions): HTMLElement {
  const { m, w } = context;
  const unit = unitFor(context, check.waterfall.map((step) => step.bytes));
  const layout = waterfall(check.waterfall, unit, !fromZero);
  const zero = el("input", { type: "checkbox", id: "from-zero", checked: !layout.cut, onchange: () => (actions.axis(zero.checked), document.getElementById("from-zero")?.focus()) });
  const name = (step: string) => w.steps[step] ?? step;
  let running = 0n;
  const rows = check.waterfall.map(({ step, kind, bytes: size, low_bytes, high_bytes }) => {
    running = kind === "total" ? BigInt(size ?? 0) : running + BigInt(size ?? 0);
    const cell = (text: string, exact: string) => el("td", { class: "number", title: exact }, text);
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, name(step)),
      size === null || size === undefined ? cell(w.notInBytes, "") : cell(bytes(size, unit, kind !== "total"), exactBytes(size)),
      cell(low_bytes === null || low_bytes === undefined ? "" : `${bytes(low_bytes, unit, true)} … ${bytes(high_bytes, unit, true)}`, ""),
      size === null || size === undefined ? cell("", "") : cell(bytes(running, unit), exactBytes(running)),
    );
  });
  const head = el("tr", {}, el("th", { scope: "col" }, w.step), ...[m.columns.bytes ?? "", w.interval, w.running].map((label) => el("th", { scope: "col", class: "number" }, label)));
  const names = [...new Set(check.waterfall.map(({ step }) => MEANING[step] ?? "").filter(Boolean))];
  return el(
    "section",
    { class: "panel", "aria-labelledby": "waterfall" },
    el("div", { class: "headed" }, el("h2", { id: "waterfall" }, w.waterfallTitle), layout.cuttable && el("label", { class: "check", for: "from-zero" }, zero, w.fromZero)),
    el("p", { class: "definition" }, w.waterfallHint, layout.cut && ` ${w.cutNote}`),
    waterfallChart(layout, unit, context),
    el("details", { class: "meanings" }, el("summary", {}, w.asTable), el("div", { class: "scroll", tabindex: "0", role: "group", "aria-labelledby": "waterfall" }, el("table", { class: "twin" }, el("caption", { class: "hidden" }, w.waterfallTitle), el("thead", {}, head), el("tbody", {}, ...rows)))),
    el("details", { class: "meanings" }, el("summary", {}, w.stepMeanings), el("ul", {}, ...names.map((metric) => el("li", {}, el("strong", {}, w.columns[metric] ?? ""), definition(metric, context))))),
  );
}
