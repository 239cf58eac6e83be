//! The folder of contracts: `<root>/contracts/<id>.v<version>.toml`, a file a version, as it was given. A version
//! that is kept is never overwritten by another text: bills stand on it.

use super::Bills;
use super::refusals::{folder, paper};
use crate::config;
use crate::error::Error;
use livemeter_billing::Contract;
use livemeter_schemas::bills::{ContractSummary, Contracts as Listed};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

/// One version, read.
#[derive(Debug, Clone)]
pub struct Stored {
    pub contract: Contract,
    pub summary: ContractSummary,
    /// The file's text.
    pub text: String,
}

/// The folder.
#[derive(Debug, Clone)]
pub struct Contracts {
    folder: PathBuf,
    bytes_max: u64,
    count_max: usize,
}

impl Contracts {
    pub fn new(config: &config::Bills) -> Contracts {
        Contracts { folder: config.root.join("contracts"), bytes_max: config.contract_bytes_max, count_max: config.contracts_max }
    }

    /// Every version, by id and version. A file that cannot be read is an error with its name, never left out.
    pub fn all(&self) -> Result<Vec<Stored>, Error> {
        let paths = self.paths()?;
        let mut all = paths.iter().map(|path| self.open(path)).collect::<Result<Vec<_>, _>>()?;
        all.sort_by(|a, b| (&a.summary.id, a.summary.version).cmp(&(&b.summary.id, b.summary.version)));
        Ok(all)
    }

    pub fn list(&self) -> Result<Listed, Error> {
        Ok(Listed { contracts: self.all()?.into_iter().map(|stored| stored.summary).collect() })
    }

    /// The versions of one contract, oldest first; `name` is `id` or `id@version`.
    pub fn versions(&self, name: &str) -> Result<Vec<Stored>, Error> {
        let (id, version) = match name.split_once('@') {
            Some((id, version)) => {
                let number = version.parse::<u32>();
                (
                    id,
                    Some(
                        number
                            .map_err(|_| Error::parameter("contract", format!("contract {name:?}: after @ stands a version's number")))?,
                    ),
                )
            }
            None => (name, None),
        };
        let all = self.all()?;
        let fits = |s: &&Stored| s.summary.id == id && version.is_none_or(|version| s.summary.version == version);
        let found: Vec<Stored> = all.iter().filter(fits).cloned().collect();
        if found.is_empty() {
            let known: BTreeSet<&str> = all.iter().map(|s| s.summary.id.as_str()).collect();
            let known = known.into_iter().take(20).collect::<Vec<_>>().join(", ");
            return Err(Error::Unknown { field: "contract", reason: format!("there is no contract {name:?}; known are: {known}") });
        }
        Ok(found)
    }

    /// Reads a contract and keeps it; only reads it when `check` is set.
    pub fn add(&self, text: &str, check: bool) -> Result<ContractSummary, Error> {
        let stored = read(text)?;
        if check {
            return Ok(stored.summary);
        }
        let count = self.paths()?.len();
        if count >= self.count_max {
            let size = Some((count as u64 + 1, self.count_max as u64));
            return Err(paper("too_large", "contracts", format!("{count} versions are kept, which is the limit"), size));
        }
        let path = self.folder.join(format!("{}.v{}.toml", stored.summary.id, stored.summary.version));
        self.keep(&path, text, &stored.summary)?;
        Ok(stored.summary)
    }

    /// Writes the file whole or not at all; another text under the name is a conflict.
    fn keep(&self, path: &Path, text: &str, summary: &ContractSummary) -> Result<(), Error> {
        std::fs::create_dir_all(&self.folder).map_err(folder("making", &self.folder))?;
        let mut file =
            tempfile::Builder::new().prefix(".contract-").tempfile_in(&self.folder).map_err(folder("writing in", &self.folder))?;
        file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(folder("writing", path))?;
        match file.persist_noclobber(path) {
            // Only with its folder's entry does the file outlive a power cut.
            Ok(_) => std::fs::File::open(&self.folder).and_then(|kept| kept.sync_all()).map_err(folder("syncing", &self.folder)),
            Err(refused) if refused.error.kind() == std::io::ErrorKind::AlreadyExists => {
                let kept = std::fs::read_to_string(path).map_err(folder("reading", path))?;
                if kept == text {
                    return Ok(());
                }
                let reason = format!(
                    "version {} of contract {} is kept with another text, and bills may stand on it; give the new text the next version",
                    summary.version, summary.id
                );
                Err(Error::Conflict { field: "version", reason })
            }
            Err(refused) => Err(folder("writing", path)(refused.error)),
        }
    }

