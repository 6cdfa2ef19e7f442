//! Forms over HTTP: one endpoint a file. Merchants leave blanks, buyers fill them.

mod body;
pub(crate) mod change;
mod check;
pub(crate) mod create;
pub(crate) mod delete;
mod fill;
pub(crate) mod list;
mod path;
pub(crate) mod processing;
pub(crate) mod read;
pub(crate) mod submit;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use store::postgres::forms::Form;
use uuid::Uuid;

use crate::{etag, problem::Problem, state::Api};

/// The address of a form.
fn location(form_id: Uuid) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(&format!("/invoice-forms/{form_id}")).map_err(Problem::unforeseen)
}

/// What changes with a form: its version, and how often it was used.
fn tag(form: &Form) -> String {
    format!("{}.{}", form.version, form.uses)
}

/// A form with its entity tag.
fn respond(status: StatusCode, form: &Form) -> Response {
    let mut response = (status, Json(body::FormBody::from(form))).into_response();
    response.headers_mut().extend(etag::etag(&tag(form)).map(|tag| (header::ETAG, tag)));
    response
}

/// A form that `merchant` owns. Another's is not there.
async fn find(api: &Api, form_id: Uuid, merchant: Uuid) -> Result<Form, Problem> {
    let form = api.database.find_form(form_id).await?;
    form.filter(|form| form.merchant_id == merchant).ok_or_else(|| Problem::not_found("form"))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use store::postgres::forms::FormFields;

    use super::*;

    /// A form over any amount of anything.
    pub(super) fn blank() -> FormFields {
        FormFields {
            coin_id: None,
            network_id: None,
            amount: None,
            title: "Donations".to_owned(),
            description: String::new(),
            checkout_url: String::new(),
            enabled: true,
            max_uses: None,
            expires_in_seconds: 900,
        }
    }

    pub(super) fn form(fields: FormFields) -> Form {
        let at = DateTime::from_timestamp_millis(1_767_225_600_120).unwrap();
        let (form_id, merchant_id) = (Uuid::from_u128(1), Uuid::from_u128(2));
        Form { form_id, merchant_id, fields, uses: 3, version: 5, fields_version: 2, created_at: at, updated_at: at }
    }

    #[test]
    fn the_tag_changes_with_all_that_is_shown() {
        let form = form(blank());
        assert_eq!(tag(&form), "5.3");
        assert_ne!(tag(&Form { uses: 4, ..form.clone() }), tag(&form));
        assert_eq!(respond(StatusCode::OK, &form).headers()[header::ETAG], "\"5.3\"");
    }
}
