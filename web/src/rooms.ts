// The rooms of the console and their names in the address: `?page=bill`; the live page is the one without a name.

export const ROOMS = ["live", "bill"] as const;
export type Room = (typeof ROOMS)[number];

export function roomOf(search: string): Room {
  const name = new URLSearchParams(search).get("page");
  return ROOMS.find((room) => room === name) ?? "live";
}

/** Where a room begins, with nothing chosen. */
export function address(room: Room): string {
  return room === "live" ? "/" : `/?page=${room}`;
}

/** What a room does; it draws itself into the body. */
export interface RoomLife {
  /** Shows the view that the address holds, and asks for it. */
  enter(search: string): void;
  leave(): void;
  /** The same again, in the language now chosen. */
  build(): void;
  /** The browser's tab was hidden or came back. */
  seen(): void;
  /** Light turned to dark or back. */
  redraw(): void;
}
