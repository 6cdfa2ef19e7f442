//! `POST /codec/decode` and `/codec/encode`: shows operators what payloads say, in the form that Temporal's UI and
//! command line ask for.

use axum::{Json as Answer, extract::State};
use temporal::{Codec, CodecError};
use temporalio_common::protos::temporal::api::common::v1::{Payload, Payloads};

use crate::{
    auth::{Caller, DecodePayloads},
    json::Json,
    problem::{Problem, kinds},
    state::Api,
};

/// Decodes for an operator.
pub(crate) async fn decode(
    State(api): State<Api>,
    _operator: Caller<DecodePayloads>,
    body: Json<Payloads>,
) -> Result<Answer<Payloads>, Problem> {
    open(&api.codec, body.value)
}

/// Encodes for an operator.
pub(crate) async fn encode(
    State(api): State<Api>,
    _operator: Caller<DecodePayloads>,
    body: Json<Payloads>,
) -> Result<Answer<Payloads>, Problem> {
    seal(&api.codec, body.value)
}

/// Decodes for whoever can reach the loopback port.
pub(crate) async fn open_decode(State(codec): State<Codec>, body: Json<Payloads>) -> Result<Answer<Payloads>, Problem> {
    open(&codec, body.value)
}

/// Encodes for whoever can reach the loopback port.
pub(crate) async fn open_encode(State(codec): State<Codec>, body: Json<Payloads>) -> Result<Answer<Payloads>, Problem> {
    seal(&codec, body.value)
}

fn open(codec: &Codec, payloads: Payloads) -> Result<Answer<Payloads>, Problem> {
    each(payloads, |payload| codec.open(payload))
}

fn seal(codec: &Codec, payloads: Payloads) -> Result<Answer<Payloads>, Problem> {
    each(payloads, |payload| codec.seal(&payload))
}

fn each(
    payloads: Payloads,
    turn: impl Fn(Payload) -> Result<Payload, CodecError>,
) -> Result<Answer<Payloads>, Problem> {
    let turned: Result<Vec<_>, _> = payloads.payloads.into_iter().map(turn).collect();
    let payloads = turned.map_err(|error| match error {
        CodecError::NoRandomness => Problem::unforeseen(error),
        error => Problem::with_error(kinds::UNACCEPTABLE, "payloads", error.to_string()),
    })?;
    Ok(Answer(Payloads { payloads }))
}
