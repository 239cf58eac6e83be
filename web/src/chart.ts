// A chart over time, one line per CDN or side: whole windows as steps, the window still open dashed.
// Readable by keyboard (arrow keys) and as a table. uPlot is known to this module alone.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { type Context, cdnName, colourOf, definition } from "./context";
import { el, put, say } from "./dom";
import * as format from "./format";
import type { Lines } from "./model";
import { WINDOW_MS } from "./range";

const HEIGHT_PX = 232;

export interface ChartKind {
  id: string;
  title: string;
  metric: string;
  /** `tick`: on an axis, where zeros at the end say nothing. */
  show(value: number | null, context: Context, tick?: boolean): string;
  /** The top of the axis when all values are smaller. */
  least: number;
  /** What a line is called, where not as it is named. */
  name?(line: string): string;
  /** A window was chosen, by click or Enter; `help` says so. */
  pick?(start: number): void;
  help?: string;
}

/** A stretch that is tinted; a strong one is drawn as a bar. Milliseconds since 1970. */
export interface Mark {
  from: number;
  to: number;
  strong: boolean;
}

/** As wide as its longest label, at 12 px. */
const labelWidth: uPlot.Axis.Size = (_, labels) => 16 + 6.6 * Math.max(0, ...(labels ?? []).map((label) => label.length));

/** `from` and `to`: the stretch asked for, milliseconds since 1970. */
export interface Drawn {
  lines: Lines;
  from: number;
  to: number;
  marks?: Mark[];
}

