//! How many faults, how long, from which seed: from variables, since `make` passes those on.

use anyhow::{Context, Result};
use std::time::Duration;

#[derive(Debug, Clone)]
pub struct Settings {
    /// `FAULTS`: the run goes on until the processor has been killed so often at named places.
    pub kills: u32,
    /// `FAULTS_SECONDS`: or until so long has passed, which counts as a failure.
    pub patience: Duration,
    /// `FAULTS_RATE`: records a second.
    pub rate: u32,
    /// `FAULTS_SEED`: the same seed gives the same viewers and the same order of faults.
    pub seed: u64,
    /// `FAULTS_LEDGER_MIB`: of the small file system.
    pub ledger_mib: u64,
}

impl Settings {
    pub fn from_variables() -> Result<Settings> {
        Ok(Settings {
            kills: number("FAULTS", 200)? as u32,
            patience: Duration::from_secs(number("FAULTS_SECONDS", 2_400)?),
            rate: number("FAULTS_RATE", 1_000)? as u32,
            seed: number("FAULTS_SEED", 1)?,
            ledger_mib: number("FAULTS_LEDGER_MIB", 1_024)?,
        })
    }
}

fn number(name: &str, default: u64) -> Result<u64> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => value.parse().with_context(|| format!("{name} is {value:?}; accepted: a whole number")),
        _ => Ok(default),
    }
}
