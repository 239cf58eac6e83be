//! Which rows belong to which partition's memory. Pure.

use std::collections::BTreeMap;

/// The partitions to recover, and from which offset on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub generation: u32,
    pub partitions: Vec<i32>,
    /// Partitions of the topic at this generation: tells where a session of an older generation belongs now.
    pub partitions_all: usize,
    /// First offset of interest; a partition that is not named is wanted whole.
    from: BTreeMap<i32, i64>,
    anywhere: bool,
}

/// Where a row stands, and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub generation: i64,
    pub partition: i64,
    pub offset: i64,
    pub app: &'a str,
    pub session_id: &'a str,
}

impl Scope {
    pub fn new(generation: u32, partitions: Vec<i32>, partitions_all: usize) -> Self {
        Scope { generation, partitions, partitions_all, from: BTreeMap::new(), anywhere: false }
    }

    /// Every row there is, as partition 0.
    pub fn anywhere() -> Self {
        Scope { anywhere: true, ..Scope::new(0, vec![0], 1) }
    }

    pub fn only(&self, partitions: Vec<i32>) -> Self {
        Scope { partitions, ..self.clone() }
    }

    /// The same partitions that `from` names, from those offsets on.
    pub fn beginning_at(&self, from: BTreeMap<i32, i64>) -> Self {
        Scope { partitions: from.keys().copied().collect(), from, ..self.clone() }
    }

    /// Where a row belongs within the scope.
    ///
    /// Within a generation a session's records are on one partition, and their rows name it. Rows of an older
    /// generation were read from other partitions: their sessions are now where their key leads, if whoever
    /// produces follows Kafka's rule; so every other partition keeps a trace of them too.
    pub fn home(&self, row: Row<'_>) -> Home {
        if self.anywhere {
            return Home::At(0);
        }
        if row.generation == i64::from(self.generation) {
            let Ok(partition) = i32::try_from(row.partition) else { return Home::Elsewhere };
            let wanted = self.partitions.contains(&partition) && self.from.get(&partition).is_none_or(|from| row.offset >= *from);
            return if wanted { Home::At(partition) } else { Home::Elsewhere };
        }
        // What came before a snapshot is in it.
        if !self.from.is_empty() {
            return Home::Elsewhere;
        }
        Home::Moved(partition_of(&livemeter_schemas::record::key(row.app, row.session_id), self.partitions_all))
    }
}

/// Where a row belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// In this partition's memory.
    At(i32),
    /// In this partition's memory, if it is in the scope, and as a trace in all the others.
    Moved(i32),
    /// To another worker, or it came before.
    Elsewhere,
}

/// The partition that a key leads to: Kafka's own rule (murmur2), as every producer of ours is set to.
pub fn partition_of(key: &str, partitions: usize) -> i32 {
    let positive = murmur2(key.as_bytes()) & 0x7fff_ffff;
    (positive as usize % partitions.max(1)) as i32
}

/// Austin Appleby's MurmurHash2 with Kafka's seed.
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mix = |k: u32| {
        let k = k.wrapping_mul(M);
        (k ^ (k >> 24)).wrapping_mul(M)
    };
    let mut h = 0x9747_b28c ^ data.len() as u32;
    let chunks = data.chunks_exact(4);
    let rest = chunks.remainder();
    for chunk in chunks {
        let k = chunk.iter().rev().fold(0u32, |k, byte| (k << 8) | u32::from(*byte));
        h = h.wrapping_mul(M) ^ mix(k);
    }
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0u32, |k, byte| (k << 8) | u32::from(*byte));
        h = (h ^ tail).wrapping_mul(M);
    }
    h = (h ^ (h >> 13)).wrapping_mul(M);
    h ^ (h >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that Apache Kafka's own tests expect of its hash.
    #[test]
    fn the_hash_is_kafkas() {
        let cases: [(&str, i32); 6] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ];
        for (key, hash) in cases {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
    }

    #[test]
    fn a_row_belongs_to_its_partition_or_where_its_key_leads() {
        let scope = Scope::new(2, vec![0, 1], 4);
        let row = |generation, partition, offset| Row { generation, partition, offset, app: "demo", session_id: "s" };
        assert_eq!(scope.home(row(2, 1, 5)), Home::At(1));
        assert_eq!(scope.home(row(2, 3, 5)), Home::Elsewhere);
        assert_eq!(scope.home(row(1, 7, 5)), Home::Moved(partition_of("demo/s", 4)));
        let later = scope.beginning_at(BTreeMap::from([(1, 6)]));
        let homes = [row(2, 1, 5), row(2, 1, 6), row(2, 0, 9), row(1, 1, 9)].map(|row| later.home(row));
        assert_eq!(homes, [Home::Elsewhere, Home::At(1), Home::Elsewhere, Home::Elsewhere]);
        assert_eq!(Scope::anywhere().home(row(9, 9, 9)), Home::At(0));
    }
}
