//! `/_control/mambu/loans/{id}/…`: what happens to a loan without the product's doing.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::Value;

use super::loans;
use crate::mambu::booking::{self, Order};
use crate::mambu::{Amount, LoanState};
use crate::problem::{Body, Problem};
use crate::state::Sandbox;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Repayment {
    /// Defaults to an instalment.
    amount: Option<Amount>,
}

/// `…/repay`: the client repays. Taking the repayment back is `POST /loans/transactions/{id}:adjust` at Mambu.
pub(crate) async fn repay(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    Body(request): Body<Repayment>,
) -> Result<Json<Value>, Problem> {
    let now = sandbox.organisation_time();
    let repaid = sandbox.change(|world| Ok(booking::repay(world, &id, request.amount, now)?))?;
    Ok(Json(loans::transaction(&repaid)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Disbursement {
    external_id: Option<String>,
}

/// `…/disburse`: somebody else disburses the loan.
pub(crate) async fn disburse(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    Body(request): Body<Disbursement>,
) -> Result<Json<Value>, Problem> {
    let now = sandbox.organisation_time();
    let order = Order { external_id: request.external_id, ..Order::default() };
    let disbursed = sandbox.change(|world| Ok(booking::disburse(world, &id, order, now)?))?;
    Ok(Json(loans::transaction(&disbursed)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reschedule {
    first_due_date: NaiveDate,
}

/// `…/schedule`: the first due date is this one, whatever the settings say or was asked for.
pub(crate) async fn reschedule(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    Body(request): Body<Reschedule>,
) -> Result<Json<Value>, Problem> {
    sandbox.change(|world| {
        let mut loan = world.bank.loan(&id).cloned().ok_or_else(booking::unknown_loan)?;
        if loan.state == LoanState::Active && request.first_due_date < loan.first_day() {
            return Err(Problem::unprocessable("a loan is not repaid before it is disbursed"));
        }
        loan.decided_first_due_date = Some(request.first_due_date);
        booking::keep_loan(world, loan);
        Ok(())
    })?;
    loans::show(State(sandbox), Path(id)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mambu::samples::{self, ask_json, effects, reason, request};

    async fn pay(sandbox: &Arc<Sandbox>) -> Value {
        let id = Path("LN-1".to_owned());
        repay(State(Arc::clone(sandbox)), id, Body(Repayment { amount: None })).await.unwrap().0
    }

    #[tokio::test]
    async fn what_somebody_else_disburses_is_not_disbursed_again() {
        let sandbox = samples::sandbox();
        let id = || Path("LN-1".to_owned());
        let body = Disbursement { external_id: Some("theirs".to_owned()) };
        let disbursed = disburse(State(Arc::clone(&sandbox)), id(), Body(body)).await.unwrap().0;
        assert_eq!(disbursed["external_id"], "theirs");
        let ours = request("POST", "/loans/LN-1/disbursement-transactions", r#"{"externalId":"ours"}"#);
        assert_eq!(reason(&ask_json(&sandbox, ours).await.1), "ACCOUNT_ALREADY_DISBURSED");
        let again = disburse(State(Arc::clone(&sandbox)), id(), Body(Disbursement { external_id: None })).await;
        assert!(again.is_err());
        assert_eq!(effects(&sandbox, "disbursement"), 1);
    }

    #[tokio::test]
    async fn a_repayment_blocks_the_adjustment_until_it_is_adjusted() {
        let sandbox = samples::sandbox();
        let early = repay(State(Arc::clone(&sandbox)), Path("LN-1".to_owned()), Body(Repayment { amount: None })).await;
        assert!(early.is_err(), "nothing is owed yet");
        let path = "/loans/LN-1/disbursement-transactions";
        let disbursed = ask_json(&sandbox, request("POST", path, "{}")).await.1;
        let repaid = pay(&sandbox).await;
        let adjust = |id: &Value| format!("/loans/transactions/{}:adjust", id.as_str().unwrap());
        let (all, notes) = (adjust(&disbursed["id"]), r#"{"notes":"x"}"#);
        let blocked = ask_json(&sandbox, request("POST", &all, notes)).await.1;
        assert_eq!(reason(&blocked), "DISBURSEMENT_DATE_BEFORE_NOT_REVERSED_TRANSACTION");
        assert_eq!(ask_json(&sandbox, request("POST", &adjust(&repaid["transaction_id"]), notes)).await.0, 200);
        assert_eq!(ask_json(&sandbox, request("POST", &all, notes)).await.0, 200);
    }

    #[tokio::test]
    async fn another_date_is_in_the_schedule() {
        let sandbox = samples::sandbox();
        let date = Reschedule { first_due_date: "2027-03-07".parse().unwrap() };
        let shown = reschedule(State(Arc::clone(&sandbox)), Path("LN-1".to_owned()), Body(date)).await.unwrap().0;
        assert_eq!(shown["first_due_date"], "2027-03-07");
        let asked = r#"{"firstRepaymentDate":"2027-01-01T00:00:00-06:00"}"#;
        ask_json(&sandbox, request("POST", "/loans/LN-1/disbursement-transactions", asked)).await;
        let schedule = ask_json(&sandbox, request("GET", "/loans/LN-1/schedule", "")).await.1;
        assert_eq!(schedule["installments"][0]["dueDate"], "2027-03-07T00:00:00-06:00");
    }
}
