// The console's beginning: it holds what was chosen and last answered, asks anew every 10 seconds while
// the page is seen, and hands answers to the page.

import "./console.css";
import { type Definitions, Failure, definitions as askDefinitions } from "./api";
import type { Context } from "./context";
import { type Locale, tag } from "./format";
import { MESSAGES, preferred, recall, remember } from "./i18n";
import { type Snapshot, load } from "./load";
import { page } from "./page";
import { type View, read, write } from "./view";

const REFRESH_MS = 10_000;

let locale = preferred(recall(), navigator.languages);
let view = read(location.search);
let definitions: Definitions | null = null;
let snapshot: Snapshot | null = null;
let paused = false;
let asking: AbortController | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let shown = build();

function context(): Context {
  return { locale, m: MESSAGES[locale], tz: view.tz, metrics: definitions?.metrics ?? [], cdns: snapshot?.status.cdns ?? [] };
}

/** Builds the page in the language chosen, with the last answers in it. */
function build(before?: ReturnType<typeof page>) {
  document.documentElement.lang = tag(locale);
  const made = page(context(), view, definitions, { speak, choose, retry: () => void refresh(), pause }, before?.kept());
  document.body.replaceChildren(made.element);
  if (snapshot) made.show(snapshot, context());
  if (paused) made.paused(true);
  return made;
}

function speak(chosen: Locale): void {
  locale = chosen;
  remember(locale);
  shown = build(shown);
  document.querySelector<HTMLElement>(".languages [aria-pressed=true]")?.focus();
}

function choose(change: Partial<View>): void {
  view = { ...view, ...change };
  history.replaceState(null, "", write(view));
  void refresh();
}

function pause(): void {
  paused = !paused;
  shown.paused(paused);
  if (paused) clearTimeout(timer);
  else void refresh();
}

/** Asks for everything once; a newer request replaces one under way. */
async function refresh(): Promise<void> {
  clearTimeout(timer);
  asking?.abort();
  const mine = (asking = new AbortController());
  try {
    if (definitions === null) {
      definitions = await askDefinitions(mine.signal);
      if (mine.signal.aborted) return;
      shown = build(shown);
    }
    const next = await load(view, mine.signal);
    if (mine.signal.aborted) return;
    snapshot = next;
    shown.show(snapshot, context());
  } catch (error) {
    if (mine.signal.aborted) return;
    const failure = error instanceof Failure ? error : new Failure(false, String(error));
    shown.fail(failure.away, failure.message, snapshot !== null);
  }
  if (!paused && !document.hidden) timer = setTimeout(() => void refresh(), REFRESH_MS);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else if (!paused) void refresh();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => shown.redraw());
void refresh();
