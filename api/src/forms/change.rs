//! `PATCH /invoice-forms/{id}`: lets a form say something else.

use axum::{extract::State, http::StatusCode, response::Response};

use super::{body::FormBody, check::ChangeForm, find, respond};
use crate::{
    auth::{Caller, WriteForms},
    json::Json,
    params::PathId,
    problem::{Problem, kinds},
    state::Api,
};

/// Change a form
///
/// Changes what the body names; null leaves a field to the buyer. Who has the form open while what it shows changes is
/// told when he submits it.
#[utoipa::path(
    patch, path = "/invoice-forms/{id}", operation_id = "change_invoice_form", tag = "invoice forms",
    security(("api_key" = ["forms:write"])), params(PathId), request_body = ChangeForm,
    responses((
        status = 200, description = "The form from now on", body = FormBody,
        headers(("ETag" = String, description = "Changes with the form and its uses")),
    )),
    extensions(("x-problems" = json!([kinds::UNACCEPTABLE.code]))),
)]
pub(crate) async fn change(
    State(api): State<Api>,
    caller: Caller<WriteForms>,
    PathId(form_id): PathId,
    body: Json<ChangeForm>,
) -> Result<Response, Problem> {
    let options = api.catalogue.options().await?;
    // Whenever this goes around, somebody else has changed the form meanwhile.
    loop {
        let form = find(&api, form_id, caller.who).await?;
        let fields = body.value.clone().check(&form.fields, &options)?;
        if fields == form.fields {
            return Ok(respond(StatusCode::OK, &form));
        }
        if let Some(changed) = api.database.change_form(&form, &fields).await? {
            return Ok(respond(StatusCode::OK, &changed));
        }
    }
}
