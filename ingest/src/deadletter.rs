//! What is kept of a refused text, and how often. Pure: the clock is passed in, sending is not here.

use livemeter_schemas::RECORD_VERSION;
use livemeter_schemas::record::DeadLetter;
use livemeter_schemas::refusal::Refusal;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;

const MINUTE_MS: i64 = 60_000;

/// The dead letter for one refused text. `app` is empty when the text did not tell it.
pub fn build(app: &str, received_at_ms: i64, refusal: &Refusal, text: &[u8]) -> DeadLetter {
    let (head, raw_base64) = DeadLetter::keep(text);
    DeadLetter {
        v: RECORD_VERSION,
        by: "ingest".into(),
        app: app.to_owned(),
        received_at_ms,
        code: refusal.code,
        field: refusal.field.clone(),
        reason: refusal.reason.clone(),
        origin: None,
        length_bytes: text.len() as u64,
        sha256: format!("{:x}", Sha256::digest(text)),
        head,
        raw_base64,
        bound: None,
        cmcd: None,
    }
}

/// The same without a word of the text, and without a reason that may quote it: its length and hash remain.
pub fn withheld(app: &str, received_at_ms: i64, refusal: &Refusal, text: &[u8]) -> DeadLetter {
    let field = refusal.field.as_deref().unwrap_or("the text");
    let reason = format!("{field}: {}; the text is not kept, since it may name a user", refusal.code.as_str());
    DeadLetter { reason, head: String::new(), raw_base64: None, ..build(app, received_at_ms, refusal, text) }
}

/// Whether a dead letter may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    Granted,
    /// This app at this address has had its share of the minute.
    OverOwn,
    /// All together have had theirs.
    OverTotal,
}

/// How many dead letters are kept a minute: per app and address, and altogether. Only granted ones
/// are remembered, so the total bounds the memory too.
#[derive(Debug)]
pub struct Quota {
    per_minute: u32,
    per_minute_total: u32,
    minute: i64,
    total: u32,
    own: HashMap<IpAddr, HashMap<String, u32>>,
}

impl Quota {
    pub fn new(per_minute: u32, per_minute_total: u32) -> Self {
        Quota { per_minute, per_minute_total, minute: i64::MIN, total: 0, own: HashMap::new() }
    }

    pub fn grant(&mut self, app: &str, peer: IpAddr, now_ms: i64) -> Grant {
        let minute = now_ms.div_euclid(MINUTE_MS);
        if minute != self.minute {
            (self.minute, self.total) = (minute, 0);
            self.own.clear();
        }
        if self.total >= self.per_minute_total {
            return Grant::OverTotal;
        }
        if self.per_minute == 0 {
            return Grant::OverOwn;
        }
        let apps = self.own.entry(peer).or_default();
        match apps.get_mut(app) {
            Some(count) if *count >= self.per_minute => return Grant::OverOwn,
            Some(count) => *count += 1,
            None => {
                apps.insert(app.to_owned(), 1);
            }
        }
        self.total += 1;
        Grant::Granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use livemeter_schemas::record::DEADLETTER_HEAD_BYTES;
    use livemeter_schemas::refusal::Code;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn the_text_can_be_found_again_by_its_length_and_hash() {
        let refusal = Refusal::new(Code::WrongType, "seq", "seq: wrong");
        let letter = build("demo", 7, &refusal, b"abc");
        assert_eq!(letter.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((letter.length_bytes, letter.head.as_str(), letter.code), (3, "abc", Code::WrongType));
    }

    #[test]
    fn a_text_that_is_withheld_leaves_its_length_and_hash() {
        let refusal = Refusal::new(Code::WrongType, "user_id", "user_id: invalid type: integer `31415`");
        let letter = withheld("demo", 7, &refusal, b"31415 \xff");
        assert_eq!((letter.length_bytes, letter.head.as_str(), letter.raw_base64.as_deref()), (7, "", None));
        assert!(!serde_json::to_string(&letter).unwrap().contains("31415"));
        assert_eq!(letter.reason, "user_id: wrong_type; the text is not kept, since it may name a user");
    }

    #[test]
    fn shares_end_and_begin_again_with_the_next_minute() {
        let mut quota = Quota::new(2, 3);
        let mut grant = |app, now_ms| quota.grant(app, PEER, now_ms);
        assert_eq!([grant("a", 0), grant("a", 1), grant("a", 2)], [Grant::Granted, Grant::Granted, Grant::OverOwn]);
        assert_eq!([grant("b", 3), grant("b", 4)], [Grant::Granted, Grant::OverTotal]);
        assert_eq!(grant("a", MINUTE_MS), Grant::Granted);
        assert_eq!(Quota::new(0, 3).grant("a", PEER, 0), Grant::OverOwn);
    }

    proptest! {
        #[test]
        fn no_minute_grants_more_than_its_quota(asks in proptest::collection::vec(("[ab]", 0i64..180_000), 0..200)) {
            let mut asks = asks;
            asks.sort_by_key(|(_, now)| *now);
            let mut quota = Quota::new(5, 8);
            let mut granted: HashMap<(i64, String), u32> = HashMap::new();
            for (app, now) in asks {
                if quota.grant(&app, PEER, now) == Grant::Granted {
                    *granted.entry((now / MINUTE_MS, app)).or_default() += 1;
                }
            }
            prop_assert!(granted.values().all(|n| *n <= 5));
            for minute in 0..3 {
                prop_assert!(granted.iter().filter(|((m, _), _)| *m == minute).map(|(_, n)| n).sum::<u32>() <= 8);
            }
        }

        #[test]
        fn any_bytes_make_a_letter_within_bounds(text in proptest::collection::vec(any::<u8>(), 0..40_000)) {
            let letter = build("a", 0, &Refusal::whole(Code::Malformed, "x"), &text);
            prop_assert_eq!(letter.length_bytes, text.len() as u64);
            // A wrong byte is shown by three.
            prop_assert!(letter.head.len() <= 3 * DEADLETTER_HEAD_BYTES);
        }
    }
}
