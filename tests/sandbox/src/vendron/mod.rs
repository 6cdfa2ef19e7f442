//! Vendron Cloud: smart fridges that are opened and sold from over one websocket, as far as its messages are known. Its
//! documents are not public; where nobody has seen what it does, it is decided here and said where it is.

mod ask;
mod cloud;
mod command;
mod connect;
mod frame;
mod hear;
mod machine;
mod notify;
mod refusal;
pub(crate) mod sale;
#[cfg(test)]
pub(crate) mod samples;
mod serve;
mod sockets;
mod style;
mod tell;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::state::Sandbox;

pub(crate) use cloud::{Cloud, keep};
pub(crate) use machine::{Machine, Product};
pub(crate) use notify::Notifier;
pub(crate) use style::Quirk;
pub(crate) use tell::{Telling, emit, play};

/// What follows `/vendron`.
pub(crate) fn routes() -> Router<Arc<Sandbox>> {
    Router::new().route("/publicV2", get(connect::connect))
}

/// An id that says nothing: the same for the same thing, so that nothing has to be drawn.
fn opaque_id(kind: &str, name: &str) -> String {
    let digest = hex::encode(Sha256::digest(format!("{kind}/{name}")));
    digest[..24].to_owned()
}
