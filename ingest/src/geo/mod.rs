//! Where an address is, from local files in MaxMind's format: country, and its first subdivision where the file
//! knows one (`DE-BE`), and the autonomous system that announces it. The address itself is looked at and forgotten:
//! it is stored nowhere, nor logged. Files that change while the service runs are read again: see [`follow`].

pub mod follow;

use crate::error::Error;
use crate::file::read;
use livemeter_schemas::record::LookedUp;
use maxminddb::Reader;
use serde::Deserialize;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Of countries or cities. `None`: a region is what the client says, or nothing.
    pub file: Option<PathBuf>,
    /// Of autonomous systems. `None`: nobody says one.
    pub asn_file: Option<PathBuf>,
    /// Of each file. It is held in memory, and a new one beside it until it is in force. City files are 60 to 130 MiB,
    /// those of countries and autonomous systems under 15.
    pub file_bytes_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config { file: None, asn_file: None, file_bytes_max: 256 << 20 }
    }
}

/// The files in memory; nothing of those that are not set.
#[derive(Default)]
pub struct Geo {
    regions: Option<Reader<Vec<u8>>>,
    systems: Option<Reader<Vec<u8>>>,
}

impl fmt::Debug for Geo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = |reader: &Option<Reader<Vec<u8>>>| reader.as_ref().map(|r| r.metadata().database_type.clone());
        f.debug_struct("Geo").field("regions", &kind(&self.regions)).field("systems", &kind(&self.systems)).finish()
    }
}

/// What is in force: replaced as a whole, while requests go on.
#[derive(Debug, Default)]
pub struct InForce(RwLock<Arc<Geo>>);

impl InForce {
    pub fn new(geo: Geo) -> Self {
        InForce(RwLock::new(Arc::new(geo)))
    }

    pub fn now(&self) -> Arc<Geo> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn replace(&self, geo: Geo) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(geo);
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

#[derive(Deserialize)]
struct System {
    autonomous_system_number: Option<u32>,
}

impl Geo {
    pub fn open(config: &Config) -> Result<Geo, Error> {
        let open = |setting: &'static str, path: &Option<PathBuf>| {
            path.as_deref().map(|path| reader(setting, path, config.file_bytes_max)).transpose()
        };
        Ok(Geo { regions: open("ingest.geo_file", &config.file)?, systems: open("ingest.asn_file", &config.asn_file)? })
    }

    /// What the files know of this address.
    pub fn look_up(&self, address: IpAddr) -> LookedUp<String> {
        let address = address.to_canonical();
        LookedUp { region: self.region(address), asn: self.asn(address) }
    }

    /// `None` where the file does not know, or says something that is no code.
    fn region(&self, address: IpAddr) -> Option<String> {
        let found = self.regions.as_ref()?.lookup(address).ok()?;
        let place: Place = found.decode().ok()??;
        let country = code(place.country.iso_code)?;
        match place.subdivisions.first().and_then(|first| code(first.iso_code)) {
            Some(subdivision) => Some(format!("{country}-{subdivision}")),
            None => Some(country.to_owned()),
        }
    }

    fn asn(&self, address: IpAddr) -> Option<u32> {
        let found = self.systems.as_ref()?.lookup(address).ok()?;
        // 0 is reserved: it is no network's number.
        found.decode::<System>().ok()??.autonomous_system_number.filter(|asn| *asn != 0)
    }
}

fn reader(setting: &'static str, path: &Path, limit: usize) -> Result<Reader<Vec<u8>>, Error> {
    let wrong = |reason: String| Error::File { setting, path: path.to_owned(), reason };
    let bytes = read(path, limit).map_err(wrong)?;
    Reader::from_source(bytes).map_err(|e| wrong(format!("it is not in MaxMind's format: {e}")))
}

/// ISO 3166: two letters of a country, up to three of a subdivision.
fn code(text: Option<&str>) -> Option<&str> {
    text.filter(|t| (1..=3).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(file: Option<&str>, asn_file: Option<&str>) -> Config {
        let path = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
        Config { file: file.map(path), asn_file: asn_file.map(path), ..Config::default() }
    }

    #[test]
    fn an_address_has_the_region_and_the_system_of_its_network() {
        let geo = Geo::open(&config(Some("geo.mmdb"), Some("asn.mmdb"))).unwrap();
        for (address, region, asn) in [
            ("192.0.2.7", Some("DE-BE"), Some(64_500)),
            ("::ffff:192.0.2.7", Some("DE-BE"), Some(64_500)),
            ("2001:db8::1", Some("CN"), Some(4_200_000_000)),
            ("198.51.100.1", None, None),
            ("203.0.113.1", None, None),
        ] {
            let LookedUp { region: found, asn: system } = geo.look_up(address.parse().unwrap());
            assert_eq!((found.as_deref(), system), (region, asn), "{address}");
        }
        // Each file alone; and one of the other kind has nothing to say.
        let at = |file, asn_file| Geo::open(&config(file, asn_file)).unwrap().look_up("192.0.2.7".parse().unwrap());
        assert_eq!(at(Some("geo.mmdb"), None), LookedUp { region: Some("DE-BE".into()), asn: None });
        assert_eq!(at(None, Some("asn.mmdb")), LookedUp { region: None, asn: Some(64_500) });
        assert_eq!([at(None, None), at(Some("asn.mmdb"), Some("geo.mmdb"))], [LookedUp::default(), LookedUp::default()]);
    }

    #[test]
    fn what_is_no_database_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("geo.mmdb");
        std::fs::write(&path, "no database").unwrap();
        let opened = |limit| Geo::open(&Config { file: Some(path.clone()), file_bytes_max: limit, ..Config::default() }).unwrap_err();
        assert!(opened(100).to_string().contains("ingest.geo_file") && opened(100).to_string().contains("MaxMind"));
        assert!(opened(5).to_string().contains("more than 5 bytes"));
        let systems = Geo::open(&Config { asn_file: Some(path.clone()), ..Config::default() }).unwrap_err();
        assert!(systems.to_string().contains("ingest.asn_file"));
        assert_eq!(
            [code(Some("DE")), code(Some("")), code(Some("toolong")), code(Some("D\"")), code(None)],
            [Some("DE"), None, None, None, None]
        );
    }
}
