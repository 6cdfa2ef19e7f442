//! `GET /transactions/search`: the frontend's sales, newest first.

use axum::{Json, extract::State};
use serde::Serialize;
use store::postgres::fridges::TransactionFilter;
use utoipa::ToSchema;

use super::{body::TransactionBody, filter::SearchQuery};
use crate::{
    auth::{Caller, ReadFridges},
    cursor,
    params::QueryPairs,
    problem::Problem,
    state::Api,
};

/// A page of transactions.
#[derive(Serialize, ToSchema)]
#[schema(as = TransactionPage, examples(json!({"items": [], "next_cursor": null})))]
pub(crate) struct Page {
    /// Without their events, which each shows by itself.
    #[schema(max_items = 100)]
    items: Vec<TransactionBody>,
    /// Goes on after this page; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Search transactions
///
/// The frontend's transactions that the filter lets through, newest first, a page at a time. Their events are left out:
/// each transaction by itself has them.
#[utoipa::path(
    get, path = "/transactions/search", operation_id = "search_transactions", tag = "fridge sales",
    security(("api_key" = ["fridges:read"])), params(SearchQuery),
    responses((status = 200, description = "A page of them", body = Page)),
)]
pub(crate) async fn search(
    State(api): State<Api>,
    caller: Caller<ReadFridges>,
    pairs: QueryPairs,
) -> Result<Json<Page>, Problem> {
    api.fridge_sales()?;
    let SearchQuery(filter) = SearchQuery::try_from(pairs)?;
    let most = usize::try_from(filter.limit).unwrap_or_default();
    // One more than asked for shows whether the list goes on.
    let filter = TransactionFilter { frontend: caller.principal, limit: filter.limit + 1, ..filter };
    let mut found = api.database.search_transactions(&filter).await?;
    let goes_on = found.len() > most;
    found.truncate(most);
    let last = found.last().filter(|_| goes_on);
    let next_cursor = last.map(|transaction| cursor::encode(transaction.created_at, transaction.transaction_id));
    let items = found.into_iter().map(TransactionBody::in_list).collect::<Result<_, _>>()?;
    Ok(Json(Page { items, next_cursor }))
}
