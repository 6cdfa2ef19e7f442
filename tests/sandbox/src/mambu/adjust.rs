//! `POST /loans/transactions/{id}:adjust`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::FixedOffset;

use super::body::Fields;
use super::booking::{self, Reversal};
use super::command::{Command, execute};
use super::refusal::{Refusal, no_route};
use super::wire;
use crate::state::Sandbox;

const FIELDS: [&str; 3] = ["bookingDate", "installments", "notes"];

pub(super) async fn adjust(
    State(sandbox): State<Arc<Sandbox>>,
    Path(target): Path<String>,
    command: Command,
) -> Response {
    let Some(id) = target.strip_suffix(":adjust").map(str::to_owned) else {
        return no_route().await.into_response();
    };
    let names = sandbox.read(|world| world.bank.names_of_transaction(&id));
    execute(sandbox, command, "adjust", names, move |world, body, now| {
        let reversal = read(body, *now.offset())?;
        let transaction = booking::adjust(world, &id, reversal, now)?;
        Ok(wire::reply(StatusCode::OK, &wire::transaction(&world.bank, &transaction)))
    })
    .await
}

fn read(body: &[u8], offset: FixedOffset) -> Result<Reversal, Refusal> {
    let fields = Fields::read(body, &FIELDS)?;
    fields.check_empty("installments")?;
    let notes = fields.text("notes")?.ok_or_else(|| Refusal::of("MISSING_REQUIRED_PARAMETER").at("notes"))?;
    Ok(Reversal { notes, booking_date: fields.time("bookingDate", offset)? })
}

#[cfg(test)]
mod tests {
    use crate::mambu::samples::{self, ask_json, effects, keyed, reason, request};

    const NOTES: &str = r#"{"notes":"the code was not used"}"#;
    const KEY: &str = "0b5c9c2e-2f6b-5b7e-8d2a-3d8d0d6b8a11";

    #[tokio::test]
    async fn a_disbursement_is_taken_back_once() {
        let sandbox = samples::sandbox();
        let path = "/loans/LN-1/disbursement-transactions";
        let (_, disbursed) = ask_json(&sandbox, request("POST", path, r#"{"externalId":"pc-1"}"#)).await;
        let path = format!("/loans/transactions/{}:adjust", disbursed["id"].as_str().unwrap());

        let (status, missing) = ask_json(&sandbox, request("POST", &path, "{}")).await;
        assert_eq!((status, reason(&missing)), (400, "MISSING_REQUIRED_PARAMETER"));
        let first = ask_json(&sandbox, keyed("POST", &path, NOTES, KEY)).await;
        assert_eq!(first.0, 200, "{}", first.1);
        assert_eq!(first.1["type"], "DISBURSEMENT_ADJUSTMENT");
        assert_eq!(first.1["originalTransactionKey"], disbursed["encodedKey"]);
        assert_eq!(ask_json(&sandbox, keyed("POST", &path, NOTES, KEY)).await, first);
        let (status, again) = ask_json(&sandbox, request("POST", &path, NOTES)).await;
        assert_eq!((status, reason(&again)), (400, "TRANSACTION_ALREADY_ADJUSTED"));

        let (_, loan) = ask_json(&sandbox, request("GET", "/loans/LN-1", "")).await;
        assert_eq!(loan["accountState"], "APPROVED");
        assert!(loan["activationTransactionKey"].is_null());
        assert_eq!(effects(&sandbox, "adjustment"), 1);
    }

    #[tokio::test]
    async fn what_is_unknown_is_404() {
        let sandbox = samples::sandbox();
        let (status, body) = ask_json(&sandbox, request("POST", "/loans/transactions/7:adjust", NOTES)).await;
        assert_eq!((status, reason(&body)), (404, "INVALID_TRANSACTION_ID"));
        let (status, body) = ask_json(&sandbox, request("POST", "/loans/transactions/7:undo", NOTES)).await;
        assert_eq!((status, reason(&body)), (404, "INVALID_API_OPERATION"));
    }
}
