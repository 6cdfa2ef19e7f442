//! `GET /invoices/{id}`: one invoice of the merchant.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{
    body::InvoiceBody,
    find, respond,
    wait::{self, Wait},
};
use crate::{
    auth::{Caller, ReadInvoices},
    etag::{self, IfNoneMatch},
    params::{PathId, QueryPairs},
    problem::Problem,
    state::Api,
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
        (status = 304, description = "The caller has this version", headers(("ETag" = String, description = "Its version"))),
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
    let version = invoice.version.to_string();
    if !etag::has(&headers, &version) {
        return Ok(respond(StatusCode::OK, &invoice));
    }
    let changed = match longest {
        Some(longest) if etag::names(&headers, &version) => {
            wait::changed(&api, invoice_id, invoice.version, longest).await?
        }
        _ => None,
    };
    Ok(changed.map_or_else(|| etag::not_modified(&version), |invoice| respond(StatusCode::OK, &invoice)))
}
