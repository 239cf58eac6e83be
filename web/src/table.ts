// A table with a caption, numbers that line up, and its columns' definitions below it.

import { type Context, definition } from "./context";
import { el, put } from "./dom";

export interface Cell {
  text: string | Node;
  /** The exact value, shown on hover. */
  exact?: string;
}

export interface Column<Row> {
  label: string;
  /** Name of the metric; columns without one are keys, and stand left. */
  metric?: string;
  cell(row: Row, context: Context): Cell;
  /** What stands in the last row; nothing where a sum would be wrong. */
  total?: (rows: Row[], context: Context) => Cell;
}

export interface Table<Row> {
  element: HTMLElement;
  update(rows: Row[], context: Context, truncated: boolean): void;
}

export function table<Row>(id: string, caption: string, columns: Column<Row>[], context: Context): Table<Row> {
  const { m } = context;
  const body = el("tbody", {});
  const foot = el("tfoot", {});
  const note = el("p", { class: "note", hidden: true }, m.truncated);
  const head = el("tr", {}, ...columns.map((column) => el("th", { scope: "col", class: column.metric ? "number" : "key" }, column.label)));
  const meanings = columns.filter((column) => column.metric).map((column) => el("li", {}, el("strong", {}, column.label), definition(column.metric ?? "", context)));
  const element = el(
    "section",
    { class: "panel", "aria-labelledby": id },
    el("div", { class: "scroll", tabindex: "0", role: "group", "aria-labelledby": id }, el("table", {}, el("caption", {}, el("h2", { id }, caption)), el("thead", {}, head), body, foot)),
    note,
    el("details", { class: "meanings" }, el("summary", {}, m.definitions), el("ul", {}, ...meanings)),
  );

  return {
    element,
    update(rows, now, truncated) {
      put(body, ...rows.map((row) => el("tr", {}, ...columns.map((column, i) => data(column.cell(row, now), column, i === 0)))));
      const summed = rows.length > 1 && columns.some((column) => column.total);
      put(foot, summed && el("tr", {}, ...columns.map((column, i) => data(column.total?.(rows, now) ?? { text: "" }, column, i === 0))));
      note.hidden = !truncated;
    },
  };
}

function data<Row>(cell: Cell, column: Column<Row>, first: boolean): HTMLElement {
  const attributes = { class: column.metric ? "number" : "key", ...(cell.exact ? { title: cell.exact } : {}) };
  return first ? el("th", { scope: "row", ...attributes }, cell.text) : el("td", attributes, cell.text);
}
