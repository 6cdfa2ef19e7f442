//! Between the acceptance of a payment and the merchant's credit.

use futures::future::join;
use reqwest::StatusCode;
use sqlx::{AssertSqlSafe, PgPool, query, query_scalar};
use stack::{Part, Settings};
use system_tests::{Answer, Merchant, TestApp, eventually};

use super::{
    deadlines::BRIEF,
    money::{
        Money, accept_late, accepting_late, assert_not_cancellable, cancelling, cancelling_for_kyc, causes, credits,
        expired, invoice, path, standing, time,
    },
};

/// More tries than a step has inside the workflow's own task.
const MANY: i64 = 8;
const HAPPY_PATH: [&str; 3] = ["waiting_for_deposit", "payment_accepted", "finished"];

/// While it lasts, no credit of one merchant can be written, as if the disk were full.
struct Outage {
    database: PgPool,
    name: String,
}

impl Outage {
    async fn begin(app: &TestApp, merchant: &Merchant) -> Self {
        let name = format!("outage_{}", merchant.id().simple());
        let outage = Self { database: app.database().await, name };
        let (name, merchant_id) = (&outage.name, merchant.id());
        outage.execute(format!("create sequence {name}_tries")).await;
        outage
            .execute(format!(
                "create function {name}() returns trigger language plpgsql as $$ begin
                     perform nextval('{name}_tries');
                     raise exception 'no space is left' using errcode = 'disk_full';
                 end $$"
            ))
            .await;
        outage
            .execute(format!(
                "create trigger {name} before insert on merchant_credit for each row
                 when (new.merchant_id = '{merchant_id}') execute function {name}()"
            ))
            .await;
        outage
    }

    /// Waits until it has been met so often: a try that failed takes nothing back from a sequence.
    async fn until_met(&self, times: i64) {
        let met = || async {
            let tries = query_scalar(AssertSqlSafe(format!("select last_value from {}_tries", self.name)));
            tries.fetch_one(&self.database).await.unwrap()
        };
        eventually("credits to fail", met, |tries: &i64| *tries >= times).await;
    }

    async fn end(self) {
        self.execute(format!("drop trigger {} on merchant_credit", self.name)).await;
    }

    async fn execute(&self, statement: String) {
        query(AssertSqlSafe(statement)).execute(&self.database).await.unwrap();
    }
}

/// An invoice that is paid and accepted, and cannot be credited.
async fn accepted(app: &TestApp, merchant: &Merchant) -> (Answer, Outage) {
    let outage = Outage::begin(app, merchant).await;
    let asked = merchant.create(&invoice("tron", "12.5", 900)).await;
    Money::to(app, &asked, "12.5").is_final().await;
    (merchant.until(asked.invoice_id(), "payment_accepted").await, outage)
}

async fn assert_finished_once(app: &TestApp, merchant: &Merchant, accepted: &Answer) {
    let finished = merchant.until(accepted.invoice_id(), "finished").await;
    assert_eq!(standing(&finished), ["finished", "none", "12.5", "0"]);
    assert_eq!(credits(app, accepted.invoice_id()).await, ["12500000"]);
    assert_eq!(path(merchant, accepted.invoice_id()).await, HAPPY_PATH);
    assert_eq!(finished.body["version"], HAPPY_PATH.len(), "each status once: {finished:#?}");
}

#[tokio::test]
async fn case_27_what_is_accepted_or_finished_is_not_cancelled() {
    let app = BRIEF.app();
    let merchant = app.merchant();
    let (accepted, outage) = accepted(&app, &merchant).await;
    outage.until_met(MANY).await;
    let invoice_id = accepted.invoice_id();
    let by_merchant = |key: &'static str| cancelling(&merchant, invoice_id, key);
    let by_operator = |key: &'static str| cancelling_for_kyc(&app, invoice_id, key);
    let (one, other) = join(Answer::to(by_merchant("early")), Answer::to(by_operator("early"))).await;
    // The process is busy with the credit: it may have taken the requests and not have looked at them.
    for answer in [one, other].iter().filter(|answer| answer.is_final()) {
        assert_not_cancellable(answer);
    }
    assert_eq!(merchant.read(invoice_id).await.text("status"), "payment_accepted");
    outage.end().await;
    for key in ["early", "once more"] {
        assert_not_cancellable(&Answer::patiently(|| by_merchant(key)).await);
        assert_not_cancellable(&Answer::patiently(|| by_operator(key)).await);
    }
    assert_finished_once(&app, &merchant, &accepted).await;
}