    fn paths(&self) -> Result<Vec<PathBuf>, Error> {
        let entries = match std::fs::read_dir(&self.folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(folder("listing", &self.folder))?,
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(folder("listing", &self.folder))?.path();
            let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
            if !hidden && path.extension().is_some_and(|ending| ending == "toml") {
                paths.push(path);
            }
        }
        Ok(paths)
    }

    fn open(&self, path: &Path) -> Result<Stored, Error> {
        let bytes = std::fs::metadata(path).map_err(folder("looking at", path))?.len();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if bytes > self.bytes_max {
            let reason = format!("contract {name} is {bytes} bytes; the limit is {}", self.bytes_max);
            return Err(paper("too_large", &name, reason, Some((bytes, self.bytes_max))));
        }
        let text = std::fs::read_to_string(path).map_err(folder("reading", path))?;
        read(&text).map_err(|error| match error {
            Error::Paper { code, at, reason, size } => {
                Error::Paper { code, at: format!("{name}: {at}"), reason: format!("{name}: {reason}"), size }
            }
            other => other,
        })
    }
}

/// A contract's text → the contract, or the field that is wrong.
pub fn read(text: &str) -> Result<Stored, Error> {
    let contract = Contract::parse(text)
        .map_err(|error| paper("contract", &format!("line {}, {}", error.line, error.field), error.to_string(), None))?;
    let id = contract.id.as_str();
    // It becomes a file's name.
    let fits = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !fits {
        return Err(paper("contract", "id", format!("id {id:?} is no name: 1 to 64 letters, digits, - and _"), None));
    }
    let summary = summary(&contract, hex::encode(Sha256::digest(text.as_bytes())));
    Ok(Stored { contract, summary, text: text.to_owned() })
}

fn summary(contract: &Contract, sha256: String) -> ContractSummary {
    let domains: BTreeSet<&String> = contract.scopes.iter().filter_map(|scope| scope.domain.as_ref()).collect();
    // One scope without a domain takes them all.
    let named = contract.scopes.iter().all(|scope| scope.domain.is_some());
    ContractSummary {
        id: contract.id.clone(),
        version: contract.version,
        sha256,
        vendor: contract.vendor.clone(),
        currency: contract.currency.clone(),
        tz: contract.zone.name().to_owned(),
        mode: contract.mode.name().to_owned(),
        valid_from: Some(contract.valid_from.to_string()),
        valid_to: contract.valid_to.map(|day| day.to_string()),
        cdns: contract.cdns().into_iter().map(str::to_owned).collect(),
        domains: if named { domains.into_iter().cloned().collect() } else { Vec::new() },
    }
}

impl Bills {
    /// The domain of log lines that name none: that of the vendor's contracts, where they agree on one.
    pub fn only_domain(&self, vendor: &str) -> Option<String> {
        only(self.contracts.all().ok()?.iter().filter(|s| s.summary.vendor == vendor).flat_map(|s| &s.summary.domains))
    }

    /// The currency of a vendor's invoices, where its contracts agree on one: an invoice in another is refused.
    pub fn only_currency(&self, vendor: &str) -> Option<String> {
        only(self.contracts.all().ok()?.iter().filter(|s| s.summary.vendor == vendor).map(|s| &s.summary.currency))
    }
}

fn only<'a>(texts: impl Iterator<Item = &'a String>) -> Option<String> {
    let different: BTreeSet<&String> = texts.collect();
    if different.len() == 1 { different.into_iter().next().cloned() } else { None }
}
