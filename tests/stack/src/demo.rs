use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::json;

use crate::binaries::create_key;
use crate::blueprint::Blueprint;
use crate::secrets::{
    FRONTEND_KEY, MERCHANT_ID, MERCHANT_KEY, OPERATOR_KEY, PROVIDER_DEVICE_KEY, WATCHER_KEY, WATCHER_SECRETS,
};
use crate::{http, postgres, temporal};

const PROVIDER: &str = "P-1";
/// Of the demo's one-time password, which is made anew on every start.
const OTP_SECONDS: u32 = 365 * 24 * 60 * 60;
const LOAN: (&str, &str) = ("1250.00", "MXN");
const FOUND: u16 = 200;

/// Where everything is and the keys to it: the content of `.perdura/demo.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Demo {
    /// Base URL of the API.
    pub api_url: String,
    /// Base URL of the sandbox.
    pub sandbox_url: String,
    /// The Temporal UI; isolated stacks run without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporal_ui_url: Option<String>,
    /// `host:port` of Temporal's gRPC.
    pub temporal_address: String,
    /// Postgres, with the password.
    pub database_url: String,
    /// S3; its credentials are `test` and `test`.
    pub s3_url: String,
    /// DynamoDB, with the same credentials.
    pub dynamodb_url: String,
    /// What to authenticate with.
    pub keys: Keys,
    /// What the demonstration is about.
    pub demo: DemoData,
}

/// The API's bearer keys, and the secret that signs what watchers send.
#[derive(Clone, Debug, Serialize)]
pub struct Keys {
    /// Of the demo merchant: opens and reads invoices.
    pub merchant: String,
    /// Of the frontend `demo`: issues and reads purchase codes.
    pub frontend: String,
    /// Of a device of the demo's provider: scans and reads purchase codes.
    pub provider_device: String,
    /// Of the watcher `sandbox`: reports deposits.
    pub watcher: String,
    /// `whsec_…`, as in Standard Webhooks.
    pub watcher_signing_secret: String,
    /// Of the operator `local`.
    pub operator: String,
}

/// The things of the demonstration.
#[derive(Clone, Debug, Serialize)]
pub struct DemoData {
    /// The merchant whose key `keys.merchant` is: a UUID.
    pub merchant_id: String,
    /// A client of the lender.
    pub client_id: String,
    /// The client's credit line.
    pub credit_line_id: String,
    /// Its approved loans, of 1250.00 MXN each.
    pub loan_account_ids: Vec<String>,
    /// Where its codes are scanned.
    pub provider: String,
    /// A one-time password of the client, for one purchase. It confirms anything.
    pub otp: String,
}

impl Demo {
    /// Creates the API keys that are not there yet, and gathers everything.
    pub(crate) fn seed(blueprint: &Blueprint) -> Result<Self> {
        let secrets = &blueprint.secrets;
        let merchant_id = secrets.read(MERCHANT_ID)?;
        let key = |name, principal: &str, scopes: &[&str]| {
            secrets.ensure(name, || create_key(blueprint, principal, scopes))?;
            secrets.read(name)
        };
        Ok(Self {
            api_url: blueprint.api_url(),
            sandbox_url: blueprint.sandbox_url(),
            temporal_ui_url: blueprint.settings.is_local().then(|| blueprint.ui_url()),
            temporal_address: temporal::address(blueprint),
            database_url: postgres::database_url(blueprint)?,
            s3_url: blueprint.aws_url(),
            dynamodb_url: blueprint.aws_url(),
            keys: Keys {
                merchant: key(MERCHANT_KEY, &format!("merchant:{merchant_id}"), &["invoices:write", "invoices:read"])?,
                frontend: key(FRONTEND_KEY, "frontend:demo", &["purchases:issue", "purchases:read"])?,
                provider_device: key(
                    PROVIDER_DEVICE_KEY,
                    &format!("provider:{PROVIDER}/till-1"),
                    &["purchases:use", "purchases:read"],
                )?,
                watcher: key(WATCHER_KEY, "watcher:sandbox", &["deposits:report"])?,
                watcher_signing_secret: secrets.read(WATCHER_SECRETS)?,
                operator: key(OPERATOR_KEY, "operator:local", &["operator"])?,
            },
            demo: DemoData {
                merchant_id,
                client_id: "C-1".to_owned(),
                credit_line_id: "CL-1".to_owned(),
                loan_account_ids: (1..=5).map(|number| format!("LN-{number}")).collect(),
                provider: PROVIDER.to_owned(),
                otp: "123456".to_owned(),
            },
        })
    }
}

/// Tells the sandbox of the demo's client: the loans that it does not know yet, and a one-time password to spend.
pub(crate) async fn fill_sandbox(blueprint: &Blueprint, demo: &DemoData) -> Result<()> {
    let port = blueprint.ports().sandbox;
    let (amount, currency) = LOAN;
    for loan in &demo.loan_account_ids {
        if http::get(port, &format!("/_control/mambu/loans/{loan}")).await? == FOUND {
            continue;
        }
        let body = json!({
            "loan_account_id": loan,
            "amount": amount,
            "currency": currency,
            "client_id": demo.client_id,
            "credit_line_id": demo.credit_line_id,
        });
        http::post(port, "/_control/mambu/loans", &body).await.context("the sandbox does not take the demo's loans")?;
    }
    let otp = json!({ "client_id": demo.client_id, "otp": demo.otp, "expires_in_seconds": OTP_SECONDS });
    let made = http::post(port, "/_control/ciam/otps", &otp).await;
    made.context("the sandbox does not take the demo's one-time password")
}
