//! What is remembered of a CMCD session between two reports, and its text in the ledger's `cmcd_state`. Whatever is
//! here is needed to understand the next report, and nothing else is.

use livemeter_schemas::event::State;
use serde::{Deserialize, Serialize};

/// A stall that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stall {
    /// In use when it began.
    pub cdn: String,
    /// On the player's own clock.
    #[serde(rename = "began")]
    pub began_at_ms: i64,
    /// How much of it is counted.
    pub ms: u64,
}

/// The session after its newest report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Rows of `events` written for it: the `seq` of the last. Stands in the ledger as that.
    #[serde(skip)]
    pub order: u64,
    /// The reporter's own number of the newest report; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sn: Option<u64>,
    /// The player's clock at the newest report that tells time, and at the latest one.
    #[serde(rename = "ts", default, skip_serializing_if = "Option::is_none")]
    pub ts_ms: Option<i64>,
    #[serde(rename = "max", default, skip_serializing_if = "Option::is_none")]
    pub ts_ms_max: Option<i64>,
    /// When the reporter began to number anew, if it ever did: what is older belongs to the numbering before.
    #[serde(rename = "anew", default, skip_serializing_if = "Option::is_none")]
    pub anew_at_ms: Option<i64>,
    #[serde(rename = "sta", default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cdn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stall: Option<Stall>,
    /// Since when the viewer waits for the first picture.
    #[serde(rename = "starting", default, skip_serializing_if = "Option::is_none")]
    pub starting_at_ms: Option<i64>,
    /// How long the first picture took, said before it was known that there is one.
    #[serde(rename = "msd", default, skip_serializing_if = "Option::is_none")]
    pub startup_ms: Option<u64>,
    /// Whether its start, and its first picture, were told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begun: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub played: bool,
    /// The first picture came without a word on how long it took; a later report may have it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unmeasured: bool,
}

impl Known {
    /// As it stands in the ledger.
    pub fn text(&self) -> String {
        // These shapes always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the text of the row of this `seq`; none when somebody else wrote there.
    pub fn read(text: &str, order: u64) -> Option<Known> {
        serde_json::from_str(text).ok().map(|known| Known { order, ..known })
    }

    /// Memory that it takes.
    pub fn bytes(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::capacity);
        size_of::<Known>() + text(&self.cdn) + self.stall.as_ref().map_or(0, |stall| stall.cdn.capacity())
    }
}
