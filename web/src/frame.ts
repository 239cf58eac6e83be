// What surrounds every room of the console: skip link, name, the way between the rooms, languages, main, footer.

import type { Context } from "./context";
import { el } from "./dom";
import { type Locale, tag } from "./format";
import { LOCALES, MESSAGES, NATIVE } from "./i18n";
import { ROOMS, type Room, address } from "./rooms";

export interface Framed {
  room: Room;
  /** Stands in the header, before the languages. */
  beside: Node[];
  main: Node[];
  footer: Node[];
}

export interface FrameActions {
  speak(locale: Locale): void;
  go(room: Room): void;
}

export function frame({ room, beside, main, footer }: Framed, { m, locale }: Context, actions: FrameActions): HTMLElement {
  return el(
    "div",
    { class: "page" },
    el("a", { class: "skip", href: "#main", onclick: (event) => skip(event) }, m.skip),
    el(
      "header",
      {},
      el("div", { class: "brand" }, el("h1", {}, el("i", { class: "mark", "aria-hidden": "true" }), "Livemeter"), el("p", {}, m.tagline)),
      el("nav", { "aria-label": m.rooms }, ...ROOMS.map(way)),
      el("div", { class: "live" }, ...beside, languages()),
    ),
    el("main", { id: "main", tabindex: "-1" }, ...main),
    el("footer", {}, ...footer, el("p", {}, el("a", { href: "/openapi.json" }, m.contract))),
  );

  /** A true link, so that it can be opened in another tab; a plain click stays within the page. */
  function way(one: Room): HTMLElement {
    return el("a", { href: address(one), ...(one === room ? { "aria-current": "page" } : {}), onclick: (event) => follow(event as MouseEvent, one) }, m.roomNames[one]);
  }

  function follow(event: MouseEvent, one: Room): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (one !== room) actions.go(one);
  }

  /** The address holds what is shown: the skip link must not change it. */
  function skip(event: Event): void {
    event.preventDefault();
    document.getElementById("main")?.focus();
  }

  function languages(): HTMLElement {
    const button = (one: Locale) =>
      el("button", { type: "button", lang: tag(one), "aria-pressed": String(one === locale), onclick: () => actions.speak(one) }, NATIVE[one]);
    return el("div", { class: "languages", role: "group", "aria-label": `${MESSAGES.zh.language} / ${MESSAGES.en.language}` }, ...LOCALES.map(button));
  }
}
