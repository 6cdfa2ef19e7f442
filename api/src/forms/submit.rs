//! `POST /processing/{form_id}/submit`: a buyer fills a form and gets an invoice. For anyone.

use axum::{
    Json as Answer,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;
use store::postgres::{
    catalogue::PaymentOption,
    forms::{Form, Turn},
    invoices::Invoice,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    fill::{Filled, Sources, Submission, fill},
    path::{FormPath, Submitted},
    processing::ProcessingBody,
};
use crate::{
    idempotency::PageKey,
    invoices::{
        begin::{Identity, Order, begin, begun},
        checkout::CheckoutBody,
    },
    json::Json,
    openapi::schemas,
    problem::{Problem, kinds},
    state::{Api, Services},
};

/// Part of the id of every invoice of a form: it can never change.
const ROUTE: &str = "POST /processing/{form_id}/submit";

/// The invoice of a form that was filled.
#[derive(Serialize, ToSchema)]
#[schema(as = SubmittedForm, examples(json!({
    "invoice_id": "0190a0b0-0000-7000-8000-00000000000a", "token": "SkfmDOqXP03FaGW-pt0IubTWK56EnNEZdtCCEp_ocC0",
    "sources": {"coin_id": "form", "network_id": "form", "amount": "buyer"},
    "invoice": {
        "invoice_id": "0190a0b0-0000-7000-8000-00000000000a", "status": "waiting_for_deposit", "exception": "none",
        "coin_id": "usdt", "network_id": "tron", "amount": "12.5", "deposit_address": "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8",
        "payment_uris": [{"kind": "address", "value": "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"}],
        "amounts": {"due": "12.5", "seen": "0", "confirmed": "0", "overpaid": "0", "remaining": "12.5", "late": "0"},
        "title": "Donations", "description": "", "checkout_url": "https://shop.example/thanks",
        "expires_at": "2026-01-31T12:15:00.000Z", "created_at": "2026-01-31T12:00:00.000Z", "version": 1,
    },
})))]
pub(crate) struct SubmittedBody {
    invoice_id: Uuid,
    #[schema(schema_with = schemas::view_token)]
    token: String,
    sources: Sources,
    /// As it was when it began.
    invoice: CheckoutBody,
}

/// Submit a form
///
/// Begins an invoice with what the form fixes and what the buyer fills in. A value for a field that the form fixes is
/// ignored, whatever it is, and the answer says whose value each field has. The key is a random UUID that the page makes
/// when it shows the form, so that a form that is sent twice is one invoice.
#[utoipa::path(
    post, path = "/processing/{form_id}/submit", operation_id = "submit_form", tag = "checkout",
    params(FormPath, PageKey), request_body = Submission,
    responses((
        status = 201, description = "The invoice, as it was when it began, with what shows it to its buyer",
        body = SubmittedBody,
        links(("watch it" = (operation_id = "get_checkout", parameters(
            ("invoice_id" = "$response.body#/invoice_id"), ("token" = "$response.body#/token"),
        )))),
    )),
    extensions(("x-problems" = json!([kinds::FORM_CHANGED.code, kinds::FORM_USED_UP.code, kinds::UNACCEPTABLE.code]))),
)]
pub(crate) async fn submit(
    State(api): State<Api>,
    Submitted(form_id): Submitted,
    PageKey(key): PageKey,
    body: Json<Submission>,
) -> Result<Response, Problem> {
    let principal = format!("form:{form_id}");
    let identity = Identity {
        invoice_id: key.process_id(&principal, ROUTE),
        update_id: key.update_id(&principal, ROUTE),
        fingerprint: fingerprint(&api, &body.raw)?,
    };
    let form = api.database.find_form_for_buyer(form_id).await?;
    match order(form, &body.value, &api.catalogue.options().await?) {
        Ok((order, by_buyer)) => begin_once(&api, form_id, identity, (order, by_buyer)).await,
        // A repeat gets the answer of the first time, whatever has become of the form.
        Err(problem) => first_answer(&api, &identity).await?.ok_or(problem),
    }
}

/// What nobody looks at has to be JSON all the same.
fn fingerprint(api: &Services, body: &[u8]) -> Result<String, Problem> {
    let body: Value =
        serde_json::from_slice(body).map_err(|error| Problem::new(kinds::INVALID_JSON, error.to_string()))?;
    api.fingerprint_key.of(body)
}

/// The invoice that the form and the buyer ask for together, and the fields that the buyer filled.
fn order(form: Option<Form>, said: &Submission, options: &[PaymentOption]) -> Result<(Order, Vec<String>), Problem> {
    let form = form.filter(|form| form.fields.enabled).ok_or_else(|| Problem::not_found("form"))?;
    if said.form_version()?.is_some_and(|shown| shown != form.fields_version) {
        let now = serde_json::to_value(ProcessingBody::new(&form, options)).map_err(Problem::unforeseen)?;
        let changed = Problem::new(kinds::FORM_CHANGED, "look at \"form\", and submit it with its version");
        return Err(changed.member("form", now));
    }
    let Filled { terms, by_buyer } = fill(&form.fields, said, options)?;
    let Form { form_id, merchant_id, fields, .. } = form;
    let order = Order {
        merchant_id,
        form_id: Some(form_id),
        terms,
        title: fields.title,
        description: fields.description,
        checkout_url: fields.checkout_url,
        external_id: None,
    };
    Ok((order, by_buyer))
}

