//! `livemeter bill what-if`: each vendor's bill before and after, had the traffic been parted otherwise.

use super::{asked, or_dash, print, print_json, table};
use crate::cli::Failure;
use clap::ArgMatches;
use livemeter_schemas::bills::{WhatIf, WhatIfBill, WhatIfFigures};

pub fn command(given: &ArgMatches) -> Result<(), Failure> {
    let found: WhatIf = asked::json_of(given, "what-if", &["contracts", "period", "shares", "from", "to", "percent"])?;
    if given.get_flag("json") {
        return print_json(&found);
    }
    print(&page(&found));
    Ok(())
}

fn page(found: &WhatIf) -> String {
    let counted = if found.side == "log" { "the vendors' logs" } else { "the players' count" };
    let mut table = table(&["contract", "vendor", "currency", "", "share", "bytes", "quantity", "unit", "amount", "difference"], 4);
    for one in &found.contracts {
        table.add_row(row(one, "before", &one.before, "-"));
        table.add_row(row(one, "after", &one.after, &one.difference_amount));
    }
    let mut page = vec![
        format!("{} to {}, by {counted}: {} bytes go elsewhere", found.from, found.to, found.moved_bytes),
        table.to_string(),
        match &found.total {
            Some(t) => format!("together: {} before, {} after, {} {}", t.before_amount, t.after_amount, t.difference_amount, t.currency),
            None => "together: no sum, since the currencies differ".into(),
        },
    ];
    let as_if: Vec<&str> = found.contracts.iter().filter(|one| one.as_if).map(|one| one.contract.id.as_str()).collect();
    if !as_if.is_empty() {
        page.push(format!("billed as if it had the first contract's days: {}", as_if.join(", ")));
    }
    page.join("\n")
}

fn row(one: &WhatIfBill, when: &str, figures: &WhatIfFigures, difference: &str) -> [String; 10] {
    let WhatIfFigures { bytes, share_percent, quantity, unit, amount } = figures;
    [
        one.contract.id.clone(),
        one.contract.vendor.clone(),
        one.contract.currency.clone(),
        when.into(),
        or_dash(share_percent.as_ref().map(|share| format!("{share} %"))),
        bytes.to_string(),
        quantity.clone(),
        unit.clone(),
        amount.clone(),
        difference.into(),
    ]
}
