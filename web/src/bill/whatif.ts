// What if a part of this contract's traffic had gone to another vendor: a question of its own, asked when told so,
// and each bill before and after.

import { definition } from "../context";
import { el, put, say } from "../dom";
import { type Column, table } from "../table";
import { bytes, money, sign } from "./decimal";
import { refusal } from "./refusal";
import type { WhatIf, WhatIfBill } from "./shapes";
import { type BillActions, type BillContext, type BillState, newestVersions, unitFor } from "./state";

export function whatIf(now: () => BillContext, state: BillState, actions: BillActions) {
  const { w } = now();
  const { whatIf: asked } = state;
  const percent = el("input", { id: "what-if-percent", inputmode: "decimal", autocomplete: "off", size: "6", required: true, pattern: "\\d{1,3}([.]\\d{1,2})?", oninput: () => (asked.percent = percent.value) });
  const to = el("select", { id: "what-if-to", onchange: () => (asked.to = to.value) });
  const ask = el("button", { type: "submit" }, w.whatIf.ask);
  const standing = el("p", { class: "summary", role: "status" });
  const alone = el("p", {}, w.whatIf.alone);
  const form = el(
    "form",
    { class: "choices", onsubmit: (event) => (event.preventDefault(), actions.whatIf()) },
    el("div", { class: "choice" }, el("label", { for: "what-if-percent" }, w.whatIf.percent), percent),
    el("div", { class: "choice" }, el("label", { for: "what-if-to" }, w.whatIf.to), to),
    ask,
  );
  const answer = el("div", { class: "what-if-answer" });
  const element = el("section", { class: "what-if", "aria-labelledby": "what-if" }, el("h2", { id: "what-if" }, w.whatIf.title), el("p", {}, w.whatIf.lead), alone, form, standing, answer);
  return { element, update };

  function update(): void {
    const { contract } = now();
    const others = newestVersions(state.contracts.value ?? []).filter(({ id }) => id !== contract?.id);
    alone.hidden = others.length > 0;
    form.hidden = others.length === 0;
    if (!others.some(({ id }) => id === asked.to)) asked.to = others[0]?.id ?? "";
    put(to, ...others.map(({ id, vendor }) => el("option", { value: id, selected: id === asked.to }, `${id} · ${vendor}`)));
    if (percent.value !== asked.percent) percent.value = asked.percent;
    const { asking, failure, value } = asked.answer;
    ask.disabled = asking;
    answer.classList.toggle("old", asking);
    say(standing, asking ? w.working : value ? told(value, now()) : "");
    if (failure) put(answer, el("div", { class: "refusal", role: "alert" }, refusal(failure, now())));
    else put(answer, value && figures(value, now()));
  }
}

/** What goes where and by whose count, in a sentence. */
function told({ moved_bytes, side }: WhatIf, context: BillContext): string {
  const { w } = context;
  return w.whatIf.moved(bytes(moved_bytes, unitFor(context, [moved_bytes])), w.whatIf.sides[side] ?? side);
}

function figures(found: WhatIf, context: BillContext): HTMLElement {
  const { w } = context;
  const unit = unitFor(context, found.contracts.flatMap(({ before, after }) => [before.bytes, after.bytes]));
  const share = (percent: string | null) => (percent === null ? "" : ` (${percent} %)`);
  const columns: Column<WhatIfBill>[] = [
    { label: w.whatIf.contract, cell: ({ contract }) => ({ text: el("span", { class: "item" }, contract.id, el("small", {}, contract.vendor)) }) },
    { label: w.whatIf.bytesBefore, metric: "before_bytes", cell: ({ before }) => ({ text: bytes(before.bytes, unit) + share(before.share_percent) }) },
    { label: w.whatIf.bytesAfter, metric: "after_bytes", cell: ({ after }) => ({ text: bytes(after.bytes, unit) + share(after.share_percent) }) },
    { label: w.whatIf.before, metric: "before_amount", cell: ({ before, contract }) => ({ text: money(before.amount, contract.currency) }) },
    { label: w.whatIf.after, metric: "after_amount", cell: ({ after, contract }) => ({ text: money(after.amount, contract.currency) }) },
    { label: w.whatIf.difference, metric: "after_less_before_amount", cell: ({ difference_amount, contract }) => ({ text: money(difference_amount, contract.currency, true) }) },
  ];
  const bills = table<WhatIfBill>("what-if-bills", w.whatIf.bills, columns, context);
  bills.update(found.contracts, context, false);
  const asIf = found.contracts.filter(({ as_if }) => as_if).map(({ contract }) => contract.id);
  return el("div", {}, bills.element, together(found, context), asIf.length > 0 && el("p", { class: "note as-if" }, w.whatIf.asIf(asIf.join(", "))));
}

/** The sum, where there is one. */
function together({ total }: WhatIf, context: BillContext): HTMLElement {
  const { w } = context;
  if (!total) return el("p", {}, w.whatIf.noSum);
  const { before_amount, after_amount, difference_amount, currency } = total;
  const verdict = [w.whatIf.saves, w.whatIf.same, w.whatIf.costs][sign(difference_amount) + 1] ?? "";
  return el("div", {}, el("p", {}, el("strong", {}, verdict), " ", w.whatIf.together(money(before_amount, currency), money(after_amount, currency), money(difference_amount, currency, true))), definition("after_less_before_amount", context));
}
