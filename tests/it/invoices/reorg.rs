//! What a chain takes back: before the end of an invoice it never was, after the end people have to look.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool, query};
use stack::Part;
use system_tests::{Answer, Merchant, Output, TestApp, eventually};
use uuid::Uuid;

use super::{deadlines::BRIEF, money::until_closed, rows};

/// The block that takes a transaction whose first one is gone, higher than any that was told of before.
const ELSEWHERE: i64 = 1200;

/// Reports each of these, and waits until the invoice has the status that follows from it.
async fn follow(app: &TestApp, merchant: &Merchant, invoice_id: Uuid, course: &[(Value, &str)]) -> Answer {
    let watcher = app.watcher();
    for (report, status) in course {
        assert_eq!(watcher.tell(report).await, "accepted", "{report:#}");
        merchant.until(invoice_id, status).await;
    }
    merchant.read(invoice_id).await
}

#[tokio::test]
async fn case_19_a_transaction_that_leaves_its_block_and_comes_into_another_counts_once() {
    let app = TestApp::shared();
    let (merchant, database) = (app.merchant(), app.database().await);
    let created = merchant.create(&Merchant::invoice()).await;
    let output = Output::paying(&created, "12.5");
    let course = [
        (output.included(1, 1), "payment_confirmation"),
        (output.orphaned(2), "waiting_for_deposit"),
        (output.observed("included", 3, Some(ELSEWHERE), ELSEWHERE), "payment_confirmation"),
        (output.observed("final", 4, Some(ELSEWHERE), ELSEWHERE + 30), "finished"),
    ];
    let finished = follow(&app, &merchant, created.invoice_id(), &course).await;
    assert_eq!((finished.text("exception"), &finished.body["amounts"]["confirmed"]), ("none", &json!("12.5")));
    let kept = rows::output(&database, created.invoice_id()).await;
    assert_eq!((kept.state.as_str(), kept.block_height), ("final", Some(ELSEWHERE)));
    assert_eq!(rows::credits(&database, created.invoice_id()).await, ["12500000"]);
    let statuses = [
        "waiting_for_deposit",
        "payment_confirmation",
        "waiting_for_deposit",
        "payment_confirmation",
        "payment_accepted",
        "finished",
    ];
    assert_eq!(rows::statuses(&database, created.invoice_id()).await, statuses);
}

/// As a payer does who raises his fee.
#[tokio::test]
async fn case_19_a_replacement_to_the_same_address_counts_in_the_place_of_the_first() {
    let app = TestApp::shared();
    let (merchant, watcher, database) = (app.merchant(), app.watcher(), app.database().await);
    let created = merchant.create(&Merchant::invoice()).await;
    let (first, second) = (Output::paying(&created, "12.5"), Output::paying(&created, "12.5"));
    assert_eq!(watcher.tell(&first.seen(1)).await, "accepted");
    merchant.until(created.invoice_id(), "payment_confirmation").await;
    assert_eq!(watcher.report(&[second.seen(1), first.replaced(2)]).await, ["accepted", "accepted"]);
    assert_eq!(watcher.tell(&second.settled(2)).await, "accepted");
    let finished = merchant.until(created.invoice_id(), "finished").await;
    assert_eq!((finished.text("exception"), &finished.body["amounts"]["seen"]), ("none", &json!("12.5")));
    assert_eq!(rows::credits(&database, created.invoice_id()).await, ["12500000"]);
    let kept = rows::outputs(&database, created.invoice_id()).await;
    let state = |output: &Output| {
        let kept = kept.iter().find(|kept| kept.tx_id == output.tx_id());
        kept.map(|kept| kept.state.as_str())
    };
    assert_eq!((kept.len(), state(&first), state(&second)), (2, Some("replaced"), Some("final")));
}

