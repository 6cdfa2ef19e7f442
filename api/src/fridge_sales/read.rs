//! `GET /transactions/{id}`: one sale of the frontend.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::body::TransactionBody;
use crate::{
    auth::{Caller, ReadFridges},
    etag::{self, IfNoneMatch},
    params::PathId,
    problem::Problem,
    state::Api,
};

/// Read a transaction
///
/// How the fridge is, whether its door is closed again, and what was taken, unless the caller has this version already.
#[utoipa::path(
    get, path = "/transactions/{id}", operation_id = "get_transaction", tag = "fridge sales",
    security(("api_key" = ["fridges:read"])), params(PathId, IfNoneMatch),
    responses(
        (status = 200, description = "The transaction", body = TransactionBody,
         headers(("ETag" = String, description = "Its version, which changes with it"))),
        (status = 304, description = "The caller has this version", headers(("ETag" = String, description = "Its version"))),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<ReadFridges>,
    PathId(transaction_id): PathId,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    api.fridge_sales()?;
    let transaction = api.database.find_transaction(transaction_id).await?;
    let own = transaction.filter(|transaction| transaction.frontend == caller.principal);
    let transaction = own.ok_or_else(|| Problem::not_found("transaction"))?;
    let version = transaction.version.to_string();
    let mut response = if etag::has(&headers, &version) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Json(TransactionBody::whole(transaction)?).into_response()
    };
    response.headers_mut().extend(etag::etag(&version).map(|tag| (header::ETAG, tag)));
    Ok(response)
}
