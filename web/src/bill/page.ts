// The bill check as a whole, in one language. Each part stands in a place of its own and is drawn anew when
// its answer comes; the rest stays as it is.

import { el, keepFocus, put, say } from "../dom";
import { type FrameActions, frame } from "../frame";
import { told } from "../problems";
import { bills } from "./bills";
import { causes } from "./causes";
import { choices } from "./choices";
import { days } from "./days";
import { lines } from "./lines";
import { logLines } from "./loglines";
import { papers } from "./papers";
import { sessions } from "./sessions";
import { simulation } from "./simulation";
import { source } from "./source";
import type { Answer, BillActions, BillContext, BillState } from "./state";
import { verdict } from "./verdict";
import { waterfallPanel } from "./waterfallpanel";
import { whatIf } from "./whatif";
import { windows } from "./windows";

export function page(now: () => BillContext, state: BillState, actions: BillActions, around: FrameActions) {
  const { m, w } = now();
  const standing = el("span", { class: "updated", role: "status" });
  const notice = el("div", { class: "notice", role: "alert", hidden: true });
  const place = (name: string) => el("div", { class: `place ${name}` });
  const places = {
    choices: place("of-choices"), verdict: place("of-verdict"), causes: place("of-causes"), waterfall: place("of-waterfall"), bills: place("of-bills"), lines: place("of-lines"),
    days: place("of-days"), windows: place("of-windows"), sessions: place("of-sessions"), log: place("of-log"), simulation: place("of-simulation"), source: place("of-source"),
  };
  const intake = papers(now, state, actions);
  const elsewhere = whatIf(now, state, actions);
  const figures = el("div", { class: "figures", "aria-busy": "true" }, places.verdict, places.causes, places.waterfall, places.bills, places.lines, places.days, places.windows, places.sessions, places.log, places.simulation, elsewhere.element, places.source);
  const note = el("p", {}, w.unitNote);
  const element = frame({ room: "bill", beside: [standing], main: [places.choices, notice, intake.element, figures], footer: [note] }, now(), around);
  all();

  return { element, all, papers: thePapers, results, waterfall: theWaterfall, days: theDays, focusOn, windows: theWindows, sessions: theSessions, lines: theLines, simulation: theSimulation, whatIf: elsewhere.update, uploads: intake.uploads, draft: intake.draft };

  function all(): void {
    thePapers();
    results();
    theWindows(false);
    theSessions(false);
    theLines(false);
    theSimulation();
    elsewhere.update();
  }

  function thePapers(): void {
    choose();
    intake.update();
  }

  /** Choosers keep the focus when they are drawn anew. */
  function choose(): void {
    keepFocus(places.choices, () => put(places.choices, choices(now(), state, actions)));
  }

  function results(): void {
    const context = now();
    const { check, contracts } = state;
    const failure = contracts.failure ?? check.failure;
    tell(failure?.away ?? false, failure ? told(failure, context.locale) : null);
    choose();
    intake.facts();
    figures.hidden = check.value === null;
    figures.classList.toggle("old", check.asking || check.failure !== null);
    figures.setAttribute("aria-busy", String(check.asking));
    say(standing, contracts.asking ? w.reading : check.asking ? w.working : check.value ? w.ready : contracts.value?.length === 0 ? w.noContracts : "");
    if (check.value) keepFocus(figures, () => ofCheck(context));
  }

  function ofCheck(context: BillContext): void {
    const { value } = state.check;
    if (!value) return;
    put(places.verdict, verdict(value, context));
    put(places.causes, causes(value, context));
    theWaterfall();
    put(places.bills, bills(value, context));
    put(places.lines, lines(value, context));
    theDays();
    put(places.source, source(value, context));
  }

  function theWaterfall(): void {
    if (state.check.value) put(places.waterfall, waterfallPanel(state.check.value, now(), state.fromZero, actions));
  }

  function theDays(): void {
    if (state.check.value) put(places.days, days(state.check.value, now(), actions));
  }

  /** The button that opened a day, a window or lines. */
  function focusOn(opened: string): void {
    figures.querySelector<HTMLElement>(`[data-opens="${CSS.escape(opened)}"]`)?.focus();
  }

  function theWindows(focus: boolean): void {
    part(places.windows, state.windows, now().view.day !== "", (value) => windows(value, now(), actions), focus);
  }

  function theSessions(focus: boolean): void {
    part(places.sessions, state.sessions, now().view.window !== "", (value) => sessions(value, now(), actions), focus);
  }

  function theLines(focus: boolean): void {
    part(places.log, state.lines, now().view.lines !== "", (value) => logLines(value, now(), actions), focus);
  }

  function theSimulation(): void {
    part(places.simulation, state.simulation, true, (value) => simulation(value, now()), false);
  }

  /** A part with an answer of its own. `focus`: its heading takes the focus, for who opened it. */
  function part<T>(where: HTMLElement, answer: Answer<T>, wanted: boolean, draw: (value: T) => HTMLElement, focus: boolean): void {
    where.classList.toggle("old", answer.asking);
    where.setAttribute("aria-busy", String(answer.asking));
    if (!wanted) return put(where);
    if (answer.failure) put(where, el("section", { class: "panel" }, el("p", {}, el("strong", {}, w.failedPart), " ", told(answer.failure, now().locale))));
    else if (answer.value) put(where, draw(answer.value));
    else put(where, answer.asking && el("section", { class: "panel" }, el("p", {}, w.reading)));
    if (!focus) return;
    const heading = where.querySelector<HTMLElement>("h2");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus();
  }

  function tell(away: boolean, reason: string | null): void {
    notice.hidden = reason === null;
    if (reason === null) return put(notice);
    if (notice.querySelector(".reason")?.textContent === reason) return;
    put(notice, el("div", {}, el("p", {}, el("strong", {}, away ? m.away : m.failed)), el("p", { class: "reason" }, reason)), el("button", { type: "button", onclick: () => actions.retry() }, m.retry));
  }
}
