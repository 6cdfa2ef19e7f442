//! One key is one invoice and one answer: in a storm of requests, after the run has closed, on any replica, and whatever
//! is killed while the requests are on their way.

use std::future::Future;

use futures::{
    StreamExt,
    future::join_all,
    stream::{self, FuturesUnordered},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::query_scalar;
use stack::{Part, Settings};
use system_tests::{Answer, History, Merchant, TestApp, eventually};

const AT_ONCE: usize = 20;
/// More faults than a test can use up.
const MANY: u64 = 1_000_000;

async fn invoices_of(app: &TestApp, merchant: &Merchant) -> i64 {
    let count = query_scalar("select count(*) from invoice where merchant_id = $1").bind(merchant.id());
    count.fetch_one(&app.database().await).await.unwrap()
}

/// Repeats a request with its key, as every client should, until there is an answer that a repeat would not change.
async fn patiently(merchant: &Merchant, key: &str, body: &Value) -> Answer {
    let came = |answer: &reqwest::Result<Answer>| {
        answer.as_ref().is_ok_and(|answer| answer.status != StatusCode::SERVICE_UNAVAILABLE)
    };
    eventually("an answer", || attempt(merchant, key, body), came).await.unwrap()
}

async fn attempt(merchant: &Merchant, key: &str, body: &Value) -> reqwest::Result<Answer> {
    let request = merchant.request(Method::POST, "/invoices").header("Idempotency-Key", key).json(body);
    Answer::attempt(request).await
}

#[tokio::test]
async fn fifty_keys_with_twenty_requests_each_are_fifty_invoices() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    app.fill_pool(&merchant, 50).await;
    let storm = |index: usize| {
        let merchant = merchant.clone();
        async move {
            let key = format!("key {index}");
            let body = Merchant::invoice();
            join_all((0..AT_ONCE).map(|_| patiently(&merchant, &key, &body))).await
        }
    };
    let answers: Vec<_> = stream::iter(0..50).map(storm).buffer_unordered(5).collect().await;

    for of_one_key in &answers {
        assert_eq!(of_one_key.len(), AT_ONCE);
        for answer in of_one_key {
            assert_eq!(answer.status, StatusCode::CREATED, "{answer:#?}");
            assert_eq!(answer.body, of_one_key[0].body);
        }
    }
    assert_eq!(invoices_of(&app, &merchant).await, 50);
    assert!(app.outside_effects("address_made", &merchant.id().to_string()).await.is_empty(), "the pool was enough");
}

/// Kills something while many requests under one key are on their way, and proves that they are one invoice.
struct Storm {
    app: TestApp,
    merchant: Merchant,
    key: &'static str,
}

impl Storm {
    fn new(app: &TestApp, key: &'static str) -> Self {
        Self { app: app.clone(), merchant: app.merchant(), key }
    }

    /// Sends the requests, kills the part when `moment` has come, starts it again, and repeats every request.
    async fn kill(&self, part: Part, moment: impl Future<Output = ()>) -> Vec<Answer> {
        let body = Merchant::invoice();
        let mut flying: FuturesUnordered<_> = (0..AT_ONCE).map(|_| attempt(&self.merchant, self.key, &body)).collect();
        let mut answers = Vec::new();
        tokio::pin!(moment);
        loop {
            tokio::select! {
                biased;
                () = &mut moment => break,
                Some(answer) = flying.next() => answers.extend(answer),
            }
        }
        self.app.stack().kill(part).unwrap();
        answers.extend(flying.collect::<Vec<_>>().await.into_iter().flatten());
        self.app.stack().launch(part).await.unwrap();
        answers
    }

    /// Every answer that tells of an invoice, before and after, tells of the same one.
    async fn is_one_invoice(&self, before: Vec<Answer>) -> Answer {
        let body = Merchant::invoice();
        let after = join_all((0..AT_ONCE).map(|_| patiently(&self.merchant, self.key, &body))).await;
        assert_eq!(after[0].status, StatusCode::CREATED, "{}: {:#?}", self.key, after[0]);
        for answer in before.iter().filter(|answer| answer.status != StatusCode::SERVICE_UNAVAILABLE).chain(&after) {
            assert_eq!(answer.status, StatusCode::CREATED, "{}: {answer:#?}", self.key);
            assert_eq!(answer.body, after[0].body, "{}", self.key);
        }
        assert_eq!(invoices_of(&self.app, &self.merchant).await, 1, "{}", self.key);
        after[0].clone()
    }

    async fn has_a_row(&self) {
        eventually("a row", || invoices_of(&self.app, &self.merchant), |count| *count > 0).await;
    }

    /// The address service refuses this merchant, so that no request can be answered.
    async fn without_addresses(&self) {
        let fault = json!({
            "system": "addresses", "operation": "create", "kind": "error", "times": MANY, "match": self.merchant.id(),
        });
        self.app.control("/faults", fault).await;
    }

