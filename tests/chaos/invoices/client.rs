//! What merchants ask for, until they have their answers.

use reqwest::Method;
use serde_json::Value;
use system_tests::Answer;

use super::Invoices;
use crate::client;

impl Invoices {
    /// Sends the same request with the same key until there is a final answer.
    pub(super) async fn insist(&self, merchant: usize, path: &str, key: &str, body: &Value) -> Option<Answer> {
        let request = || self.merchants[merchant].request(Method::POST, path).header("Idempotency-Key", key).json(body);
        client::insist(&format!("POST {path} with the key {key}"), self.memory.surprises(), request).await
    }

    /// Reads until there is an answer.
    pub(super) async fn read(&self, merchant: usize, path: &str) -> Option<Answer> {
        let request = || self.merchants[merchant].request(Method::GET, path);
        client::insist(&format!("GET {path}"), self.memory.surprises(), request).await
    }
}
