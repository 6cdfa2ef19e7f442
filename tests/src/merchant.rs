use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Answer, TestApp, eventually};

/// A merchant, and what merchants do over HTTP.
#[derive(Clone)]
pub struct Merchant {
    app: TestApp,
    id: Uuid,
    key: String,
}

impl Merchant {
    pub(crate) const fn new(app: TestApp, id: Uuid, key: String) -> Self {
        Self { app, id, key }
    }

    /// Its id.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// Its API key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A request with the merchant's key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.app.http().request(method, self.app.api(path)).bearer_auth(&self.key)
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    /// `POST` with an idempotency key.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::POST, path).header("Idempotency-Key", key).json(body)).await
    }

    /// The body of an invoice over 12.50 USDT on tron that expires in a quarter of an hour.
    pub fn invoice() -> Value {
        json!({ "coin_id": "usdt", "network_id": "tron", "amount": "12.50", "expires_in_seconds": 900 })
    }

    /// Asks for an invoice over 12.50 USDT on tron.
    pub async fn ask(&self, key: &str) -> Answer {
        self.post("/invoices", key, &Self::invoice()).await
    }

    /// Creates an invoice under a new key.
    ///
    /// # Panics
    /// When it is not created.
    pub async fn create(&self, body: &Value) -> Answer {
        let created = self.post("/invoices", &Uuid::new_v4().to_string(), body).await;
        assert_eq!(created.status, StatusCode::CREATED, "{created:#?}");
        created
    }

    /// Reads one invoice.
    pub async fn read(&self, invoice_id: Uuid) -> Answer {
        self.get(&format!("/invoices/{invoice_id}")).await
    }

    /// Waits until an invoice has a status.
    pub async fn until(&self, invoice_id: Uuid, status: &str) -> Answer {
        let what = format!("invoice {invoice_id} to be {status}");
        eventually(&what, || self.read(invoice_id), |answer| answer.body["status"] == status).await
    }

    /// Waits until an invoice has an exception.
    pub async fn until_exception(&self, invoice_id: Uuid, exception: &str) -> Answer {
        let what = format!("invoice {invoice_id} to be {exception}");
        eventually(&what, || self.read(invoice_id), |answer| answer.body["exception"] == exception).await
    }
}
