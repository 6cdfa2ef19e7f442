//! `GET /payment-options`: what an invoice can be paid with. For anyone.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::postgres::catalogue::{ConfirmationTier, PaymentOption};
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
    "coin_id": "usdt", "coin_name": "Tether USD", "network_id": "ethereum", "network_name": "Ethereum", "decimals": 6,
    "contract": "0xdAC17F958D2ee523a2206206994597C13D831ec7", "confirmations": 12,
    "confirmation_tiers": [{"from": "50000", "confirmations": 32}], "minimum": "0.000001", "available": true,
}]})))]
pub(crate) struct List<'a> {
    items: Vec<Item<'a>>,
}

/// One coin on one network.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentOption)]
pub(crate) struct Item<'a> {
    coin_id: &'a str,
    coin_name: &'a str,
    network_id: &'a str,
    network_name: &'a str,
    /// Digits after the point that an amount may have.
    decimals: u8,
    /// Contract of a token; null for the network's own coin.
    #[schema(required)]
    contract: Option<&'a str>,
    /// Blocks that make a deposit count, where no tier says otherwise.
    confirmations: u32,
    /// Where larger invoices need more: the last tier counts whose amount the invoice reaches.
    confirmation_tiers: Vec<Tier>,
    /// Smallest amount of an invoice.
    #[schema(schema_with = schemas::sum)]
    minimum: String,
    /// Whether new invoices may ask for it.
    available: bool,
}

/// From which amount on an invoice needs how many confirmations.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfirmationTier)]
struct Tier {
    /// Lowest amount of an invoice.
    #[schema(schema_with = schemas::sum)]
    from: String,
    /// Blocks that make a deposit count.
    confirmations: u32,
}

impl Tier {
    fn of(tier: &ConfirmationTier, decimals: u8) -> Self {
        Self { from: tier.from.to_decimal(decimals), confirmations: tier.confirmations }
    }
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
            confirmation_tiers: option.confirmation_tiers.iter().map(|tier| Tier::of(tier, option.decimals)).collect(),
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
