//! `GET /invoices/{id}`: one invoice of the merchant.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{body::InvoiceBody, find, respond};
use crate::{
    auth::{Caller, ReadInvoices},
    etag::{self, IfNoneMatch},
    params::PathId,
    problem::Problem,
    state::Api,
};

/// Read an invoice
///
/// The invoice, unless the caller has this version already.
#[utoipa::path(
    get, path = "/invoices/{id}", operation_id = "get_invoice", tag = "invoices",
    security(("api_key" = ["invoices:read"])), params(PathId, IfNoneMatch),
    responses(
        (status = 200, description = "The invoice", body = InvoiceBody,
         headers(("ETag" = String, description = "Its version, which changes with it"))),
        (status = 304, description = "The caller has this version", headers(("ETag" = String, description = "Its version"))),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<ReadInvoices>,
    PathId(invoice_id): PathId,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let invoice = find(&api, invoice_id, Some(caller.who)).await?;
    let version = invoice.version.to_string();
    if etag::has(&headers, &version) {
        let tag = etag::etag(&version).map(|tag| [(header::ETAG, tag)]);
        return Ok((StatusCode::NOT_MODIFIED, tag.into_iter().flatten().collect::<HeaderMap>()).into_response());
    }
    Ok(respond(StatusCode::OK, &invoice))
}
