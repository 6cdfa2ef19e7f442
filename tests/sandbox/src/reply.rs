//! What a system answers, as far as faults have to know it.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::problem::Problem;

/// A content type.
pub(crate) const JSON: &str = "application/json";

/// An answer before any fault touched it.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    /// Seconds.
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self { status, content_type: JSON, retry_after: None, body: body.to_string() }
    }
}

impl From<Value> for Reply {
    fn from(body: Value) -> Self {
        Self::json(StatusCode::OK, &body)
    }
}

impl From<Result<Value, Problem>> for Reply {
    fn from(result: Result<Value, Problem>) -> Self {
        result.map_or_else(Self::from, Self::from)
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = (self.status, [(CONTENT_TYPE, self.content_type)], self.body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
