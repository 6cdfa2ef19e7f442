//! Invoices over HTTP: one endpoint a file.

pub(crate) mod accept_late;
pub(crate) mod asset;
pub(crate) mod begin;
mod body;
pub(crate) mod cancel;
mod change;
mod check;
pub(crate) mod checkout;
pub(crate) mod create;
pub(crate) mod events;
pub(crate) mod export;
mod filter;
pub(crate) mod list;
mod payment_uris;
mod policy;
pub(crate) mod qr;
pub(crate) mod read;
mod shared_reads;
pub(crate) mod texts;
pub(crate) mod timeline;
mod watched;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use store::postgres::invoices::Invoice;
use uuid::Uuid;

pub(crate) use check::{expires_in, quarter_of_an_hour};
pub(crate) use policy::InvoiceSettings;

use crate::{etag, problem::Problem, state::Api};

/// The address of an invoice.
fn location(invoice_id: Uuid) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(&format!("/invoices/{invoice_id}")).map_err(Problem::unforeseen)
}

/// An invoice with its version.
fn respond(status: StatusCode, invoice: &Invoice) -> Response {
    let mut response = (status, Json(body::InvoiceBody::from(invoice))).into_response();
    response.headers_mut().extend(etag::etag(&invoice.version.to_string()).map(|tag| (header::ETAG, tag)));
    response
}

/// An invoice that `merchant` owns; for operators any. Another's is not there.
async fn find(api: &Api, invoice_id: Uuid, merchant: Option<Uuid>) -> Result<Invoice, Problem> {
    let invoice = api.database.find_invoice(invoice_id).await?;
    let visible = invoice.filter(|invoice| merchant.is_none_or(|merchant| merchant == invoice.merchant_id));
    visible.ok_or_else(|| Problem::not_found("invoice"))
}
