//! `livemeter bill simulate`: the period under every mode, the forecast, and what is left of the free slots.

use super::{asked, print, print_json, table};
use crate::cli::Failure;
use clap::ArgMatches;
use livemeter_schemas::bills::Simulation;

pub fn command(given: &ArgMatches) -> Result<(), Failure> {
    let simulation: Simulation = asked::json(given, "simulation")?;
    if given.get_flag("json") {
        return print_json(&simulation);
    }
    print(&format!("{} in {}: what it would have cost", simulation.contract.id, simulation.period));
    let mut modes = table(&["contract", "mode", "quantity", "unit", "amount", "currency", ""], 2);
    for m in &simulation.modes {
        let cheapest = if m.cheapest { "cheapest" } else { "" }.to_owned();
        modes.add_row([
            m.contract.clone(),
            m.mode.clone(),
            m.quantity.clone(),
            m.unit.clone(),
            m.amount.clone(),
            m.currency.clone(),
            cheapest,
        ]);
    }
    print(&modes.to_string());
    if let Some(f) = &simulation.forecast {
        print(&format!(
            "95th percentile at the end, an estimate: {} bit/s; {} % of outcomes between {} and {} ({})",
            f.p50_bps, f.confidence_percent, f.low_bps, f.high_bps, f.method
        ));
    }
    if let Some(b) = &simulation.burst {
        let alert = if b.alert { "; FEW ARE LEFT" } else { "" };
        let of = match b.level.as_str() {
            "commit" => "the contract's minimum",
            "last_month" => "last month's percentile",
            _ => "the percentile so far",
        };
        print(&format!("free 5-minute slots above {} bit/s ({of}): {} of {} used, {} left{alert}", b.level_bps, b.used, b.slots, b.left));
    }
    Ok(())
}
