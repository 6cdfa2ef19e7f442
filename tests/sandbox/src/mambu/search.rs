//! `POST /loans/transactions:search`: by what a transaction is called, of any loan.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::bank::Bank;
use super::command::{Command, look};
use super::encoded_key;
use super::paging::{Paging, Parameters, check_details_level};
use super::refusal::Refusal;
use super::transaction::Transaction;
use super::wire;
use crate::reply::Reply;
use crate::state::Sandbox;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Search {
    #[serde(default)]
    filter_criteria: Vec<Criterion>,
}

#[derive(Debug, Deserialize)]
struct Criterion {
    field: String,
    operator: String,
    #[serde(default)]
    value: String,
}

pub(super) async fn search(
    State(sandbox): State<Arc<Sandbox>>,
    Query(parameters): Query<Parameters>,
    command: Command,
) -> Response {
    let wanted = match serde_json::from_slice::<Search>(&command.body) {
        Ok(wanted) => wanted,
        Err(error) if error.is_data() => return Refusal::of("INVALID_PARAMETERS").into_response(),
        Err(_) => return Refusal::of("INVALID_JSON_SYNTAX").into_response(),
    };
    let names = wanted.filter_criteria.iter().map(|criterion| criterion.value.clone()).collect();
    look(sandbox, command.caller, "search", names, move |world| find(&world.bank, &wanted, &parameters)).await
}

fn find(bank: &Bank, wanted: &Search, parameters: &Parameters) -> Result<Reply, Refusal> {
    let paging = Paging::read(parameters)?;
    check_details_level(parameters)?;
    wanted.filter_criteria.iter().try_for_each(check)?;
    let is_wanted =
        |transaction: &&Transaction| wanted.filter_criteria.iter().all(|criterion| is_met(criterion, transaction));
    let found = bank.transactions().rev().filter(is_wanted).skip(paging.offset).take(paging.limit);
    let bodies: Vec<_> = found.map(|transaction| wire::transaction(bank, transaction)).collect();
    Ok(wire::reply(StatusCode::OK, &bodies))
}

const FIELDS: [&str; 7] =
    ["encodedKey", "id", "externalId", "parentAccountKey", "parentAccountID", "type", "wasAdjusted"];
const OPERATORS: [&str; 2] = ["EQUALS", "EQUALS_CASE_SENSITIVE"];

/// Mambu has more fields and operators; a search that would have to be guessed is refused.
fn check(criterion: &Criterion) -> Result<(), Refusal> {
    if !FIELDS.contains(&criterion.field.as_str()) {
        return Err(Refusal::of("INVALID_PARAMETERS").at("field"));
    }
    if !OPERATORS.contains(&criterion.operator.as_str()) {
        return Err(Refusal::of("INVALID_PARAMETERS").at("operator"));
    }
    Ok(())
}

fn is_met(criterion: &Criterion, transaction: &Transaction) -> bool {
    let value = match criterion.field.as_str() {
        "encodedKey" => Some(transaction.encoded_key.clone()),
        "id" => Some(transaction.id.clone()),
        "externalId" => transaction.external_id.clone(),
        "parentAccountKey" => Some(encoded_key("loan", &transaction.loan_id)),
        "parentAccountID" => Some(transaction.loan_id.clone()),
        "type" => Some(transaction.kind.as_str().to_owned()),
        _ => Some(transaction.was_adjusted().to_string()),
    };
    value.is_some_and(|value| match criterion.operator.as_str() {
        "EQUALS" => value.eq_ignore_ascii_case(&criterion.value),
        _ => value == criterion.value,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::mambu::samples::{self, ask_json, reason, request};

    async fn found(sandbox: &Arc<Sandbox>, field: &str, operator: &str, value: &str) -> (u16, Value) {
        let body = format!(r#"{{"filterCriteria":[{{"field":"{field}","operator":"{operator}","value":"{value}"}}]}}"#);
        ask_json(sandbox, request("POST", "/loans/transactions:search", &body)).await
    }

    #[tokio::test]
    async fn a_disbursement_is_found_by_its_external_id() {
        let sandbox = samples::sandbox();
        let path = "/loans/LN-1/disbursement-transactions";
        let (_, disbursed) = ask_json(&sandbox, request("POST", path, r#"{"externalId":"pc-1"}"#)).await;
        for (operator, value, count) in [
            ("EQUALS_CASE_SENSITIVE", "pc-1", 1),
            ("EQUALS_CASE_SENSITIVE", "PC-1", 0),
            ("EQUALS", "PC-1", 1),
            ("EQUALS_CASE_SENSITIVE", "pc", 0),
        ] {
            let (status, body) = found(&sandbox, "externalId", operator, value).await;
            assert_eq!((status, body.as_array().unwrap().len()), (200, count), "{operator} {value}");
            assert!(count == 0 || body[0] == disbursed);
        }
        assert_eq!(found(&sandbox, "parentAccountID", "EQUALS", "LN-1").await.1.as_array().unwrap().len(), 1);
        assert_eq!(found(&sandbox, "wasAdjusted", "EQUALS", "TRUE").await.1.as_array().unwrap().len(), 0);
    }

    #[tokio::test]
    async fn what_is_not_played_is_refused() {
        let sandbox = samples::sandbox();
        for (field, operator) in [("externalId", "IN"), ("creationDate", "EQUALS")] {
            let (status, body) = found(&sandbox, field, operator, "x").await;
            assert_eq!((status, reason(&body)), (400, "INVALID_PARAMETERS"));
        }
        let (status, body) = ask_json(&sandbox, request("POST", "/loans/transactions:search", "{")).await;
        assert_eq!((status, reason(&body)), (400, "INVALID_JSON_SYNTAX"));
    }
}
