use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};

use crate::binaries::{create_key, run_api, tell_api};
use crate::blueprint::Blueprint;
use crate::secrets::{
    FRONTEND_KEY, MERCHANT_ID, MERCHANT_KEY, OPERATOR_KEY, PROVIDER_DEVICE_KEY, SHOP_DEVICE_KEY, WATCHER_KEY,
    WATCHER_SECRETS,
};
use crate::{http, postgres, temporal};

const PROVIDER: &str = "P-1";
/// Of the demo's one-time password, which is made anew on every start.
const OTP_SECONDS: u32 = 365 * 24 * 60 * 60;
const LOAN: (&str, &str) = ("1250.00", "MXN");
const FOUND: u16 = 200;
const FRONTEND: &str = "frontend:demo";
const MACHINE: (&str, &str) = ("FRIDGE-1", "VM-0001");
const SUPPLIER: &str = "S-1";
const SUPPLIER_NUMBER: &str = "900100";
const ACCOUNT_NUMBER: &str = "900101";
const PIN: &str = "2468";
const GIFTS: u32 = 5;

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
    /// Of the demo merchant: opens and reads invoices, and makes forms.
    pub merchant: String,
    /// Of the frontend `demo`: issues and reads purchase codes, opens fridges and reads their sales.
    pub frontend: String,
    /// Of a device of the demo's provider: scans and reads purchase codes.
    pub provider_device: String,
    /// Of a device of the demo's supplier: uses gifts.
    pub shop_device: String,
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
    /// A form of the merchant over USDT on tron, whose buyers say how much.
    pub form_id: String,
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
    /// A fridge of the frontend.
    pub machine_id: String,
    /// The same fridge, as Vendron names it.
    pub machine_uid: String,
    /// Gifts that any supplier may take.
    pub gift_ids: Vec<String>,
    /// The number of an account of the shop's supplier.
    pub supplier_invoice_no: String,
    /// The account's PIN.
    pub pin: String,
}

impl Demo {
    /// Creates the API keys that are not there yet, and gathers everything.
    pub(crate) fn seed(blueprint: &Blueprint) -> Result<Self> {
        let secrets = &blueprint.secrets;
        let merchant_id = secrets.read(MERCHANT_ID)?;
        let key = |name, principal: &str, scopes: &[&str]| {
            secrets.api_key(name, scopes, || create_key(blueprint, principal, scopes))
        };
        seed_machine(blueprint)?;
        seed_gifts(blueprint)?;
        Ok(Self {
            api_url: blueprint.api_url(),
            sandbox_url: blueprint.sandbox_url(),
            temporal_ui_url: blueprint.settings.is_local().then(|| blueprint.ui_url()),
            temporal_address: temporal::address(blueprint),
            database_url: postgres::database_url(blueprint)?,
            s3_url: blueprint.aws_url(),
            dynamodb_url: blueprint.aws_url(),
            keys: Keys {
                merchant: key(
                    MERCHANT_KEY,
                    &format!("merchant:{merchant_id}"),
                    &["invoices:write", "invoices:read", "forms:write"],
                )?,
                frontend: key(
                    FRONTEND_KEY,
                    FRONTEND,
                    &["purchases:issue", "purchases:read", "fridges:open", "fridges:read"],
                )?,
                provider_device: key(
                    PROVIDER_DEVICE_KEY,
                    &format!("provider:{PROVIDER}/till-1"),
                    &["purchases:use", "purchases:read"],
                )?,
                shop_device: key(SHOP_DEVICE_KEY, &format!("shop:{SUPPLIER}/till-1"), &["gifts:use"])?,
                watcher: key(WATCHER_KEY, "watcher:sandbox", &["deposits:report"])?,
                watcher_signing_secret: secrets.read(WATCHER_SECRETS)?,
                operator: key(OPERATOR_KEY, "operator:local", &["operator"])?,
            },
            demo: DemoData {
                merchant_id,
                // Whoever serves forms has yet to start.
                form_id: String::new(),
                client_id: "C-1".to_owned(),
                credit_line_id: "CL-1".to_owned(),
                loan_account_ids: (1..=5).map(|number| format!("LN-{number}")).collect(),
                provider: PROVIDER.to_owned(),
                otp: "123456".to_owned(),
                machine_id: MACHINE.0.to_owned(),
                machine_uid: MACHINE.1.to_owned(),
                gift_ids: gift_ids().collect(),
                supplier_invoice_no: ACCOUNT_NUMBER.to_owned(),
                pin: PIN.to_owned(),
            },
        })
    }
}

fn gift_ids() -> impl Iterator<Item = String> {
    (1..=GIFTS).map(|number| format!("GIFT-{number}"))
}

/// The demo's fridge. Where it is there already, this changes nothing.
fn seed_machine(blueprint: &Blueprint) -> Result<()> {
    let (id, uid) = MACHINE;
    let machine = ["machines", "add", "--id", id, "--uid", uid, "--owner", FRONTEND, "--name", "The demo's fridge"];
    run_api(blueprint, &machine).map(drop)
}

/// The demo's supplier with its PIN, and gifts for many years. What is there already stays as it is.
fn seed_gifts(blueprint: &Blueprint) -> Result<()> {
    let suppliers = format!(
        "supplier_code,supplier_invoice_no,name,supplier_account_invoice_no\n\
         {SUPPLIER},{SUPPLIER_NUMBER},The demo's shop,{ACCOUNT_NUMBER}\n"
    );
    let valid = "2026-01-01T00:00:00Z,2040-01-01T00:00:00Z";
    let head = "gift_id,valid_from,valid_to,supplier_code".to_owned();
    let gifts: Vec<_> = [head].into_iter().chain(gift_ids().map(|gift_id| format!("{gift_id},{valid},"))).collect();
    import(blueprint, "suppliers", &suppliers)?;
    import(blueprint, "gifts", &gifts.join("\n"))?;
    tell_api(blueprint, &["suppliers", "set-pin", "--account", ACCOUNT_NUMBER], &format!("{PIN}\n")).map(drop)
}

fn import(blueprint: &Blueprint, what: &str, csv: &str) -> Result<()> {
    let file = blueprint.state.path(&format!("{what}.csv"));
    fs::write(&file, csv).with_context(|| format!("cannot write {}", file.display()))?;
    run_api(blueprint, &[what, "import", &file.to_string_lossy()]).map(drop)
}

/// Has the API keep the demo's form: the same one at every start.
pub(crate) async fn seed_form(blueprint: &Blueprint, demo: &mut Demo) -> Result<()> {
    let authorization = format!("Bearer {}", demo.keys.merchant);
    let headers = [("Authorization", authorization.as_str()), ("Idempotency-Key", "demo-form")];
    let form = json!({ "coin_id": "usdt", "network_id": "tron", "title": "Donations" });
    let kept = http::post_with(blueprint.ports().api, "/invoice-forms", &headers, &form).await;
    let kept: Value = serde_json::from_str(&kept.context("the API does not take the demo's form")?)?;
    let form_id = kept["form_id"].as_str().context("the API names no form")?;
    form_id.clone_into(&mut demo.demo.form_id);
    Ok(())
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
    made.context("the sandbox does not take the demo's one-time password")?;
    let machine = http::post(port, &format!("/_control/vendron/machines/{}", MACHINE.1), &json!({})).await;
    machine.context("the sandbox does not take the demo's fridge")
}
