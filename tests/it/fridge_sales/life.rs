//! The whole life of a sale, as its frontend, Vendron and the operators see it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use system_tests::{Answer, Fridge, Sale, TestApp, event_names};

use super::{assert_sold, soup, soups, water, waters};

const EVENTS: [&str; 7] = [
    "smart_fridge_request",
    "smart_fridge_request_begun",
    "smart_fridge_door_open",
    "smart_fridge_door_open_success",
    "smart_fridge_product_taken",
    "smart_fridge_door_close_success",
    "smart_fridge_request_completed",
];

#[tokio::test]
async fn what_is_taken_out_of_an_open_fridge_is_sold() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    assert_eq!(fridge.status_in_time("").await.text("status"), "available");
    let sale = fridge.open().await;
    assert_eq!(sale.answer.text("ref"), sale.sale_ref.to_string());
    assert_eq!(sale.answer.text("transaction_id"), sale.transaction_id().to_string());
    assert_eq!(sale.answer.headers["location"], sale.path());

    let open = sale.read().await;
    assert_eq!((open.text("status"), open.text("door"), &open.body["products"]), ("open", "open", &json!([])));
    fridge.take(&[soup(), water()]).await;
    fridge.take(&[soup()]).await;
    sale.until_taken(3).await;
    fridge.put_back(&["2"]).await;
    let basket = sale.until_taken(2).await;
    assert_eq!((&basket.body["products"], &basket.body["total"]), (&json!([soups(2)]), &Value::Null));
    fridge.take(&[water()]).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(2), waters(1)]), "10.60", "the whole story").await;

    assert_shown(&fridge, &sale).await;
    assert_known_to_vendron(&fridge, &sale).await;
    sale.until_closed().await;
    app.until_runs(&sale.query("BusinessStatus = 'completed'"), 1).await;
    assert_eq!(fridge.messages().await, Vec::<String>::new(), "nothing was wrong");
    let again = fridge.try_to_open(&sale.key).await.answer;
    assert_eq!((again.status, again.text("status")), (StatusCode::CREATED, "open"), "as the first time");
    assert_eq!(again.body["ref"], sale.answer.body["ref"]);
    fridge.open().await;
}

/// Everything that the frontend may want to know.
async fn assert_shown(fridge: &Fridge, sale: &Sale) {
    let shown = sale.read().await;
    let order = fridge.order();
    for (field, value) in [
        ("transaction_id", &json!(sale.transaction_id())),
        ("ref", &json!(sale.sale_ref)),
        ("machine_id", &json!(fridge.id())),
        ("user", &order["user"]),
        ("stripe", &order["stripe"]),
        ("failure", &Value::Null),
        ("currency", &json!("EUR")),
        ("capture", &json!({ "amount": "10.60", "shortfall": "0.00" })),
    ] {
        assert_eq!(&shown.body[field], value, "{field}");
    }
    let mut events = event_names(&shown);
    events.dedup();
    assert_eq!(events, EVENTS);

    let known = fridge.frontend().request(Method::GET, &sale.path()).header("If-None-Match", &shown.headers["etag"]);
    assert_eq!(Answer::to(known).await.status, StatusCode::NOT_MODIFIED);
    let singular = sale.path().replace("/transactions/", "/transaction/");
    assert_eq!(fridge.frontend().get(&singular).await.body, shown.body);
}

/// What Vendron was asked for, and what it did.
async fn assert_known_to_vendron(fridge: &Fridge, sale: &Sale) {
    let begun = fridge.effects("session_begun").await;
    assert_eq!(begun.len(), 1, "{begun:#?}");
    let user = fridge.order()["user"]["id"].as_str().unwrap().to_owned();
    let detail = format!("user:{user}_transaction:{}", sale.transaction_id());
    for (field, value) in [
        ("ref", json!(sale.sale_ref)),
        ("total_amount", json!("20.00")),
        ("currency", json!("EUR")),
        ("payment_detail", json!(detail)),
    ] {
        assert_eq!(begun[0][field], value, "{field}");
    }
    assert_eq!(fridge.effects("sale_completed").await.len(), 1);
    fridge.until_deserted().await;
}
