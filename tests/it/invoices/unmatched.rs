//! Money of nobody: operators see it, and say whose it is, once.

use chrono::{TimeDelta, Utc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::query_as;
use system_tests::{Answer, Merchant, Output, TestApp, eventually};
use uuid::Uuid;

use super::{
    deadlines::BRIEF,
    money::{operator, until_closed},
    rows,
};

/// An operator of one stack.
struct Operator(TestApp);

impl Operator {
    async fn get(&self, path: &str) -> Answer {
        Answer::to(operator(&self.0, Method::GET, path)).await
    }

    async fn attach(&self, deposit_id: &str, key: &str, body: &Value) -> Answer {
        let request = operator(&self.0, Method::POST, &format!("/deposits/{deposit_id}/attach"));
        Answer::to(request.header("Idempotency-Key", key).json(body)).await
    }

    /// Everything that belongs to nobody, a page at a time.
    async fn unmatched(&self, limit: usize) -> Vec<Value> {
        let (first, mut all) = (format!("/deposits?result=unmatched&limit={limit}"), Vec::new());
        let mut path = first.clone();
        loop {
            let page = self.get(&path).await;
            assert_eq!(page.status, StatusCode::OK, "{page:#?}");
            let items = page.body["items"].as_array().unwrap();
            assert!(items.len() <= limit);
            all.extend(items.iter().cloned());
            let Some(cursor) = page.body["next_cursor"].as_str() else { return all };
            path = format!("{first}&cursor={cursor}");
        }
    }

    /// An output of somebody's that was paid to nobody, as operators see it.
    async fn lost(&self, output: &Output) -> Value {
        assert_eq!(self.0.watcher().tell(&output.settled(1)).await, "unmatched");
        let unmatched = self.unmatched(100).await;
        let found = unmatched.iter().find(|deposit| deposit["tx_id"] == output.tx_id());
        found.cloned().unwrap_or_else(|| panic!("{output:?} is not in the list"))
    }
}

/// An address that no invoice has.
fn nobody() -> String {
    format!("TNobody{}", Uuid::new_v4().simple())
}

fn id(deposit: &Value) -> &str {
    deposit["deposit_id"].as_str().unwrap()
}

fn to(invoice_id: Uuid) -> Value {
    json!({ "invoice_id": invoice_id, "reason": "the buyer showed us the transaction" })
}

#[tokio::test]
async fn money_of_nobody_is_listed_once_newest_first_a_page_at_a_time() {
    let app = TestApp::shared();
    let (operator, watcher) = (Operator(app.clone()), app.watcher());
    let outputs: Vec<_> = (0..5).map(|_| Output::to("tron", "usdt", &nobody(), "1.5")).collect();
    for output in &outputs {
        assert_eq!(watcher.tell(&output.seen(1)).await, "unmatched");
        assert_eq!(watcher.tell(&output.seen(1)).await, "duplicate");
    }
    let listed = operator.unmatched(2).await;
    let position = |output: &Output| listed.iter().position(|deposit| deposit["tx_id"] == output.tx_id()).unwrap();
    let positions: Vec<_> = outputs.iter().rev().map(position).collect();
    assert!(positions.is_sorted(), "newest first: {positions:?}");
    for output in &outputs {
        let of_output = listed.iter().filter(|deposit| deposit["tx_id"] == output.tx_id()).count();
        assert_eq!(of_output, 1);
        let deposit = &listed[position(output)];
        let shown =
            ["result", "network_id", "coin_id", "output_ref", "amount", "state", "invoice_id", "ambiguous_with"];
        let shown = shown.map(|field| deposit[field].clone());
        let expected = ["unmatched", "tron", "usdt", "o:0", "1.5", "seen"].map(Value::from);
        assert_eq!((&shown[..6], &shown[6..]), (&expected[..], &[Value::Null, Value::Null][..]), "{deposit:#}");
    }
    for query in ["", "result=x", "result=unmatched&limit=0", "result=unmatched&cursor=x", "result=unmatched&more=1"] {
        let refused = operator.get(&format!("/deposits?{query}")).await;
        assert_eq!((refused.status.as_u16(), &refused.body["code"]), (400, &json!("invalid_query")), "{query}");
    }
}

/// What is kept of who gave it to whom.
async fn attachment(app: &TestApp, deposit_id: &str) -> (Uuid, String, String) {
    let audited = "select invoice_id, actor, reason from deposit_attachment where transaction_id = $1";
    let id: Uuid = deposit_id.parse().unwrap();
    query_as(audited).bind(id).fetch_one(&app.database().await).await.unwrap()
}

#[tokio::test]
async fn attached_money_is_counted_credited_and_audited_and_attached_once() {
    let app = TestApp::shared();
    let (operator, merchant, database) = (Operator(app.clone()), app.merchant(), app.database().await);
    let created = merchant.create(&Merchant::invoice()).await;
    let other = merchant.create(&Merchant::invoice()).await;
    let deposit = operator.lost(&Output::to("tron", "usdt", &nobody(), "12.5")).await;

    let attached = operator.attach(id(&deposit), "key", &to(created.invoice_id())).await;
    assert_eq!(attached.status, StatusCode::OK, "{attached:#?}");
    assert_eq!(attached.text("invoice_id"), created.invoice_id().to_string());
    assert_eq!((attached.text("amount"), attached.text("tx_id")), ("12.5", deposit["tx_id"].as_str().unwrap()));
    merchant.until(created.invoice_id(), "finished").await;
    assert_eq!(rows::credits(&database, created.invoice_id()).await, ["12500000"]);
    let audited = attachment(&app, id(&deposit)).await;
    let reason = to(created.invoice_id())["reason"].as_str().unwrap().to_owned();
    assert_eq!(audited, (created.invoice_id(), "operator:local".to_owned(), reason));
    let listed = operator.unmatched(100).await;
    assert!(listed.iter().all(|unmatched| unmatched["deposit_id"] != deposit["deposit_id"]), "it is somebody's now");

    let again = operator.attach(id(&deposit), "key", &to(created.invoice_id())).await;
    assert_eq!((again.status, &again.body), (StatusCode::OK, &attached.body), "{again:#?}");
    let reused = operator.attach(id(&deposit), "key", &to(other.invoice_id())).await;
    assert_eq!(reused.body["code"], "idempotency_key_reused", "{reused:#?}");
    for invoice_id in [created.invoice_id(), other.invoice_id()] {
        let second = operator.attach(id(&deposit), "another key", &to(invoice_id)).await;
        assert_eq!(second.status, StatusCode::CONFLICT, "{second:#?}");
        assert_eq!(second.body["code"], "deposit_attached_already");
    }
    assert_eq!(rows::revision(&database, other.invoice_id()).await, 0);
    assert_eq!(rows::credits(&database, created.invoice_id()).await.len(), 1);
}

/// What came before its invoice was asked for counts, too, and what the watcher says later still moves it. A repeat gets
/// the first answer all the same.
#[tokio::test]
async fn attached_money_follows_its_transaction() {
    let app = TestApp::shared();
    let (operator, merchant, watcher) = (Operator(app.clone()), app.merchant(), app.watcher());
    let output = Output::to("tron", "tether", &nobody(), "12.5").with("contract", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t");
    let created = merchant.create(&Merchant::invoice()).await;
    let deposit = operator.lost(&output).await;
    assert_eq!(watcher.tell(&output.orphaned(2)).await, "unmatched", "it is known, and gone for now");
    let attached = operator.attach(id(&deposit), "key", &to(created.invoice_id())).await;
    assert_eq!((attached.status, attached.text("state")), (StatusCode::OK, "orphaned"), "{attached:#?}");
    let earlier = (Utc::now() - TimeDelta::minutes(1)).to_rfc3339();
    let output = output.with("first_seen_at", earlier);
    assert_eq!(watcher.tell(&output.observed("included", 3, Some(1200), 1200)).await, "accepted");
    let seen = merchant.until(created.invoice_id(), "payment_confirmation").await;
    assert_eq!(seen.body["amounts"]["seen"], "12.5", "whatever its watcher calls it");
    assert_eq!(watcher.tell(&output.observed("final", 4, Some(1200), 1230)).await, "accepted");
    merchant.until(created.invoice_id(), "finished").await;
    let again = operator.attach(id(&deposit), "key", &to(created.invoice_id())).await;
    assert_eq!((again.status, again.body), (StatusCode::OK, attached.body), "as it was when it was attached");
}

#[tokio::test]
async fn money_is_attached_by_operators_to_what_it_can_be_for() {
    let app = TestApp::shared();
    let (operator, merchant) = (Operator(app.clone()), app.merchant());
    let created = merchant.create(&Merchant::invoice()).await;
    let on_bitcoin = merchant.create(&json!({ "coin_id": "btc", "network_id": "bitcoin", "amount": "0.001" })).await;
    let deposit = operator.lost(&Output::to("tron", "usdt", &nobody(), "3")).await;
    let path = format!("/deposits/{}/attach", id(&deposit));

    let unknown = operator.attach(&Uuid::now_v7().to_string(), "key", &to(created.invoice_id())).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{unknown:#?}");
    for invoice_id in [Uuid::now_v7(), on_bitcoin.invoice_id()] {
        let refused = operator.attach(id(&deposit), "key", &to(invoice_id)).await;
        assert_eq!((refused.status.as_u16(), &refused.body["code"]), (422, &json!("unacceptable")), "{refused:#?}");
        assert_eq!(refused.body["errors"][0]["field"], "invoice_id");
    }
    for (reason, status) in [(json!(""), 422), (json!("x".repeat(501)), 422), (Value::Null, 400), (json!(7), 400)] {
        let body = json!({ "invoice_id": created.invoice_id(), "reason": reason });
        let refused = operator.attach(id(&deposit), "key", &body).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["errors"][0]["field"]),
            (status, &json!("reason")),
            "{body}"
        );
    }
    for request in [merchant.request(Method::POST, &path), app.http().post(app.api(&path))] {
        let refused = Answer::to(request.header("Idempotency-Key", "key").json(&to(created.invoice_id()))).await;
        assert!([StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&refused.status), "{refused:#?}");
    }
    assert_eq!(merchant.get("/deposits?result=unmatched").await.status, StatusCode::FORBIDDEN);
    assert_eq!(merchant.read(created.invoice_id()).await.body, created.body);
    let attached = operator.attach(id(&deposit), "key", &to(created.invoice_id())).await;
    assert_eq!(attached.status, StatusCode::OK, "no refusal took the key: {attached:#?}");
    let partial = merchant.until(created.invoice_id(), "partially_paid").await;
    assert_eq!(partial.body["amounts"]["confirmed"], "3");
}

#[tokio::test]
async fn another_asset_is_attached_and_worth_nothing() {
    let app = TestApp::shared();
    let (operator, merchant) = (Operator(app.clone()), app.merchant());
    let created = merchant.create(&Merchant::invoice()).await;
    let deposit = operator.lost(&Output::to("tron", "trx", &nobody(), "12.123456789")).await;
    assert_eq!(deposit["amount"], "12.123456789");
    let attached = operator.attach(id(&deposit), "key", &to(created.invoice_id())).await;
    assert_eq!((attached.status, attached.text("amount")), (StatusCode::OK, "12.123456789"), "{attached:#?}");
    let told = merchant.until_exception(created.invoice_id(), "wrong_asset").await;
    assert_eq!((told.text("status"), &told.body["amounts"]["seen"]), ("waiting_for_deposit", &json!("0")));
}

/// Nobody listens at Temporal any more: the relay records it itself.
#[tokio::test]
async fn money_that_is_attached_to_a_closed_invoice_is_late() {
    let app = BRIEF.app();
    let (operator, merchant) = (Operator(app.clone()), app.merchant());
    let mut body = Merchant::invoice();
    body["expires_in_seconds"] = json!(1);
    let created = merchant.create(&body).await;
    until_closed(&app, created.invoice_id()).await;
    let deposit = operator.lost(&Output::to("tron", "usdt", &nobody(), "12.5")).await;
    let attached = operator.attach(id(&deposit), "key", &to(created.invoice_id())).await;
    assert_eq!(attached.status, StatusCode::OK, "{attached:#?}");
    let told = merchant.until_exception(created.invoice_id(), "paid_late").await;
    assert_eq!((told.text("status"), &told.body["amounts"]["late"]), ("expired", &json!("12.5")));
    let database = app.database().await;
    let left = || async {
        let left = sqlx::query_scalar("select count(*) from deposit_notice where invoice_id = $1");
        left.bind(created.invoice_id()).fetch_one(&database).await.unwrap()
    };
    eventually("the notice to be done with", left, |left: &i64| *left == 0).await;
    assert!(rows::credits(&database, created.invoice_id()).await.is_empty());
}
