//! `POST /_control/mambu/keys/forget`: six hours pass.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::state::{Record, Sandbox};

/// Forgets every answer that is kept under an Idempotency-Key.
pub(crate) async fn forget(State(sandbox): State<Arc<Sandbox>>) -> Result<Json<Value>, Problem> {
    let forgotten = sandbox.change(|world| {
        let forgotten = world.bank.keys.kept().count();
        world.bank.keys.forget();
        world.save(Record::MambuRepliesForgotten);
        Ok(forgotten)
    })?;
    Ok(Json(json!({ "forgotten": forgotten })))
}
