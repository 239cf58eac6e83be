// The bill check's shapes, as the published contract has them (generated.ts). Money and quantities are decimals in
// text; bytes are exact integers.

import type { components } from "../generated";

type Schemas = components["schemas"];
export type Contracts = Schemas["Contracts"];
export type ContractSummary = Schemas["ContractSummary"];
export type LogImport = Schemas["LogImport"];
export type BadLine = Schemas["BadLine"];
export type LogImports = Schemas["LogImports"];
export type LogLines = Schemas["LogLines"];
export type LogLine = Schemas["LogLine"];
export type InvoiceSummary = Schemas["InvoiceSummary"];
export type Invoices = Schemas["Invoices"];
export type BillCheck = Schemas["BillCheck"];
export type WaterfallStep = Schemas["WaterfallStep"];
export type BillOf = Schemas["BillOf"];
export type BillStep = Schemas["BillStep"];
export type Cause = Schemas["Cause"];
export type CheckLine = Schemas["CheckLine"];
export type CheckDay = Schemas["CheckDay"];
export type BillWindows = Schemas["BillWindows"];
export type BillWindow = Schemas["BillWindow"];
export type BillSessions = Schemas["BillSessions"];
export type BillSession = Schemas["BillSession"];
export type Simulation = Schemas["Simulation"];
export type ModeCost = Schemas["ModeCost"];
export type Forecast = Schemas["Forecast"];
export type BurstBudget = Schemas["BurstBudget"];
export type WhatIf = Schemas["WhatIf"];
export type WhatIfBill = Schemas["WhatIfBill"];
export type Source = Schemas["Source"];
