//! `POST /loans/{id}/disbursement-transactions`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::FixedOffset;
use serde::Deserialize;

use super::amount::Number;
use super::body::Fields;
use super::booking::{self, Order};
use super::command::{Command, execute};
use super::refusal::Refusal;
use super::wire;
use crate::state::Sandbox;

/// Mambu's `DisbursementLoanTransactionInput`.
const FIELDS: [&str; 11] = [
    "amount",
    "bookingDate",
    "externalId",
    "fees",
    "firstRepaymentDate",
    "notes",
    "originalCurrencyCode",
    "shiftAdjustableInterestPeriods",
    "transactionDetails",
    "transferDetails",
    "valueDate",
];

pub(super) async fn disburse(
    State(sandbox): State<Arc<Sandbox>>,
    Path(loan): Path<String>,
    command: Command,
) -> Response {
    let mut names = sandbox.read(|world| world.bank.names_of_loan(&loan));
    names.extend(external_id(&command.body));
    execute(sandbox, command, "disburse", names, move |world, body, now| {
        let order = read(body, *now.offset())?;
        let transaction = booking::disburse(world, &loan, order, now)?;
        Ok(wire::reply(StatusCode::CREATED, &wire::transaction(&world.bank, &transaction)))
    })
    .await
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "externalId")]
    external_id: Option<String>,
}

/// For the faults, which hit also what cannot be read.
fn external_id(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Named>(body).ok()?.external_id
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Details {
    transaction_channel_id: Option<String>,
    transaction_channel_key: Option<String>,
}

fn read(body: &[u8], offset: FixedOffset) -> Result<Order, Refusal> {
    let fields = Fields::read(body, &FIELDS)?;
    // A boolean, and without interest it has nothing to shift.
    fields.get::<bool>("shiftAdjustableInterestPeriods")?;
    fields.check_empty("fees")?;
    fields.check_empty("transferDetails")?;
    let details: Details = fields.get("transactionDetails")?.unwrap_or_default();
    Ok(Order {
        external_id: fields.text("externalId")?,
        amount: fields.get::<Number>("amount")?.map(|number| number.0),
        currency: fields.text("originalCurrencyCode")?,
        value_date: fields.time("valueDate", offset)?,
        booking_date: fields.time("bookingDate", offset)?,
        first_repayment: fields.time("firstRepaymentDate", offset)?,
        notes: fields.text("notes")?,
        channel: details.transaction_channel_id.or(details.transaction_channel_key),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mambu::samples::{self, ask, ask_json, reason, request};

    const PATH: &str = "/loans/LN-1/disbursement-transactions";

    #[tokio::test]
    async fn the_answer_is_the_transaction() {
        let sandbox = samples::sandbox();
        let body = r#"{"amount":1250.00,"valueDate":"2026-05-14T10:15:00-06:00",
            "firstRepaymentDate":"2026-06-14T00:00:00-06:00","externalId":"pc-1","notes":"purchase code",
            "transactionDetails":{"transactionChannelId":"purchase_code"},"_set":{"a":"b"}}"#;
        let (status, text) = ask(&sandbox, request("POST", PATH, body)).await;
        assert_eq!(status, StatusCode::CREATED, "{text}");
        for part in [
            r#""externalId":"pc-1""#,
            r#""type":"DISBURSEMENT""#,
            r#""amount":1250.00,"#,
            r#""currency":{"code":"MXN"}"#,
            r#""valueDate":"2026-05-14T10:15:00-06:00""#,
            r#""principalAmount":1250.00"#,
            r#""interestAmount":0"#,
            r#""principalBalance":1250.00"#,
            r#""transactionChannelId":"purchase_code""#,
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[tokio::test]
    async fn the_loan_is_found_by_its_encoded_key_and_everything_may_be_left_out() {
        let sandbox = samples::sandbox();
        let key = sandbox.read(|world| world.bank.loan("LN-1").unwrap().encoded_key.clone());
        let (status, body) =
            ask_json(&sandbox, request("POST", &format!("/loans/{key}/disbursement-transactions"), "{}")).await;
        assert_eq!(status, 201, "{body}");
        assert_eq!(body["parentAccountKey"], key.as_str());
    }

    #[tokio::test]
    async fn a_field_that_is_wrong_is_named() {
        let sandbox = samples::sandbox();
        for (body, expected, source) in [
            (r#"{"amount":"1250.00"}"#, "INVALID_PARAMETERS", "amount"),
            (r#"{"valueDate":"2026-05-14"}"#, "INVALID_DATE_TIME_FORMAT", "valueDate"),
            (r#"{"external_id":"pc-1"}"#, "PARAMETER_NOT_ALLOWED", "external_id"),
            (r#"{"fees":[{"predefinedFeeKey":"x"}]}"#, "METHOD_NOT_IMPLEMENTED", "fees"),
        ] {
            let (status, answer) = ask_json(&sandbox, request("POST", PATH, body)).await;
            assert_eq!((status, reason(&answer)), (400, expected));
            assert_eq!(answer["errors"][0]["errorSource"], source);
        }
    }
}
