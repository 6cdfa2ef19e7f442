//! `GET /invoices/{id}`: one invoice of the merchant.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{body::InvoiceBody, find, respond};
use crate::{
    auth::{Caller, ReadInvoices},
    etag::{self, IfNoneMatch, NotModified},
    params::{PathId, QueryPairs},
    problem::Problem,
    state::Api,
    watch::wait::{self, Wait},
};

/// Read an invoice
///
/// The invoice, unless the caller has this version already. With `wait` such a caller is answered when the invoice
/// changes, or when the time is over.
#[utoipa::path(
    get, path = "/invoices/{id}", operation_id = "get_invoice", tag = "invoices",
    security(("api_key" = ["invoices:read"])), params(PathId, Wait, IfNoneMatch),
    responses(
        (status = 200, description = "The invoice", body = InvoiceBody,
         headers(("ETag" = String, description = "Its version, which changes with it"))),
        NotModified,
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<ReadInvoices>,
    PathId(invoice_id): PathId,
    pairs: QueryPairs,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Wait(longest) = Wait::try_from(pairs)?;
    let invoice = find(&api, invoice_id, Some(caller.who)).await?;
    let version = invoice.version;
    Ok(match wait::news(&api, invoice, &headers, longest).await? {
        Some(invoice) => respond(StatusCode::OK, &invoice),
        None => etag::not_modified(&version.to_string()),
    })
}
