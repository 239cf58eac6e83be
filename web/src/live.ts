// The live page's life: it holds what was chosen and last answered, asks anew every 10 seconds while the
// page is seen, and hands answers to the page.

import { type Definitions, Failure, definitions as askDefinitions } from "./api";
import type { Context } from "./context";
import type { FrameActions } from "./frame";
import type { Locale } from "./format";
import { MESSAGES } from "./i18n";
import { type Snapshot, load } from "./load";
import { page } from "./page";
import { told } from "./problems";
import type { RoomLife } from "./rooms";
import { type View, read, write } from "./view";

const REFRESH_MS = 10_000;

export function live(locale: () => Locale, around: FrameActions): RoomLife {
  let view: View;
  let definitions: Definitions | null = null;
  let snapshot: Snapshot | null = null;
  let paused = false;
  let here = false;
  let asking: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let shown: ReturnType<typeof page>;

  return { enter, leave, build, seen, redraw: () => shown.redraw() };

  function enter(search: string): void {
    view = read(search);
    here = true;
    build();
    if (!paused || snapshot === null) void refresh();
  }

  /** Nothing is asked for a page that is not shown. */
  function leave(): void {
    here = false;
    clearTimeout(timer);
    asking?.abort();
  }

  function context(): Context {
    return { locale: locale(), m: MESSAGES[locale()], tz: view.tz, metrics: definitions?.metrics ?? [], cdns: snapshot?.status.cdns ?? [] };
  }

  /** Builds the page in the language chosen, with the last answers in it. */
  function build(): void {
    shown = page(context(), view, definitions, { ...around, choose, retry: () => void refresh(), pause }, shown?.kept());
    document.body.replaceChildren(shown.element);
    if (snapshot) shown.show(snapshot, context());
    if (paused) shown.paused(true);
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

  function seen(): void {
    if (document.hidden) clearTimeout(timer);
    else if (!paused) void refresh();
  }

  /** Asks for everything once; a newer request replaces one under way. */
  async function refresh(): Promise<void> {
    clearTimeout(timer);
    asking?.abort();
    const mine = (asking = new AbortController());
    try {
      if (definitions === null) {
        const asked = await askDefinitions(mine.signal);
        if (mine.signal.aborted) return;
        definitions = asked;
        build();
      }
      const next = await load(view, mine.signal);
      if (mine.signal.aborted) return;
      snapshot = next;
      shown.show(snapshot, context());
    } catch (error) {
      if (mine.signal.aborted) return;
      const failure = Failure.of(error);
      shown.fail(failure.away, told(failure, locale()), snapshot !== null);
    }
    if (here && !paused && !document.hidden) timer = setTimeout(() => void refresh(), REFRESH_MS);
  }
}
