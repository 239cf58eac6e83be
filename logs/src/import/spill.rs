//! Records of lines that have a request's id, parted by its hash, so that each part fits into memory. What does not
//! fit goes into one file without a name: it is gone when the import is, however that ends.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Parts: of 100 GB of log (220 million lines) each is about 34 MB.
pub(crate) const PARTS: usize = 256;
const BLOCK_RECORDS: usize = 256;

/// What must be known of a line to count it later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Record {
    pub(crate) id: u128,
    pub(crate) line: u64,
    pub(crate) bytes: u64,
    pub(crate) group: u32,
}

const RECORD_BYTES: usize = 36;

impl Record {
    fn write(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.id.to_le_bytes());
        into.extend_from_slice(&self.line.to_le_bytes());
        into.extend_from_slice(&self.bytes.to_le_bytes());
        into.extend_from_slice(&self.group.to_le_bytes());
    }

    fn read(from: &[u8; RECORD_BYTES]) -> Record {
        let long = |at: usize| u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|i| from[at + i]));
        Record {
            id: u128::from(long(0)) | u128::from(long(8)) << 64,
            line: long(16),
            bytes: long(24),
            group: u32::from_le_bytes([from[32], from[33], from[34], from[35]]),
        }
    }
}

#[derive(Default)]
struct Part {
    held: Vec<u8>,
    /// Where its full blocks begin in the file.
    blocks: Vec<u64>,
}

/// Takes records in any order; gives them back part by part, in the order of their ids.
pub(crate) struct Spill {
    parts: Vec<Part>,
    file: Option<File>,
    file_bytes: u64,
}

impl Spill {
    pub(crate) fn new() -> Spill {
        Spill { parts: (0..PARTS).map(|_| Part::default()).collect(), file: None, file_bytes: 0 }
    }

    pub(crate) fn push(&mut self, record: &Record, folder: &Path) -> io::Result<()> {
        let part = &mut self.parts[(record.id >> 120) as usize];
        record.write(&mut part.held);
        if part.held.len() < BLOCK_RECORDS * RECORD_BYTES {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(folder)?),
        };
        file.write_all_at(&part.held, self.file_bytes)?;
        part.blocks.push(self.file_bytes);
        self.file_bytes += part.held.len() as u64;
        part.held.clear();
        Ok(())
    }

    /// Records of one part, by id and line. Parts are in the order of ids too.
    pub(crate) fn part(&mut self, part: usize, into: &mut Vec<Record>) -> io::Result<()> {
        into.clear();
        let Part { held, blocks } = std::mem::take(&mut self.parts[part]);
        into.extend(held.as_chunks::<RECORD_BYTES>().0.iter().map(Record::read));
        let mut block = vec![0; BLOCK_RECORDS * RECORD_BYTES];
        if let Some(file) = &self.file {
            for at in blocks {
                file.read_exact_at(&mut block, at)?;
                into.extend(block.as_chunks::<RECORD_BYTES>().0.iter().map(Record::read));
            }
        }
        into.sort_unstable();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        /// What is pushed comes back once, in the order of ids, whether it was held or spilled.
        #[test]
        fn nothing_is_lost(ids in prop::collection::vec((0u8..4, any::<u64>(), any::<u64>()), 0..3_000)) {
            let folder = tempfile::tempdir().unwrap();
            let mut spill = Spill::new();
            let records = ids.iter().enumerate().map(|(line, (high, low, bytes))| {
                Record { id: u128::from(*high) << 120 | u128::from(*low), line: line as u64, bytes: *bytes, group: line as u32 }
            });
            let mut expected: Vec<Record> = records.collect();
            for record in &expected {
                spill.push(record, folder.path()).unwrap();
            }
            expected.sort();
            let (mut found, mut part) = (Vec::new(), Vec::new());
            for at in 0..PARTS {
                spill.part(at, &mut part).unwrap();
                found.extend_from_slice(&part);
            }
            prop_assert_eq!(found, expected);
        }
    }
}
