use std::sync::Arc;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Answer, TestApp, audit::AuditGuard, eventually, frontend::NAMESPACE};

const INVOICES: &str = "POST /invoices";

/// A merchant, and what merchants do over HTTP. With its last clone, every invoice of it has to be what its log says.
#[derive(Clone)]
pub struct Merchant {
    app: TestApp,
    id: Uuid,
    key: String,
    _audit: Arc<AuditGuard>,
}

impl Merchant {
    pub(crate) fn new(app: TestApp, id: Uuid, key: String) -> Self {
        let audit = AuditGuard { app: app.clone(), merchant_id: id };
        Self { app, id, key, _audit: Arc::new(audit) }
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

    /// `POST` with an idempotency key, until there is a final answer.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        Answer::patiently(|| self.request(Method::POST, path).header("Idempotency-Key", key).json(body)).await
    }

    /// The body of an invoice over 12.50 USDT on tron that expires in a quarter of an hour.
    pub fn invoice() -> Value {
        json!({ "coin_id": "usdt", "network_id": "tron", "amount": "12.50", "expires_in_seconds": 900 })
    }

    /// A request for an invoice over 12.50 USDT on tron.
    pub fn asking(&self, key: &str) -> RequestBuilder {
        self.request(Method::POST, "/invoices").header("Idempotency-Key", key).json(&Self::invoice())
    }

    /// Asks for an invoice over 12.50 USDT on tron.
    pub async fn ask(&self, key: &str) -> Answer {
        Answer::to(self.asking(key)).await
    }

    /// Asks for it until there is a final answer.
    pub async fn insist(&self, key: &str) -> Answer {
        Answer::patiently(|| self.asking(key)).await
    }

    /// The id of the invoice that is asked for under an idempotency key.
    pub fn invoice_id(&self, key: &str) -> Uuid {
        let principal = format!("merchant:{}", self.id);
        Uuid::new_v5(&NAMESPACE, json!([principal, INVOICES, key]).to_string().as_bytes())
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

    /// The body of a form that leaves everything to its buyers but what is in `fixed`.
    ///
    /// # Panics
    /// When `fixed` is no object.
    pub fn blank_form(fixed: &Value) -> Value {
        let mut form = json!({
            "coin_id": null, "network_id": null, "amount": null, "title": "", "description": "", "checkout_url": "",
            "enabled": true, "max_uses": null, "expires_in_seconds": 900,
        });
        for (field, value) in fixed.as_object().expect("an object") {
            form[field] = value.clone();
        }
        form
    }

    /// Creates a form under a new key, with what is in `fixed`.
    ///
    /// # Panics
    /// When it is not created.
    pub async fn form(&self, fixed: &Value) -> Answer {
        let key = Uuid::new_v4().to_string();
        let created = self.post("/invoice-forms", &key, &Self::blank_form(fixed)).await;
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
