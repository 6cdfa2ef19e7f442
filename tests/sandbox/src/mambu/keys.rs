//! Idempotency keys: what was answered under them for six hours, and which are being worked on.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;

/// How long an answer is repeated.
const RETENTION: TimeDelta = TimeDelta::hours(6);

/// The answer to the first request under a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptReply {
    pub(crate) key: Uuid,
    /// Of the request: its path and its body.
    pub(crate) fingerprint: String,
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) at: DateTime<Utc>,
}

/// The keys that Mambu remembers.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    kept: BTreeMap<Uuid, KeptReply>,
    /// Dropping the sender tells that the request is finished. A restart ends them all, so they are not saved.
    in_flight: BTreeMap<Uuid, watch::Sender<()>>,
}

impl Keys {
    pub(crate) fn find(&self, key: Uuid, now: DateTime<Utc>) -> Option<&KeptReply> {
        self.kept.get(&key).filter(|reply| now - reply.at < RETENTION)
    }

    pub(crate) fn put(&mut self, reply: KeptReply) {
        self.kept.insert(reply.key, reply);
    }

    /// As if the six hours were over.
    pub(crate) fn forget(&mut self) {
        self.kept.clear();
    }

    pub(crate) fn begin(&mut self, key: Uuid) {
        self.in_flight.insert(key, watch::Sender::new(()));
    }

    pub(crate) fn finish(&mut self, key: Uuid) {
        self.in_flight.remove(&key);
    }

    /// Where it is told that the request under this key is finished, while one is worked on.
    pub(crate) fn in_flight(&self, key: Uuid) -> Option<watch::Receiver<()>> {
        self.in_flight.get(&key).map(watch::Sender::subscribe)
    }

    pub(crate) fn kept(&self) -> impl Iterator<Item = &KeptReply> {
        self.kept.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(key: Uuid, at: DateTime<Utc>) -> KeptReply {
        KeptReply { key, fingerprint: "f".to_owned(), status: 201, body: "{}".to_owned(), at }
    }

    #[test]
    fn an_answer_is_kept_for_six_hours_or_until_it_is_forgotten() {
        let (mut keys, key, at) = (Keys::default(), Uuid::from_u128(1), Utc::now());
        keys.put(reply(key, at));
        assert!(keys.find(key, at + TimeDelta::minutes(359)).is_some());
        assert!(keys.find(key, at + TimeDelta::minutes(360)).is_none());
        keys.forget();
        assert!(keys.find(key, at).is_none());
    }

    #[tokio::test]
    async fn who_asks_meanwhile_is_told_when_it_is_finished() {
        let (mut keys, key) = (Keys::default(), Uuid::from_u128(1));
        assert!(keys.in_flight(key).is_none());
        keys.begin(key);
        let mut finished = keys.in_flight(key).unwrap();
        keys.finish(key);
        assert!(finished.changed().await.is_err());
        assert!(keys.in_flight(key).is_none());
    }
}
