//! `GET /transactions/{id}`: one sale of the frontend.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use store::postgres::fridges::Transaction;

use super::body::TransactionBody;
use crate::{
    auth::{Caller, ReadFridges},
    etag::{self, IfNoneMatch, NotModified},
    params::{PathId, QueryPairs},
    problem::Problem,
    state::Api,
    watch::wait::{self, Wait},
};

/// Read a transaction
///
/// How the fridge is, whether its door is closed again, and what was taken, unless the caller has this version already.
/// With `wait` such a caller is answered when the transaction changes, or when the time is over.
#[utoipa::path(
    get, path = "/transactions/{id}", operation_id = "get_transaction", tag = "fridge sales",
    security(("api_key" = ["fridges:read"])), params(PathId, Wait, IfNoneMatch),
    responses(
        (status = 200, description = "The transaction", body = TransactionBody,
         headers(("ETag" = String, description = "Its version, which changes with it"))),
        NotModified,
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<ReadFridges>,
    PathId(transaction_id): PathId,
    pairs: QueryPairs,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    api.fridge_sales()?;
    let Wait(longest) = Wait::try_from(pairs)?;
    let transaction = api.database.find_transaction(transaction_id).await?;
    let own = transaction.filter(|transaction| transaction.frontend == caller.principal);
    let transaction = own.ok_or_else(|| Problem::not_found("transaction"))?;
    let version = transaction.version;
    match wait::news(&api, transaction, &headers, longest).await? {
        Some(transaction) => respond(transaction),
        None => Ok(etag::not_modified(&version.to_string())),
    }
}

/// A transaction with its version.
fn respond(transaction: Transaction) -> Result<Response, Problem> {
    let tag = etag::etag(&transaction.version.to_string());
    let mut response = Json(TransactionBody::whole(transaction)?).into_response();
    response.headers_mut().extend(tag.map(|tag| (header::ETAG, tag)));
    Ok(response)
}
