//! The vendor's side, out of the facts of its logs: bytes per 5 minutes, domain and region, and per session.

use super::Bills;
use super::ask::Ask;
use super::refusals;
use crate::error::Error;
use livemeter_logs::{Filter, Manifest, SessionTraffic, Traffic};

/// What the imported logs say of a period and a contract's domains and regions.
#[derive(Debug, Clone, Default)]
pub struct Vendor {
    /// The files that have lines in the period.
    pub imports: Vec<Manifest>,
    pub windows: Vec<Traffic>,
    /// Sums over the period; those of no session have none.
    pub sessions: Vec<SessionTraffic>,
}

impl Vendor {
    /// Whether any line of the period carries a session's id: without one, traffic without SDK cannot be told apart.
    pub fn has_sessions(&self) -> bool {
        self.sessions.iter().any(|s| s.session_id.is_some())
    }

    pub fn sha256(&self) -> Vec<String> {
        self.imports.iter().map(|manifest| manifest.sha256.clone()).collect()
    }
}

/// The contract's domains and regions.
pub fn filter(ask: &Ask) -> Filter {
    Filter { domains: ask.domains().to_vec(), regions: ask.regions().to_vec(), sessions: Vec::new() }
}

impl Bills {
    /// The vendor's side; none while no log of the vendor has lines in the period.
    pub fn vendor_of(&self, ask: &Ask) -> Result<Option<Vendor>, Error> {
        let vendor = ask.summary().vendor.as_str();
        let imports = self.imports_of(ask)?;
        if imports.is_empty() {
            return Ok(None);
        }
        let filter = filter(ask);
        let windows = self.logs.traffic(vendor, ask.from_ms, ask.to_ms, &filter).map_err(refusals::store)?;
        let sessions = self.logs.sessions(vendor, ask.from_ms, ask.to_ms, &filter).map_err(refusals::store)?;
        Ok(Some(Vendor { imports, windows, sessions }))
    }

    /// The imports of the vendor that have lines in the period.
    pub fn imports_of(&self, ask: &Ask) -> Result<Vec<Manifest>, Error> {
        let within = |m: &Manifest| m.first_ms.is_some_and(|first| first < ask.to_ms) && m.last_ms.is_some_and(|last| last >= ask.from_ms);
        let imports = self.logs.imports(Some(&ask.summary().vendor)).map_err(refusals::store)?;
        Ok(imports.into_iter().filter(within).collect())
    }
}
