//! What can be looked at: loans, their transactions and schedules, clients, credit arrangements.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::booking::{unknown_loan, unknown_transaction};
use super::caller::Caller;
use super::command::look;
use super::paging::{Paging, Parameters, check_details_level};
use super::refusal::Refusal;
use super::wire;
use crate::state::Sandbox;

/// `GET /loans/{id}`.
pub(super) async fn loan(
    State(sandbox): State<Arc<Sandbox>>,
    caller: Caller,
    Path(name): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Response {
    let names = sandbox.read(|world| world.bank.names_of_loan(&name));
    look(sandbox, caller, "read_loan", names, move |world| {
        check_details_level(&parameters)?;
        let loan = world.bank.loan(&name).ok_or_else(unknown_loan)?;
        Ok(wire::reply(StatusCode::OK, &wire::loan(loan)))
    })
    .await
}

/// `GET /loans/{id}/schedule`.
pub(super) async fn schedule(
    State(sandbox): State<Arc<Sandbox>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Response {
    let names = sandbox.read(|world| world.bank.names_of_loan(&name));
    look(sandbox, caller, "schedule", names, move |world| {
        let loan = world.bank.loan(&name).ok_or_else(unknown_loan)?;
        Ok(wire::reply(StatusCode::OK, &wire::schedule(loan)))
    })
    .await
}

/// `GET /loans/{id}/transactions`, newest first.
pub(super) async fn transactions(
    State(sandbox): State<Arc<Sandbox>>,
    caller: Caller,
    Path(name): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Response {
    let names = sandbox.read(|world| world.bank.names_of_loan(&name));
    look(sandbox, caller, "transaction", names, move |world| {
        let paging = Paging::read(&parameters)?;
        check_details_level(&parameters)?;
        let loan = world.bank.loan(&name).ok_or_else(unknown_loan)?;
        let newest = world.bank.transactions_of(&loan.id).rev();
        let page = newest.skip(paging.offset).take(paging.limit);
        let bodies: Vec<_> = page.map(|transaction| wire::transaction(&world.bank, transaction)).collect();
        Ok(wire::reply(StatusCode::OK, &bodies))
    })
    .await
}

/// `GET /loans/transactions/{id}`.
pub(super) async fn transaction(
    State(sandbox): State<Arc<Sandbox>>,
    caller: Caller,
    Path(name): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Response {
    let names = sandbox.read(|world| world.bank.names_of_transaction(&name));
    look(sandbox, caller, "transaction", names, move |world| {
        check_details_level(&parameters)?;
        let transaction = world.bank.transaction(&name).ok_or_else(unknown_transaction)?;
        Ok(wire::reply(StatusCode::OK, &wire::transaction(&world.bank, transaction)))
    })
    .await
}

/// `GET /clients/{id}`.
pub(super) async fn client(State(sandbox): State<Arc<Sandbox>>, caller: Caller, Path(name): Path<String>) -> Response {
    let names = vec![name.clone()];
    look(sandbox, caller, "client", names, move |world| {
        let id = world.bank.client_id(&name);
        let id = id.ok_or_else(|| Refusal::not_found("INVALID_CLIENT_ID").at("clientId"))?;
        Ok(wire::reply(StatusCode::OK, &wire::client(id)))
    })
    .await
}

/// `GET /creditarrangements/{id}`.
pub(super) async fn arrangement(
    State(sandbox): State<Arc<Sandbox>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Response {
    let names = vec![name.clone()];
    look(sandbox, caller, "arrangement", names, move |world| {
        let unknown = || Refusal::not_found("INVALID_CREDIT_ARRANGEMENT_ID").at("creditArrangementId");
        let arrangement = world.bank.arrangement(&name).ok_or_else(unknown)?;
        Ok(wire::reply(StatusCode::OK, &wire::arrangement(arrangement)))
    })
    .await
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::mambu::samples::{self, ask, ask_json, reason, request};

    async fn get(sandbox: &Arc<Sandbox>, path: &str) -> Value {
        let (status, body) = ask_json(sandbox, request("GET", path, "")).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn disburse(sandbox: &Arc<Sandbox>) -> Value {
        let path = "/loans/LN-1/disbursement-transactions";
        ask_json(sandbox, request("POST", path, r#"{"valueDate":"2026-01-31T23:30:00-06:00"}"#)).await.1
    }

    #[tokio::test]
    async fn a_loan_says_whose_it_is_and_where_it_stands() {
        let sandbox = samples::sandbox();
        let loan = get(&sandbox, "/loans/LN-1?detailsLevel=FULL").await;
        assert_eq!(loan["accountState"], "APPROVED");
        assert_eq!(loan["currency"], json!({ "code": "MXN" }));
        assert_eq!(loan["accountHolderKey"], get(&sandbox, "/clients/C-1").await["encodedKey"]);
        assert_eq!(loan["creditArrangementKey"], get(&sandbox, "/creditarrangements/CL-1").await["encodedKey"]);
        assert_eq!(loan["scheduleSettings"]["scheduleDueDatesMethod"], "INTERVAL");
        assert_eq!(loan["scheduleSettings"]["repaymentPeriodUnit"], "MONTHS");
        assert!(loan["scheduleSettings"]["shortMonthHandlingMethod"].is_null(), "intervals have none");
        let text = ask(&sandbox, request("GET", "/loans/LN-1", "")).await.1;
        assert!(text.contains(r#""loanAmount":1250.00,"#), "{text}");

        let transaction = disburse(&sandbox).await;
        let loan = get(&sandbox, &format!("/loans/{}", loan["encodedKey"].as_str().unwrap())).await;
        assert_eq!(loan["accountState"], "ACTIVE");
        assert_eq!(loan["activationTransactionKey"], transaction["encodedKey"]);
        assert_eq!(loan["disbursementDetails"]["firstRepaymentDate"], "2026-02-28T00:00:00-06:00");
    }

    #[tokio::test]
    async fn a_schedule_has_the_organisations_days_and_the_whole_amount() {
        let sandbox = samples::sandbox();
        disburse(&sandbox).await;
        let schedule = get(&sandbox, "/loans/LN-1/schedule").await;
        let installments = schedule["installments"].as_array().unwrap();
        assert_eq!(installments.len(), 12);
        assert_eq!(installments[0]["dueDate"], "2026-02-28T00:00:00-06:00");
        assert_eq!(installments[1]["dueDate"], "2026-03-31T00:00:00-06:00");
        assert_eq!(installments[0]["number"], "1");
        let text = ask(&sandbox, request("GET", "/loans/LN-1/schedule", "")).await.1;
        assert!(text.contains(r#""expected":104.16,"#) && text.contains(r#""expected":104.24,"#), "{text}");
    }

    #[tokio::test]
    async fn transactions_are_read_alone_and_by_loan() {
        let sandbox = samples::sandbox();
        let transaction = disburse(&sandbox).await;
        for name in ["id", "encodedKey"] {
            let path = format!("/loans/transactions/{}", transaction[name].as_str().unwrap());
            assert_eq!(get(&sandbox, &path).await, transaction);
        }
        assert_eq!(get(&sandbox, "/loans/LN-1/transactions").await, json!([transaction]));
        assert_eq!(get(&sandbox, "/loans/LN-1/transactions?offset=1").await, json!([]));
    }

    #[tokio::test]
    async fn what_is_unknown_is_404_and_what_is_wrong_400() {
        let sandbox = samples::sandbox();
        for (path, expected) in [
            ("/loans/LN-9", (404, "INVALID_LOAN_ACCOUNT_ID")),
            ("/loans/LN-9/schedule", (404, "INVALID_LOAN_ACCOUNT_ID")),
            ("/loans/LN-9/transactions", (404, "INVALID_LOAN_ACCOUNT_ID")),
            ("/loans/transactions/9", (404, "INVALID_TRANSACTION_ID")),
            ("/clients/C-9", (404, "INVALID_CLIENT_ID")),
            ("/creditarrangements/CL-9", (404, "INVALID_CREDIT_ARRANGEMENT_ID")),
            ("/nothing", (404, "INVALID_API_OPERATION")),
            ("/loans/LN-1?detailsLevel=SOME", (400, "INVALID_PARAMETERS")),
            ("/loans/LN-1/transactions?limit=0", (400, "OUT_OF_BOUNDS_PAGINATION_LIMIT_VALUE")),
        ] {
            let (status, body) = ask_json(&sandbox, request("GET", path, "")).await;
            assert_eq!((status, reason(&body)), expected, "{path}");
        }
    }
}
