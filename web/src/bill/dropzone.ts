// A place to drop files on; by keyboard, a button that opens the browser's own chooser.

import { el } from "../dom";

export function dropZone(id: string, hint: string, choose: string, accept: string, many: boolean, take: (files: File[]) => void): HTMLElement {
  const input = el("input", { type: "file", id, class: "hidden", accept, multiple: many, tabindex: "-1", "aria-hidden": "true", onchange: () => taken(input.files) });
  const button = el("button", { type: "button", "aria-describedby": `${id}-hint`, onclick: () => input.click() }, choose);
  const zone = el("div", { class: "drop", ondragover: (event) => over(event as DragEvent), ondragleave: () => zone.classList.remove("over"), ondrop: (event) => dropped(event as DragEvent) }, el("p", { id: `${id}-hint` }, hint), button, input);
  return zone;

  function over(event: DragEvent): void {
    event.preventDefault();
    zone.classList.add("over");
  }

  function dropped(event: DragEvent): void {
    event.preventDefault();
    zone.classList.remove("over");
    taken(event.dataTransfer?.files ?? null);
  }

  function taken(files: FileList | null): void {
    const found = [...(files ?? [])];
    if (found.length > 0) take(many ? found : found.slice(0, 1));
    // The same file may be chosen again, after it was mended.
    input.value = "";
  }
}
