//! A watcher of chains that only the test knows: what it reports, in which order and how often, is for the test to say.

use chrono::{SecondsFormat, Utc};
use reqwest::{RequestBuilder, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};
use uuid::Uuid;

use crate::{Answer, TestApp};

/// The tokens of the catalogue: coin, network, contract.
const CONTRACTS: [(&str, &str, &str); 3] = [
    ("usdt", "tron", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
    ("usdt", "ethereum", "0xdAC17F958D2ee523a2206206994597C13D831ec7"),
    ("usdc", "ethereum", "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"),
];
/// Height of the block that takes every transaction first.
const HEIGHT: i64 = 1000;
/// Blocks that make anything final.
const DEEP: i64 = 100;

/// A watcher, and what it does over HTTP.
#[derive(Clone)]
pub struct Watcher {
    app: TestApp,
    api_url: String,
}

/// An output of a transaction: everything of it that never changes.
#[derive(Debug, Clone)]
pub struct Output(Value);

impl TestApp {
    /// A watcher with the key and the signing secret of the sandbox's own.
    pub fn watcher(&self) -> Watcher {
        Watcher { app: self.clone(), api_url: self.api("") }
    }
}

impl Output {
    /// Pays this much of a coin to an address, now, in a transaction of its own.
    pub fn to(network_id: &str, coin_id: &str, address: &str, amount: &str) -> Self {
        let contract = CONTRACTS.iter().find(|(coin, network, _)| (*coin, *network) == (coin_id, network_id));
        Self(json!({
            "network_id": network_id,
            "coin_id": coin_id,
            "contract": contract.map(|(.., contract)| contract),
            "address": address,
            "tx_id": format!("tx-{}", Uuid::new_v4().simple()),
            "output_ref": "o:0",
            "amount": amount,
            "first_seen_at": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
        }))
    }

    /// Pays this much of what an invoice asks for, at the moment of its creation: in time, whatever the time is.
    pub fn paying(invoice: &Answer, amount: &str) -> Self {
        let (network_id, coin_id) = (invoice.text("network_id"), invoice.text("coin_id"));
        let output = Self::to(network_id, coin_id, invoice.text("deposit_address"), amount);
        output.with("first_seen_at", invoice.text("created_at"))
    }

    /// The same with one field otherwise.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0[field] = value.into();
        self
    }

    /// The transaction.
    pub fn tx_id(&self) -> &str {
        self.0["tx_id"].as_str().unwrap_or_default()
    }

    /// A report that it is in the mempool.
    pub fn seen(&self, version: i64) -> Value {
        self.observed("seen", version, None, HEIGHT - 1)
    }

    /// A report that it has so many confirmations.
    pub fn included(&self, version: i64, confirmations: i64) -> Value {
        self.observed("included", version, Some(HEIGHT), HEIGHT + confirmations - 1)
    }

    /// A report that it is final.
    pub fn settled(&self, version: i64) -> Value {
        self.observed("final", version, Some(HEIGHT), HEIGHT + DEEP)
    }

    /// A report that its block is gone.
    pub fn orphaned(&self, version: i64) -> Value {
        self.observed("orphaned", version, Some(HEIGHT), HEIGHT + DEEP)
    }

    /// A report that another transaction took its place.
    pub fn replaced(&self, version: i64) -> Value {
        self.observed("replaced", version, None, HEIGHT)
    }

    /// Any other report.
    pub fn observed(&self, state: &str, version: i64, block_height: Option<i64>, tip_height: i64) -> Value {
        let mut observation = self.0.clone();
        observation["observation_id"] = json!(Uuid::new_v4());
        observation["state"] = json!(state);
        observation["version"] = json!(version);
        observation["block_height"] = json!(block_height);
        observation["block_hash"] = json!(block_height.map(|height| format!("hash-{height}")));
        observation["tip_height"] = json!(tip_height);
        observation
    }
}

impl Watcher {
    /// The same watcher, reporting to another API.
    #[must_use]
    pub fn at(&self, api_url: &str) -> Self {
        Self { api_url: api_url.to_owned(), ..self.clone() }
    }

    /// A signed request with these observations.
    ///
    /// # Panics
    /// When the secret is none.
    pub fn reporting(&self, observations: &[Value]) -> RequestBuilder {
        let body = json!({ "observations": observations }).to_string();
        let keys = &self.app.stack().demo().keys;
        let (id, timestamp) = (format!("msg_{}", Uuid::new_v4().simple()), Utc::now().timestamp());
        let secret = Webhook::new(&keys.watcher_signing_secret).expect("a signing secret");
        let signature = secret.sign(&id, timestamp, body.as_bytes()).expect("a signature");
        let request = self.app.http().post(format!("{}/deposits", self.api_url)).bearer_auth(&keys.watcher);
        let request = request.header(CONTENT_TYPE, "application/json").header(HEADER_WEBHOOK_ID, id);
        let request = request.header(HEADER_WEBHOOK_TIMESTAMP, timestamp);
        request.header(HEADER_WEBHOOK_SIGNATURE, signature).body(body)
    }

    /// Reports until it is acknowledged. What became of each observation, with the reason.
    ///
    /// # Panics
    /// When the API refuses the request as a whole.
    pub async fn results(&self, observations: &[Value]) -> Vec<Value> {
        let answer = Answer::patiently(|| self.reporting(observations)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:#?}");
        answer.body["results"].as_array().cloned().unwrap_or_default()
    }

    /// The same in one word for each.
    pub async fn report(&self, observations: &[Value]) -> Vec<String> {
        let word = |result: &Value| result["result"].as_str().unwrap_or_default().to_owned();
        self.results(observations).await.iter().map(word).collect()
    }

    /// The same of one observation.
    ///
    /// # Panics
    /// When there is not one answer.
    pub async fn tell(&self, observation: &Value) -> String {
        let mut words = self.report(std::slice::from_ref(observation)).await;
        assert_eq!(words.len(), 1, "{words:?}");
        words.remove(0)
    }
}
