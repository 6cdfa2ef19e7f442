//! `GET /credit-lines/{id}/purchases/{code}`: one purchase, for its frontend and its provider.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use chrono::Utc;

use super::{body::PurchaseBody, path::PurchasePath, state_at, version};
use crate::{
    auth::{Caller, ReadPurchases},
    etag::{self, IfNoneMatch, NotModified},
    problem::Problem,
    state::Api,
};

/// Read a purchase
///
/// The purchase, under its credit line only, unless the caller has this version already.
#[utoipa::path(
    get, path = "/credit-lines/{id}/purchases/{code}", operation_id = "get_purchase", tag = "purchase codes",
    security(("api_key" = ["purchases:read"])), params(PurchasePath, IfNoneMatch),
    responses(
        (status = 200, description = "The purchase", body = PurchaseBody,
         headers(("ETag" = String, description = "Its version, which changes with it"))),
        NotModified,
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<ReadPurchases>,
    path: PurchasePath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let codes = api.purchase_codes()?;
    let purchase = codes.find(&path, &caller.who).await?;
    let state = state_at(&purchase, Utc::now());
    let version = version(&purchase, state);
    if etag::has(&headers, &version) {
        return Ok(etag::not_modified(&version));
    }
    codes.respond(StatusCode::OK, &purchase, state)
}
