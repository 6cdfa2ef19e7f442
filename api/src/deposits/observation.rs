use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::postgres::deposits::Observation;
use utoipa::ToSchema;
use uuid::Uuid;
use workflows::invoices::OutputState;

use crate::{
    json,
    openapi::schemas,
    text::{self, Lines},
};

const LONGEST: usize = 200;
/// Of heights and versions: every language reads it as it is, and it leaves room to count on.
const LARGEST: i64 = (1 << 53) - 1;
/// What the database can keep as a time, and more than any chain needs.
const YEARS: RangeInclusive<i32> = 1970..=9999;

/// What a watcher says of one output of a transaction.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Observation, examples(json!({
    "observation_id": "0190a0b0-0000-7000-8000-00000000000b", "network_id": "tron", "coin_id": "usdt",
    "contract": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "address": "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "tx_id": "9f2c",
    "output_ref": "v:0", "amount": "12.50", "state": "included", "block_height": 7, "block_hash": "00ab",
    "tip_height": 9, "first_seen_at": "2026-01-31T12:00:00Z", "version": 2,
})))]
pub(crate) struct Wire {
    /// Names this observation in the answer.
    observation_id: Uuid,
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")]
    network_id: String,
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")]
    coin_id: String,
    /// Contract of a token.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")]
    contract: Option<String>,
    /// Who is paid.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")]
    address: String,
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")]
    tx_id: String,
    /// Which output of the transaction.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")]
    output_ref: String,
    /// Plain positive decimal.
    #[schema(schema_with = schemas::amount)]
    amount: String,
    #[serde(deserialize_with = "json::word")]
    state: State,
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    block_height: Option<i64>,
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")]
    block_hash: Option<String>,
    /// Highest block that the watcher knows.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    tip_height: i64,
    first_seen_at: DateTime<Utc>,
    /// Grows with every report of this output.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
}

/// Where the output is on its chain.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ObservationState)]
pub(super) enum State {
    Seen,
    Included,
    Final,
    Orphaned,
    Replaced,
}

impl From<State> for OutputState {
    fn from(state: State) -> Self {
        match state {
            State::Seen => Self::Seen,
            State::Included => Self::Included,
            State::Final => Self::Final,
            State::Orphaned => Self::Orphaned,
            State::Replaced => Self::Replaced,
        }
    }
}

impl From<OutputState> for State {
    fn from(state: OutputState) -> Self {
        match state {
            OutputState::Seen => Self::Seen,
            OutputState::Included => Self::Included,
            OutputState::Final => Self::Final,
            OutputState::Orphaned => Self::Orphaned,
            OutputState::Replaced => Self::Replaced,
        }
    }
}

/// Reads one observation, or says why it is none.
pub(super) fn read(item: &Value) -> Result<Observation, String> {
    if !item.is_object() {
        // The parser would take the items of a list for the fields, in their order.
        return Err("is no object".to_owned());
    }
    let wire: Wire = serde_path_to_error::deserialize(item).map_err(|error| error.to_string())?;
    if let Some(flaw) = wire.flaw() {
        return Err(flaw);
    }
    tracing::trace!(observation_id = %wire.observation_id, "api.deposits.read");
    Ok(wire.into())
}

impl Wire {
    fn flaw(&self) -> Option<String> {
        let texts = [
            ("network_id", Some(&self.network_id)),
            ("coin_id", Some(&self.coin_id)),
            ("contract", self.contract.as_ref()),
            ("address", Some(&self.address)),
            ("tx_id", Some(&self.tx_id)),
            ("output_ref", Some(&self.output_ref)),
            ("amount", Some(&self.amount)),
            ("block_hash", self.block_hash.as_ref()),
        ];
        let numbers = [
            ("block_height", self.block_height.unwrap_or_default()),
            ("tip_height", self.tip_height),
            ("version", self.version),
        ];
        let text = texts.into_iter().find_map(|(name, text)| text_flaw(name, text?));
        let number = numbers.into_iter().find(|(_, number)| !(0..=LARGEST).contains(number));
        text.or_else(|| number.map(|(name, _)| format!("{name} is not between 0 and {LARGEST}"))).or_else(|| {
            (!YEARS.contains(&self.first_seen_at.year())).then(|| "first_seen_at is no time of today".to_owned())
        })
    }
}

fn text_flaw(name: &str, text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(format!("{name} is empty"));
    }
    text::flaw(text, LONGEST, Lines::One).map(|flaw| format!("{name} {flaw}"))
}

impl From<Wire> for Observation {
    fn from(wire: Wire) -> Self {
        Self {
            network_id: wire.network_id,
            coin_id: wire.coin_id,
            contract: wire.contract,
            address: wire.address,
            tx_id: wire.tx_id,
            output_ref: wire.output_ref,
            amount: wire.amount,
            state: wire.state.into(),
            block_height: wire.block_height,
            block_hash: wire.block_hash,
            tip_height: wire.tip_height,
            first_seen_at: wire.first_seen_at,
            version: wire.version,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(changes: &Value) -> Value {
        let mut item = json!({
            "observation_id": "0190a0b0-0000-7000-8000-00000000000a", "network_id": "tron", "coin_id": "usdt",
            "contract": null, "address": "T1", "tx_id": "ab", "output_ref": "v:0", "amount": "12.50", "state": "seen",
            "block_height": null, "block_hash": null, "tip_height": 7, "first_seen_at": "2026-01-31T12:00:00Z", "version": 1
        });
        item.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        item
    }

    #[test]
    fn an_observation_is_read() {
        let observation = read(&item(&json!({"state": "final", "block_height": 5}))).unwrap();
        assert_eq!((observation.state, observation.block_height), (OutputState::Final, Some(5)));
    }

    #[test]
    fn what_is_no_observation_says_why() {
        for (field, value) in [
            ("observation_id", json!("x")),
            ("state", json!("lost")),
            ("amount", json!(12.5)),
            ("block_height", json!(-1)),
            ("tip_height", json!(-1)),
            ("version", json!(-1)),
            ("tx_id", json!("a\u{0}")),
            ("address", json!("a".repeat(201))),
            ("output_ref", json!("")),
            ("first_seen_at", json!("yesterday")),
            ("more", json!(1)),
        ] {
            let reason = read(&item(&json!({field: value}))).unwrap_err();
            assert!(reason.contains(field), "{field}: {reason}");
        }
        assert!(read(&json!(7)).is_err());
    }
}
