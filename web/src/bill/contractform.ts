// Adding a contract: a TOML file dropped, chosen or pasted. The service checks it; a refusal is shown by line
// and field, and the line is marked in the text.

import { el, put, say } from "../dom";
import { dropZone } from "./dropzone";
import EXAMPLE from "./example.toml";
import { refusal, refusedLine } from "./refusal";
import type { BillActions, BillContext, BillState } from "./state";

/** A contract is a page of text; the service has its own limit. */
const FILE_BYTES_MAX = 1_000_000;

export function contractForm(now: () => BillContext, state: BillState, actions: BillActions) {
  const { w } = now();
  const text = el("textarea", { id: "contract-text", spellcheck: "false", autocapitalize: "off", rows: "9", wrap: "off", oninput: () => (state.draft.text = text.value) });
  text.value = state.draft.text;
  const keep = el("button", { class: "primary", type: "submit" }, w.contractSave);
  const check = el("button", { type: "button", onclick: () => actions.contract(text.value, false) }, w.contractCheck);
  const example = el("button", { type: "button", onclick: () => fill(EXAMPLE) }, w.contractExample);
  const kept = el("p", { class: "summary", role: "status" });
  const refused = el("div", { class: "refusal", role: "alert", hidden: true });
  const zone = dropZone("contract-file", w.contractHint, w.contractFile, ".toml,text/plain", false, ([file]) => void take(file));
  const element = el(
    "form",
    { onsubmit: (event) => (event.preventDefault(), actions.contract(text.value, true)) },
    zone,
    el("label", { for: "contract-text" }, w.contractText),
    text,
    refused,
    el("div", { class: "actions" }, keep, check, example, kept),
  );
  let told: unknown = null;
  return { element, update };

  function fill(value: string): void {
    text.value = state.draft.text = value;
    text.focus();
    text.setSelectionRange(0, 0);
    text.scrollTop = 0;
  }

  async function take(file: File | undefined): Promise<void> {
    if (!file) return;
    fill(await file.slice(0, FILE_BYTES_MAX).text());
    actions.contract(text.value, false);
  }

  function update(): void {
    const { asking, failure, valid } = state.draft;
    if (text.value !== state.draft.text) text.value = state.draft.text;
    keep.disabled = check.disabled = asking;
    say(kept, asking ? w.checking : valid === null ? "" : state.draft.kept ? w.contractSaved(valid.id, valid.version) : w.contractValid(valid.id, valid.version));
    refused.hidden = failure === null;
    if (failure === null) return;
    put(refused, refusal(failure, now()));
    const line = refusedLine(failure);
    if (line === null || told === failure) return;
    told = failure;
    show(line);
  }

  /** Marks the line, and brings it into sight. */
  function show(line: number): void {
    const lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    text.focus();
    text.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
    text.scrollTop = (text.scrollHeight / Math.max(1, lines.length)) * Math.max(0, line - 4);
  }
}
