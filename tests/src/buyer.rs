use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use crate::{Answer, TestApp, eventually};

/// A buyer in front of a merchant's form: somebody without a key.
#[derive(Clone)]
pub struct Buyer {
    app: TestApp,
    form_id: String,
}

impl Buyer {
    /// A buyer in front of the form that was answered to its merchant.
    pub fn at(app: &TestApp, form: &Answer) -> Self {
        Self { app: app.clone(), form_id: form.text("form_id").to_owned() }
    }

    /// A request of somebody without a key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.app.http().request(method, self.app.api(path))
    }

    /// Where the form is.
    pub fn form_path(&self) -> String {
        format!("/processing/{}", self.form_id)
    }

    /// Where it is sent to.
    pub fn submit_path(&self) -> String {
        format!("{}/submit", self.form_path())
    }

    /// Opens the form.
    pub async fn look(&self) -> Answer {
        Answer::to(self.request(Method::GET, &self.form_path())).await
    }

    /// A request that sends the form under a key, which its page made.
    pub fn submitting(&self, key: Uuid, body: &Value) -> RequestBuilder {
        self.request(Method::POST, &self.submit_path()).header("Idempotency-Key", key.to_string()).json(body)
    }

    /// Sends the form under a new key until that is answered for good.
    pub async fn submit(&self, body: &Value) -> Answer {
        self.submit_as(Uuid::new_v4(), body).await
    }

    /// The same under a key that was used before, or will be.
    pub async fn submit_as(&self, key: Uuid, body: &Value) -> Answer {
        let comes_later = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS];
        let send = || Answer::to(self.submitting(key, body));
        eventually("an answer to a form", send, |answer| !comes_later.contains(&answer.status)).await
    }

    /// Sends the form under a new key.
    ///
    /// # Panics
    /// When there is no invoice of it.
    pub async fn buy(&self, body: &Value) -> Answer {
        let bought = self.submit(body).await;
        assert_eq!(bought.status, StatusCode::CREATED, "{bought:#?}");
        bought
    }

    /// What whoever has this token is shown of an invoice.
    pub async fn checkout(&self, invoice_id: Uuid, token: &str) -> Answer {
        let path = format!("/checkout/{invoice_id}");
        Answer::to(self.request(Method::GET, &path).query(&[("token", token)])).await
    }
}
