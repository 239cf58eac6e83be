// The small SQL box: a statement, its answer as a table, and the answer as a CSV file.

import { Failure, type SqlAnswer, sql } from "./api";
import type { Context } from "./context";
import { csv, plain } from "./csv";
import { el, put, say } from "./dom";
import * as format from "./format";
import { told } from "./problems";

/** More rows than this are kept for the CSV, not for the page. */
const SHOWN_MAX = 200;

const FIRST = `SELECT cdn, sum(bytes) AS bytes, count(DISTINCT session_id) AS sessions
FROM increments
WHERE status = 'booked'
GROUP BY cdn
ORDER BY bytes DESC`;

/** `kept`: the statement and answer of the box before, when the language changes. */
export interface Kept {
  text: string;
  answer: SqlAnswer | null;
}

export function sqlBox(context: Context, kept: Kept = { text: FIRST, answer: null }) {
  const { m, locale } = context;
  const text = el("textarea", { id: "sql", spellcheck: "false", autocapitalize: "off", rows: "6", "aria-describedby": "sql-hint", onkeydown: (event) => shortcut(event as KeyboardEvent) });
  text.value = kept.text;
  const run = el("button", { class: "primary", type: "submit" }, m.run);
  const download = el("button", { type: "button", hidden: true, onclick: () => save() }, m.download);
  const summary = el("p", { class: "summary", role: "status" });
  const result = el("div", {});
  const form = el(
    "form",
    { onsubmit: (event) => void submit(event) },
    el("label", { class: "hidden", for: "sql" }, m.sqlLabel),
    text,
    el("div", { class: "actions" }, run, download, summary),
  );
  const element = el("section", { class: "panel sql", "aria-labelledby": "sql-title" }, el("h2", { id: "sql-title" }, m.sqlTitle), el("p", { id: "sql-hint", class: "definition" }, m.sqlHint), form, result);
  let answer = kept.answer;
  let running: AbortController | null = null;
  if (answer) show(answer);

  return { element, kept: (): Kept => ({ text: text.value, answer }) };

  function shortcut(event: KeyboardEvent): void {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  }

  /** The same button stops what it started. */
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (running) return running.abort();
    running = new AbortController();
    say(run, m.stop);
    say(summary, m.running);
    summary.classList.remove("failed");
    try {
      answer = await sql(text.value, running.signal);
      show(answer);
    } catch (error) {
      fail(error);
    } finally {
      running = null;
      say(run, m.run);
    }
  }

  function fail(error: unknown): void {
    answer = null;
    download.hidden = true;
    put(result);
    if (error instanceof DOMException && error.name === "AbortError") return say(summary, "");
    summary.classList.add("failed");
    say(summary, error instanceof Failure ? (error.away ? m.away : told(error, locale)) : String(error));
  }

  function show(found: SqlAnswer): void {
    const versions = Object.entries(found.table_versions).map(([name, version]) => `${name} ${version}`);
    const notes = [
      m.sqlSummary(format.count(found.row_count, locale), format.milliseconds(found.elapsed_ms, locale), versions.join(", ")),
      found.truncated ? m.sqlTruncated : "",
      found.rows.length > SHOWN_MAX ? m.sqlShown(format.count(SHOWN_MAX, locale)) : "",
    ];
    say(summary, notes.filter(Boolean).join(" "));
    download.hidden = false;
    const numeric = found.columns.map((column) => /^(U?Int|Float|Decimal)/.test(column.type));
    const style = (i: number) => ({ class: numeric[i] ? "number" : "key" });
    const head = el("tr", {}, ...found.columns.map((column, i) => el("th", { scope: "col", title: column.type, ...style(i) }, column.name)));
    const body = found.rows.slice(0, SHOWN_MAX).map((row) => el("tr", {}, ...row.map((value, i) => el("td", style(i), plain(value)))));
    put(
      result,
      el("div", { class: "scroll tall", tabindex: "0", role: "group", "aria-label": m.sqlResult }, el("table", {}, el("caption", { class: "hidden" }, m.sqlResult), el("thead", {}, head), el("tbody", {}, ...body))),
    );
  }

  function save(): void {
    if (!answer) return;
    const link = el("a", { href: URL.createObjectURL(new Blob([csv(answer)], { type: "text/csv;charset=utf-8" })), download: "livemeter.csv" });
    link.click();
    // The browser has taken its copy by the next turn.
    setTimeout(() => URL.revokeObjectURL(link.href), 0);
  }
}
