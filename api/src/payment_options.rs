//! `GET /payment-options`: what an invoice can be paid with. For anyone.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::postgres::catalogue::PaymentOption;
use utoipa::ToSchema;

use crate::{
    etag::{self, IfNoneMatch},
    openapi::schemas,
    problem::Problem,
    state::Api,
};

/// Every coin on every network that it is on.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentOptions, examples(json!({"items": [{
    "coin_id": "usdt", "coin_name": "Tether USD", "network_id": "tron", "network_name": "Tron", "decimals": 6,
    "contract": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "confirmations": 19, "minimum": "0.000001", "available": true,
}]})))]
pub(crate) struct List<'a> {
    items: Vec<Item<'a>>,
}

/// One coin on one network.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentOption)]
struct Item<'a> {
    coin_id: &'a str,
    coin_name: &'a str,
    network_id: &'a str,
    network_name: &'a str,
    /// Digits after the point that an amount may have.
    decimals: u8,
    /// Contract of a token; null for the network's own coin.
    #[schema(required)]
    contract: Option<&'a str>,
    /// Blocks that make a deposit count.
    confirmations: u32,
    /// Smallest amount of an invoice.
    #[schema(schema_with = schemas::sum)]
    minimum: String,
    /// Whether new invoices may ask for it.
    available: bool,
}

impl<'a> From<&'a PaymentOption> for Item<'a> {
    fn from(option: &'a PaymentOption) -> Self {
        Self {
            coin_id: &option.coin_id,
            coin_name: &option.coin_name,
            network_id: &option.network_id,
            network_name: &option.network_name,
            decimals: option.decimals,
            contract: option.contract.as_deref(),
            confirmations: option.confirmations,
            minimum: option.minimum.to_decimal(option.decimals),
            available: option.available,
        }
    }
}

/// List the payment options
///
/// Every coin on every network that it is on. For anyone, from pages of any origin.
#[utoipa::path(
    get, path = "/payment-options", operation_id = "list_payment_options", tag = "payment options", params(IfNoneMatch),
    responses(
        (status = 200, description = "All of them", body = List<'_>, headers(("ETag" = String, description = "Changes with the list"))),
        (status = 304, description = "The caller has this list", headers(("ETag" = String, description = "The list's version"))),
    ),
)]
pub(crate) async fn list(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Problem> {
    let options = api.catalogue.options().await?;
    let list = List { items: options.iter().map(Item::from).collect() };
    let body = serde_json::to_vec(&list).map_err(Problem::unforeseen)?;
    let version = hex::encode(&Sha256::digest(&body)[..16]);
    let mut response = if etag::has(&headers, &version) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    };
    response.headers_mut().extend(etag::etag(&version).map(|tag| (header::ETAG, tag)));
    Ok(response)
}
