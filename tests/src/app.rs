use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::PgPool;
use stack::{Settings, Stack};
use store::postgres::Database;
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions, Url, WorkflowCountOptions};
use uuid::Uuid;

use crate::{Aws, Device, Frontend, History, Merchant, SharedStack, eventually, ledger};

static SHARED: SharedStack = SharedStack::new(Settings::isolated);

/// A running Perdura on real servers, and what a test needs to look at it from outside.
#[derive(Clone)]
pub struct TestApp {
    stack: Arc<Stack>,
    http: reqwest::Client,
}

impl TestApp {
    /// The stack that the tests of one binary share. Each test brings merchants of its own, so that none meets another.
    ///
    /// # Panics
    /// When the stack does not start.
    pub fn shared() -> Self {
        SHARED.app()
    }

    /// A stack of its own, for a test that kills parts or needs other settings.
    ///
    /// # Panics
    /// When the stack does not start.
    pub async fn isolated(settings: Settings) -> Self {
        Self::on(Arc::new(Stack::start(settings).await.expect("an isolated stack")))
    }

    pub(crate) fn on(stack: Arc<Stack>) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        Self { stack, http }
    }

    /// The servers and programs.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// The HTTP client.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// A URL of the API.
    pub fn api(&self, path: &str) -> String {
        format!("{}{path}", self.stack.api_url())
    }

    /// A new merchant with a key for everything that merchants do.
    ///
    /// # Panics
    /// When no key can be made.
    pub fn merchant(&self) -> Merchant {
        let merchant_id = Uuid::now_v7();
        let scopes = ["invoices:write", "invoices:read", "forms:write"];
        let key = self.stack.create_key(&format!("merchant:{merchant_id}"), &scopes).expect("a merchant's key");
        Merchant::new(self.clone(), merchant_id, key)
    }

    /// A new lender's application with a key for everything that frontends do.
    ///
    /// # Panics
    /// When no key can be made.
    pub fn frontend(&self) -> Frontend {
        let principal = format!("frontend:{}", Uuid::now_v7());
        let key =
            self.stack.create_key(&principal, &["purchases:issue", "purchases:read", "fridges:open", "fridges:read"]);
        Frontend::new(self.clone(), principal, key.expect("a frontend's key"))
    }

    /// A new till of a provider with a key for everything that tills do.
    ///
    /// # Panics
    /// When no key can be made.
    pub fn till(&self, provider: &str) -> Device {
        let principal = format!("provider:{provider}/{}", Uuid::now_v7());
        let key = self.stack.create_key(&principal, &["purchases:use", "purchases:read"]);
        Device::new(self.clone(), key.expect("a till's key"))
    }

    /// DynamoDB and S3.
    pub fn aws(&self) -> Aws {
        Aws::at(self.stack.aws_url())
    }

    /// A pool of connections to the database.
    ///
    /// # Panics
    /// When the database is away.
    pub async fn database(&self) -> PgPool {
        PgPool::connect(self.stack.database_url()).await.expect("the database")
    }

    /// Gives a merchant free addresses on tron, which all begin with `TPool`.
    ///
    /// # Panics
    /// When the store does not take them.
    pub async fn fill_pool(&self, merchant: &Merchant, addresses: usize) {
        let url = SecretString::from(self.stack.database_url().to_owned());
        let database = Database::new(&url, 1, "perdura-tests").expect("a database");
        let addresses: Vec<_> = (0..addresses).map(|_| format!("TPool{}", Uuid::new_v4().simple())).collect();
        database.insert_addresses(merchant.id(), "tron", &addresses).await.expect("free addresses");
    }

    /// A client of Temporal that does not decrypt: it sees what anybody sees who reads the histories.
    ///
    /// # Panics
    /// When Temporal is away.
    pub async fn temporal(&self) -> Client {
        let url = Url::parse(&format!("http://{}", self.stack.temporal_address())).expect("an address");
        let connection = Connection::connect(ConnectionOptions::new(url).build()).await.expect("Temporal");
        Client::new(connection, ClientOptions::new(self.stack.temporal_namespace()).build()).expect("a client")
    }

    /// The history of an invoice's workflow.
    pub async fn history(&self, invoice_id: Uuid) -> History {
        History::fetch(&self.temporal().await, &workflows::invoices::workflow_id(invoice_id)).await
    }

    /// The history of a purchase's workflow.
    pub async fn purchase_history(&self, purchase_id: Uuid) -> History {
        History::fetch(&self.temporal().await, &workflows::purchase_codes::workflow_id(purchase_id)).await
    }

    /// Waits until Temporal lists this many runs that an operator's query finds.
    ///
    /// # Panics
    /// When Temporal is away.
    pub async fn until_runs(&self, query: &str, wanted: usize) {
        let temporal = self.temporal().await;
        let counted = || async {
            let counted = temporal.count_workflows(query, WorkflowCountOptions::default()).await;
            counted.expect("a count").count()
        };
        eventually(&format!("{wanted} runs with {query}"), counted, |count| *count == wanted).await;
    }

    /// Calls a control route of the sandbox.
    ///
    /// # Panics
    /// When the sandbox refuses.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/_control{path}", self.stack.sandbox_url());
        let answer = self.http.post(url).json(&body).send().await.expect("the sandbox");
        let (status, body) = (answer.status(), answer.text().await.expect("its answer"));
        assert!(status.is_success(), "{path}: {status} {body}");
        serde_json::from_str(&body).unwrap_or_default()
    }

    /// Pays to an address: a transaction in the mempool.
    pub async fn pay(&self, network: &str, coin_id: &str, address: &str, amount: &str) -> Value {
        let body = json!({ "address": address, "coin_id": coin_id, "amount": amount });
        self.control(&format!("/chains/{network}/deposits"), body).await
    }

    /// Mines blocks on top of everything in the mempool.
    pub async fn mine(&self, network: &str, blocks: u32) {
        self.control(&format!("/chains/{network}/mine"), json!({ "blocks": blocks })).await;
    }

    /// What really happened outside, restricted to entries that contain `text`.
    ///
    /// # Panics
    /// When the sandbox is away.
    pub async fn outside_effects(&self, effect: &str, text: &str) -> Vec<Value> {
        ledger::entries(&self.http, self.stack.sandbox_url(), effect, text).await
    }
}
