//! `GET /invoices/{id}`: one invoice of the merchant.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{find, respond};
use crate::{
    auth::{Caller, ReadInvoices},
    etag,
    params::PathId,
    problem::Problem,
    state::Api,
};

/// The invoice, unless the caller has this version already.
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
