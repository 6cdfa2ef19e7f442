//! `GET /openapi.json`.

use std::sync::LazyLock;

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use crate::{
    etag::{self, IfNoneMatch},
    problem::Problem,
};

/// The document as it is served and committed.
static TEXT: LazyLock<Option<String>> = LazyLock::new(|| text().ok());

/// The document as text.
pub(crate) fn text() -> serde_json::Result<String> {
    Ok(format!("{:#}\n", super::document()?))
}

/// Read this document
///
/// The OpenAPI document of the API, for anyone.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "get_openapi", tag = "service", params(IfNoneMatch),
    responses(
        (status = 200, description = "This document", content_type = "application/json", body = Object,
         headers(("ETag" = String, description = "Changes with the document")), example = json!({"openapi": "3.1.0"})),
        (status = 304, description = "The caller has this version", headers(("ETag" = String, description = "The version"))),
    ),
)]
pub(crate) async fn publish(headers: HeaderMap) -> Result<Response, Problem> {
    let text = TEXT.as_deref().ok_or_else(|| Problem::unforeseen("the document cannot be written"))?;
    let version = hex::encode(&Sha256::digest(text)[..16]);
    let mut response = if etag::has(&headers, &version) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], text).into_response()
    };
    response.headers_mut().extend(etag::etag(&version).map(|tag| (header::ETAG, tag)));
    Ok(response)
}
