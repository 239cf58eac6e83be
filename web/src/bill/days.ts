// Day by day: a small chart of both sides, and the table whose days open their windows.

import { el } from "../dom";
import * as format from "../format";
import { type Cell, type Column, table } from "../table";
import { bytes, exactBytes } from "./decimal";
import { dayColumns } from "./daycolumns";
import { verdictWord } from "./lines";
import type { BillCheck, CheckDay } from "./shapes";
import { type BillActions, type BillContext, unitFor } from "./state";
import { drawn, svg } from "./svg";

const HEIGHT_PX = 120;
const LABEL_PX = 18;

export function days(check: BillCheck, context: BillContext, actions: BillActions): HTMLElement | null {
  if (check.days.length === 0) return null;
  const { w } = context;
  const unit = unitFor(context, check.days.flatMap((day) => [day.client_bytes, day.log_bytes]));
  const apart = check.days.some(({ without_sdk_bytes }) => without_sdk_bytes !== null && without_sdk_bytes !== undefined);
  const size = (metric: keyof CheckDay & string, label = w.columns[metric] ?? metric): Column<CheckDay> => ({
    label,
    metric,
    cell: (day): Cell => {
      const value = day[metric] as number | null | undefined;
      return { text: bytes(value, unit), exact: exactBytes(value) };
    },
  });
  const columns: Column<CheckDay>[] = [
    { label: w.day, cell: ({ day }) => ({ text: el("button", { type: "button", class: "link", "data-opens": day, "aria-label": w.openDay(day), onclick: () => actions.choose({ day }) }, day) }) },
    { label: w.verdictOf, cell: ({ verdict }) => ({ text: verdictWord(verdict, context) }) },
    size("client_bytes"),
    size("log_bytes"),
    size("overhead_bytes"),
    size("telemetry_loss_bytes"),
    ...(apart ? [size("without_sdk_bytes"), size("unexplained_bytes")] : [size("unexplained_bytes", w.steps.without_sdk_or_unexplained)]),
    { label: w.columns.peak_bandwidth_bps ?? "", metric: "peak_bandwidth_bps", cell: ({ peak_bandwidth_bps: peak }, now) => ({ text: format.bitsPerSecond(peak, now.locale), exact: `${format.count(peak, now.locale)} bit/s` }) },
  ];
  const made = table<CheckDay>("check-days", w.daysTable, columns, context);
  made.update(check.days, context, false);
  made.element.classList.add("dense");
  made.element.querySelector(".scroll")?.classList.add("tall");
  return el("div", { class: "drill" }, picture(check, context, actions), made.element);
}

/** For the eye and the mouse; the table below has the same for everybody. */
function picture(check: BillCheck, context: BillContext, actions: BillActions): HTMLElement {
  const { w, view } = context;
  const chart = drawn(w.daysSay, (width) => {
    const columns = dayColumns(check.days, width, HEIGHT_PX);
    const parts = columns.flatMap(({ day, x, width: wide, log, client, disputed, label }) => {
      const group = svg("g", { class: `day${disputed ? " disputed" : ""}${day === view.day ? " chosen" : ""}` }, svg("title", {}, day), svg("rect", { class: "touch", x, y: 0, width: wide, height: HEIGHT_PX + LABEL_PX }), svg("rect", { class: "log", x: x + 1.5, y: HEIGHT_PX - log, width: wide - 3, height: log }), svg("rect", { class: "client", x: x + 1.5, y: HEIGHT_PX - client, width: wide - 3, height: client }));
      if (disputed) group.append(svg("path", { class: "flag", d: `M${x + wide / 2 - 5} 0h10l-5 7z` }));
      if (label) group.append(svg("text", { class: "tick", x: x + wide / 2, y: HEIGHT_PX + 14, "text-anchor": "middle" }, label));
      group.addEventListener("click", () => actions.choose({ day }));
      return [group];
    });
    return { height: HEIGHT_PX + LABEL_PX, parts };
  });
  chart.classList.add("days");
  return el("section", { class: "panel", "aria-labelledby": "days" }, el("h2", { id: "days" }, w.daysTitle), el("p", { class: "definition" }, w.daysHint, " ", w.daysSay), chart);
}
