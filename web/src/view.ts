// What the viewer chose to see. It lives in the address, so that a view can be kept and passed on.

import { type Range, isRange, isZone, zones } from "./range";

export interface View {
  range: Range;
  tz: string;
  /** Empty: all apps. */
  app: string;
}

export function read(search: string): View {
  const query = new URLSearchParams(search);
  const range = query.get("range");
  const tz = query.get("tz");
  return {
    range: isRange(range) ? range : "1h",
    tz: tz !== null && isZone(tz) ? tz : (zones()[0] ?? "UTC"),
    app: query.get("app") ?? "",
  };
}

export function write(view: View): string {
  const query = new URLSearchParams({ range: view.range, tz: view.tz });
  if (view.app !== "") query.set("app", view.app);
  return `?${query.toString()}`;
}
