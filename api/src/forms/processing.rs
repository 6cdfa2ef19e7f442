//! `GET /processing/{form_id}`: a form as buyers see it. For anyone.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use store::postgres::{
    catalogue::PaymentOption,
    forms::{Form, FormFields},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::path::FormPath;
use crate::{invoices::asset, payment_options::Item, problem::Problem, state::Api};

/// A form as buyers see it.
#[derive(Serialize, ToSchema)]
#[schema(as = ProcessingForm, examples(json!({
    "form_id": "0190a0b0-0000-5000-8000-00000000000f", "title": "Donations", "description": "", "version": 1,
    "fields": {
        "coin_id": {"value": "usdt", "open": false}, "network_id": {"value": "tron", "open": false},
        "amount": {"value": null, "open": true},
    },
    "options": [{
        "coin_id": "usdt", "coin_name": "Tether USD", "network_id": "tron", "network_name": "Tron", "decimals": 6,
        "contract": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "confirmations": 19, "confirmation_tiers": [],
        "minimum": "0.000001", "available": true,
    }],
})))]
pub(crate) struct ProcessingBody<'a> {
    form_id: Uuid,
    title: &'a str,
    description: &'a str,
    /// Grows with every change of what is shown here; a submission says it as `form_version`.
    #[schema(minimum = 1)]
    version: i64,
    fields: Fields<'a>,
    /// What the fields that are fixed leave to pay with.
    options: Vec<Item<'a>>,
}

/// What the form fixes, and what it leaves to the buyer.
#[derive(Serialize, ToSchema)]
#[schema(as = ProcessingFields)]
struct Fields<'a> {
    coin_id: Field<'a>,
    network_id: Field<'a>,
    amount: Field<'a>,
}

/// A field of a form.
#[derive(Serialize, ToSchema)]
#[schema(as = ProcessingField)]
struct Field<'a> {
    /// What it is; null where it is open.
    #[schema(required)]
    value: Option<&'a str>,
    /// Whether it is the buyer's to fill.
    open: bool,
}

impl<'a> ProcessingBody<'a> {
    pub(super) fn new(form: &'a Form, options: &'a [PaymentOption]) -> Self {
        let fields = &form.fields;
        Self {
            form_id: form.form_id,
            title: &fields.title,
            description: &fields.description,
            version: form.fields_version,
            fields: Fields {
                coin_id: Field::new(fields.coin_id.as_deref()),
                network_id: Field::new(fields.network_id.as_deref()),
                amount: Field::new(fields.amount.as_deref()),
            },
            options: options.iter().filter(|option| is_left(fields, option)).map(Item::from).collect(),
        }
    }
}

impl<'a> Field<'a> {
    const fn new(value: Option<&'a str>) -> Self {
        Self { value, open: value.is_none() }
    }
}

/// Whether the form can be paid with this option.
fn is_left(fields: &FormFields, option: &PaymentOption) -> bool {
    let fits = |fixed: Option<&str>, id: &str| fixed.is_none_or(|fixed| fixed == id);
    fits(fields.coin_id.as_deref(), &option.coin_id)
        && fits(fields.network_id.as_deref(), &option.network_id)
        && fields.amount.as_deref().is_none_or(|amount| asset::amount(amount, Some(option)).is_ok())
}

/// Show a form
///
/// What a form fixes, and what it leaves to the buyer. For anyone, from pages of any origin. A form that is switched off
/// or used up is not there.
#[utoipa::path(
    get, path = "/processing/{form_id}", operation_id = "get_processing_form", tag = "checkout", params(FormPath),
    responses((
        status = 200, description = "The form", body = ProcessingBody<'_>,
        links(("submit it" = (operation_id = "submit_form", parameters(("form_id" = "$response.body#/form_id"))))),
    )),
)]
pub(crate) async fn show(State(api): State<Api>, FormPath(form_id): FormPath) -> Result<Response, Problem> {
    let form = api.database.find_form_for_buyer(form_id).await?.filter(Form::is_open);
    let form = form.ok_or_else(|| Problem::not_found("form"))?;
    let options = api.catalogue.options().await?;
    Ok(Json(ProcessingBody::new(&form, &options)).into_response())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        forms::tests::{blank, form},
        invoices::asset::tests::options,
    };

    fn shown(fields: FormFields) -> serde_json::Value {
        serde_json::to_value(ProcessingBody::new(&form(fields), &options())).unwrap()
    }

    #[test]
    fn buyers_see_what_is_fixed_and_what_is_open() {
        let shown = shown(FormFields { coin_id: Some("usdt".to_owned()), ..blank() });
        assert_eq!(shown["version"], 2, "of what is shown, not of the form");
        assert_eq!(
            shown["fields"],
            json!({
                "coin_id": {"value": "usdt", "open": false}, "network_id": {"value": null, "open": true},
                "amount": {"value": null, "open": true}
            })
        );
        let shown: Vec<_> = shown.as_object().unwrap().keys().collect();
        assert_eq!(shown.len(), 6, "and nothing else of the form: {shown:?}");
    }

    #[test]
    fn the_options_are_those_that_the_fixed_fields_leave() {
        let coins = |fields| {
            let shown = shown(fields);
            let options = shown["options"].as_array().unwrap().iter();
            options.map(|option| option["coin_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let fixed = |text: &str| Some(text.to_owned());
        assert_eq!(coins(blank()), ["btc", "usdt", "eth"]);
        assert_eq!(coins(FormFields { network_id: fixed("bitcoin"), ..blank() }), ["btc"]);
        assert_eq!(coins(FormFields { coin_id: fixed("usdt"), network_id: fixed("tron"), ..blank() }), ["usdt"]);
        assert_eq!(coins(FormFields { amount: fixed("0.00001"), ..blank() }), ["btc", "eth"]);
    }
}
