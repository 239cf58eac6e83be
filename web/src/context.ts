// What every part of the page needs to write its words and figures: language, zone, definitions, colours.

import type { Metric } from "./api";
import { el } from "./dom";
import type { Locale } from "./format";
import type { Messages } from "./i18n";
import { colourIndex } from "./model";

/** Line colours in console.css (`--c0` …). */
const COLOURS = 8;

export interface Context {
  locale: Locale;
  m: Messages;
  tz: string;
  metrics: Metric[];
  /** Every CDN seen: decides each one's colour. */
  cdns: string[];
}

export function colourOf(cdn: string, context: Context): number {
  return colourIndex(cdn, context.cdns) % COLOURS;
}

/** A CDN's name with its colour beside it; `title`: what it is called, where not as it is named. */
export function cdnName(cdn: string, context: Context, title = cdn): HTMLElement {
  return el("span", { class: "cdn" }, el("i", { class: `swatch c${colourOf(cdn, context)}`, "aria-hidden": "true" }), title);
}

/** A figure's definition, in words: formula, unit, version, source. */
export function definition(name: string, context: Context): HTMLElement {
  const { m, locale, metrics } = context;
  const metric = metrics.find((candidate) => candidate.name === name);
  if (!metric) return el("p", { class: "definition" });
  const facts = [
    metric.unit === "" ? "" : `${m.unit} ${metric.unit}`,
    `${m.version} ${metric.version}`,
    `${m.source} ${metric.source}`,
  ];
  return el(
    "p",
    { class: "definition" },
    el("code", {}, metric.name),
    " ",
    locale === "zh" ? metric.formula_zh : metric.formula,
    " ",
    el("span", { class: "facts" }, facts.filter(Boolean).join(" · ")),
  );
}
