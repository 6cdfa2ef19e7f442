//! Every effect that really happened, in order: what a test compares with what the product believes.

use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One effect on an outside system.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Counts from 1 without gaps.
    pub(crate) sequence: u64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) system: String,
    pub(crate) effect: String,
    pub(crate) detail: Value,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: Vec<Entry>,
}

impl Ledger {
    /// Adds an effect; returns the entry, to be saved.
    pub(crate) fn add(&mut self, system: &str, effect: &str, detail: Value) -> Entry {
        let sequence = self.entries.last().map_or(1, |entry| entry.sequence + 1);
        let entry = Entry { sequence, at: now(), system: system.to_owned(), effect: effect.to_owned(), detail };
        self.entries.push(entry.clone());
        entry
    }

    pub(crate) fn put(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }
}

/// The time, in the milliseconds that outside systems usually give.
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}
