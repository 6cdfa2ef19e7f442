//! Who asks: `Authorization: Bearer <key>`.

use std::future::ready;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::access::Lock;
use crate::connection::Interim;
use crate::reply::Reply;
use crate::state::Sandbox;

/// A caller who showed the key.
pub(crate) struct Bearer {
    pub(super) interim: Interim,
}

/// A caller who did not.
pub(crate) struct Unknown;

impl Bearer {
    fn identify(parts: &Parts, lock: &Lock) -> Result<Self, Unknown> {
        let header = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
        let (scheme, key) = header.and_then(|header| header.split_once(' ')).ok_or(Unknown)?;
        if !scheme.eq_ignore_ascii_case("bearer") || !lock.opens_with(key.trim()) {
            return Err(Unknown);
        }
        Ok(Self { interim: Interim::of(parts) })
    }
}

impl FromRequestParts<Arc<Sandbox>> for Bearer {
    type Rejection = Unknown;

    fn from_request_parts(
        parts: &mut Parts,
        sandbox: &Arc<Sandbox>,
    ) -> impl Future<Output = Result<Self, Self::Rejection>> + Send {
        ready(Self::identify(parts, &sandbox.access().ciam))
    }
}

impl IntoResponse for Unknown {
    fn into_response(self) -> Response {
        Reply::json(StatusCode::UNAUTHORIZED, &json!({ "code": "UNAUTHORIZED" })).into_response()
    }
}
