//! CIAM: one-time passwords, each for one use, and what became of each validation.

mod bearer;
mod desk;
mod status;
mod validate;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::state::Sandbox;

pub(crate) use desk::{Desk, Holder, Otp, Validation, issue};

/// What follows `/ciam`.
pub(crate) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/otp/validate", post(validate::validate))
        .route("/otp/validations/{reference}", get(status::status))
}