#[tokio::test]
async fn case_19_money_that_the_chain_drops_for_good_leaves_an_invoice_to_be_paid() {
    let app = TestApp::shared();
    let (merchant, database) = (app.merchant(), app.database().await);
    let created = merchant.create(&Merchant::invoice()).await;
    let (stolen, paid) = (Output::paying(&created, "12.5"), Output::paying(&created, "12.5"));
    let course = [(stolen.included(1, 18), "payment_confirmation"), (stolen.orphaned(2), "waiting_for_deposit")];
    let waits = follow(&app, &merchant, created.invoice_id(), &course).await;
    assert_eq!((waits.text("exception"), &waits.body["payment_uris"]), ("none", &created.body["payment_uris"]));
    assert_eq!(waits.body["amounts"], created.body["amounts"]);
    let finished = follow(&app, &merchant, created.invoice_id(), &[(paid.settled(1), "finished")]).await;
    assert_eq!((finished.text("exception"), &finished.body["amounts"]["confirmed"]), ("none", &json!("12.5")));
    assert_eq!(rows::credits(&database, created.invoice_id()).await, ["12500000"]);
}

/// Keeps the credits of one merchant from being recorded: nothing else holds an invoice that is accepted.
struct Held<'a> {
    database: &'a PgPool,
    trigger: String,
}

impl<'a> Held<'a> {
    async fn credits_of(merchant: &Merchant, database: &'a PgPool) -> Self {
        let (trigger, merchant_id) = (format!("held_{}", merchant.id().simple()), merchant.id());
        let hold = format!(
            "create trigger {trigger} before insert on merchant_credit
             for each row when (new.merchant_id = '{merchant_id}') execute function refuse_change()"
        );
        query(AssertSqlSafe(hold)).execute(database).await.unwrap();
        Self { database, trigger }
    }

    async fn let_go(self) {
        let let_go = format!("drop trigger {} on merchant_credit", self.trigger);
        query(AssertSqlSafe(let_go)).execute(self.database).await.unwrap();
    }
}

#[tokio::test]
async fn case_19_a_deep_reorganisation_between_the_acceptance_and_the_credit_goes_back() {
    let app = TestApp::shared();
    let (merchant, watcher, database) = (app.merchant(), app.watcher(), app.database().await);
    let created = merchant.create(&Merchant::invoice()).await;
    let (invoice_id, output) = (created.invoice_id(), Output::paying(&created, "12.5"));
    let held = Held::credits_of(&merchant, &database).await;
    follow(&app, &merchant, invoice_id, &[(output.settled(1), "payment_accepted")]).await;
    assert_eq!(watcher.tell(&output.orphaned(2)).await, "accepted");
    held.let_go().await;
    let back = merchant.until(invoice_id, "waiting_for_deposit").await;
    assert_eq!((back.text("exception"), &back.body["amounts"]), ("none", &created.body["amounts"]));
    assert!(rows::credits(&database, invoice_id).await.is_empty(), "credited with money that is gone");

    let course = [(output.observed("final", 3, Some(ELSEWHERE), ELSEWHERE + 30), "finished")];
    let finished = follow(&app, &merchant, invoice_id, &course).await;
    assert_eq!(finished.text("exception"), "none");
    assert_eq!(rows::credits(&database, invoice_id).await, ["12500000"]);
    let statuses = ["waiting_for_deposit", "payment_accepted", "waiting_for_deposit", "payment_accepted", "finished"];
    assert_eq!(rows::statuses(&database, invoice_id).await, statuses);
}

