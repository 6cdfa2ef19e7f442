//! `DELETE /invoice-forms/{id}`: nobody can submit the form any more.

use axum::{extract::State, http::StatusCode};

use crate::{
    auth::{Caller, WriteForms},
    params::PathId,
    problem::Problem,
    state::Api,
};

/// Delete a form
///
/// Takes a form away. The invoices that it has made stay.
#[utoipa::path(
    delete, path = "/invoice-forms/{id}", operation_id = "delete_invoice_form", tag = "invoice forms",
    security(("api_key" = ["forms:write"])), params(PathId),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller<WriteForms>,
    PathId(form_id): PathId,
) -> Result<StatusCode, Problem> {
    let deleted = api.database.delete_form(form_id, caller.who).await?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("form")) }
}
