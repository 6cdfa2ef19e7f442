//! The outputs of an invoice, as the transition function counts them and as an event shows them.

use std::cmp::Reverse;

use bigdecimal::BigDecimal;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;
use workflows::invoices::{InvoiceTerms, Output, OutputState, Sums, late};

use crate::postgres::{
    StoreError,
    deposits::{state_of, word},
    numeric::from_numeric,
};

/// An event shows this many, the newest first: what changed is among them.
const SHOWN: usize = 10;
const READING: &str = "reading deposits";

/// Every output that belongs to an invoice.
pub(super) struct Outputs {
    /// As they count, in the order in which they were first seen.
    pub(super) counted: Vec<Output>,
    traces: Vec<Trace>,
}

/// What an output has beside that, in the same place.
struct Trace {
    tx_id: String,
    output_ref: String,
    decimals: u8,
    ambiguous_with: Option<Uuid>,
    updated_at: DateTime<Utc>,
}

struct Row {
    transaction_id: Uuid,
    tx_id: String,
    output_ref: String,
    amount: BigDecimal,
    decimals: i16,
    state: String,
    block_height: Option<i64>,
    tip_height: i64,
    first_seen_at: DateTime<Utc>,
    right_asset: bool,
    credited: bool,
    ambiguous_with: Option<Uuid>,
    updated_at: DateTime<Utc>,
}

/// An output in the evidence of an event.
#[derive(Serialize)]
struct Shown<'a> {
    tx_id: &'a str,
    output_ref: &'a str,
    amount: String,
    state: &'static str,
    block_height: Option<i64>,
    confirmations: i64,
    required: u32,
    late: bool,
    right_asset: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ambiguous_with: Option<Uuid>,
}

impl Outputs {
    /// Reads them. Whoever holds the lock of the invoice sees all that its deposit revision tells of.
    pub(super) async fn read(connection: &mut PgConnection, invoice_id: Uuid) -> Result<Self, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            r#"select t.transaction_id, t.tx_id, t.output_ref, t.amount, t.decimals, t.state, t.block_height, t.tip_height,
                      t.first_seen_at, t.right_asset, c.transaction_id is not null as "credited!", t.ambiguous_with,
                      t.updated_at
               from invoice_transaction t left join merchant_credit c on c.transaction_id = t.transaction_id
               where t.invoice_id = $1 order by t.first_seen_at, t.transaction_id"#,
            invoice_id,
        )
        .fetch_all(connection)
        .await
        .map_err(StoreError::during(READING))?;
        let (counted, traces) = rows.into_iter().map(Row::split).collect::<Result<(Vec<_>, Vec<_>), _>>()?;
        Ok(Self { counted, traces })
    }

    /// Their sums under `terms`.
    pub(super) fn sums(&self, terms: &InvoiceTerms) -> Sums {
        Sums::of(&self.counted, terms)
    }

    /// What an event shows of them.
    pub(super) fn evidence(&self, terms: &InvoiceTerms) -> Value {
        let late = late(&self.counted, terms);
        let mut newest: Vec<_> = self.counted.iter().zip(&self.traces).collect();
        newest.sort_by_key(|(_, trace)| Reverse(trace.updated_at));
        let shown = newest.into_iter().take(SHOWN).map(|(output, trace)| Shown {
            tx_id: &trace.tx_id,
            output_ref: &trace.output_ref,
            amount: output.amount.to_decimal(trace.decimals),
            state: word(output.state),
            block_height: output.block_height,
            confirmations: confirmations(output),
            required: terms.confirmations,
            late: late.iter().any(|late| late.transaction_id == output.transaction_id),
            right_asset: output.right_asset,
            ambiguous_with: trace.ambiguous_with,
        });
        json!({ "deposits": shown.collect::<Vec<_>>() })
    }
}

fn confirmations(output: &Output) -> i64 {
    match (output.state, output.block_height) {
        (OutputState::Included | OutputState::Final, Some(height)) => (output.tip_height - height + 1).max(0),
        _ => 0,
    }
}

impl Row {
    fn split(self) -> Result<(Output, Trace), StoreError> {
        let output = Output {
            transaction_id: self.transaction_id,
            amount: from_numeric(&self.amount)?,
            state: state_of(&self.state).ok_or_else(|| StoreError::corrupt(READING, &self.state))?,
            block_height: self.block_height,
            tip_height: self.tip_height,
            first_seen_at: self.first_seen_at,
            right_asset: self.right_asset,
            credited: self.credited,
        };
        let trace = Trace {
            tx_id: self.tx_id,
            output_ref: self.output_ref,
            decimals: self.decimals.try_into().map_err(|_| StoreError::corrupt(READING, "decimals"))?,
            ambiguous_with: self.ambiguous_with,
            updated_at: self.updated_at,
        };
        Ok((output, trace))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const COUNT: i64 = 12;

    /// Twelve outputs of 0.5, one a minute, of which those from the sixth on are late.
    fn outputs() -> Outputs {
        let minute = |minute| DateTime::UNIX_EPOCH + Duration::from_mins(minute);
        let output = |index: i64| Output {
            transaction_id: Uuid::from_u128(index.unsigned_abs().into()),
            amount: 50.into(),
            state: if index == 11 { OutputState::Orphaned } else { OutputState::Included },
            block_height: Some(index),
            tip_height: 9,
            first_seen_at: minute(index.unsigned_abs()),
            right_asset: index != 10,
            credited: false,
        };
        let trace = |index: i64| Trace {
            tx_id: format!("tx-{index}"),
            output_ref: "v:0".to_owned(),
            decimals: 2,
            ambiguous_with: (index == 9).then(Uuid::nil),
            updated_at: minute(index.unsigned_abs()),
        };
        Outputs { counted: (0..COUNT).map(output).collect(), traces: (0..COUNT).map(trace).collect() }
    }

    fn terms() -> InvoiceTerms {
        let expires_at = DateTime::UNIX_EPOCH + Duration::from_mins(6);
        InvoiceTerms {
            due: 100.into(),
            tolerance: 0.into(),
            expires_at,
            confirm_by: expires_at,
            complete_by: expires_at,
            monitoring: Duration::ZERO,
            confirmations: 3,
            late_accepted_at: None,
        }
    }

    #[test]
    fn evidence_shows_the_newest_outputs_and_what_each_is() {
        let evidence = outputs().evidence(&terms());
        let shown = evidence["deposits"].as_array().unwrap();
        assert_eq!(shown.len(), SHOWN);
        let told = |index: usize, field: &str| shown[index][field].clone();
        assert_eq!(
            (told(0, "tx_id"), told(0, "state"), told(0, "confirmations")),
            (json!("tx-11"), json!("orphaned"), json!(0))
        );
        assert_eq!(
            (told(0, "late"), told(1, "late"), told(1, "right_asset")),
            (json!(false), json!(false), json!(false))
        );
        assert_eq!((told(2, "late"), told(2, "ambiguous_with")), (json!(true), json!(Uuid::nil())));
        assert_eq!(
            (told(5, "late"), told(6, "late"), told(6, "ambiguous_with")),
            (json!(true), json!(false), Value::Null)
        );
        assert_eq!(
            (told(9, "amount"), told(9, "confirmations"), told(9, "required")),
            (json!("0.5"), json!(8), json!(3))
        );
    }
}
