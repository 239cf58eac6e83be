//! Packets to and from a port vanish: what a broken network does, which no relay of connections can act out. By nft,
//! and only in a network namespace of the run's own, which `tests/faults` makes where it may.

use anyhow::{Result, ensure};
use std::process::{Command, Stdio};

/// Set by the script that made the namespace: rules of the machine itself are never touched.
const OWN_NAMESPACE: &str = "FAULTS_OWN_NAMESPACE";
const TABLE: &str = "livemeter_faults";

/// Whether packets may be made to vanish here.
pub fn can_vanish() -> bool {
    let nft = || Command::new("nft").args(["list", "tables"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    std::env::var_os(OWN_NAMESPACE).is_some() && nft().is_ok_and(|status| status.success())
}

/// From now on, nothing gets to this TCP port or from it; connections stand, and nobody is told.
pub fn vanish(port: u16) -> Result<()> {
    nft(&format!("add table inet {TABLE}"))?;
    nft(&format!("add chain inet {TABLE} in {{ type filter hook input priority 0 ; }}"))?;
    nft(&format!("add rule inet {TABLE} in tcp dport {port} drop"))?;
    nft(&format!("add rule inet {TABLE} in tcp sport {port} drop"))
}

/// Everything gets through again.
pub fn get_through() -> Result<()> {
    nft(&format!("delete table inet {TABLE}"))
}

fn nft(rule: &str) -> Result<()> {
    let status = Command::new("nft").arg(rule).status()?;
    ensure!(status.success(), "nft {rule}: {status}");
    Ok(())
}
