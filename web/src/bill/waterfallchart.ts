// The waterfall drawn: a row a step, the bar beside its name, its figure at the end. It reads downwards like a
// sum, and fits a narrow page. Where the bars lie is the layout's affair.

import { type Unit, bytes } from "./decimal";
import type { BillContext } from "./state";
import { drawn, svg } from "./svg";
import type { Bar, Waterfall } from "./waterfall";

const NARROW_PX = 640;
const LABEL_PX = 190;
const FIGURE_PX = 190;
const BAR_PX = 20;
const AXIS_PX = 22;
/** Room of a tick's label, and from the very edge, where it would be cut. */
const TICK_PX = 76;
const EDGE_PX = 24;

export function waterfallChart(layout: Waterfall, unit: Unit, { w }: BillContext): HTMLElement {
  const name = (bar: Bar) => w.steps[bar.step.step] ?? bar.step.step;
  const figure = ({ step }: Bar) => (step.bytes === null || step.bytes === undefined ? w.notInBytes : bytes(step.bytes, unit, step.kind !== "total"));
  const says = w.waterfallSays(layout.bars.map((bar) => `${name(bar)} ${figure(bar)}`).join(", "));
  return drawn(says, (width) => {
    const narrow = width < NARROW_PX;
    const row = narrow ? 62 : 42;
    const [left, right] = narrow ? [0, width] : [LABEL_PX, width - FIGURE_PX];
    const x = (share: number) => left + share * (right - left);
    const height = layout.bars.length * row + AXIS_PX;
    const labelled = readable(layout.ticks.map(({ at }) => x(at)), left, right);
    const grid = layout.ticks.flatMap(({ at, bytes: tick }) => [
      svg("line", { class: "grid", x1: x(at), x2: x(at), y1: narrow ? 24 : 4, y2: height - AXIS_PX }),
      ...(!labelled.has(x(at)) ? [] : [svg("text", { class: "tick", x: x(at), y: height - 6, "text-anchor": "middle" }, tickText(tick, unit))]),
    ]);
    const rows = layout.bars.flatMap((bar, i) => {
      const top = i * row;
      const y = top + (narrow ? 28 : (row - BAR_PX) / 2);
      const middle = narrow ? top + 16 : top + row / 2 + 4.5;
      const interval = bar.low !== null && bar.high !== null ? w.estimate(bytes(bar.step.low_bytes, unit), bytes(bar.step.high_bytes, unit)) : "";
      return [
        svg("text", { class: "name", x: 0, y: middle }, name(bar)),
        svg("text", { class: `figure ${bar.step.kind}`, x: width, y: interval && !narrow ? middle - 7 : middle, "text-anchor": "end" }, figure(bar)),
        ...(interval ? [svg("text", { class: "interval", x: width, y: narrow ? y + BAR_PX + 12 : middle + 8, "text-anchor": "end" }, interval)] : []),
        ...body(bar, y, x),
        ...joint(bar, layout.bars[i + 1], y, row, x),
      ];
    });
    const cut = layout.cut ? layout.bars.flatMap((bar, i) => (bar.step.kind === "total" && bar.to !== null ? tear(left, i * row + (narrow ? 28 : (row - BAR_PX) / 2)) : [])) : [];
    return { height, parts: [...grid, ...rows, ...cut] };
  });
}

/** Of the ticks' places those whose labels are not cut and do not meet. */
function readable(places: number[], left: number, right: number): Set<number> {
  const kept: number[] = [];
  for (const at of places) if (at >= left + EDGE_PX && at <= right - EDGE_PX && at - (kept.at(-1) ?? -Infinity) >= TICK_PX) kept.push(at);
  return new Set(kept);
}

function body(bar: Bar, y: number, x: (share: number) => number): SVGElement[] {
  if (bar.from === null || bar.to === null) return [];
  const [from, to] = [Math.min(bar.from, bar.to), Math.max(bar.from, bar.to)];
  const known = ["client", "log", "invoice", "unexplained", "without_sdk_or_unexplained", "invoice_difference"];
  const look = known.includes(bar.step.step) ? bar.step.step : "difference";
  const parts: SVGElement[] = [svg("rect", { class: `stretch ${look}`, x: x(from), y, width: Math.max(2, x(to) - x(from)), height: BAR_PX, rx: 2 })];
  if (bar.low !== null && bar.high !== null) {
    const [low, high, middle] = [x(bar.low), x(bar.high), y + BAR_PX / 2];
    for (const shade of ["halo", "whisker"]) {
      parts.push(svg("path", { class: shade, d: `M${low} ${middle}H${high}M${low} ${middle - 5}V${middle + 5}M${high} ${middle - 5}V${middle + 5}` }));
    }
  }
  return parts;
}

/** From where a step ends to where the next begins. */
function joint(bar: Bar, next: Bar | undefined, y: number, row: number, x: (share: number) => number): SVGElement[] {
  if (bar.reached === null || !next || next.from === null) return [];
  return [svg("line", { class: "joint", x1: x(bar.reached), x2: x(bar.reached), y1: y + BAR_PX, y2: y + row })];
}

/** A torn edge: the bar is longer than it is drawn. */
function tear(left: number, y: number): SVGElement[] {
  const at = left + 14;
  return [svg("path", { class: "tear", d: `M${at - 3} ${y - 2}l6 ${BAR_PX / 3} l-6 ${BAR_PX / 3} l6 ${BAR_PX / 3 + 4}` })];
}

/** Without the zeros that say nothing. */
function tickText(tick: bigint, unit: Unit): string {
  return bytes(tick, unit).replace(/\.?0*(?=\u00a0)/, (end) => (end.startsWith(".") ? "" : end)).replace(/(\.\d*[1-9])0+(?=\u00a0)/, "$1");
}
