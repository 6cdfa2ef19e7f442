use reqwest::{RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;
use uuid::Uuid;

use crate::eventually;

/// What the API said.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, null when it is no JSON.
    pub body: Value,
}

impl Answer {
    /// Reads an answer to its end.
    ///
    /// # Panics
    /// When the API goes away in the middle of it.
    pub async fn to(request: RequestBuilder) -> Self {
        Self::attempt(request).await.expect("an answer of the API")
    }

    /// The same where the API may go away at any moment.
    pub async fn attempt(request: RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await?;
        Ok(Self { status, headers, body: serde_json::from_str(&text).unwrap_or_default() })
    }

    /// As if nobody could say anything yet.
    pub fn pending() -> Self {
        Self { status: StatusCode::ACCEPTED, headers: HeaderMap::new(), body: Value::Null }
    }

    /// Repeats a request with its key, as every client should, until there is an answer that a repeat would not change.
    ///
    /// # Panics
    /// When there is none in time.
    pub async fn patiently(request: impl Fn() -> RequestBuilder) -> Self {
        let came = |answer: &reqwest::Result<Self>| answer.as_ref().is_ok_and(Self::is_final);
        eventually("a final answer", || Self::attempt(request()), came).await.expect("an answer")
    }

    /// Whether the same request with the same key would be answered the same again. Of a sale whose end was missed
    /// nobody knows more, unless that end comes late.
    pub fn is_final(&self) -> bool {
        let is_pending = self.status == StatusCode::ACCEPTED && self.body["status"] != "unresolved";
        !is_pending && self.body["code"] != "temporarily_unavailable"
    }

    /// The id of the invoice in the body.
    ///
    /// # Panics
    /// When there is none.
    pub fn invoice_id(&self) -> Uuid {
        let id = self.body["invoice_id"].as_str();
        id.and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("no invoice in {self:#?}"))
    }

    /// A string of the body.
    ///
    /// # Panics
    /// When there is none.
    pub fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_else(|| panic!("no {field} in {self:#?}"))
    }
}
