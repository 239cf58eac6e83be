//! Where an address is, from a local file in MaxMind's format: country, and its first subdivision where the file
//! knows one (`DE-BE`). The address itself is looked at and forgotten: it is stored nowhere, nor logged.

use crate::error::Error;
use crate::file::read;
use maxminddb::Reader;
use serde::Deserialize;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `None`: a region is what the client says, or nothing.
    pub file: Option<PathBuf>,
    /// It is held in memory. City files are 60 to 130 MiB, country files under 10.
    pub file_bytes_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config { file: None, file_bytes_max: 256 << 20 }
    }
}

/// The file in memory. A new one is read at the next start.
pub struct Geo {
    reader: Reader<Vec<u8>>,
}

impl fmt::Debug for Geo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Geo").field("database", &self.reader.metadata().database_type).finish()
    }
}

/// The few words of a record that are read.
#[derive(Deserialize)]
struct Place<'a> {
    #[serde(borrow, default)]
    country: Code<'a>,
    #[serde(borrow, default)]
    subdivisions: Vec<Code<'a>>,
}

#[derive(Deserialize, Default)]
struct Code<'a> {
    #[serde(borrow, default)]
    iso_code: Option<&'a str>,
}

impl Geo {
    pub fn open(config: &Config) -> Result<Option<Geo>, Error> {
        config.file.as_ref().map(|path| Geo::read(path, config.file_bytes_max)).transpose()
    }

    fn read(path: &Path, limit: usize) -> Result<Geo, Error> {
        let wrong = |reason: String| Error::File { setting: "ingest.geo_file", path: path.to_owned(), reason };
        let bytes = read(path, limit).map_err(wrong)?;
        let reader = Reader::from_source(bytes).map_err(|e| wrong(format!("it is not in MaxMind's format: {e}")))?;
        Ok(Geo { reader })
    }

    /// `None` where the file does not know, or says something that is no code.
    pub fn region(&self, address: IpAddr) -> Option<String> {
        let found = self.reader.lookup(address.to_canonical()).ok()?;
        let place: Place = found.decode().ok()??;
        let country = code(place.country.iso_code)?;
        match place.subdivisions.first().and_then(|first| code(first.iso_code)) {
            Some(subdivision) => Some(format!("{country}-{subdivision}")),
            None => Some(country.to_owned()),
        }
    }
}

/// ISO 3166: two letters of a country, up to three of a subdivision.
fn code(text: Option<&str>) -> Option<&str> {
    text.filter(|t| (1..=3).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_region_of_its_network() {
        let file = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/geo.mmdb"));
        let geo = Geo::open(&Config { file, ..Config::default() }).unwrap().unwrap();
        for (address, region) in [
            ("192.0.2.7", Some("DE-BE")),
            ("::ffff:192.0.2.7", Some("DE-BE")),
            ("2001:db8::1", Some("CN")),
            ("198.51.100.1", None),
            ("203.0.113.1", None),
        ] {
            assert_eq!(geo.region(address.parse().unwrap()).as_deref(), region, "{address}");
        }
    }

    #[test]
    fn what_is_no_database_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("geo.mmdb");
        std::fs::write(&path, "no database").unwrap();
        let opened = |limit| Geo::open(&Config { file: Some(path.clone()), file_bytes_max: limit }).unwrap_err().to_string();
        assert!(opened(100).contains("ingest.geo_file") && opened(100).contains("MaxMind"));
        assert!(opened(5).contains("more than 5 bytes"));
        assert!(Geo::open(&Config::default()).unwrap().is_none());
        assert_eq!(
            [code(Some("DE")), code(Some("")), code(Some("toolong")), code(Some("D\"")), code(None)],
            [Some("DE"), None, None, None, None]
        );
    }
}
