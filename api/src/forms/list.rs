//! `GET /invoice-forms`: the merchant's forms, newest first.

use axum::{Json, extract::State};
use serde::Serialize;
use store::postgres::forms::Position;
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};

use super::body::FormBody;
use crate::{
    auth::{Caller, WriteForms},
    cursor,
    params::{self, QueryPairs, USUALLY},
    problem::Problem,
    state::Api,
};

/// A page of forms.
#[derive(Serialize, ToSchema)]
#[schema(as = InvoiceFormPage, examples(json!({"items": [], "next_cursor": null})))]
pub(crate) struct Page {
    #[schema(max_items = 100)]
    items: Vec<FormBody>,
    /// Goes on after this page; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// What a list is asked for.
#[derive(Debug)]
pub(crate) struct FormQuery {
    limit: i64,
    after: Option<Position>,
}

impl TryFrom<QueryPairs> for FormQuery {
    type Error = Problem;

    /// Reads every parameter, or names each that is wrong.
    fn try_from(pairs: QueryPairs) -> Result<Self, Problem> {
        let mut query = Self { limit: USUALLY, after: None };
        pairs.read(|name, value| query.set(name, &value))?;
        Ok(query)
    }
}

impl FormQuery {
    fn set(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        match name {
            "limit" => self.limit = params::limit(value)?,
            "cursor" => {
                let (created_at, form_id) = cursor::decode(value).ok_or("is no cursor of this list")?;
                self.after = Some(Position { created_at, form_id });
            }
            _ => return Err("is not known here"),
        }
        Ok(())
    }
}

impl IntoParams for FormQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        params::paging().into()
    }
}

/// List forms
///
/// The merchant's forms, newest first, a page at a time.
#[utoipa::path(
    get, path = "/invoice-forms", operation_id = "list_invoice_forms", tag = "invoice forms",
    security(("api_key" = ["forms:write"])), params(FormQuery),
    responses((status = 200, description = "A page of them", body = Page)),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<WriteForms>,
    pairs: QueryPairs,
) -> Result<Json<Page>, Problem> {
    let query = FormQuery::try_from(pairs)?;
    // One more than asked for shows whether the list goes on.
    let found = api.database.list_forms(caller.who, query.after, query.limit + 1).await?;
    let page = &found[..found.len().min(usize::try_from(query.limit).unwrap_or_default())];
    let last = page.last().filter(|_| found.len() > page.len());
    Ok(Json(Page {
        items: page.iter().map(FormBody::from).collect(),
        next_cursor: last.map(|form| cursor::encode(form.created_at, form.form_id)),
    }))
}