/// Operators find the run as long as the credited money is gone.
#[tokio::test]
async fn case_19_what_is_taken_back_after_the_end_needs_a_person_until_it_is_there_again() {
    let app = TestApp::shared();
    let (merchant, watcher, database) = (app.merchant(), app.watcher(), app.database().await);
    let created = merchant.create(&Merchant::invoice()).await;
    let (invoice_id, output) = (created.invoice_id(), Output::paying(&created, "12.5"));
    let attention = |needed: bool| format!("BusinessKey = '{invoice_id}' AND NeedsAttention = {needed}");
    follow(&app, &merchant, invoice_id, &[(output.settled(1), "finished")]).await;
    for (report, exception, confirmed, needed) in [
        (output.orphaned(2), "reorged", "0", true),
        (output.observed("final", 3, Some(ELSEWHERE), ELSEWHERE + 30), "none", "12.5", false),
    ] {
        assert_eq!(watcher.tell(&report).await, "accepted");
        let told = merchant.until_exception(invoice_id, exception).await;
        assert_eq!((told.text("status"), &told.body["amounts"]["confirmed"]), ("finished", &json!(confirmed)));
        app.until_runs(&attention(needed), 1).await;
        assert_eq!(rows::credits(&database, invoice_id).await, ["12500000"], "what was credited once stays so");
    }
}

/// Drops a transaction from its chain. Others mine on it meanwhile, so that the block is ever deeper.
async fn drop_transaction(app: &TestApp, network: &str, tx_id: &str, height: i64) {
    let attempt = || async {
        let chain = Answer::to(app.http().get(format!("{}/chains/{network}", app.stack().sandbox_url()))).await;
        let depth = chain.body["tip_height"].as_i64().unwrap() - height + 1;
        let reorg = format!("{}/_control/chains/{network}/reorg", app.stack().sandbox_url());
        Answer::to(app.http().post(reorg).json(&json!({ "depth": depth, "drop": [tx_id] }))).await
    };
    eventually("the reorganisation", attempt, |answer| answer.status == StatusCode::OK).await;
}

#[tokio::test]
async fn case_19_a_deep_reorganisation_of_the_chain_after_the_end_is_told_by_the_watcher() {
    let app = TestApp::shared();
    let (merchant, database) = (app.merchant(), app.database().await);
    let created = merchant.create(&json!({ "coin_id": "btc", "network_id": "bitcoin", "amount": "0.001" })).await;
    let invoice_id = created.invoice_id();
    let paid = app.pay("bitcoin", "btc", created.text("deposit_address"), "0.001").await;
    app.mine("bitcoin", 20).await;
    merchant.until(invoice_id, "finished").await;
    let height = rows::output(&database, invoice_id).await.block_height.unwrap();
    drop_transaction(&app, "bitcoin", paid["tx_id"].as_str().unwrap(), height).await;
    let told = merchant.until_exception(invoice_id, "reorged").await;
    assert_eq!((told.text("status"), &told.body["amounts"]["seen"]), ("finished", &json!("0")));
    assert_eq!(rows::output(&database, invoice_id).await.state, "orphaned");
    assert_eq!(rows::credits(&database, invoice_id).await, ["100000"]);
    app.until_runs(&format!("BusinessKey = '{invoice_id}' AND NeedsAttention = true"), 1).await;
}

/// A run that is closed cannot ask for anybody: the log of the worker does.
#[tokio::test]
async fn case_19_what_is_taken_back_after_the_run_has_closed_is_recorded_and_logged() {
    let app = BRIEF.app();
    let (merchant, watcher) = (app.merchant(), app.watcher());
    let created = merchant.create(&Merchant::invoice()).await;
    let output = Output::paying(&created, "12.5");
    assert_eq!(watcher.tell(&output.settled(1)).await, "accepted");
    merchant.until(created.invoice_id(), "finished").await;
    until_closed(&app, created.invoice_id()).await;
    assert_eq!(watcher.tell(&output.orphaned(2)).await, "accepted");
    let told = merchant.until_exception(created.invoice_id(), "reorged").await;
    assert_eq!(told.text("status"), "finished");
    let line = |log: &String| {
        let invoice_id = created.invoice_id().to_string();
        log.lines().any(|line| line.contains("invoice.reorged_after_finish") && line.contains(&invoice_id))
    };
    eventually("a line in the log", || async { app.stack().log(Part::Worker) }, line).await;
}
