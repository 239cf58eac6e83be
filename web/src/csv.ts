// A query's answer as a CSV file (RFC 4180), safe to open in a spreadsheet.

import type { SqlAnswer } from "./api";

/** Excel reads UTF-8 only when the file says so. */
const BYTE_ORDER_MARK = "\ufeff";

export function csv(answer: Pick<SqlAnswer, "columns" | "rows">): string {
  const lines = [answer.columns.map((column) => column.name), ...answer.rows];
  return BYTE_ORDER_MARK + lines.map((line) => line.map(cell).join(",") + "\r\n").join("");
}

/** Any value of an answer as text. */
export function plain(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function cell(value: unknown): string {
  let text = plain(value);
  // A text that came from a client must not become a formula in finance's spreadsheet.
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