async fn begin_once(
    api: &Api,
    form_id: Uuid,
    identity: Identity,
    (order, by_buyer): (Order, Vec<String>),
) -> Result<Response, Problem> {
    let kept = api.invoices.longest_creation();
    match api.database.take_turn(form_id, identity.invoice_id, &by_buyer, kept).await? {
        Turn::Taken => Ok(respond(api, &begin(api, identity, order).await?, &by_buyer)),
        Turn::Repeated => go_on(api, identity, order).await,
        Turn::UsedUp => Err(Problem::new(kinds::FORM_USED_UP, "ask the merchant for another form")),
        Turn::Off | Turn::Gone => Err(Problem::not_found("form")),
    }
}

/// The form may be another by now than when the first request began its invoice: only the row knows that invoice.
async fn go_on(api: &Api, identity: Identity, order: Order) -> Result<Response, Problem> {
    if let Some(first) = first_answer(api, &identity).await? {
        return Ok(first);
    }
    begin(api, identity.clone(), order).await?;
    let answer = first_answer(api, &identity).await?;
    answer.ok_or_else(|| Problem::unforeseen(format!("invoice {} began and is not there", identity.invoice_id)))
}

/// The answer to the first request with this key, if it has an invoice.
async fn first_answer(api: &Api, identity: &Identity) -> Result<Option<Response>, Problem> {
    let Some(invoice) = begun(api, identity).await? else { return Ok(None) };
    let by_buyer = api.database.find_filled(invoice.invoice_id).await?.unwrap_or_default();
    Ok(Some(respond(api, &invoice, &by_buyer)))
}

fn respond(api: &Api, invoice: &Invoice, by_buyer: &[String]) -> Response {
    let body = SubmittedBody {
        invoice_id: invoice.invoice_id,
        token: api.view_key.token(invoice.invoice_id),
        sources: Sources::new(by_buyer),
        invoice: CheckoutBody::from(invoice),
    };
    (StatusCode::CREATED, Answer(body)).into_response()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use store::postgres::forms::FormFields;

    use super::*;
    use crate::{
        forms::tests::{blank, form},
        invoices::asset::tests::options,
    };

    fn ask(form: Option<Form>, said: &Value) -> Result<(Order, Vec<String>), Problem> {
        let said = crate::json::parse::<Submission>(said.to_string().as_bytes())?;
        order(form, &said, &options())
    }

    #[test]
    fn the_invoice_is_the_merchants_and_has_the_texts_of_the_form() {
        let coin = FormFields { coin_id: Some("usdt".to_owned()), expires_in_seconds: 60, ..blank() };
        let said = json!({"network_id": "tron", "amount": "5", "title": "Mine", "merchant_id": Uuid::nil()});
        let (order, by_buyer) = ask(Some(form(coin)), &said).unwrap();
        assert_eq!((order.merchant_id, order.form_id), (Uuid::from_u128(2), Some(Uuid::from_u128(1))));
        assert_eq!((order.title.as_str(), order.external_id), ("Donations", None));
        assert_eq!((order.terms.amount, order.terms.expires_in.as_secs()), (5_000_000.into(), 60));
        assert_eq!(by_buyer, ["network_id", "amount"]);
    }

    #[test]
    fn whoever_was_shown_another_form_is_shown_this_one() {
        let said =
            |version: i64| json!({"coin_id": "usdt", "network_id": "tron", "amount": "5", "form_version": version});
        ask(Some(form(blank())), &said(2)).unwrap();
        let refused = ask(Some(form(blank())), &said(1)).unwrap_err();
        assert_eq!(refused.code(), "form_changed");
        assert!(format!("{refused:?}").contains("\"version\": Number(2)"), "{refused:?}");
    }

    #[test]
    fn a_form_that_is_off_or_gone_is_not_there() {
        let off = FormFields { enabled: false, ..blank() };
        for gone in [None, Some(form(off))] {
            assert_eq!(ask(gone, &json!({"form_version": 7})).unwrap_err().code(), "not_found");
        }
    }

    #[tokio::test]
    async fn what_is_ignored_still_tells_requests_apart() {
        let api = Services::without_servers();
        let of = |body: &str| fingerprint(&api, body.as_bytes());
        assert_eq!(of(r#"{"amount":"1","x":[1]}"#).unwrap(), of(r#"{ "x": [1], "amount": "1" }"#).unwrap());
        assert_ne!(of(r#"{"amount":"1","x":[1]}"#).unwrap(), of(r#"{"amount":"1"}"#).unwrap());
        assert_eq!(of(r#"{"amount":"1","x":1e999}"#).unwrap_err().code(), "invalid_json");
    }
}
