// The bill check's life: it holds what was chosen and answered, asks for what is missing, and hands answers to
// the page. Nothing is asked again by itself: a bill does not change while it is read.

import { Failure, definitions as askDefinitions, status, type Metric } from "../api";
import type { FrameActions } from "../frame";
import type { Locale } from "../format";
import { MESSAGES } from "../i18n";
import { localDate } from "../range";
import type { RoomLife } from "../rooms";
import * as calls from "./calls";
import { lineRange } from "./linerange";
import { page } from "./page";
import { type Answer, type BillActions, type BillContext, type BillState, ask, newestVersions, nothing } from "./state";
import { upload } from "./upload";
import { type BillView, months, read, write } from "./view";
import { en } from "./words";
import { zh } from "./words.zh";

const WORDS = { en, zh };

export function bill(locale: () => Locale, around: FrameActions): RoomLife {
  let view: BillView;
  let metrics: Metric[] = [];
  let shown: ReturnType<typeof page>;
  const state: BillState = {
    contracts: nothing(), logs: [], invoices: [], check: nothing(), simulation: nothing(), windows: nothing(), sessions: nothing(), lines: nothing(),
    whatIf: { percent: "10", to: "", answer: nothing() }, uploads: [], draft: { text: "", asking: false, failure: null, valid: null, kept: false }, fromZero: false, today: "",
  };
  /** What is under way, by what it is for: a new question of the same kind replaces the old. */
  const under: Record<string, AbortController> = {};
  let sending = Promise.resolve();
  const actions: BillActions = { choose, retry: () => void begin(), upload: take, contract, axis, whatIf };

  return { enter, leave, build, seen: () => undefined, redraw: () => build() };

  function enter(search: string): void {
    view = read(search);
    build();
    void begin();
  }

  /** Uploads go on: only questions are let go. */
  function leave(): void {
    for (const one of Object.values(under)) one.abort();
  }

  function build(): void {
    shown = page(context, state, actions, around);
    document.body.replaceChildren(shown.element);
  }

  function context(): BillContext {
    const contract = newestVersions(state.contracts.value ?? []).find(({ id }) => id === view.contract) ?? null;
    const tz = contract?.tz ?? "UTC";
    return { locale: locale(), m: MESSAGES[locale()], w: WORDS[locale()], tz, metrics, cdns: ["client", "log"], view, contract };
  }

  function signal(kind: string): AbortSignal {
    under[kind]?.abort();
    return (under[kind] = new AbortController()).signal;
  }

  /** Contracts and papers first, then what the view asks for. */
  async function begin(): Promise<void> {
    const wanted = signal("begin");
    const changed = await ask(state.contracts, async () => {
      const [now, known, found] = await Promise.all([status(wanted), askDefinitions(wanted), calls.contracts(wanted)]);
      state.today = localDate(Date.parse(now.now), "UTC");
      metrics = known.metrics;
      return found.contracts;
    }, wanted);
    if (!changed) return;
    await papers(wanted);
    if (wanted.aborted) return;
    settle();
    shown.all();
    question();
  }

  async function papers(wanted: AbortSignal): Promise<void> {
    if (!state.contracts.value) return;
    try {
      const [logs, invoices] = await Promise.all([calls.logs(wanted), calls.invoices(wanted)]);
      [state.logs, state.invoices] = [logs.imports, invoices.invoices];
    } catch (error) {
      if (!wanted.aborted) state.contracts.failure = Failure.of(error);
    }
  }

  /** What was not chosen is chosen: the first contract, the last month that is over. */
  function settle(): void {
    const known = newestVersions(state.contracts.value ?? []);
    if (!known.some(({ id }) => id === view.contract)) view = { ...view, contract: known[0]?.id ?? "" };
    if (view.period === "" && state.today !== "") view = { ...view, period: months(state.today, 2)[1] ?? "" };
    address();
  }

  function address(): void {
    history.replaceState(null, "", write(view));
  }

  /** Everything that the view asks for. */
  function question(): void {
    if (view.contract === "" || view.period === "") return;
    const asked = { contract: view.contract, period: view.period, invoice: view.invoice };
    part("check", state.check, (wanted) => calls.check(asked, wanted), () => shown.results());
    part("simulation", state.simulation, (wanted) => calls.simulation(asked, wanted), () => shown.simulation());
    if (view.day !== "") askWindows(false);
    if (view.window !== "") askSessions(false);
    if (view.lines !== "") askLines(false);
  }

  function part<T>(kind: string, answer: Answer<T>, question: (wanted: AbortSignal) => Promise<T>, draw: () => void): void {
    const wanted = signal(kind);
    const asked = ask(answer, () => question(wanted), wanted);
    draw();
    void asked.then((changed) => changed && draw());
  }

  function whatIf(): void {
    const { percent, to, answer } = state.whatIf;
    if (to !== "") part("what-if", answer, (wanted) => calls.whatIf(view.contract, to, percent.trim(), view.period, wanted), () => shown.whatIf());
  }

  /** It was of another contract or month. */
  function dropWhatIf(): void {
    signal("what-if");
    Object.assign(state.whatIf.answer, nothing());
  }

  function askWindows(focus: boolean): void {
    part("windows", state.windows, (wanted) => calls.windows(view.contract, view.day, view.period, wanted), () => shown.windows(focus && !state.windows.asking));
  }

  function askSessions(focus: boolean): void {
    part("sessions", state.sessions, (wanted) => calls.sessions(view.contract, view.window, wanted), () => shown.sessions(focus && !state.sessions.asking));
  }

  function askLines(focus: boolean): void {
    const range = lineRange(view.lines);
    const vendor = context().contract?.vendor;
    if (range && vendor) part("lines", state.lines, (wanted) => calls.logLines(vendor, range, wanted), () => shown.lines(focus && !state.lines.asking));
  }

  /** What hangs on what was changed is let go: the windows on the day, the sessions on the window, … */
  function choose(change: Partial<BillView>): void {
    const order = ["contract", "period", "invoice", "day", "window", "lines"] as const;
    const at = order.findIndex((key) => change[key] !== undefined);
    const before = view;
    if (at !== -1) view = { ...view, ...Object.fromEntries(order.slice(Math.max(2, at + 1)).map((key) => [key, ""])) };
    view = { ...view, ...change };
    address();
    for (const [key, answer] of [["day", state.windows], ["window", state.sessions], ["lines", state.lines]] as const) if (view[key] === "") Object.assign(answer, nothing());
    if (at !== -1 && at < 2) dropWhatIf();
    if (at < 3) shown.all();
    if (at !== -1 && at < 3) return question();
    if (change.day !== undefined) {
      shown.days();
      shown.windows(false);
    }
    shown.sessions(false);
    shown.lines(false);
    if (change.day) askWindows(true);
    else if (change.window) askSessions(true);
    else if (change.lines) askLines(true);
    // What was closed gives the focus back to where it was opened.
    else if (at >= 3) shown.focusOn(before[order[at] ?? "day"]);
  }

  function axis(fromZero: boolean): void {
    state.fromZero = fromZero;
    shown.waterfall();
  }

  /** Files go one after the other; when all are through, the papers and the check are asked for anew. */
  function take(kind: "logs" | "invoices", files: File[], vendor: string, layout: string): void {
    const taken = files.map((file) => upload({ kind, vendor, layout, file }));
    state.uploads = [...state.uploads, ...taken];
    shown.uploads();
    for (const one of taken) sending = sending.then(() => one.run(() => shown.uploads()));
    sending = sending.then(async () => {
      if (state.uploads.some(({ standing }) => standing === "waiting") || !taken.some(({ standing }) => standing === "done")) return;
      await papers(signal("papers"));
      shown.papers();
      question();
    });
  }

  async function contract(text: string, keep: boolean): Promise<void> {
    const wanted = signal("contract");
    Object.assign(state.draft, { text, asking: true, failure: null, valid: null, kept: false });
    shown.draft();
    try {
      const valid = await calls.addContract(text, keep, wanted);
      Object.assign(state.draft, { text: keep ? "" : text, asking: false, valid, kept: keep });
      shown.draft();
      if (!keep) return;
      view = { ...view, contract: valid.id, invoice: "", day: "", window: "", lines: "" };
      await begin();
    } catch (error) {
      if (wanted.aborted) return;
      Object.assign(state.draft, { asking: false, failure: Failure.of(error) });
      shown.draft();
    }
  }
}
