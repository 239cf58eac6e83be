//! Events as a player posts them, as plain JSON: black-box tests know the contract, not our structs.

use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// The app of every event here.
pub const APP: &str = "tests";

pub fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis()).expect("before the year 292,000,000")
}

/// One session on one CDN, whose counters only rise.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: String,
    pub user: String,
    pub cdn: &'static str,
    pub started_at_ms: i64,
    seq: u64,
    pub bytes: u64,
    pub aborted_bytes: u64,
    pub play_ms: u64,
    pub stall_ms: u64,
    pub stalls: u64,
}

impl Session {
    pub fn new(id: impl Into<String>, user: impl Into<String>, cdn: &'static str) -> Session {
        // A minute ago: its counters may then speak of time that has passed.
        let started_at_ms = now_ms() - 60_000;
        Session {
            id: id.into(),
            user: user.into(),
            cdn,
            started_at_ms,
            seq: 0,
            bytes: 0,
            aborted_bytes: 0,
            play_ms: 0,
            stall_ms: 0,
            stalls: 0,
        }
    }

    /// Raises the counters.
    pub fn plays(&mut self, bytes: u64, play_ms: u64) -> &mut Session {
        self.bytes += bytes;
        self.play_ms += play_ms;
        self
    }

    pub fn stalls(&mut self, stall_ms: u64) -> &mut Session {
        self.stalls += 1;
        self.stall_ms += stall_ms;
        self
    }

    pub fn aborts(&mut self, bytes: u64) -> &mut Session {
        self.aborted_bytes += bytes;
        self
    }

    fn head(&mut self, kind: &str) -> Value {
        self.seq += 1;
        json!({
            "type": kind, "session_id": self.id, "seq": self.seq, "at_ms": now_ms(),
            "user_id": self.user, "programme_id": "match-7", "region": "eu",
        })
    }

    /// A heartbeat with the counters as they stand.
    pub fn heartbeat(&mut self) -> Value {
        let mut event = self.head("heartbeat");
        event["session_started_at_ms"] = json!(self.started_at_ms);
        event["state"] = json!("p");
        event["cdn"] = json!(self.cdn);
        event["counters"] = json!([{
            "cdn": self.cdn, "first_used_at_ms": self.started_at_ms, "bytes": self.bytes, "aborted_bytes": self.aborted_bytes,
            "play_ms": self.play_ms, "stall_ms": self.stall_ms, "stalls": self.stalls,
        }]);
        event
    }

    /// The explanation of one stall.
    pub fn stall(&mut self, stall_ms: u64) -> Value {
        let mut event = self.head("stall");
        event["cdn"] = json!(self.cdn);
        event["began_at_ms"] = json!(now_ms() - stall_ms as i64);
        event["stall_ms"] = json!(stall_ms);
        event["kind"] = json!("rebuffer");
        event["media"] = json!("video");
        event["threshold_ms"] = json!(500);
        event
    }
}

/// A batch, stamped now.
pub fn batch(events: Vec<Value>) -> Value {
    json!({ "v": 1, "app": APP, "sent_at_ms": now_ms(), "events": events })
}
