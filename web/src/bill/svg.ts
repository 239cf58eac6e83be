// Drawing in SVG: elements, and a drawing that is made anew when its place becomes wider or narrower. Looks
// are in the style sheet, so that light and dark need nothing here.

import { el } from "../dom";

const NAMESPACE = "http://www.w3.org/2000/svg";

export function svg<K extends keyof SVGElementTagNameMap>(name: K, attributes: Record<string, string | number>, ...children: (SVGElement | string)[]): SVGElementTagNameMap[K] {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

export interface Drawing {
  height: number;
  parts: SVGElement[];
}

/** A picture, said in words to who cannot see it. */
export function drawn(says: string, draw: (width: number) => Drawing): HTMLElement {
  const place = el("div", { class: "drawing" });
  let before = 0;
  new ResizeObserver(() => {
    const width = place.clientWidth;
    if (width === 0 || width === before) return;
    before = width;
    const { height, parts } = draw(width);
    place.replaceChildren(svg("svg", { role: "img", "aria-label": says, width, height, viewBox: `0 0 ${width} ${height}` }, ...parts));
  }).observe(place);
  return place;
}
