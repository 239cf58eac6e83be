//! The truth on disk: one JSON for the run, and on demand a CSV with every (session, CDN) for audits.

use crate::config::Error;
use crate::truth::{SessionTruth, Truth};
use crate::world::World;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes the truth whole or not at all.
pub fn write_truth(path: &Path, truth: &Truth) -> Result<(), Error> {
    let failed = |cause| Error::Write { path: path.into(), cause };
    let beside = path.with_extension("part");
    let write = || -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(&beside)?);
        serde_json::to_writer_pretty(&mut file, truth)?;
        file.write_all(b"\n")?;
        file.into_inner()?.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(failed)
}

/// The audit file, open for the run.
pub struct Audit {
    path: PathBuf,
    csv: csv::Writer<File>,
}

const COLUMNS: [&str; 9] = ["session_id", "cdn", "seq", "bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls", "uncertain_bytes"];

impl Audit {
    pub fn create(path: &Path) -> Result<Self, Error> {
        let mut csv = csv::Writer::from_path(path).map_err(|cause| failed(path, cause))?;
        csv.write_record(COLUMNS).map_err(|cause| failed(path, cause))?;
        Ok(Audit { path: path.into(), csv })
    }

    pub fn write(&mut self, sessions: &[SessionTruth], world: &World) -> Result<(), Error> {
        for s in sessions {
            let t = &s.totals;
            let row = (
                &*s.session_id,
                &world.cdn(s.cdn).name,
                s.seq,
                t.bytes,
                t.aborted_bytes,
                t.play_ms,
                t.stall_ms,
                t.stalls,
                s.beyond_max.bytes,
            );
            self.csv.serialize(row).map_err(|cause| failed(&self.path, cause))?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<(), Error> {
        self.csv.flush().map_err(|cause| Error::Write { path: self.path, cause })
    }
}

fn failed(path: &Path, cause: csv::Error) -> Error {
    Error::Write { path: path.into(), cause: std::io::Error::other(cause) }
}
