//! How Mambu says no: a list of errors, each with a number, the field and a reason.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::wire;
use crate::problem::Problem;
use crate::reply::Reply;

/// For reasons whose number is not published: callers have to go by the reason.
const UNPUBLISHED: u32 = 9999;

/// The published numbers.
const NUMBERS: [(&str, u32); 13] = [
    ("INVALID_BASIC_AUTHORIZATION", 1),
    ("INVALID_CREDENTIALS", 2),
    ("INVALID_API_OPERATION", 3),
    ("INVALID_PARAMETERS", 4),
    ("METHOD_NOT_IMPLEMENTED", 5),
    ("INVALID_PAGINATION_OFFSET_VALUE", 11),
    ("OUT_OF_BOUNDS_PAGINATION_OFFSET_VALUE", 12),
    ("INVALID_PAGINATION_LIMIT_VALUE", 13),
    ("OUT_OF_BOUNDS_PAGINATION_LIMIT_VALUE", 14),
    ("INVALID_PERMISSIONS", 15),
    ("INVALID_LOAN_ACCOUNT_ID", 100),
    ("INVALID_ACCOUNT_STATE", 105),
    ("INVALID_STATE_TRANSITION", 116),
];

/// A request that changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// Mambu's `errorReason`.
    pub(crate) reason: &'static str,
    /// The field, where it is one.
    pub(crate) source: Option<String>,
}

impl Refusal {
    /// A 400.
    pub(crate) fn of(reason: &'static str) -> Self {
        Self::with_status(StatusCode::BAD_REQUEST, reason)
    }

    pub(crate) fn not_found(reason: &'static str) -> Self {
        Self::with_status(StatusCode::NOT_FOUND, reason)
    }

    pub(crate) fn with_status(status: StatusCode, reason: &'static str) -> Self {
        Self { status, reason, source: None }
    }

    /// What of the request it is about.
    pub(crate) fn at(self, source: &str) -> Self {
        Self { source: Some(source.to_owned()), ..self }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let number = NUMBERS.iter().find(|(reason, _)| *reason == refusal.reason).map_or(UNPUBLISHED, |known| known.1);
        let error = json!({ "errorCode": number, "errorSource": refusal.source, "errorReason": refusal.reason });
        let body = json!({ "errors": [error] });
        Self { content_type: wire::CONTENT_TYPE, ..Self::json(refusal.status, &body) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        Reply::from(self).into_response()
    }
}

/// To whoever drives Mambu from outside.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.status, refusal.reason)
    }
}

pub(super) async fn no_route() -> Refusal {
    Refusal::not_found("INVALID_API_OPERATION")
}

pub(super) async fn no_method() -> Refusal {
    Refusal::with_status(StatusCode::METHOD_NOT_ALLOWED, "INVALID_API_OPERATION")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn error(refusal: Refusal) -> Value {
        let body: Value = serde_json::from_str(&Reply::from(refusal).body).unwrap();
        body["errors"][0].clone()
    }

    #[test]
    fn a_refusal_has_its_number_where_one_is_published() {
        let known = error(Refusal::not_found("INVALID_LOAN_ACCOUNT_ID").at("loanAccountId"));
        assert_eq!(known["errorCode"], 100);
        assert_eq!(known["errorSource"], "loanAccountId");
        let unknown = error(Refusal::of("ACCOUNT_ALREADY_DISBURSED"));
        assert_eq!(unknown["errorCode"], UNPUBLISHED);
        assert_eq!(unknown["errorSource"], Value::Null);
    }
}
