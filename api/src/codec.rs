//! `POST /codec/decode` and `/codec/encode`: shows operators what payloads say, in the form that Temporal's UI and
//! command line ask for.

use axum::{Json as Answer, extract::State};
use temporal::{Codec, CodecError};
use temporalio_common::protos::temporal::api::common::v1::{Payload, Payloads};

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ArrayBuilder, ObjectBuilder, RefOr,
        schema::{AdditionalProperties, Schema, Type},
    },
};

use crate::{
    auth::{Caller, Operate},
    json::Json,
    problem::{Problem, kinds},
    state::Api,
};

/// Payloads in Temporal's JSON.
pub(crate) struct PayloadList;

/// Base64 in either alphabet, padded or not, without stray bits at its end.
fn base64_pattern() -> String {
    let of = |digit: &str| format!("({digit}{{4}})*({digit}[AQgw]={{0,2}}|{digit}{{2}}[AEIMQUYcgkosw048]=?)?");
    format!("^({}|{})$", of("[A-Za-z0-9+/]"), of("[A-Za-z0-9_-]"))
}

impl ToSchema for PayloadList {
    fn name() -> std::borrow::Cow<'static, str> {
        "Payloads".into()
    }
}

impl PartialSchema for PayloadList {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String).content_encoding("base64");
        let base64 = || text().pattern(Some(base64_pattern()));
        let metadata = ObjectBuilder::new().additional_properties(Some(base64()));
        let payload = ObjectBuilder::new()
            .property("metadata", metadata)
            .property("data", base64())
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        ObjectBuilder::new()
            .property("payloads", ArrayBuilder::new().items(payload))
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .description(Some("Payloads as in Temporal's JSON."))
            .examples([serde_json::json!({
                "payloads": [{ "metadata": { "encoding": "anNvbi9wbGFpbg==" }, "data": "ImhpIg==" }],
            })])
            .into()
    }
}

/// Decode payloads
///
/// Payloads in clear, as Temporal's UI and command line ask for them. What was never sealed stays as it is.
#[utoipa::path(
    post, path = "/codec/decode", operation_id = "decode_payloads", tag = "operators",
    security(("api_key" = ["operator"])), request_body = PayloadList,
    responses((status = 200, description = "The same payloads in clear", body = PayloadList)),
    extensions(("x-problems" = json!([kinds::UNACCEPTABLE.code]))),
)]
pub(crate) async fn decode(
    State(api): State<Api>,
    _operator: Caller<Operate>,
    body: Json<Payloads>,
) -> Result<Answer<Payloads>, Problem> {
    open(&api.codec, body.value)
}

/// Encode payloads
///
/// Sealed payloads, as Temporal's UI and command line ask for them.
#[utoipa::path(
    post, path = "/codec/encode", operation_id = "encode_payloads", tag = "operators",
    security(("api_key" = ["operator"])), request_body = PayloadList,
    responses((status = 200, description = "The same payloads, sealed", body = PayloadList)),
    extensions(("x-problems" = json!([kinds::UNACCEPTABLE.code]))),
)]
pub(crate) async fn encode(
    State(api): State<Api>,
    _operator: Caller<Operate>,
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
