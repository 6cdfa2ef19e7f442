//! `GET /payment-options`: what an invoice can be paid with. For anyone.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::postgres::catalogue::PaymentOption;

use crate::{etag, problem::Problem, state::Api};

#[derive(Serialize)]
struct List<'a> {
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    coin_id: &'a str,
    coin_name: &'a str,
    network_id: &'a str,
    network_name: &'a str,
    decimals: u8,
    contract: Option<&'a str>,
    confirmations: u32,
    minimum: String,
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

/// Every coin on every network that it is on.
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
