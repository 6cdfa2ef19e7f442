//! `GET /invoices`: the merchant's invoices, newest first.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{body::InvoiceBody, filter::ListQuery};
use crate::{
    auth::{Caller, ReadInvoices},
    cursor,
    params::QueryPairs,
    problem::Problem,
    state::Api,
};

/// A page of invoices.
#[derive(Serialize, ToSchema)]
#[schema(as = InvoicePage, examples(json!({"items": [], "next_cursor": null})))]
pub(crate) struct Page {
    #[schema(max_items = 100)]
    items: Vec<InvoiceBody>,
    /// Goes on after this page; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// List invoices
///
/// The merchant's invoices that the filter lets through, newest first, a page at a time.
#[utoipa::path(
    get, path = "/invoices", operation_id = "list_invoices", tag = "invoices",
    security(("api_key" = ["invoices:read"])), params(ListQuery),
    responses((status = 200, description = "A page of them", body = Page)),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<ReadInvoices>,
    pairs: QueryPairs,
) -> Result<Json<Page>, Problem> {
    let query = ListQuery::try_from(pairs)?;
    // One more than asked for shows whether the list goes on.
    let found = api.database.list_invoices(caller.who, &query.filter, query.after, query.limit + 1).await?;
    let page = &found[..found.len().min(usize::try_from(query.limit).unwrap_or_default())];
    let last = page.last().filter(|_| found.len() > page.len());
    Ok(Json(Page {
        items: page.iter().map(InvoiceBody::from).collect(),
        next_cursor: last.map(|invoice| cursor::encode(invoice.created_at, invoice.invoice_id)),
    }))
}
