//! Which keys are good, and what a list of invoices is.

use reqwest::StatusCode;
use serde_json::json;
use system_tests::{Answer, Merchant, TestApp};
use uuid::Uuid;

#[tokio::test]
async fn no_key_a_bad_key_and_a_key_without_the_scope_are_told_apart() {
    let app = TestApp::shared();
    let url = app.api("/invoices");
    let without = Answer::to(app.http().get(&url)).await;
    assert_eq!(without.status, StatusCode::UNAUTHORIZED);
    assert!(without.headers.contains_key("www-authenticate"));
    let bad = Answer::to(app.http().get(&url).bearer_auth("nonsense")).await;
    assert_eq!(bad.status, StatusCode::UNAUTHORIZED);
    let reader = app.stack().create_key(&format!("merchant:{}", Uuid::now_v7()), &["invoices:read"]).unwrap();
    assert_eq!(Answer::to(app.http().get(&url).bearer_auth(&reader)).await.status, StatusCode::OK);
    let write = app.http().post(&url).bearer_auth(&reader).header("Idempotency-Key", "key").json(&Merchant::invoice());
    assert_eq!(Answer::to(write).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_list_is_paged_filtered_and_complete() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let mut created = Vec::new();
    for index in 0..5 {
        let mut body = Merchant::invoice();
        body["external_id"] = json!(format!("order-{index}"));
        created.push(merchant.create(&body).await.invoice_id().to_string());
    }
    created.reverse();

    let mut listed = Vec::new();
    let mut path = "/invoices?limit=2".to_owned();
    loop {
        let page = merchant.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{page:#?}");
        let items = page.body["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        listed.extend(items.iter().map(|item| item["invoice_id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        path = format!("/invoices?limit=2&cursor={cursor}");
    }
    assert_eq!(listed, created, "newest first, each once");
    let one = merchant.get("/invoices?external_id=order-3&status=waiting_for_deposit").await;
    assert_eq!(one.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(merchant.get("/invoices?status=finished").await.body["items"], json!([]));
    assert_eq!(merchant.get("/invoices?status=nonsense").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(merchant.get("/invoices?cursor=nonsense").await.status, StatusCode::BAD_REQUEST);
}
