//! Loans at Mambu and one-time passwords at CIAM, both as the sandbox plays them.

use std::fs;

use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Answer, TestApp};

/// The one-time password of every client.
const OTP: &str = "482913";
/// As long as ids that nobody draws twice, and short enough for Mambu.
const TAIL: usize = 20;
/// Where the codes of these tests are scanned.
pub const PROVIDER: &str = "P-1";

/// A loan of 1250.00 MXN, and the client who can confirm it.
#[derive(Debug, Clone)]
pub struct Loan {
    /// Its id at Mambu.
    pub id: String,
    /// The client, whom no other test knows.
    pub client_id: String,
    /// The client's credit line.
    pub credit_line_id: String,
}

impl Loan {
    /// A loan of a new client, which is not at Mambu yet.
    pub fn of_new_client() -> Self {
        let tail = tail();
        Self { id: format!("LN-{tail}"), client_id: format!("C-{tail}"), credit_line_id: format!("CL-{tail}") }
    }

    /// Another loan of the same client, on the same credit line, which is not at Mambu yet either.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { id: format!("LN-{}", tail()), ..self.clone() }
    }

    /// What its client confirms, with the one-time password that every client has.
    pub fn request(&self) -> Value {
        json!({
            "otp": OTP, "client_id": self.client_id, "credit_line_id": self.credit_line_id,
            "loan_account_id": self.id, "provider": PROVIDER, "amount": "1250.00", "currency": "MXN",
        })
    }
}

/// The end of an id that nobody else draws.
pub(crate) fn tail() -> String {
    let mut tail = Uuid::new_v4().simple().to_string();
    tail.truncate(TAIL);
    tail
}

impl TestApp {
    /// A new client's approved loan, and a one-time password to confirm it.
    pub async fn open_loan(&self) -> Loan {
        let loan = Loan::of_new_client();
        self.add_loan(&loan, json!({})).await;
        self.hand_out(&loan.client_id, json!({})).await;
        loan
    }

    /// Puts a loan into Mambu; `terms` say what is not as usual.
    pub async fn add_loan(&self, loan: &Loan, terms: Value) {
        let usual = json!({
            "loan_account_id": loan.id, "client_id": loan.client_id, "credit_line_id": loan.credit_line_id,
            "amount": "1250.00", "currency": "MXN",
        });
        self.control("/mambu/loans", with(usual, terms)).await;
    }

    /// Hands the usual one-time password to a client, for anything; `terms` say what is not as usual.
    pub async fn hand_out(&self, client_id: &str, terms: Value) {
        self.control("/ciam/otps", with(json!({ "client_id": client_id, "otp": OTP }), terms)).await;
    }

    /// A loan as Mambu has it.
    pub async fn loan_at_mambu(&self, loan: &Loan) -> Value {
        self.look(&format!("/mambu/loans/{}", loan.id)).await
    }

    /// The disbursements of a loan that really happened.
    pub async fn disbursements(&self, loan: &Loan) -> Vec<Value> {
        self.outside_effects("disbursement", &loan.id).await
    }

    /// The reversals of a loan's disbursements that really happened.
    pub async fn adjustments(&self, loan: &Loan) -> Vec<Value> {
        self.outside_effects("adjustment", &loan.id).await
    }

    /// The commands of one kind that arrived at Mambu, whatever became of them, with `text` in their path or key.
    ///
    /// # Panics
    /// When the sandbox is away.
    pub async fn mambu_calls(&self, operation: &str, text: &str) -> Vec<Value> {
        let calls = self.look(&format!("/mambu/calls?contains={text}")).await["calls"].take();
        let calls = calls.as_array().cloned().expect("calls");
        calls.into_iter().filter(|call| call["operation"] == operation).collect()
    }

    /// What a person does at Mambu, by hand.
    ///
    /// # Panics
    /// When Mambu refuses.
    pub async fn by_hand(&self, path: &str, body: &Value) -> Value {
        let key = fs::read_to_string(self.stack().secrets_dir().join("mambu.key")).expect("the key for Mambu");
        let url = format!("{}/mambu/api{path}", self.stack().sandbox_url());
        let request = self.http().post(url).header("apiKey", key.trim());
        let answer = Answer::to(request.header("Accept", "application/vnd.mambu.v2+json").json(body)).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:#?}");
        answer.body
    }
}

/// The object with these fields over its own.
fn with(mut object: Value, fields: Value) -> Value {
    if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), fields) {
        object.extend(fields);
    }
    object
}
