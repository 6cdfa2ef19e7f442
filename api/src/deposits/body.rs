use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use store::postgres::deposits::KeptDeposit;
use utoipa::ToSchema;
use uuid::Uuid;

use super::observation::State;
use crate::openapi::schemas;

/// A deposit as operators see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deposit, examples(json!({
    "deposit_id": "0190a0b0-0000-7000-8000-00000000000c", "result": "unmatched", "network_id": "tron", "coin_id": "usdt",
    "contract": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "address": "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "tx_id": "9f2c",
    "output_ref": "v:0", "amount": "12.5", "state": "included", "block_height": 7, "tip_height": 9,
    "first_seen_at": "2026-01-31T12:00:00.000Z", "invoice_id": null, "ambiguous_with": null,
    "created_at": "2026-01-31T12:00:01.000Z",
})))]
pub(crate) struct DepositBody {
    deposit_id: Uuid,
    /// `unmatched`: no invoice awaited it; `ambiguous`: it belongs to an invoice, and an earlier one asked for as much;
    /// `attached`: it belongs to an invoice and to no other.
    #[schema(pattern = "^(unmatched|ambiguous|attached)$")]
    result: &'static str,
    network_id: String,
    /// Coin, by the watcher's name for it.
    coin_id: String,
    /// Contract of a token.
    #[schema(required)]
    contract: Option<String>,
    /// Who was paid.
    address: String,
    tx_id: String,
    /// Which output of the transaction.
    output_ref: String,
    #[schema(schema_with = schemas::sum)]
    amount: String,
    state: State,
    #[schema(required)]
    block_height: Option<i64>,
    /// Highest block that was known.
    tip_height: i64,
    #[schema(schema_with = schemas::time)]
    first_seen_at: String,
    /// The invoice that it counts for.
    #[schema(required)]
    invoice_id: Option<Uuid>,
    /// The expired, unpaid invoice that had the address before and asked for as much.
    #[schema(required)]
    ambiguous_with: Option<Uuid>,
    /// When it was reported first.
    #[schema(schema_with = schemas::time)]
    created_at: String,
}

impl From<KeptDeposit> for DepositBody {
    fn from(deposit: KeptDeposit) -> Self {
        Self {
            deposit_id: deposit.deposit_id,
            result: result(&deposit),
            network_id: deposit.network_id,
            coin_id: deposit.coin_id,
            contract: deposit.contract,
            address: deposit.address,
            tx_id: deposit.tx_id,
            output_ref: deposit.output_ref,
            amount: deposit.amount.to_decimal(deposit.decimals),
            state: deposit.state.into(),
            block_height: deposit.block_height,
            tip_height: deposit.tip_height,
            first_seen_at: time(deposit.first_seen_at),
            invoice_id: deposit.invoice_id,
            ambiguous_with: deposit.ambiguous_with,
            created_at: time(deposit.created_at),
        }
    }
}

fn result(deposit: &KeptDeposit) -> &'static str {
    match (deposit.invoice_id, deposit.ambiguous_with) {
        (None, _) => "unmatched",
        (Some(_), Some(_)) => "ambiguous",
        (Some(_), None) => "attached",
    }
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use workflows::invoices::OutputState;

    use super::*;

    fn deposit() -> KeptDeposit {
        let at = DateTime::from_timestamp_millis(1_767_225_600_120).unwrap();
        KeptDeposit {
            deposit_id: Uuid::from_u128(1),
            invoice_id: None,
            ambiguous_with: None,
            network_id: "tron".to_owned(),
            coin_id: "usdt".to_owned(),
            contract: None,
            address: "T1".to_owned(),
            tx_id: "ab".to_owned(),
            output_ref: "v:0".to_owned(),
            amount: 12_500_000.into(),
            decimals: 6,
            state: OutputState::Final,
            block_height: Some(7),
            tip_height: 9,
            first_seen_at: at,
            created_at: at,
        }
    }

    #[test]
    fn a_deposit_has_the_fields_of_the_api() {
        let body = serde_json::to_value(DepositBody::from(deposit())).unwrap();
        assert_eq!(
            body,
            json!({
                "deposit_id": "00000000-0000-0000-0000-000000000001", "result": "unmatched", "network_id": "tron",
                "coin_id": "usdt", "contract": null, "address": "T1", "tx_id": "ab", "output_ref": "v:0",
                "amount": "12.5", "state": "final", "block_height": 7, "tip_height": 9,
                "first_seen_at": "2026-01-01T00:00:00.120Z", "invoice_id": null, "ambiguous_with": null,
                "created_at": "2026-01-01T00:00:00.120Z"
            })
        );
    }

    #[test]
    fn the_result_says_whose_it_is() {
        let (ours, another) = (Some(Uuid::from_u128(2)), Some(Uuid::from_u128(3)));
        for (invoice_id, ambiguous_with, word) in
            [(None, None, "unmatched"), (ours, another, "ambiguous"), (ours, None, "attached")]
        {
            assert_eq!(result(&KeptDeposit { invoice_id, ambiguous_with, ..deposit() }), word);
        }
    }
}
