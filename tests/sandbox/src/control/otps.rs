//! `POST /_control/ciam/otps`: a client gets a one-time password.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ciam::{self, Otp};
use crate::ledger;
use crate::problem::{Body, Problem};
use crate::state::Sandbox;

const USUAL_SECONDS: u32 = 300;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    client_id: String,
    otp: String,
    /// Defaults to five minutes; with none it is expired at once.
    #[serde(default = "usual_seconds")]
    expires_in_seconds: u32,
    /// What it confirms; without it, anything.
    binding: Option<String>,
}

fn usual_seconds() -> u32 {
    USUAL_SECONDS
}

pub(crate) async fn issue(
    State(sandbox): State<Arc<Sandbox>>,
    Body(request): Body<Request>,
) -> Result<Json<Value>, Problem> {
    let Request { client_id, otp, expires_in_seconds, binding } = request;
    if client_id.is_empty() || otp.is_empty() {
        return Err(Problem::unprocessable("client_id and otp are not empty"));
    }
    let expires_at = ledger::now() + TimeDelta::seconds(expires_in_seconds.into());
    let answer = json!({ "client_id": client_id, "expires_at": expires_at });
    sandbox.change(|world| {
        ciam::issue(world, &client_id, Otp { text: otp, expires_at, binding, is_spent: false });
        Ok(())
    })?;
    Ok(Json(answer))
}
