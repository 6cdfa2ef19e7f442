//! `GET /checkout/{invoice_id}`: what a buyer sees of his invoice. For whoever has its token.

use std::time::Duration;

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use store::postgres::invoices::Invoice;
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};
use uuid::Uuid;

use super::{
    body::{Amounts, time},
    find,
    payment_uris::{PaymentUri, payment_uris},
};
use crate::{
    etag::{self, IfNoneMatch, NotModified},
    openapi::schemas,
    params::{PathId, QueryPairs},
    problem::Problem,
    state::Api,
    watch::wait,
};

/// An invoice as its buyer sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Checkout, examples(json!({
    "invoice_id": "0190a0b0-0000-7000-8000-00000000000a", "status": "waiting_for_deposit", "exception": "none",
    "coin_id": "usdt", "network_id": "tron", "amount": "12.5", "deposit_address": "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8",
    "payment_uris": [{"kind": "address", "value": "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"}],
    "amounts": {"due": "12.5", "seen": "0", "confirmed": "0", "overpaid": "0", "remaining": "12.5", "late": "0"},
    "title": "Two coffees", "description": "", "checkout_url": "https://shop.example/done",
    "expires_at": "2026-01-31T12:15:00.000Z", "created_at": "2026-01-31T12:00:00.000Z", "version": 1,
})))]
pub(crate) struct CheckoutBody {
    invoice_id: Uuid,
    #[schema(schema_with = schemas::invoice_status)]
    status: &'static str,
    #[schema(schema_with = schemas::invoice_exception)]
    exception: &'static str,
    coin_id: String,
    network_id: String,
    #[schema(schema_with = schemas::sum)]
    amount: String,
    /// Where the buyer pays to.
    deposit_address: String,
    /// Ways to pay what remains, for wallets; none when nothing is awaited any more.
    payment_uris: Vec<PaymentUri>,
    amounts: Amounts,
    title: String,
    description: String,
    /// Where the buyer goes after paying; may be empty.
    checkout_url: String,
    /// End of the time to pay.
    #[schema(schema_with = schemas::time)]
    expires_at: String,
    #[schema(schema_with = schemas::time)]
    created_at: String,
    /// Grows with every change.
    #[schema(minimum = 1)]
    version: i64,
}

impl From<&Invoice> for CheckoutBody {
    fn from(invoice: &Invoice) -> Self {
        let remaining = invoice.amount.saturating_sub(&invoice.seen);
        Self {
            invoice_id: invoice.invoice_id,
            status: invoice.status.as_str(),
            exception: invoice.exception.as_str(),
            coin_id: invoice.coin_id.clone(),
            network_id: invoice.network_id.clone(),
            amount: invoice.amount.to_decimal(invoice.decimals),
            deposit_address: invoice.deposit_address.clone(),
            payment_uris: payment_uris(invoice, &remaining),
            amounts: Amounts::of(invoice),
            title: invoice.title.clone(),
            description: invoice.description.clone(),
            checkout_url: invoice.checkout_url.clone(),
            expires_at: time(invoice.expires_at),
            created_at: time(invoice.created_at),
            version: invoice.version,
        }
    }
}

/// Names an invoice. What is no UUID names nothing: 404.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(names("invoice_id"), parameter_in = Path)]
pub(crate) struct InvoicePath(
    /// Invoice, in lower case with hyphens.
    #[param(example = "0190a0b0-0000-7000-8000-00000000000a")]
    Uuid,
);

impl<S: Send + Sync> FromRequestParts<S> for InvoicePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        PathId::from_request_parts(parts, state).await.map(|PathId(invoice_id)| Self(invoice_id))
    }
}

/// What a buyer asks with.
#[derive(Debug, Default)]
pub(crate) struct CheckoutQuery {
    /// Without one nothing is shown, as with a wrong one.
    token: String,
    wait: Option<Duration>,
}

impl TryFrom<QueryPairs> for CheckoutQuery {
    type Error = Problem;

    /// Reads every parameter, or names each that is wrong.
    fn try_from(pairs: QueryPairs) -> Result<Self, Problem> {
        let mut query = Self::default();
        pairs.read(|name, value| {
            match name {
                "token" => query.token = value,
                "wait" => query.wait = Some(wait::parse(&value)?),
                _ => return Err("is not known here"),
            }
            Ok(())
        })?;
        Ok(query)
    }
}

impl IntoParams for CheckoutQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let token = ParameterBuilder::new().name("token").parameter_in(ParameterIn::Query).required(Required::True);
        let token = token.description(Some("What came with the invoice")).schema(Some(schemas::view_token()));
        vec![token.build(), wait::parameter()]
    }
}

/// Show a buyer his invoice
///
/// What a buyer has to know of one invoice, for whoever has its token, from pages of any origin. Who has the present
/// version already may wait for the next one.
#[utoipa::path(
    get, path = "/checkout/{invoice_id}", operation_id = "get_checkout", tag = "checkout",
    params(InvoicePath, CheckoutQuery, IfNoneMatch),
    responses(
        (status = 200, description = "The invoice", body = CheckoutBody,
         headers(("ETag" = String, description = "Its version, which changes with it"))),
        NotModified,
    ),
)]
pub(crate) async fn show(
    State(api): State<Api>,
    InvoicePath(invoice_id): InvoicePath,
    pairs: QueryPairs,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = CheckoutQuery::try_from(pairs)?;
    if !api.view_key.admits(invoice_id, &query.token) {
        return Err(Problem::not_found("invoice"));
    }
    let invoice = find(&api, invoice_id, None).await?;
    let version = invoice.version;
    Ok(match wait::news(&api, invoice, &headers, query.wait).await? {
        Some(invoice) => respond(&invoice),
        None => etag::not_modified(&version.to_string()),
    })
}

fn respond(invoice: &Invoice) -> Response {
    let mut response = Json(CheckoutBody::from(invoice)).into_response();
    response.headers_mut().extend(etag::etag(&invoice.version.to_string()).map(|tag| (header::ETAG, tag)));
    response
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::invoices::body::tests::invoice;

    #[test]
    fn a_buyer_does_not_see_what_is_the_merchants() {
        let secret = Invoice { external_id: Some("order-2041".to_owned()), form_id: Some(Uuid::nil()), ..invoice() };
        let Value::Object(shown) = serde_json::to_value(CheckoutBody::from(&secret)).unwrap() else { panic!() };
        for field in ["merchant_id", "external_id", "form_id", "fingerprint", "updated_at"] {
            assert!(!shown.contains_key(field), "{field}");
        }
        assert!(!Value::from(shown.clone()).to_string().contains("order-2041"));
        assert_eq!(shown["amounts"]["remaining"], "12.5");
        assert_eq!(shown["payment_uris"], json!([{"kind": "address", "value": "T1"}]));
    }

    #[test]
    fn each_bad_parameter_is_named() {
        let read = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            CheckoutQuery::try_from(QueryPairs(pairs))
        };
        let query = read(&[("token", "t"), ("wait", "20s")]).unwrap();
        assert_eq!((query.token.as_str(), query.wait), ("t", Some(Duration::from_secs(20))));
        assert_eq!(read(&[]).unwrap().token, "");
        for (name, value) in [("wait", "1h"), ("wait", ""), ("merchant_id", "x")] {
            let refused = format!("{:?}", read(&[(name, value)]).unwrap_err());
            assert!(refused.contains(&format!("field: {name:?}")), "{name}={value}: {refused}");
        }
    }
}
