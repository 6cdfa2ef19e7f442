//! 8.18: whose sales are found, by what, and page by page.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use system_tests::{Answer, Fridge, Frontend, TestApp};
use uuid::Uuid;

use super::soup;

/// The transactions that a search finds, newest first.
async fn found(frontend: &Frontend, query: &[(&str, &str)]) -> Vec<String> {
    let answer = Answer::to(frontend.request(Method::GET, "/transactions/search").query(query)).await;
    assert_eq!(answer.status, StatusCode::OK, "{query:?}: {answer:#?}");
    ids(&answer)
}

fn ids(page: &Answer) -> Vec<String> {
    let items = page.body["items"].as_array().unwrap().iter();
    items.map(|item| item["transaction_id"].as_str().unwrap().to_owned()).collect()
}

/// Sales of every kind at two machines, for two users; their transactions, newest first.
async fn sales(one: &Fridge, other: &Fridge) -> Vec<String> {
    let mut made = Vec::new();
    let sold = one.try_to_open_for("sold to anna", &one.order_of("anna")).await;
    one.take(&[soup()]).await;
    one.close().await;
    sold.until("completed").await;
    made.push(sold);
    for (fridge, buyer) in [(one, "bob"), (other, "anna")] {
        fridge.set(json!({ "online": false })).await;
        let order = json!({ "user": one.order_of(buyer)["user"], "stripe": one.order()["stripe"] });
        made.push(fridge.try_to_open_for(&format!("offline for {buyer}"), &order).await);
        fridge.set(json!({ "online": true })).await;
    }
    let empty = other.try_to_open_for("nothing for bob", &one.order_of("bob")).await;
    other.close().await;
    empty.until("empty").await;
    made.push(empty);
    let open = other.try_to_open_for("open for bob", &one.order_of("bob")).await;
    assert_eq!(open.answer.text("status"), "open");
    made.push(open);
    made.iter().rev().map(|sale| sale.transaction_id().to_string()).collect()
}

#[tokio::test]
async fn sales_are_found_by_everything_that_is_known_of_them() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    let (one, other) = (app.fridge_of(&frontend).await, app.fridge_of(&frontend).await);
    let made = sales(&one, &other).await;
    let [open, empty, elsewhere, offline, sold] = &made[..] else { panic!("five sales") };
    let (anna, bob) = (one.order_of("anna")["user"].take(), one.order_of("bob")["user"].take());
    let loud = anna["email"].as_str().unwrap().to_uppercase();
    let text = |user: &Value, field: &str| user[field].as_str().unwrap().to_owned();
    let time = frontend.get(&format!("/transactions/{elsewhere}")).await.text("created_at").to_owned();
    for (query, expected) in [
        (vec![], vec![open, empty, elsewhere, offline, sold]),
        (vec![("user_id", text(&anna, "id"))], vec![elsewhere, sold]),
        (vec![("email", text(&bob, "email"))], vec![open, empty, offline]),
        (vec![("email", loud)], vec![elsewhere, sold]),
        (vec![("machine_id", one.id().to_owned())], vec![offline, sold]),
        (vec![("status", "failed".to_owned())], vec![elsewhere, offline]),
        (vec![("status", "open".to_owned())], vec![open]),
        (vec![("status", "unresolved".to_owned())], vec![]),
        (vec![("from", time.clone())], vec![open, empty, elsewhere]),
        (vec![("to", time)], vec![offline, sold]),
        (vec![("status", "failed".to_owned()), ("machine_id", other.id().to_owned())], vec![elsewhere]),
        (vec![("user_id", text(&anna, "id")), ("email", text(&bob, "email"))], vec![]),
    ] {
        let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(found(&frontend, &query).await.iter().collect::<Vec<_>>(), expected, "{query:?}");
    }
    assert_paged(&frontend, &made).await;
}

async fn assert_paged(frontend: &Frontend, made: &[String]) {
    let mut listed = Vec::new();
    let mut path = "/transactions/search?limit=2".to_owned();
    loop {
        let page = frontend.get(&path).await;
        assert!(ids(&page).len() <= 2 && page.body["items"][0].get("events").is_none(), "{page:#?}");
        listed.extend(ids(&page));
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        path = format!("/transactions/search?limit=2&cursor={cursor}");
    }
    assert_eq!(listed, made, "newest first, each once");
    let singular = frontend.get("/transaction/search").await;
    assert_eq!(ids(&singular), made);
    for wrong in ["status=sold", "from=yesterday", "limit=0", "limit=101", "cursor=x", "frontend=frontend:demo"] {
        let refused = frontend.get(&format!("/transactions/search?{wrong}")).await;
        assert_eq!((refused.status, refused.text("code")), (StatusCode::BAD_REQUEST, "invalid_query"), "{wrong}");
    }
}

/// Another frontend's machine is not there to be asked or opened, and its sales are not there to be read.
#[tokio::test]
async fn somebody_elses_machines_and_sales_are_not_there() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    let stranger = app.frontend();
    for transactions in ["/transactions", "/transaction"] {
        let missing = stranger.get(&format!("{transactions}/{}", Uuid::new_v4())).await;
        let theirs = stranger.get(&format!("{transactions}/{}", sale.transaction_id())).await;
        assert_eq!((theirs.status, &theirs.body["code"]), (StatusCode::NOT_FOUND, &missing.body["code"]));
    }
    assert_eq!(found(&stranger, &[]).await, Vec::<String>::new());
    assert_eq!(found(&stranger, &[("machine_id", fridge.id())]).await, Vec::<String>::new());

    for machines in ["/machines", "/machine"] {
        let path = format!("{machines}/{}", fridge.id());
        let status = stranger.get(&format!("{path}/status")).await;
        let open = stranger.request(Method::POST, &format!("{path}/open")).header("Idempotency-Key", "key");
        for refused in [status, Answer::to(open.json(&fridge.order())).await] {
            assert_eq!((refused.status, refused.text("code")), (StatusCode::NOT_FOUND, "not_found"), "{refused:#?}");
        }
    }
    assert_eq!(fridge.effects("session_begun").await.len(), 1, "their own");
    assert_eq!(sale.read().await.status, StatusCode::OK);
}
