//! `POST /loans/{id}:changeState`. No fault hits it: it is there to bring loans into a state.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::body::Fields;
use super::booking::{keep_loan, unknown_loan};
use super::command::{Command, execute};
use super::loan::Unchanged;
use super::refusal::{Refusal, no_route};
use super::wire;
use crate::state::Sandbox;

pub(super) async fn change_state(
    State(sandbox): State<Arc<Sandbox>>,
    Path(target): Path<String>,
    command: Command,
) -> Response {
    let Some(id) = target.strip_suffix(":changeState").map(str::to_owned) else {
        return no_route().await.into_response();
    };
    execute(sandbox, command, "change_state", vec![id.clone()], move |world, body, now| {
        let action = read(body)?;
        let mut loan = world.bank.loan(&id).cloned().ok_or_else(unknown_loan)?;
        loan.change_state(&action, now).map_err(refused)?;
        let reply = wire::reply(StatusCode::OK, &wire::loan(&loan));
        keep_loan(world, loan);
        Ok(reply)
    })
    .await
}

fn read(body: &[u8]) -> Result<String, Refusal> {
    let action = Fields::read(body, &["action", "notes"])?.text("action")?;
    action.ok_or_else(|| Refusal::of("MISSING_REQUIRED_PARAMETER").at("action"))
}

fn refused(unchanged: Unchanged) -> Refusal {
    match unchanged {
        Unchanged::UnknownAction => Refusal::of("INVALID_PARAMETERS").at("action"),
        Unchanged::NotFromHere => Refusal::of("INVALID_STATE_TRANSITION"),
    }
}

#[cfg(test)]
mod tests {
    use crate::mambu::samples::{self, ask_json, reason, request};

    #[tokio::test]
    async fn an_action_answers_with_the_loan_or_is_refused() {
        let sandbox = samples::sandbox();
        let mut states = Vec::new();
        for action in ["UNDO_APPROVE", "APPROVE"] {
            let body = format!(r#"{{"action":"{action}","notes":"x"}}"#);
            let (answered, loan) = ask_json(&sandbox, request("POST", "/loans/LN-1:changeState", &body)).await;
            assert_eq!(answered, 200, "{loan}");
            states.push(loan["accountState"].as_str().unwrap().to_owned());
        }
        assert_eq!(states, ["PENDING_APPROVAL", "APPROVED"]);
        for (path, body, expected) in [
            ("/loans/LN-1:changeState", r#"{"action":"APPROVE"}"#, (400, "INVALID_STATE_TRANSITION")),
            ("/loans/LN-1:changeState", r#"{"action":"OPEN"}"#, (400, "INVALID_PARAMETERS")),
            ("/loans/LN-1:changeState", "{}", (400, "MISSING_REQUIRED_PARAMETER")),
            ("/loans/LN-9:changeState", r#"{"action":"APPROVE"}"#, (404, "INVALID_LOAN_ACCOUNT_ID")),
            ("/loans/LN-1", "{}", (404, "INVALID_API_OPERATION")),
        ] {
            let (answered, answer) = ask_json(&sandbox, request("POST", path, body)).await;
            assert_eq!((answered, reason(&answer)), expected);
        }
    }
}
