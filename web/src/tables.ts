// The three tables: traffic per CDN, quality per CDN, top programmes.

import type { QualityRow, TrafficRow } from "./api";
import { type Context, cdnName, colourOf } from "./context";
import { el } from "./dom";
import * as format from "./format";
import type { Snapshot } from "./load";
import { type ProgrammeRow, byBytes, byCdn, topProgrammes, totalBytes } from "./model";
import { type Cell, type Column, table } from "./table";

const PROGRAMMES_MAX = 10;

const bytes = (value: number, { locale }: Context): Cell => ({ text: format.bytes(value, locale), exact: format.exactBytes(value, locale) });
const count = (value: number, { locale }: Context): Cell => ({ text: format.count(value, locale) });
const percent = (value: number | null | undefined, { locale }: Context): Cell => ({ text: format.percent(value, locale), exact: value === null || value === undefined ? "" : String(value) });
const time = (ms: number, { locale }: Context): Cell => ({ text: format.duration(ms, locale), exact: format.milliseconds(ms, locale) });
const startup = (ms: number | null | undefined, { locale }: Context): Cell => ({ text: format.milliseconds(ms ?? null, locale) });
const rate = (bps: number, { locale }: Context): Cell => ({ text: format.bitsPerSecond(bps, locale), exact: `${format.count(bps, locale)} bit/s` });
const sum = <Row>(rows: Row[], of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0);

export function tables(context: Context) {
  const { m } = context;
  const label = (metric: string) => m.columns[metric] ?? metric;
  let allBytes = 0;
  let total: QualityRow | undefined;

  const traffic = table<TrafficRow>("traffic", m.trafficTable, [
    { label: m.cdn, cell: (row, now) => ({ text: cdnName(row.cdn ?? "", now) }), total: () => ({ text: m.total }) },
    { label: label("bytes"), metric: "bytes", cell: (row, now) => bytes(row.bytes, now), total: (rows, now) => bytes(totalBytes(rows), now) },
    { label: m.share, cell: (row, now) => ({ text: share(row, now) }) },
    { label: label("peak_bandwidth_bps"), metric: "peak_bandwidth_bps", cell: (row, now) => rate(row.peak_bandwidth_bps, now) },
    { label: label("aborted_bytes"), metric: "aborted_bytes", cell: (row, now) => bytes(row.aborted_bytes, now), total: (rows, now) => bytes(sum(rows, (r) => r.aborted_bytes), now) },
    { label: label("sessions"), metric: "sessions", cell: (row, now) => count(row.sessions, now) },
  ], context);

  const played = (metric: keyof QualityRow, show: (value: number, now: Context) => Cell): Column<QualityRow> => ({
    label: label(metric),
    metric,
    cell: (row, now) => figure(row[metric], show, now),
    total: (_, now) => figure(total?.[metric], show, now),
  });
  const quality = table<QualityRow>("quality", m.qualityTable, [
    { label: m.cdn, cell: (row, now) => ({ text: cdnName(row.cdn ?? "", now) }), total: () => ({ text: m.total }) },
    played("stall_ratio", percent),
    played("stalls", count),
    played("stall_ms", time),
    played("play_ms", time),
    played("stalls_per_100s", (value, now) => ({ text: format.decimal(value, 3, now.locale), exact: String(value) })),
    played("views", count),
    played("stalled_views_ratio", percent),
    played("startup_p50_ms", startup),
    played("startup_p95_ms", startup),
  ], context);

  const programmes = table<ProgrammeRow>("programmes", m.programmesTable(PROGRAMMES_MAX), [
    { label: m.programme, cell: (row) => ({ text: row.programme }) },
    { label: label("bytes"), metric: "bytes", cell: (row, now) => bytes(row.bytes, now) },
    { label: label("sessions"), metric: "sessions", cell: (row, now) => count(row.sessions, now) },
    { label: label("views"), metric: "views", cell: (row, now) => count(row.views, now) },
    { label: label("stall_ratio"), metric: "stall_ratio", cell: (row, now) => percent(row.stall_ratio, now) },
  ], context);

  return {
    traffic: traffic.element,
    quality: quality.element,
    programmes: programmes.element,
    update(snapshot: Snapshot, now: Context): void {
      allBytes = totalBytes(snapshot.traffic.rows);
      total = snapshot.qualityTotal.rows[0];
      traffic.update(byBytes(snapshot.traffic.rows), now, snapshot.traffic.truncated);
      quality.update(byCdn(snapshot.quality.rows), now, snapshot.quality.truncated);
      const cut = snapshot.trafficByProgramme.truncated || snapshot.qualityByProgramme.truncated;
      programmes.update(topProgrammes(snapshot.trafficByProgramme, snapshot.qualityByProgramme, PROGRAMMES_MAX), now, cut);
    },
  };

  function share(row: TrafficRow, now: Context): HTMLElement {
    const part = allBytes === 0 ? 0 : row.bytes / allBytes;
    const bar = el("i", { class: `bar c${colourOf(row.cdn ?? "", now)}`, "aria-hidden": "true" });
    bar.style.width = `${(part * 100).toFixed(2)}%`;
    const text = part.toLocaleString(format.tag(now.locale), { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
    return el("span", { class: "share" }, el("span", { class: "track" }, bar), text);
  }
}

/** A figure, or a dash where there is none. */
function figure(value: unknown, show: (value: number, now: Context) => Cell, now: Context): Cell {
  return typeof value === "number" ? show(value, now) : { text: "–" };
}