    /// A worker has asked for an address: the process runs, and the requests wait for it.
    async fn has_asked_for_an_address(&self) {
        let url = format!("{}/_control/faults", self.app.stack().sandbox_url());
        let merchant = json!(self.merchant.id());
        let faults = || async { Answer::to(self.app.http().get(&url)).await.body["faults"].take() };
        let has_struck = |faults: &Value| {
            let mut faults = faults.as_array().into_iter().flatten();
            faults.any(|fault| fault["match"] == merchant && fault["times"].as_u64().is_some_and(|left| left < MANY))
        };
        eventually("a request for an address", faults, has_struck).await;
    }

    async fn with_addresses(&self) {
        let url = format!("{}/_control/faults?match={}", self.app.stack().sandbox_url(), self.merchant.id());
        assert!(self.app.http().delete(url).send().await.unwrap().status().is_success());
    }
}

#[tokio::test]
async fn whatever_is_killed_meanwhile_one_key_is_one_invoice() {
    let app = TestApp::isolated(Settings::isolated().env(Part::Api, "PERDURA_INVOICE_RETRY_AT_MOST", "1s")).await;
    for part in [Part::Api, Part::Worker, Part::Temporal] {
        let storm = Storm::new(&app, "killed when the row is there");
        let before = storm.kill(part, storm.has_a_row()).await;
        let created = storm.is_one_invoice(before).await;
        refuses_others(&app, &storm, &created).await;

        let storm = Storm::new(&app, "killed while a process waits for its address");
        storm.without_addresses().await;
        let before = storm.kill(part, storm.has_asked_for_an_address()).await;
        assert!(before.iter().all(|answer| answer.status == StatusCode::SERVICE_UNAVAILABLE), "{before:#?}");
        storm.with_addresses().await;
        storm.is_one_invoice(before).await;
    }
}

/// The key stays bound to its body and to its owner.
async fn refuses_others(app: &TestApp, storm: &Storm, created: &Answer) {
    let mut other = Merchant::invoice();
    other["amount"] = json!("13");
    let refused = patiently(&storm.merchant, storm.key, &other).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{refused:#?}");
    assert_eq!(refused.body["code"], "idempotency_key_reused");
    let stranger = app.merchant();
    let of_stranger = patiently(&stranger, storm.key, &Merchant::invoice()).await;
    assert_eq!(of_stranger.status, StatusCode::CREATED, "{of_stranger:#?}");
    assert_ne!(of_stranger.invoice_id(), created.invoice_id());
    assert_eq!(invoices_of(app, &storm.merchant).await, 1);
}

#[tokio::test]
async fn the_answer_outlives_the_run_the_worker_and_the_replica() {
    let settings = Settings::isolated().env(Part::Api, "PERDURA_INVOICE_MONITORING", "1s");
    let app = TestApp::isolated(settings).await;
    let storm = Storm::new(&app, "key");
    let mut body = Merchant::invoice();
    body["expires_in_seconds"] = json!(1);
    let created = patiently(&storm.merchant, "key", &body).await;
    let history = || app.history(created.invoice_id());
    eventually("the run to close", history, History::is_closed).await;

    let repeats = join_all((0..AT_ONCE).map(|_| patiently(&storm.merchant, "key", &body))).await;
    assert!(repeats.iter().all(|repeat| repeat.body == created.body), "{repeats:#?}");
    refuses_others(&app, &storm, &created).await;

    app.stack().kill(Part::Worker).unwrap();
    assert_eq!(patiently(&storm.merchant, "key", &body).await.body, created.body, "while no worker lives");
    app.stack().launch(Part::Worker).await.unwrap();

    two_replicas_are_one(&app).await;
}

async fn two_replicas_are_one(app: &TestApp) {
    let replica = app.stack().add_api_replica().await.unwrap();
    let merchant = app.merchant();
    let send = |base: &str| {
        let request = app.http().post(format!("{base}/invoices")).bearer_auth(merchant.key());
        Answer::to(request.header("Idempotency-Key", "key").json(&Merchant::invoice()))
    };
    let bases = [app.stack().api_url(), replica.url()];
    let answers = join_all((0..AT_ONCE).map(|index| send(bases[index % 2]))).await;
    let created = answers.iter().find(|answer| answer.status == StatusCode::CREATED).expect("an invoice");
    for answer in answers.iter().filter(|answer| answer.status != StatusCode::SERVICE_UNAVAILABLE) {
        assert_eq!(answer.body, created.body);
    }
    app.stack().kill(Part::Api).unwrap();
    assert_eq!(send(replica.url()).await.body, created.body, "on the replica that is left");
    assert_eq!(invoices_of(app, &merchant).await, 1);
}
