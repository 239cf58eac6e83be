// Taking a vendor's files: whose, in which format, how far they have got, and what came of each.

import { el, put } from "../dom";
import { dropZone } from "./dropzone";
import { paperList } from "./paperlist";
import type { BillActions, BillContext, BillState } from "./state";
import { uploadRow } from "./uploadrow";

/** Formats and templates that the service knows by name; it may know others. */
const LAYOUTS = {
  logs: ["cloudfront", "akamai", "tencent", "aliyun", "fastly", "fastly-clf", "nginx"],
  invoices: ["focus"],
} as const;
const ACCEPT = { logs: "", invoices: ".csv,.xlsx,.gz,.zst" } as const;

export function intake(kind: "logs" | "invoices", now: () => BillContext, state: BillState, actions: BillActions) {
  const { w } = now();
  const isLogs = kind === "logs";
  const vendor = el("input", { id: `${kind}-vendor`, required: true, autocomplete: "off", spellcheck: "false" });
  const layout = el("input", { id: `${kind}-layout`, list: `${kind}-layouts`, required: true, autocomplete: "off", spellcheck: "false" });
  const known = el("datalist", { id: `${kind}-layouts` }, ...LAYOUTS[kind].map((value) => el("option", { value })));
  const zone = dropZone(`${kind}-file`, isLogs ? w.logsHint : w.invoiceHint, isLogs ? w.chooseFiles : w.chooseFile, ACCEPT[kind], isLogs, take);
  const rows = el("ul", { class: "uploads" });
  const inHand = el("div", {});
  const element = el(
    "div",
    {},
    el("div", { class: "fields" }, field(`${kind}-vendor`, w.vendor, vendor), field(`${kind}-layout`, isLogs ? w.format : w.template, layout), known),
    zone,
    rows,
    inHand,
  );
  let suggested = "";
  /** Rows stay as they are while they change, so that none loses the focus. */
  const drawn = new Map<unknown, ReturnType<typeof uploadRow>>();
  return { element, update, uploads };

  function take(files: File[]): void {
    for (const one of [vendor, layout]) if (!one.reportValidity()) return;
    actions.upload(kind, files, vendor.value.trim(), layout.value.trim());
  }

  /** The contract knows the vendor, and the papers before how they were read; what was typed stays. */
  function update(): void {
    const context = now();
    const own = context.contract?.vendor ?? "";
    if (vendor.value === suggested) {
      vendor.value = own;
      const before = state.logs.filter((one) => one.vendor === own).at(-1)?.format;
      const named = LAYOUTS.logs.find((name) => own.toLowerCase().includes(name));
      if (layout.value === "") layout.value = isLogs ? (before ?? named ?? "") : "";
    }
    suggested = own;
    const open = inHand.querySelector("details")?.open ?? false;
    const held = inHand.querySelector("summary") === document.activeElement;
    put(inHand, paperList(kind, context, state, open));
    if (held) inHand.querySelector("summary")?.focus();
    uploads();
  }

  function uploads(): void {
    const context = now();
    for (const one of state.uploads.filter(({ paper }) => paper.kind === kind)) {
      let row = drawn.get(one);
      if (!row) {
        row = uploadRow(one, context);
        drawn.set(one, row);
        rows.append(row.element);
      }
      row.update(context);
    }
  }
}

function field(id: string, label: string, input: HTMLElement): HTMLElement {
  return el("div", { class: "choice" }, el("label", { for: id }, label), input);
}
