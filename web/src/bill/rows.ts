// The invoice's rows that a line or a cause rests on, in words.

import * as format from "../format";
import type { BillContext } from "./state";

interface Rested {
  invoice_row: number | null;
  invoice_rows: number[];
  invoice_rows_more: number;
}

/** `row 2`, `rows 2, 5, 9`, `rows 2, 5, 9 and 12 more`; nothing where none is invoiced. */
export function invoiceRows({ invoice_row, invoice_rows, invoice_rows_more }: Rested, { w, locale }: Pick<BillContext, "w" | "locale">): string {
  if (invoice_row === null) return "";
  if (invoice_rows.length < 2) return w.invoiceRow(String(invoice_row));
  return w.invoiceRows(invoice_rows.join(", "), invoice_rows_more > 0 ? format.count(invoice_rows_more, locale) : "");
}
