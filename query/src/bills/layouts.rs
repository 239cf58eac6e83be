//! How vendors' papers are read: templates of invoices and mapping files of logs, kept by name as `templates/<name>.toml`
//! and `formats/<name>.toml`. What may stand in them is `livemeter_logs`' affair.

use super::Bills;
use super::refusals::{self, folder, paper};
use crate::error::Error;
use livemeter_logs::Format;
use livemeter_logs::format::Mapping;
use livemeter_logs::invoice::Template;
use livemeter_schemas::bills::{Layout, Layouts};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What of a vendor's is read by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Template,
    Format,
}

impl Kind {
    /// The field that names one.
    pub fn field(self) -> &'static str {
        match self {
            Kind::Template => "template",
            Kind::Format => "format",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Kind::Template => "templates",
            Kind::Format => "formats",
        }
    }

    /// Names that mean something already, whatever is kept.
    fn taken(self) -> &'static [&'static str] {
        match self {
            Kind::Template => &["focus"],
            Kind::Format => &Format::NAMES,
        }
    }

    /// The name in the text, or the line and field that are wrong.
    fn read(self, text: &str) -> Result<String, Error> {
        match self {
            Kind::Template => Template::parse(text).map(|template| template.name).map_err(refusals::template_text),
            Kind::Format => Mapping::parse(text).map(|mapping| mapping.name).map_err(refusals::format_text),
        }
    }
}

impl Bills {
    /// Reads a text and keeps it under its name, whole or not at all; only reads it when `check` is set. `name` is the one
    /// it is to be kept under; none: its own.
    pub fn keep_layout(&self, kind: Kind, name: Option<&str>, text: &str, check: bool) -> Result<Layout, Error> {
        let (field, bytes, limit) = (kind.field(), text.len() as u64, self.config.layout_bytes_max);
        if bytes > limit {
            return Err(Error::TooLarge { field, value: bytes, limit, unit: "bytes" });
        }
        let own = kind.read(text)?;
        let name = name.unwrap_or(&own);
        if *name != own {
            return Err(paper(field, "name", format!("the {field} names itself {own:?}, and is to be kept as {name:?}"), None));
        }
        if kind.taken().contains(&name) {
            return Err(Error::Conflict { field: "name", reason: format!("{name} is a {field} that is known already; take another name") });
        }
        let path = self.layout_path(kind, name)?;
        let sha256 = hash(text);
        let kept = self.layout(kind, name)?.map(|kept| hash(&kept));
        let replaced_sha256 = kept.clone().filter(|kept| *kept != sha256);
        if !check && kept.as_ref() != Some(&sha256) {
            let count = self.layout_names(kind)?.len();
            if kept.is_none() && count >= self.config.layouts_max {
                let size = Some((count as u64 + 1, self.config.layouts_max as u64));
                return Err(paper("too_large", field, format!("{count} {field}s are kept, which is the limit"), size));
            }
            write(&path, text)?;
        }
        Ok(Layout { name: name.to_owned(), sha256, replaced_sha256 })
    }

    pub fn layouts(&self, kind: Kind) -> Result<Layouts, Error> {
        let mut layouts = Vec::new();
        for name in self.layout_names(kind)? {
            if let Some(text) = self.layout(kind, &name)? {
                layouts.push(Layout { name, sha256: hash(&text), replaced_sha256: None });
            }
        }
        Ok(Layouts { layouts })
    }

    /// The text that is kept under a name; none when there is none.
    pub fn layout(&self, kind: Kind, name: &str) -> Result<Option<String>, Error> {
        let (path, field, limit) = (self.layout_path(kind, name)?, kind.field(), self.config.layout_bytes_max);
        match std::fs::metadata(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(folder("looking at", &path)(e)),
            Ok(about) if about.len() > limit => {
                let reason = format!("{field} {name} is {} bytes; the limit is {limit}", about.len());
                return Err(paper("too_large", field, reason, Some((about.len(), limit))));
            }
            Ok(_) => {}
        }
        std::fs::read_to_string(&path).map(Some).map_err(folder("reading", &path))
    }

    fn layout_path(&self, kind: Kind, name: &str) -> Result<PathBuf, Error> {
        let field = kind.field();
        let fits = (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !fits {
            return Err(Error::parameter(field, format!("{field} {name:?} is no name: 1 to 64 letters, digits, - and _")));
        }
        Ok(self.config.root.join(kind.folder()).join(format!("{name}.toml")))
    }

    fn layout_names(&self, kind: Kind) -> Result<Vec<String>, Error> {
        let place = self.config.root.join(kind.folder());
        let entries = match std::fs::read_dir(&place) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(folder("listing", &place))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let file = entry.map_err(folder("listing", &place))?.file_name().to_string_lossy().into_owned();
            names.extend(file.strip_suffix(".toml").filter(|name| !name.starts_with('.')).map(str::to_owned));
        }
        names.sort_unstable();
        Ok(names)
    }
}

/// Beside its place, synced, then there at once: a reader sees the old text or the new one.
fn write(path: &Path, text: &str) -> Result<(), Error> {
    let place = path.parent().unwrap_or(path);
    std::fs::create_dir_all(place).map_err(folder("making", place))?;
    let mut file = tempfile::Builder::new().prefix(".layout-").tempfile_in(place).map_err(folder("writing in", place))?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(folder("writing", path))?;
    file.persist(path).map_err(|refused| folder("writing", path)(refused.error))?;
    // Only with its folder's entry does the file outlive a power cut.
    std::fs::File::open(place).and_then(|kept| kept.sync_all()).map_err(folder("syncing", place))
}

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
