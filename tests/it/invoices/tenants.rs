//! A merchant sees what is his own, and of everything else not even that it is there.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use system_tests::{Answer, Buyer, Merchant, TestApp};
use uuid::Uuid;

/// A merchant with an invoice of a form, and the token that its buyer was given.
struct Tenant {
    merchant: Merchant,
    form_id: String,
    invoice_id: Uuid,
    token: String,
}

impl Tenant {
    async fn new(app: &TestApp) -> Self {
        let merchant = app.merchant();
        let form = merchant.form(&json!({ "coin_id": "usdt", "network_id": "tron", "amount": "12.5" })).await;
        let bought = Buyer::at(app, &form).buy(&json!({})).await;
        let (form_id, token) = (form.text("form_id").to_owned(), bought.text("token").to_owned());
        Self { merchant, form_id, invoice_id: bought.invoice_id(), token }
    }
}

/// How a request is answered, without what is told once it is granted: a stream has no end.
async fn told(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    if status.is_success() {
        return (status, Value::Null);
    }
    let body: Value = response.json().await.unwrap();
    (status, body["code"].clone())
}

fn not_found() -> (StatusCode, Value) {
    (StatusCode::NOT_FOUND, json!("not_found"))
}

#[tokio::test]
async fn case_41_nothing_of_another_merchants_invoice_can_be_read() {
    let app = TestApp::shared();
    let (owner, stranger) = (Tenant::new(&app).await, Tenant::new(&app).await);
    for view in ["", "/timeline", "/events", "/qr.svg", "/qr.png"] {
        let read =
            |merchant: &Merchant, id: Uuid| told(merchant.request(Method::GET, &format!("/invoices/{id}{view}")));
        assert_eq!(read(&owner.merchant, owner.invoice_id).await.0, StatusCode::OK, "{view}");
        assert_eq!(read(&stranger.merchant, owner.invoice_id).await, not_found(), "{view}");
        assert_eq!(read(&stranger.merchant, Uuid::now_v7()).await, not_found(), "{view}: the two cannot be told apart");
    }
}

#[tokio::test]
async fn case_41_nothing_can_be_done_to_another_merchants_invoice() {
    let app = TestApp::shared();
    let (owner, stranger) = (Tenant::new(&app).await, Tenant::new(&app).await);
    let before = owner.merchant.read(owner.invoice_id).await;
    for (verb, body) in [("cancel", json!({ "reason": "other" })), ("accept-late", json!({ "note": "" }))] {
        let path = format!("/invoices/{}/{verb}", owner.invoice_id);
        let refused = stranger.merchant.post(&path, "key", &body).await;
        assert_eq!((refused.status, refused.body["code"].clone()), not_found(), "{verb}");
    }
    assert_eq!(owner.merchant.read(owner.invoice_id).await.body, before.body);
}

#[tokio::test]
async fn case_41_lists_and_exports_have_a_merchants_own_invoices_only() {
    let app = TestApp::shared();
    let (owner, stranger) = (Tenant::new(&app).await, app.merchant());
    let mut named = Merchant::invoice();
    named["external_id"] = json!("order-41");
    owner.merchant.create(&named).await;
    for filter in ["", "&external_id=order-41", "&status=waiting_for_deposit", "&network_id=tron"] {
        let listed = stranger.get(&format!("/invoices?limit=100{filter}")).await;
        assert_eq!(listed.body["items"], json!([]), "{filter}");
        assert_eq!(stranger.get(&format!("/invoices/export?format=json{filter}")).await.body, json!([]), "{filter}");
        let export =
            stranger.request(Method::GET, &format!("/invoices/export?format=csv{filter}")).send().await.unwrap();
        assert_eq!(export.status(), StatusCode::OK, "{filter}");
        let lines = export.text().await.unwrap();
        assert_eq!(lines.lines().count(), 1, "only the names of the columns: {lines}");
    }
    let own = owner.merchant.get("/invoices/export?format=json").await;
    assert_eq!(own.body.as_array().map(Vec::len), Some(2), "{own:#?}");
}

#[tokio::test]
async fn case_41_a_buyers_token_opens_no_other_invoice() {
    let app = TestApp::shared();
    let (owner, stranger) = (Tenant::new(&app).await, Tenant::new(&app).await);
    let open = |view: &str, token: &str| told(app.http().get(app.api(view)).query(&[("token", token)]));
    for view in ["/checkout/{id}", "/invoices/{id}/qr.svg", "/invoices/{id}/qr.png"] {
        let of_owner = view.replace("{id}", &owner.invoice_id.to_string());
        assert_eq!(open(&of_owner, &owner.token).await.0, StatusCode::OK, "{view}");
        assert_eq!(open(&of_owner, &stranger.token).await, not_found(), "{view}");
        let of_nobody = view.replace("{id}", &Uuid::now_v7().to_string());
        assert_eq!(open(&of_nobody, &owner.token).await, not_found(), "{view}");
    }
}

#[tokio::test]
async fn case_41_another_merchants_form_is_not_there() {
    let app = TestApp::shared();
    let (owner, stranger) = (Tenant::new(&app).await, app.merchant());
    let path = format!("/invoice-forms/{}", owner.form_id);
    let before = owner.merchant.get(&path).await;
    let change = stranger.request(Method::PATCH, &path).json(&json!({ "amount": "1" }));
    for refused in [stranger.request(Method::GET, &path), change, stranger.request(Method::DELETE, &path)] {
        assert_eq!(told(refused).await, not_found());
    }
    assert_eq!(stranger.get("/invoice-forms").await.body["items"], json!([]));
    let after: Answer = owner.merchant.get(&path).await;
    assert_eq!((after.status, after.body), (StatusCode::OK, before.body));
}