#[tokio::test]
async fn case_28_while_credits_fail_an_invoice_stays_accepted_and_is_finished_once_after() {
    let app = BRIEF.app();
    let merchant = app.merchant();
    let (accepted, outage) = accepted(&app, &merchant).await;
    outage.until_met(MANY).await;
    assert_eq!(merchant.read(accepted.invoice_id()).await.body, accepted.body);
    assert!(credits(&app, accepted.invoice_id()).await.is_empty());
    outage.end().await;
    assert_finished_once(&app, &merchant, &accepted).await;
}

#[tokio::test]
async fn case_28_whatever_is_killed_meanwhile_a_payment_is_credited_once() {
    let settings = Settings::isolated().env(Part::Api, "PERDURA_INVOICE_RETRY_AT_MOST", "1s");
    let app = TestApp::isolated(settings).await;
    for part in [Part::Postgres, Part::Worker] {
        killed_between_acceptance_and_credit(&app, part).await;
    }
    worker_killed_while_late_money_is_accepted(&app).await;
}

async fn killed_between_acceptance_and_credit(app: &TestApp, part: Part) {
    let merchant = app.merchant();
    let (accepted, outage) = accepted(app, &merchant).await;
    outage.until_met(MANY).await;
    app.stack().kill(part).unwrap();
    app.stack().launch(part).await.unwrap();
    let read = merchant.until(accepted.invoice_id(), "payment_accepted").await;
    assert_eq!(read.body, accepted.body, "{part}");
    outage.end().await;
    assert_finished_once(app, &merchant, &accepted).await;
}

/// The worker dies with the request in its hands; whoever repeats the request with its key has accepted once.
async fn worker_killed_while_late_money_is_accepted(app: &TestApp) {
    let merchant = app.merchant();
    let asked = expired(&merchant, "tron", "12.5").await;
    let invoice_id = asked.invoice_id();
    Money::to(app, &asked, "12.5").first_seen_at(time(&asked, "expires_at")).is_final().await;
    merchant.until_exception(invoice_id, "paid_late").await;

    let database = app.database().await;
    let mut locks = database.begin().await.unwrap();
    let hold = query("select from invoice where invoice_id = $1 for update").bind(invoice_id);
    hold.execute(&mut *locks).await.unwrap();
    let killed = async {
        let waiting = || async {
            let waiting = query_scalar("select count(*) from pg_stat_activity where wait_event_type = 'Lock'");
            waiting.fetch_one(&database).await.unwrap()
        };
        eventually("the ledger to wait for the invoice", waiting, |waiting: &i64| *waiting > 0).await;
        app.stack().kill(Part::Worker).unwrap();
        locks.rollback().await.unwrap();
        app.stack().launch(Part::Worker).await.unwrap();
    };
    let (_lost, ()) = join(Answer::attempt(accepting_late(&merchant, invoice_id, "key")), killed).await;
    let told = accept_late(&merchant, invoice_id, "key").await;
    assert_eq!(told.status, StatusCode::OK, "{told:#?}");
    let finished = merchant.until(invoice_id, "finished").await;
    assert_eq!(standing(&finished), ["finished", "none", "12.5", "0"]);
    assert_eq!(credits(app, invoice_id).await, ["12500000"]);
    assert_eq!(causes(&merchant, invoice_id, "accept-late/").await, 1);
    assert_eq!(accept_late(&merchant, invoice_id, "key").await.body, told.body);
}
