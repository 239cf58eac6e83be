//! Units of quantities. A GB is 1000³ bytes and a GiB 1024³; vendors mean either when they write "GB", so a
//! contract names the one it means. An Mbps is 1000² bit/s unless the contract says 1024².

use crate::exact::Exact;
use serde::Serialize;

/// What a price is for one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Gb,
    Gib,
    Tb,
    Tib,
    /// Of 1000² bit/s, or 1024² (the base's square).
    Mbps {
        base: u32,
    },
    /// Of 1000³ bit/s, or 1024³.
    Gbps {
        base: u32,
    },
}

/// Names that contracts may write.
pub const UNITS: &str = "GB, GiB, TB, TiB, Mbps, Gbps";

impl Unit {
    /// A unit by its name; `base` is that of bandwidth. None: unknown.
    pub fn named(name: &str, base: u32) -> Option<Unit> {
        Some(match name {
            "GB" => Unit::Gb,
            "GiB" => Unit::Gib,
            "TB" => Unit::Tb,
            "TiB" => Unit::Tib,
            "Mbps" => Unit::Mbps { base },
            "Gbps" => Unit::Gbps { base },
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Unit::Gb => "GB",
            Unit::Gib => "GiB",
            Unit::Tb => "TB",
            Unit::Tib => "TiB",
            Unit::Mbps { .. } => "Mbps",
            Unit::Gbps { .. } => "Gbps",
        }
    }

    /// Bytes of one, or bit/s of one.
    pub fn size(self) -> i128 {
        match self {
            Unit::Gb => 1_000_i128.pow(3),
            Unit::Gib => 1_024_i128.pow(3),
            Unit::Tb => 1_000_i128.pow(4),
            Unit::Tib => 1_024_i128.pow(4),
            Unit::Mbps { base } => i128::from(base).pow(2),
            Unit::Gbps { base } => i128::from(base).pow(3),
        }
    }

    pub fn is_bandwidth(self) -> bool {
        matches!(self, Unit::Mbps { .. } | Unit::Gbps { .. })
    }

    /// The unit of the other base that is taken for this one.
    pub fn taken_for(self) -> Unit {
        let other = |base| if base == 1_000 { 1_024 } else { 1_000 };
        match self {
            Unit::Gb => Unit::Gib,
            Unit::Gib => Unit::Gb,
            Unit::Tb => Unit::Tib,
            Unit::Tib => Unit::Tb,
            Unit::Mbps { base } => Unit::Mbps { base: other(base) },
            Unit::Gbps { base } => Unit::Gbps { base: other(base) },
        }
    }

    /// One of these in the other's: 1 GiB = 1.073741824 GB. None: the one is bytes, the other bandwidth.
    pub fn in_unit(self, other: Unit) -> Option<Exact> {
        if self.is_bandwidth() != other.is_bandwidth() { None } else { Exact::fraction(self.size(), other.size()).ok() }
    }

    /// A unit as an invoice writes it, in its own sense of thousand: "GB" under a contract in GiB is a GiB, since vendors
    /// write GB for either. None: no bytes and no bandwidth, such as requests, or the other of the two.
    pub fn written(self, text: &str) -> Option<Unit> {
        let plain: String = text.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
        let binary = matches!(self, Unit::Gib | Unit::Tib);
        let unit = match plain.as_str() {
            "gb" | "gib" | "gbyte" | "gbytes" | "gigabyte" | "gigabytes" | "gibibyte" | "gibibytes" => {
                if binary {
                    Unit::Gib
                } else {
                    Unit::Gb
                }
            }
            "tb" | "tib" | "tbyte" | "tbytes" | "terabyte" | "terabytes" | "tebibyte" | "tebibytes" => {
                if binary {
                    Unit::Tib
                } else {
                    Unit::Tb
                }
            }
            "mbps" | "mbits" | "mbit" | "megabitspersecond" => Unit::Mbps { base: self.base() },
            "gbps" | "gbits" | "gbit" | "gigabitspersecond" => Unit::Gbps { base: self.base() },
            _ => return None,
        };
        (unit.is_bandwidth() == self.is_bandwidth()).then_some(unit)
    }

    fn base(self) -> u32 {
        match self {
            Unit::Mbps { base } | Unit::Gbps { base } => base,
            _ => 1_000,
        }
    }
}
