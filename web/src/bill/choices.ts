// What is checked: contract, month, invoice; and the unit in which bytes are read.

import { el, put } from "../dom";
import { UNITS, inBytes, money } from "./decimal";
import { type BillActions, type BillContext, type BillState, newestVersions } from "./state";
import { months } from "./view";

const MONTHS_BACK = 24;

export function choices({ m, w, view, contract }: BillContext, state: BillState, actions: BillActions): HTMLElement {
  const known = newestVersions(state.contracts.value ?? []);
  const invoices = state.invoices.filter(({ vendor }) => vendor === contract?.vendor);
  const contracts = known.map(({ id, vendor, mode }): Option => [id, `${id} · ${vendor} · ${w.modes[mode] ?? mode}`]);
  const recent = state.today === "" ? [] : months(state.today, MONTHS_BACK);
  const periods = [...new Set([...recent, view.period].filter(Boolean))].map((month): Option => [month, month]);
  const papers = invoices.map(({ sha256, name, total, currency }): Option => [sha256.slice(0, 8), `${name} · ${money(total, currency)}`]);
  const units = UNITS.map((unit): Option => [unit, unit === "B" ? unit : `${unit} (${inBytes[unit]})`]);
  return el(
    "section",
    { class: "choices", "aria-label": m.view },
    select("contract", w.contract, contracts.length === 0 ? [["", w.noContracts]] : contracts, view.contract, (id) => actions.choose({ contract: id })),
    select("period", w.period, periods, view.period, (period) => actions.choose({ period })),
    select("invoice", w.invoice, [["", w.newestInvoice], ...papers], view.invoice.slice(0, 8), (invoice) => actions.choose({ invoice })),
    select("unit", w.unit, [["", w.fittingUnit], ...units], view.unit, (unit) => actions.choose({ unit: UNITS.find((one) => one === unit) ?? "" })),
  );
}

type Option = [value: string, label: string];

function select(id: string, label: string, options: Option[], chosen: string, choose: (value: string) => void): HTMLElement {
  const element = el("select", { id, disabled: options.length === 0, onchange: () => choose(element.value) });
  put(element, ...options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
  return el("div", { class: "choice" }, el("label", { for: id }, label), element);
}
