// Where the columns of the daily chart stand. Pure.

import type { CheckDay } from "./shapes";

/** Room above the tallest column, for the mark of a disputed day. */
const HEAD_PX = 12;
const LABEL_PX = 26;

export interface DayColumn {
  day: string;
  x: number;
  width: number;
  /** Heights in pixels. */
  log: number;
  client: number;
  disputed: boolean;
  /** Day of the month, where there is room for it. */
  label: string;
}

export function dayColumns(days: CheckDay[], width: number, height: number): DayColumn[] {
  const tallest = Math.max(1, ...days.map(({ client_bytes, log_bytes }) => Math.max(Number(client_bytes), Number(log_bytes ?? 0))));
  const wide = width / Math.max(1, days.length);
  const every = Math.ceil(LABEL_PX / wide);
  const tall = (bytes: number | null | undefined) => Math.max(0, (Number(bytes ?? 0) / tallest) * (height - HEAD_PX));
  return days.map(({ day, client_bytes, log_bytes, verdict }, i) => ({
    day,
    x: i * wide,
    width: wide,
    log: tall(log_bytes),
    client: tall(client_bytes),
    disputed: verdict === "disputed",
    label: i % every === 0 ? String(Number(day.slice(8, 10))) : "",
  }));
}
