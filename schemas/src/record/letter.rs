//! The dead letter: what was not taken, with the reason, and as much of its text as may be kept.

use crate::refusal::Code;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The value of one record on [`super::DEADLETTER_TOPIC`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetter {
    pub v: u32,
    /// `ingest` or `processor`.
    pub by: String,
    pub app: String,
    pub received_at_ms: i64,
    pub code: Code,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub reason: String,
    /// Where it stood, when it had reached Kafka: topic, partition, offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Length of the whole text in bytes.
    pub length_bytes: u64,
    /// SHA-256 of the whole text, in hex.
    pub sha256: String,
    /// The first 16 KiB of it, invalid UTF-8 replaced, no character cut in two.
    pub head: String,
    /// The first 16 KiB exactly as they were, in base64: only where `head` is not exactly those bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_base64: Option<String>,
    /// What its sender was bound to; none where nothing bound it. An event that is put back must keep to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
    /// The text is a CMCD report, which `POST /v1/cmcd` takes; none: an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmcd: Option<CmcdRequest>,
}

/// What a request said beside a CMCD report, without which that cannot be read again as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CmcdRequest {
    /// Its parameter `target`: part of the session's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Whom its token named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The report's place in it, from 0: a report without a number is numbered by its receipt and this.
    pub place: u32,
}

/// What an event's sender was bound to when it was refused: by its session token, and by its app's list of CDNs.
/// The token itself is never kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bound {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programme_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The token's CDNs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_cdns: Option<Vec<String>>,
    /// The app's CDNs, sorted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_cdns: Option<Vec<String>>,
}

impl DeadLetter {
    /// What is kept of a refused text: `head` and, where that is not the same, `raw_base64`.
    pub fn keep(text: &[u8]) -> (String, Option<String>) {
        let cut = text.get(..DEADLETTER_HEAD_BYTES).unwrap_or(text);
        let whole = match std::str::from_utf8(cut) {
            Err(e) if e.error_len().is_none() && cut.len() < text.len() => cut.get(..e.valid_up_to()).unwrap_or_default(),
            _ => cut,
        };
        let head = String::from_utf8_lossy(whole).into_owned();
        let raw_base64 = (head.as_bytes() != cut).then(|| BASE64.encode(cut));
        (head, raw_base64)
    }

    /// The bytes that were kept; all of them, where they are as many as `length_bytes`. None when `raw_base64`
    /// is no base64: nothing is guessed.
    pub fn kept(&self) -> Option<Vec<u8>> {
        match &self.raw_base64 {
            Some(text) => BASE64.decode(text).ok(),
            None => Some(self.head.clone().into_bytes()),
        }
    }

    /// Told once, however often it was written: the key of the processor's letters on [`super::DEADLETTER_TOPIC`].
    /// Ingest's letters have no place to be told by.
    pub fn key(&self) -> Option<String> {
        self.origin.as_ref().map(Origin::key)
    }
}

/// A place on Kafka.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
}

impl Origin {
    /// `topic/partition/offset`
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.topic, self.partition, self.offset)
    }
}

/// How much of a refused text is kept.
pub const DEADLETTER_HEAD_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_refused_text_is_what_it_was() {
        let long = "€".repeat(DEADLETTER_HEAD_BYTES);
        let cases: [(&[u8], bool); 5] =
            [(b"plain", false), ("€".as_bytes(), false), (b"a\xffb", true), (b"cut \xe2\x82", true), (long.as_bytes(), true)];
        for (text, differs) in cases {
            let (head, raw_base64) = DeadLetter::keep(text);
            assert_eq!(raw_base64.is_some(), differs, "{head:.20}");
            let letter = DeadLetter { head, raw_base64, ..golden() };
            assert_eq!(letter.kept().unwrap(), text[..text.len().min(DEADLETTER_HEAD_BYTES)]);
        }
        assert_eq!(DeadLetter { raw_base64: Some("no base64!".into()), ..golden() }.kept(), None);
        assert_eq!(golden().key().unwrap(), "livemeter.events.v1/3/1204");
    }

    fn golden() -> DeadLetter {
        serde_json::from_str(include_str!("../../golden/v1/deadletter.json")).unwrap()
    }
}
