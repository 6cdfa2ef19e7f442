use chrono::{DateTime, Utc};
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use crate::{Answer, Loan, TestApp, eventually};

/// How the API derives the ids of processes: it can never change.
pub(crate) const NAMESPACE: Uuid = uuid!("7d0f7f0e-58f1-4e0b-9c0a-6d1f3b8a2c55");
const PURCHASES: &str = "POST /otp/validate";
const SALES: &str = "POST /machines/{machine_id}/open";

/// A lender's application, and what it does over HTTP.
#[derive(Clone)]
pub struct Frontend {
    app: TestApp,
    principal: String,
    key: String,
}

/// A purchase whose code was issued.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// Its id.
    pub id: Uuid,
    /// What was disbursed for it.
    pub loan: Loan,
    /// How it was answered.
    pub details: Value,
}

/// What came of a download.
#[derive(Debug, Clone)]
pub struct Download {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

impl Purchase {
    /// Its code.
    ///
    /// # Panics
    /// When there is none.
    pub fn code(&self) -> &str {
        self.details["code"].as_str().expect("a code")
    }

    /// Where it is read.
    pub fn path(&self) -> String {
        format!("/credit-lines/{}/purchases/{}", self.loan.credit_line_id, self.code())
    }

    /// End of the time to scan.
    ///
    /// # Panics
    /// When that is no time.
    pub fn expires_at(&self) -> DateTime<Utc> {
        let text = self.details["expiration_date"].as_str().expect("a time");
        DateTime::parse_from_rfc3339(text).expect("a time").to_utc()
    }
}

impl Frontend {
    pub(crate) const fn new(app: TestApp, principal: String, key: String) -> Self {
        Self { app, principal, key }
    }

    /// A request with the frontend's key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.app.http().request(method, self.app.api(path)).bearer_auth(&self.key)
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    /// How its principal is written.
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// The id of the purchase that is asked for under an idempotency key.
    pub fn purchase_id(&self, key: &str) -> Uuid {
        self.process_id(PURCHASES, key)
    }

    /// The `ref` of the sale that is asked for under an idempotency key, at whatever machine.
    pub fn sale_ref(&self, key: &str) -> Uuid {
        self.process_id(SALES, key)
    }

    fn process_id(&self, route: &str, key: &str) -> Uuid {
        Uuid::new_v5(&NAMESPACE, json!([self.principal, route, key]).to_string().as_bytes())
    }

    /// A request for a code.
    pub fn asking(&self, key: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, "/otp/validate").header("Idempotency-Key", key).json(body)
    }

    /// Asks for a code until there is a final answer.
    pub async fn ask(&self, key: &str, body: &Value) -> Answer {
        Answer::patiently(|| self.asking(key, body)).await
    }

    /// Has the code of a loan issued, under a new key.
    ///
    /// # Panics
    /// When it is not issued.
    pub async fn issue(&self, loan: &Loan) -> Purchase {
        let key = Uuid::new_v4().to_string();
        let answer = self.ask(&key, &loan.request()).await;
        self.issued(&key, loan, answer)
    }

    /// What was issued under a key.
    ///
    /// # Panics
    /// When it is not issued.
    pub fn issued(&self, key: &str, loan: &Loan, answer: Answer) -> Purchase {
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:#?}");
        Purchase { id: self.purchase_id(key), loan: loan.clone(), details: answer.body }
    }

    /// Reads a purchase.
    pub async fn read(&self, purchase: &Purchase) -> Answer {
        self.get(&purchase.path()).await
    }

    /// Downloads the voucher of a purchase, again while too many are being drawn.
    ///
    /// # Panics
    /// When the API goes away in the middle of it.
    pub async fn download(&self, purchase: &Purchase) -> Download {
        let path = format!("{}/download", purchase.path());
        let download = || Download::of(self.request(Method::GET, &path));
        let is_final = |download: &Download| download.problem() != "temporarily_unavailable";
        eventually("a final answer to a download", download, is_final).await
    }
}

impl Download {
    /// Reads an answer to its end.
    ///
    /// # Panics
    /// When the API goes away in the middle of it.
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer of the API");
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, body: response.bytes().await.expect("the whole of it").to_vec() }
    }

    /// The code of the problem in the body.
    pub fn problem(&self) -> Value {
        serde_json::from_slice::<Value>(&self.body).unwrap_or_default()["code"].take()
    }
}
