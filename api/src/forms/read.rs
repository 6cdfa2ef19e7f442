//! `GET /invoice-forms/{id}`: one form of the merchant.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{body::FormBody, find, respond, tag};
use crate::{
    auth::{Caller, WriteForms},
    etag::{self, IfNoneMatch},
    params::PathId,
    problem::Problem,
    state::Api,
};

/// Read a form
///
/// The form, unless neither it nor its uses have changed since the caller read it.
#[utoipa::path(
    get, path = "/invoice-forms/{id}", operation_id = "get_invoice_form", tag = "invoice forms",
    security(("api_key" = ["forms:write"])), params(PathId, IfNoneMatch),
    responses(
        (status = 200, description = "The form", body = FormBody,
         headers(("ETag" = String, description = "Changes with the form and its uses"))),
        (status = 304, description = "The caller has it as it is", headers(("ETag" = String, description = "The same"))),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<WriteForms>,
    PathId(form_id): PathId,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let form = find(&api, form_id, caller.who).await?;
    if etag::has(&headers, &tag(&form)) {
        return Ok(etag::not_modified(&tag(&form)));
    }
    Ok(respond(StatusCode::OK, &form))
}
