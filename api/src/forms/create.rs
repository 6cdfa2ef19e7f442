//! `POST /invoice-forms`: keeps a form.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::Response,
};
use chrono::{DateTime, Utc};
use store::postgres::forms::{Form, NewForm};

use super::{
    body::FormBody,
    check::{CreateForm, check},
    location, respond,
};
use crate::{
    auth::{Caller, WriteForms},
    idempotency::{IdempotencyKey, check_repeat},
    json::Json,
    problem::{Problem, kinds},
    state::Api,
};

/// Part of every form's id: it can never change.
const ROUTE: &str = "POST /invoice-forms";

/// Create a form
///
/// Keeps a form. Buyers fill what it leaves blank, and each gets an invoice of his own.
#[utoipa::path(
    post, path = "/invoice-forms", operation_id = "create_invoice_form", tag = "invoice forms",
    security(("api_key" = ["forms:write"])), params(IdempotencyKey), request_body = CreateForm,
    responses((
        status = 201, description = "The form, as it was when it began", body = FormBody,
        headers(
            ("ETag" = String, description = "Changes with the form and its uses"),
            ("Location" = String, description = "Where the form is read"),
        ),
        links(
            ("read it" = (operation_id = "get_invoice_form", parameters(("id" = "$response.body#/form_id")))),
            ("change it" = (operation_id = "change_invoice_form", parameters(("id" = "$response.body#/form_id")))),
        ),
    )),
    extensions(("x-problems" = json!([kinds::UNACCEPTABLE.code]))),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<WriteForms>,
    key: IdempotencyKey,
    body: Json<CreateForm>,
) -> Result<Response, Problem> {
    let new = NewForm {
        form_id: key.process_id(&caller.principal, ROUTE),
        merchant_id: caller.who,
        fields: body.value.fields(),
        fingerprint: api.fingerprint_key.fingerprint(&body.raw)?,
    };
    let kept = match check(&new.fields, &api.catalogue.options().await?) {
        Ok(()) => api.database.insert_form(&new).await?,
        // A repeat gets the answer of the first time, though the catalogue is another by now.
        Err(problem) => api.database.find_kept_form(new.form_id).await?.ok_or(problem)?,
    };
    check_repeat(&kept.fingerprint, &new.fingerprint)?;
    let form = as_created(new, kept.created_at);
    let mut response = respond(StatusCode::CREATED, &form);
    response.headers_mut().insert(header::LOCATION, location(form.form_id)?);
    Ok(response)
}

/// The form as it was when it began: the same body says the same again.
fn as_created(new: NewForm, created_at: DateTime<Utc>) -> Form {
    Form {
        form_id: new.form_id,
        merchant_id: new.merchant_id,
        fields: new.fields,
        uses: 0,
        version: 1,
        fields_version: 1,
        created_at,
        updated_at: created_at,
    }
}
