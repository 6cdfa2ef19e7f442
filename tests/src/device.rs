use reqwest::{Method, RequestBuilder};
use serde_json::json;
use uuid::Uuid;

use crate::{Answer, Purchase, TestApp};

/// A provider's till, and what it does over HTTP.
#[derive(Clone)]
pub struct Device {
    app: TestApp,
    key: String,
}

impl Device {
    pub(crate) const fn new(app: TestApp, key: String) -> Self {
        Self { app, key }
    }

    /// A request with the till's key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.app.http().request(method, self.app.api(path)).bearer_auth(&self.key)
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    /// A request to use what was scanned for a loan.
    pub fn scanning(&self, key: &str, loan_id: &str, scanned: &str) -> RequestBuilder {
        let request = self.request(Method::POST, &format!("/loans/{loan_id}/use"));
        request.header("Idempotency-Key", key).json(&json!({ "code": scanned }))
    }

    /// Scans something for a loan until there is a final answer.
    pub async fn scan(&self, key: &str, loan_id: &str, scanned: &str) -> Answer {
        Answer::patiently(|| self.scanning(key, loan_id, scanned)).await
    }

    /// Scans the code of a purchase, under a new key.
    pub async fn try_to_use(&self, purchase: &Purchase) -> Answer {
        self.scan(&Uuid::new_v4().to_string(), &purchase.loan.id, purchase.code()).await
    }
}
