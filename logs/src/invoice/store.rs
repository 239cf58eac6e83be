//! Invoices on the disk: `<root>/invoices/<vendor>/<sha256>.json` and, beside it, the file as it was given. The JSON is
//! written last: an invoice without it is not there.

use super::{Invoice, InvoiceError, InvoiceImported, InvoiceLimits, InvoiceRequest, read, table};
use crate::error::StoreError;
use crate::store::folder;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Invoices below a folder. Cheap to make; holds nothing open.
#[derive(Debug, Clone)]
pub struct InvoiceStore {
    root: PathBuf,
    limits: InvoiceLimits,
}

const ORIGINALS: [&str; 2] = ["xlsx", "csv"];

impl InvoiceStore {
    /// `root` is the bill check's folder; it need not exist yet.
    pub fn new(root: impl Into<PathBuf>, limits: InvoiceLimits) -> InvoiceStore {
        InvoiceStore { root: root.into(), limits }
    }

    fn vendor_folder(&self, vendor: &str) -> Result<PathBuf, StoreError> {
        folder::of_vendor(&self.root.join("invoices"), vendor)
    }

    /// Imports a file whole, or refuses it by row and column and stores nothing.
    pub fn import(&self, request: &InvoiceRequest) -> Result<InvoiceImported, InvoiceError> {
        let vendor_folder = self.vendor_folder(&request.vendor)?;
        let bytes = self.bytes(&request.path)?;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let _lock = folder::lock(&vendor_folder, &request.vendor)?;
        let place = vendor_folder.join(format!("{sha256}.json"));
        if place.exists() {
            return Ok(InvoiceImported { invoice: invoice(&place)?, known: true });
        }
        let count = files(&vendor_folder)?.len() as u64;
        let max = self.limits.invoices_max as u64;
        if count >= max {
            return Err(table::limit("invoices of the vendor", count + 1, "invoices_max", max));
        }
        let invoice = read(&bytes, request, sha256, &self.limits)?;
        let ending = if table::is_xlsx(&bytes) { ORIGINALS[0] } else { ORIGINALS[1] };
        put(&vendor_folder.join(format!("{}.{ending}", invoice.sha256)), &bytes)?;
        let text = serde_json::to_vec_pretty(&invoice).map_err(|error| damaged(&place, &error))?;
        put(&place, &text)?;
        Ok(InvoiceImported { invoice, known: false })
    }

    /// The file, within the limit: not a byte more is read.
    fn bytes(&self, path: &Path) -> Result<Vec<u8>, InvoiceError> {
        let max = self.limits.file_bytes_max;
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(StoreError::io("opening", path))?;
        file.take(max + 1).read_to_end(&mut bytes).map_err(StoreError::io("reading", path))?;
        if bytes.len() as u64 > max {
            return Err(table::limit("bytes of the file", bytes.len() as u64, "file_bytes_max", max));
        }
        Ok(bytes)
    }

    /// Invoices of a vendor, or of all, by vendor, start and hash.
    pub fn invoices(&self, vendor: Option<&str>) -> Result<Vec<Invoice>, StoreError> {
        let folders = match vendor {
            Some(vendor) => vec![self.vendor_folder(vendor)?],
            None => folder::entries(&self.root.join("invoices"))?.into_iter().filter(|path| path.is_dir()).collect(),
        };
        let mut invoices = Vec::new();
        for folder in folders {
            for path in files(&folder)? {
                invoices.push(invoice(&path)?);
            }
        }
        invoices.sort_by(|a, b| (&a.vendor, a.from_ms, &a.sha256).cmp(&(&b.vendor, b.from_ms, &b.sha256)));
        Ok(invoices)
    }

    /// One invoice; `sha256` may be its first 8 letters or more.
    pub fn find(&self, vendor: &str, sha256: &str) -> Result<Invoice, StoreError> {
        let unknown = || StoreError::Unknown { vendor: vendor.to_owned(), sha256: sha256.to_owned() };
        let stem = |path: &PathBuf| path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| stem.starts_with(sha256));
        let mut found = files(&self.vendor_folder(vendor)?)?.into_iter().filter(stem);
        match (found.next(), found.next()) {
            (Some(path), None) if sha256.len() >= folder::HASH_LETTERS_MIN => invoice(&path),
            _ => Err(unknown()),
        }
    }

    /// The file as it was given.
    pub fn original(&self, vendor: &str, sha256: &str) -> Result<PathBuf, StoreError> {
        let invoice = self.find(vendor, sha256)?;
        let folder = self.vendor_folder(vendor)?;
        let mut places = ORIGINALS.iter().map(|ending| folder.join(format!("{}.{ending}", invoice.sha256)));
        let gone = || StoreError::OriginalGone { sha256: invoice.sha256.clone(), path: folder.clone() };
        places.find(|path| path.exists()).ok_or_else(gone)
    }

    pub fn forget(&self, vendor: &str, sha256: &str) -> Result<Invoice, StoreError> {
        let found = self.find(vendor, sha256)?;
        let vendor_folder = self.vendor_folder(vendor)?;
        let _lock = folder::lock(&vendor_folder, vendor)?;
        let original = self.original(vendor, &found.sha256)?;
        for path in [vendor_folder.join(format!("{}.json", found.sha256)), original] {
            std::fs::remove_file(&path).map_err(StoreError::io("removing", &path))?;
        }
        folder::sync(&vendor_folder)?;
        Ok(found)
    }
}

/// The invoices' JSON files of a vendor.
fn files(vendor_folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let is_invoice = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == "json")
            && path.file_stem().and_then(|stem| stem.to_str()).is_some_and(folder::is_hash)
    };
    Ok(folder::entries(vendor_folder)?.into_iter().filter(is_invoice).collect())
}

fn invoice(path: &Path) -> Result<Invoice, StoreError> {
    let text = std::fs::read(path).map_err(StoreError::io("reading", path))?;
    serde_json::from_slice(&text).map_err(|error| damaged(path, &error))
}

fn damaged(path: &Path, error: &serde_json::Error) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), reason: error.to_string() }
}

/// Writes a file whole: beside its place, synced, then moved there.
fn put(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let vendor_folder = path.parent().unwrap_or(path);
    let write = || {
        let mut file = tempfile::Builder::new().prefix(".importing-").tempfile_in(vendor_folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)
    };
    write().map_err(StoreError::io("writing", path))?;
    folder::sync(vendor_folder)
}
