// Elements without markup in strings: text is always text, so nothing from a client can become HTML.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | boolean | EventListener>;

/** `on…` attributes are listeners; `true` is an empty attribute, `false` none. */
export function el<K extends keyof HTMLElementTagNameMap>(name: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false) element.setAttribute(key, value);
  }
  put(element, ...children);
  return element;
}

/** Replaces what an element holds. */
export function put(element: Element, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
}

/** Draws a place anew. The focus that was in it goes to what has the same id there, or opens the same. */
export function keepFocus(place: Element, draw: () => void): void {
  const held = place.contains(document.activeElement) ? document.activeElement : null;
  draw();
  if (!held || held.isConnected) return;
  const opens = held.getAttribute("data-opens");
  const same = held.id !== "" ? document.getElementById(held.id) : opens === null ? null : place.querySelector<HTMLElement>(`[data-opens="${CSS.escape(opens)}"]`);
  same?.focus();
}

/** Sets text only when it changed, so that a screen reader is not told the same again. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
