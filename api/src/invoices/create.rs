//! `POST /invoices`: starts an invoice and answers with its address. Never 202: a buyer cannot pay to a promise.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::Response,
};
use store::postgres::invoices::Invoice;

use super::{
    begin::{Identity, Order, begin, begun},
    body::InvoiceBody,
    check::CreateInvoice,
    location, respond,
};
use crate::{
    auth::{Caller, WriteInvoices},
    idempotency::IdempotencyKey,
    json::Json,
    problem::{Problem, kinds},
    state::Api,
};

/// Part of every invoice's id: it can never change.
const ROUTE: &str = "POST /invoices";

/// Create an invoice
///
/// Starts an invoice and answers with the address to pay to.
#[utoipa::path(
    post, path = "/invoices", operation_id = "create_invoice", tag = "invoices",
    security(("api_key" = ["invoices:write"])), params(IdempotencyKey), request_body = CreateInvoice,
    responses((
        status = 201, description = "The invoice, as it was when it began", body = InvoiceBody,
        headers(
            ("ETag" = String, description = "The invoice's version"),
            ("Location" = String, description = "Where the invoice is read"),
        ),
        links(
            ("read it" = (operation_id = "get_invoice", parameters(("id" = "$response.body#/invoice_id")))),
            ("cancel it" = (operation_id = "cancel_invoice", parameters(("id" = "$response.body#/invoice_id")))),
        ),
    )),
    extensions(("x-problems" = json!([kinds::EXTERNAL_ID_TAKEN.code, kinds::UNACCEPTABLE.code]))),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<WriteInvoices>,
    key: IdempotencyKey,
    body: Json<CreateInvoice>,
) -> Result<Response, Problem> {
    let identity = Identity {
        invoice_id: key.process_id(&caller.principal, ROUTE),
        update_id: key.update_id(&caller.principal, ROUTE),
        fingerprint: api.fingerprint_key.fingerprint(&body.raw)?,
    };
    let terms = match body.value.check(&api.catalogue.options().await?) {
        Ok(terms) => terms,
        // A repeat gets the answer of the first time, though the coin is no longer on offer.
        Err(problem) => return as_created(&begun(&api, &identity).await?.ok_or(problem)?),
    };
    let CreateInvoice { title, description, checkout_url, external_id, .. } = body.value;
    let order = Order { merchant_id: caller.who, form_id: None, terms, title, description, checkout_url, external_id };
    as_created(&begin(&api, identity, order).await?)
}

/// 201 with the invoice as it was when it began.
fn as_created(invoice: &Invoice) -> Result<Response, Problem> {
    let mut response = respond(StatusCode::CREATED, invoice);
    response.headers_mut().insert(header::LOCATION, location(invoice.invoice_id)?);
    Ok(response)
}
