//! `/_control/mambu/loans`: loans come into being, and are shown as they are.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::mambu::{Amount, Bank, Loan, LoanState, ScheduleSettings, Terms, Transaction, booking};
use crate::problem::{Body, Problem};
use crate::state::Sandbox;

/// As long as Mambu's ids are.
const LONGEST_ID: usize = 32;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    loan_account_id: String,
    amount: Amount,
    currency: String,
    /// Defaults to the demo's.
    #[serde(default = "demo_client")]
    client_id: String,
    /// Defaults to the demo's.
    #[serde(default = "demo_credit_line")]
    credit_line_id: String,
    #[serde(default)]
    schedule: ScheduleSettings,
    /// An application or an approved loan: what comes after, happens.
    #[serde(default = "approved")]
    state: LoanState,
}

fn demo_client() -> String {
    "C-1".to_owned()
}

fn demo_credit_line() -> String {
    "CL-1".to_owned()
}

fn approved() -> LoanState {
    LoanState::Approved
}

/// Creates a loan; one that is there with the same terms stays as it is.
pub(crate) async fn create(
    State(sandbox): State<Arc<Sandbox>>,
    Body(request): Body<Request>,
) -> Result<Json<Value>, Problem> {
    check(&request)?;
    let Request { loan_account_id: id, amount, currency, client_id, credit_line_id, schedule, state } = request;
    let terms = Terms { amount, currency, client_id, credit_line_id, schedule };
    let now = sandbox.organisation_time();
    sandbox.change(|world| {
        if let Some(known) = world.bank.loan(&id) {
            return if known.id == id && known.terms == terms { Ok(()) } else { Err(taken(&id)) };
        }
        booking::keep_loan(world, Loan::new(&id, terms, state, now));
        Ok(())
    })?;
    show(State(sandbox), Path(id)).await
}

fn taken(id: &str) -> Problem {
    Problem::conflict(format!("loan {id} is there already, with other terms"))
}

fn check(request: &Request) -> Result<(), Problem> {
    for id in [&request.loan_account_id, &request.client_id, &request.credit_line_id] {
        check_id(id)?;
    }
    if request.amount == Amount::ZERO {
        return Err(Problem::unprocessable("a loan is of more than nothing"));
    }
    if request.currency.len() != 3 || !request.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Problem::unprocessable("a currency is three capital letters"));
    }
    if !matches!(request.state, LoanState::PartialApplication | LoanState::PendingApproval | LoanState::Approved) {
        return Err(Problem::unprocessable("a new loan is PARTIAL_APPLICATION, PENDING_APPROVAL or APPROVED"));
    }
    request.schedule.check()
}

/// An id is a segment of a path, and a colon in it would begin an action.
fn check_id(id: &str) -> Result<(), Problem> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(is_plain) {
        let reason = format!("`{id}` is no id: 1 to {LONGEST_ID} letters, digits, hyphens, underscores and points");
        return Err(Problem::unprocessable(reason));
    }
    Ok(())
}

pub(crate) async fn show(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    sandbox.read(|world| {
        let loan = world.bank.loan(&id).ok_or_else(|| Problem::not_found(format!("unknown loan {id}")))?;
        Ok(Json(answer(&world.bank, loan)))
    })
}

fn answer(bank: &Bank, loan: &Loan) -> Value {
    let transactions: Vec<_> = bank.transactions_of(&loan.id).map(transaction).collect();
    json!({
        "loan_account_id": loan.id,
        "encoded_key": loan.encoded_key,
        "state": loan.state,
        "sub_state": loan.sub_state,
        "amount": loan.terms.amount,
        "currency": loan.terms.currency,
        "client_id": loan.terms.client_id,
        "credit_line_id": loan.terms.credit_line_id,
        "balance": loan.balance,
        "schedule": loan.terms.schedule,
        "first_due_date": loan.due_dates().first(),
        "transactions": transactions,
    })
}

/// A transaction as it is named to whoever drives the loans.
pub(super) fn transaction(transaction: &Transaction) -> Value {
    json!({
        "transaction_id": transaction.id,
        "type": transaction.kind.as_str(),
        "external_id": transaction.external_id,
        "amount": transaction.amount,
        "value_date": transaction.value_date,
        "was_adjusted": transaction.was_adjusted(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mambu::samples;

    async fn created(sandbox: &Arc<Sandbox>, body: &str) -> Result<Value, Problem> {
        let request = serde_json::from_str(body).unwrap();
        create(State(Arc::clone(sandbox)), Body(request)).await.map(|Json(value)| value)
    }

    #[tokio::test]
    async fn a_loan_is_created_once_with_the_demos_holder() {
        let sandbox = samples::sandbox();
        let body = r#"{"loan_account_id":"LN-7","amount":"99.90","currency":"MXN"}"#;
        let loan = created(&sandbox, body).await.unwrap();
        assert_eq!((&loan["client_id"], &loan["credit_line_id"]), (&json!("C-1"), &json!("CL-1")));
        assert_eq!((&loan["state"], &loan["amount"]), (&json!("APPROVED"), &json!("99.90")));
        assert_eq!(created(&sandbox, body).await.unwrap(), loan);
        let other = r#"{"loan_account_id":"LN-7","amount":"99.91","currency":"MXN"}"#;
        assert!(created(&sandbox, other).await.is_err());
    }

    #[tokio::test]
    async fn what_no_loan_is_is_refused() {
        let sandbox = samples::sandbox();
        for bad in [
            r#"{"loan_account_id":"","amount":"1","currency":"MXN"}"#,
            r#"{"loan_account_id":"a:b","amount":"1","currency":"MXN"}"#,
            r#"{"loan_account_id":"a","amount":"0","currency":"MXN"}"#,
            r#"{"loan_account_id":"a","amount":"1","currency":"mxn"}"#,
            r#"{"loan_account_id":"a","amount":"1","currency":"MXN","state":"ACTIVE"}"#,
            r#"{"loan_account_id":"a","amount":"1","currency":"MXN","schedule":{"count":0}}"#,
        ] {
            assert!(created(&sandbox, bad).await.is_err(), "{bad}");
        }
    }
}
