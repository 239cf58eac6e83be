//! FOCUS, the FinOps Open Cost and Usage Specification: a row a line of the bill, as owed by our own arithmetic; what
//! was invoiced stands beside it in columns of our own (`x_…`, as the specification wants them). Every mandatory
//! column is there, and of the conditional ones those that we know; `InvoiceId` is the invoice's file, since its
//! number is not told to us. <https://focus.finops.org>

use super::super::check::Loaded;
use super::super::papers::utc;
use super::table::{Cell, Column, Table, decimal, exact, int, text};
use livemeter_billing::Reconciliation;
use livemeter_billing::reconcile::LineCheck;
use livemeter_schemas::bills::{BillCheck, CheckLine};

/// Both versions share these, in this order.
macro_rules! columns {
    ($($more:expr),*) => {
        [
            decimal("BilledCost"),
            text("BillingAccountId"),
            text("BillingAccountName"),
            text("BillingCurrency"),
            text("BillingPeriodEnd"),
            text("BillingPeriodStart"),
            text("ChargeCategory"),
            text("ChargeClass"),
            text("ChargeDescription"),
            text("ChargeFrequency"),
            text("ChargePeriodEnd"),
            text("ChargePeriodStart"),
            decimal("ConsumedQuantity"),
            text("ConsumedUnit"),
            decimal("ContractedCost"),
            decimal("EffectiveCost"),
            text("InvoiceId"),
            text("InvoiceIssuerName"),
            decimal("ListCost"),
            decimal("PricingQuantity"),
            text("PricingUnit"),
            text("RegionId"),
            text("RegionName"),
            text("ServiceCategory"),
            text("ServiceName"),
            text("ServiceSubcategory"),
            $($more,)*
            decimal("x_InvoicedCost"),
            decimal("x_InvoicedQuantity"),
            text("x_Verdict"),
            text("x_ContractId"),
            int("x_ContractVersion"),
            int("x_TableVersion"),
            text("x_KafkaOffsets"),
        ]
    };
}

const V1_4: [Column; 35] = columns!(text("HostProviderName"), text("ServiceProviderName"));
const V1_2: [Column; 35] = columns!(text("ProviderName"), text("PublisherName"));

/// Lines that the contract does not price, such as taxes, are no rows: nothing is owed for them by our arithmetic.
pub fn table(loaded: &Loaded, found: &Reconciliation, check: &BillCheck, newer: bool) -> Table {
    let lines = check.lines.iter().zip(&found.lines).filter(|(line, _)| line.expected_amount.is_some());
    let rows = lines.map(|(line, of)| row(loaded, check, line, of)).collect();
    Table { name: "FOCUS".into(), columns: if newer { &V1_4 } else { &V1_2 }, rows }
}

/// With a point, always: readers guess a column's type from its values, and a whole number is no decimal to them.
fn pointed(text: &str) -> Cell {
    exact(if text.contains('.') { text.to_owned() } else { format!("{text}.0") })
}

fn pointed_or_none(text: &Option<String>) -> Cell {
    text.as_deref().map_or(Cell::None, pointed)
}

fn row(loaded: &Loaded, check: &BillCheck, line: &CheckLine, of: &LineCheck) -> Vec<Cell> {
    let contract = &check.contract;
    let cost = || pointed_or_none(&line.expected_amount);
    let (start, end) = (utc(loaded.ask.from_ms), utc(loaded.ask.to_ms));
    let (charge_start, charge_end) = (utc(of.from_ms), utc(of.to_ms));
    // Consumption is of usage as counted; what is priced may be a bandwidth.
    let consumed = line.log_bytes.unwrap_or(line.client_bytes);
    let account = contract.id.as_str();
    let domain = line.domain.as_ref().map(|domain| format!(" of {domain}")).unwrap_or_default();
    vec![
        cost(),
        account.into(),
        account.into(),
        contract.currency.as_str().into(),
        end.as_str().into(),
        start.as_str().into(),
        "Usage".into(),
        Cell::None,
        format!("{}{domain}, {}", line.item, contract.mode).into(),
        "Usage-Based".into(),
        charge_end.into(),
        charge_start.into(),
        pointed(&consumed.to_string()),
        "Bytes".into(),
        cost(),
        cost(),
        check.invoice.as_ref().map(|invoice| invoice.name.clone()).into(),
        contract.vendor.as_str().into(),
        cost(),
        pointed_or_none(&line.expected_quantity),
        line.unit.clone().into(),
        line.region.clone().into(),
        line.region.clone().into(),
        "Networking".into(),
        "Content delivery".into(),
        "Content Delivery".into(),
        contract.vendor.as_str().into(),
        contract.vendor.as_str().into(),
        pointed_or_none(&line.invoice_amount),
        pointed_or_none(&line.invoice_quantity),
        line.verdict.as_str().into(),
        contract.id.as_str().into(),
        i64::from(contract.version).into(),
        check.source.table_version.into(),
        check.source.offsets.join(" ").into(),
    ]
}
