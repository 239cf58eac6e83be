// The same month under every mode, where the percentile is heading, and how much of the free burst is left.

import { definition } from "../context";
import { el } from "../dom";
import * as format from "../format";
import { type Column, table } from "../table";
import { money, quantity, readable } from "./decimal";
import type { BurstBudget, Forecast, ModeCost, Simulation } from "./shapes";
import type { BillContext } from "./state";

export function simulation(found: Simulation, context: BillContext): HTMLElement {
  const { w } = context;
  const columns: Column<ModeCost>[] = [
    { label: w.mode, cell: (mode) => ({ text: named(mode, found.contract.id, context) }) },
    { label: w.columns.mode_quantity ?? "", metric: "mode_quantity", cell: (mode) => ({ text: readable(mode.quantity, mode.unit), exact: quantity(mode.quantity, mode.unit) }) },
    { label: w.columns.mode_amount ?? "", metric: "mode_amount", cell: (mode) => ({ text: money(mode.amount, mode.currency) }) },
  ];
  const modes = table<ModeCost>("modes", w.modesTitle, columns, context);
  modes.update(found.modes, context, false);
  const ahead = [found.forecast && forecast(found.forecast, context), found.burst && burst(found.burst, context)].filter(Boolean);
  return el("section", { class: "simulation", "aria-labelledby": "simulation" }, el("h2", { id: "simulation" }, w.simulationTitle), el("div", { class: ahead.length > 0 ? "pair uneven" : "" }, modes.element, ahead.length > 0 && el("div", { class: "ahead" }, ...(ahead as HTMLElement[]))));
}

function named({ contract, mode, cheapest }: ModeCost, own: string, { w }: BillContext): Node {
  return el("span", { class: "item" }, el("span", {}, w.modes[mode] ?? mode, cheapest && el("b", { class: "tag" }, w.cheapest)), el("small", {}, contract === own ? w.thisContract : contract));
}

function forecast({ method, method_zh, p50_bps, low_bps, high_bps, confidence_percent }: Forecast, context: BillContext): HTMLElement {
  const { w, locale } = context;
  const rate = (bps: number) => format.bitsPerSecond(bps, locale);
  const exact = (bps: number) => `${format.count(bps, locale)} bit/s`;
  return el(
    "article",
    { class: "panel" },
    el("h3", {}, w.forecast),
    el("p", { class: "amount", title: exact(p50_bps) }, rate(p50_bps)),
    el("p", {}, w.forecastIs(rate(low_bps), rate(high_bps), String(confidence_percent))),
    el("p", { class: "definition" }, w.estimateBy(locale === "zh" ? method_zh : method)),
    definition("forecast_p95_bps", context),
  );
}

function burst({ level_bps, level, slots, used, left, alert }: BurstBudget, context: BillContext): HTMLElement {
  const { w, locale } = context;
  const count = (value: number) => format.count(value, locale);
  return el(
    "article",
    { class: `panel burst${alert ? " alert" : ""}` },
    el("h3", { id: "burst" }, w.burst),
    el("meter", { "aria-labelledby": "burst", min: "0", max: String(Math.max(1, slots)), value: String(Math.min(used, slots)), high: String(slots * 0.8), optimum: "0" }),
    el("p", {}, w.burstUsed(count(used), count(slots))),
    el("p", {}, w.burstLeft(count(left), format.bitsPerSecond(level_bps, locale)), " ", w.burstLevels[level] ?? ""),
    alert && el("p", { class: "warned", role: "status" }, el("span", { "aria-hidden": "true" }, "▲ "), w.burstAlert),
    definition("burst_slots", context),
  );
}
