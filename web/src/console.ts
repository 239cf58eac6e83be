// The console's beginning: it holds the language and which room is shown, and tells the rooms when they
// are entered and left.

import "./console.css";
import "./bill/bill.css";
import { bill } from "./bill/bill";
import { type Locale, tag } from "./format";
import { preferred, recall, remember } from "./i18n";
import { live } from "./live";
import { type Room, type RoomLife, address, roomOf } from "./rooms";

let locale = preferred(recall(), navigator.languages);
const around = { speak, go };
const rooms: Record<Room, RoomLife> = { live: live(() => locale, around), bill: bill(() => locale, around) };
let room = roomOf(location.search);
/** Where each room was left, to come back to it. */
const left: Partial<Record<Room, string>> = {};

function speak(chosen: Locale): void {
  locale = chosen;
  remember(locale);
  document.documentElement.lang = tag(locale);
  rooms[room].build();
  document.querySelector<HTMLElement>(".languages [aria-pressed=true]")?.focus();
}

function go(to: Room): void {
  left[room] = location.search;
  history.pushState(null, "", left[to] || address(to));
  arrive();
  document.querySelector<HTMLElement>("nav [aria-current]")?.focus();
}

function arrive(): void {
  const next = roomOf(location.search);
  if (next !== room) rooms[room].leave();
  room = next;
  document.documentElement.lang = tag(locale);
  rooms[room].enter(location.search);
}

addEventListener("popstate", arrive);
document.addEventListener("visibilitychange", () => rooms[room].seen());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => rooms[room].redraw());
arrive();
