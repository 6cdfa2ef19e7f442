//! Mambu's API v2, as far as loans need it: accounts, disbursements and their adjustments, schedules, the search, and
//! the Idempotency-Key. What the published documents leave open is decided here and said where it is.

mod adjust;
mod amount;
mod bank;
mod body;
pub(crate) mod booking;
mod caller;
mod change_state;
mod command;
mod disburse;
mod keys;
mod loan;
mod paging;
mod read;
mod refusal;
#[cfg(test)]
pub(crate) mod samples;
mod schedule;
mod search;
mod transaction;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use sha2::{Digest, Sha256};

use crate::state::Sandbox;

pub(crate) use amount::Amount;
pub(crate) use bank::{Bank, Call};
pub(crate) use keys::KeptReply;
pub(crate) use loan::{Loan, LoanState, Terms};
pub(crate) use schedule::ScheduleSettings;
pub(crate) use transaction::Transaction;

/// What follows `/mambu/api`. An action such as `{id}:changeState` is a part of the last segment, which the router
/// cannot tell apart: the handlers do.
pub(crate) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/loans/{loan}", get(read::loan).post(change_state::change_state))
        .route("/loans/{loan}/disbursement-transactions", post(disburse::disburse))
        .route("/loans/{loan}/schedule", get(read::schedule))
        .route("/loans/{loan}/transactions", get(read::transactions))
        .route("/loans/transactions/{transaction}", get(read::transaction).post(adjust::adjust))
        .route("/loans/transactions:search", post(search::search))
        .route("/clients/{client}", get(read::client))
        .route("/creditarrangements/{arrangement}", get(read::arrangement))
        .fallback(refusal::no_route)
        .method_not_allowed_fallback(refusal::no_method)
}

/// The key that Mambu gives to a thing besides its id: the same for the same thing, so that nothing has to be kept.
fn encoded_key(kind: &str, id: &str) -> String {
    let digest = hex::encode(Sha256::digest(format!("{kind}/{id}")));
    format!("8a19{}", &digest[..28])
}