export function chart(kind: ChartKind, context: Context) {
  const { m } = context;
  const canvas = el("div", { class: "plot" });
  const legend = el("ul", { class: "legend" });
  const when = el("span", { class: "when" });
  const empty = el("p", { class: "nothing" }, m.emptyChart);
  const open = el("p", { class: "note" }, m.openWindow);
  const rows = el("div", {});
  const asTable = el("details", { class: "meanings", ontoggle: () => fillTable() }, el("summary", {}, m.asTable), rows);
  const focus = el("div", { class: "reader", tabindex: "0", role: "group", "aria-labelledby": kind.id, "aria-describedby": `${kind.id}-help`, onclick: () => pick(), onkeydown: (event) => step(event as KeyboardEvent), onblur: () => readout.removeAttribute("aria-live") }, canvas, empty);
  const readout = el("div", { class: "readout" }, when, legend);
  const element = el(
    "section",
    { class: "panel chart", "aria-labelledby": kind.id },
    el("h2", { id: kind.id }, kind.title),
    definition(kind.metric, context),
    readout,
    focus,
    el("p", { id: `${kind.id}-help`, class: "hidden" }, kind.help ?? m.chartHelp),
    open,
    asTable,
  );
  let now = context;
  let drawn: Drawn = { lines: { times: [], lines: [], open: false }, from: 0, to: 0 };
  let plot: uPlot | undefined;
  /** Start of the window under the cursor. */
  let chosen: number | null = null;
  new ResizeObserver(() => plot?.setSize({ width: canvas.clientWidth, height: HEIGHT_PX })).observe(canvas);

  return { element, update, redraw };

  function update(next: Drawn, at: Context): void {
    const before = looks();
    [drawn, now] = [next, at];
    const { lines } = drawn;
    const some = lines.times.length > 0;
    empty.hidden = some;
    canvas.hidden = readout.hidden = asTable.hidden = !some;
    open.hidden = !lines.open;
    // New figures alone must not take the cursor from someone who is reading.
    if (plot && some && before === looks()) plot.setData(data());
    else redraw();
    tell();
    fillTable();
  }

  /** Everything that is fixed when a plot is made. */
  function looks(): string {
    return JSON.stringify([now.tz, ...drawn.lines.lines.map(({ name }) => [name, colourOf(name, now)])]);
  }

  /** Anew from nothing: when lines come and go, and when light turns to dark. */
  function redraw(): void {
    plot?.destroy();
    plot = undefined;
    if (drawn.lines.times.length === 0) return;
    plot = new uPlot(options(), data(), canvas);
  }

  function options(): uPlot.Options {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--muted"), font: `12px ${style.getPropertyValue("--font")}`, ticks: { stroke: colour("--line"), width: 1, size: 4 } };
    const line = (dashed: boolean) => ({ name }: { name: string }): uPlot.Series => ({
      stroke: colour(`--c${colourOf(name, now)}`),
      width: 2,
      points: { show: false },
      ...(dashed ? { dash: [4, 4] } : {}),
    });
    const { lines } = drawn.lines;
    return {
      width: canvas.clientWidth || 600,
      height: HEIGHT_PX,
      // Room for half a label at the right edge.
      padding: [12, 22, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), now.tz),
      scales: { x: { time: true, range: () => [drawn.from / 1000, drawn.to / 1000] }, y: { range: (_, __, max) => [0, Math.max(max ?? 0, kind.least) * 1.08] } },
      axes: [
        { ...axis, grid: { show: false }, values: (_, ticks) => ticks.map((tick) => format.clock(tick * 1000, now.tz, now.locale, false)), space: 64, size: 28, gap: 6 },
        { ...axis, grid: { stroke: colour("--line"), width: 1 }, values: (_, ticks) => ticks.map((tick) => kind.show(tick, now, true)), size: labelWidth, space: 36, gap: 6 },
      ],
      series: [{}, ...lines.map(line(false)), ...lines.map(line(true))],
      hooks: { setCursor: [(u) => choose(u.cursor.idx ?? null)], drawClear: [(u) => tint(u, colour("--mark"))] },
    };
  }

  function tint(u: uPlot, colour: string): void {
    for (const { from, to, strong } of drawn.marks ?? []) {
      const [left, right] = [u.valToPos(from / 1000, "x", true), u.valToPos(to / 1000, "x", true)];
      u.ctx.globalAlpha = strong ? 1 : 0.22;
      u.ctx.fillStyle = colour;
      u.ctx.fillRect(left, u.bbox.top, Math.max(2, right - left), u.bbox.height);
    }
    u.ctx.globalAlpha = 1;
  }

  function pick(): void {
    const at = drawn.lines.times[reading()];
    if (at !== undefined) kind.pick?.(at);
  }

  /** Each window as two points, its start and its end, so that it is drawn as the step it is. */
  function data(): uPlot.AlignedData {
    const { times, lines, open } = drawn.lines;
    const last = times.length - 1;
    const ends = times.map((time, i) => (open && i === last ? Math.min(drawn.to, time + WINDOW_MS) : time + WINDOW_MS) / 1000 - 1);
    const doubled = (values: (number | null)[]) => values.flatMap((value) => [value, value]);
    const finished = lines.map(({ values }) => doubled(values.map((value, i) => (open && i === last ? null : value))));
    const unfinished = lines.map(({ values }) => doubled(values.map((value, i) => (open && i === last ? value : null))));
    return [times.flatMap((time, i) => [time / 1000, ends[i] ?? 0]), ...finished, ...unfinished];
  }

  function choose(point: number | null): void {
    chosen = point === null ? null : (drawn.lines.times[Math.floor(point / 2)] ?? null);
    tell();
  }

  /** Left and right move the cursor by a window, Escape lets it go. */
  function step(event: KeyboardEvent): void {
    const { times } = drawn.lines;
    if (event.key === "Enter") return pick();
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!plot || (by === undefined && event.key !== "Escape")) return;
    event.preventDefault();
    const at = by === undefined ? null : Math.min(times.length - 1, Math.max(0, reading() + by));
    const left = at === null ? -10 : plot.valToPos((times[at] ?? 0) / 1000, "x");
    plot.setCursor({ left: Math.max(at === null ? -10 : 0, left), top: at === null ? -10 : 1 });
    readout.setAttribute("aria-live", "polite");
  }

  /** The last window that is over. */
  function latest(): number {
    return Math.max(0, drawn.lines.times.length - (drawn.lines.open ? 2 : 1));
  }

  /** The window that is read out: the one under the cursor, else the last one that is over. */
  function reading(): number {
    const at = chosen === null ? -1 : drawn.lines.times.indexOf(chosen);
    return at === -1 ? latest() : at;
  }

  function tell(): void {
    const at = reading();
    say(when, windowName(at));
    put(legend, ...drawn.lines.lines.map(({ name, values }) => el("li", {}, cdnName(name, now, title(name)), " ", el("b", {}, kind.show(values[at] ?? null, now)))));
  }

  function title(line: string): string {
    return kind.name?.(line) ?? line;
  }

  function windowName(at: number): string {
    const start = drawn.lines.times[at] ?? 0;
    return `${format.clock(start, now.tz, now.locale, false)}–${format.clock(start + WINDOW_MS, now.tz, now.locale, false)}`;
  }

  /** Filled only while it is open: a day has 288 windows. */
  function fillTable(): void {
    if (!asTable.open) return put(rows);
    const { times, lines } = drawn.lines;
    const head = el("tr", {}, el("th", { scope: "col" }, m.windowStart), ...lines.map(({ name }) => el("th", { scope: "col", class: "number" }, title(name))));
    const body = times.map((time, i) =>
      el("tr", {}, el("th", { scope: "row" }, format.moment(time, now.tz, now.locale)), ...lines.map(({ values }) => el("td", { class: "number" }, kind.show(values[i] ?? null, now)))),
    );
    put(rows, el("div", { class: "scroll tall", tabindex: "0", role: "group", "aria-labelledby": kind.id }, el("table", {}, el("caption", {}, kind.title), el("thead", {}, head), el("tbody", {}, ...body))));
  }
}
