//! How often a form can be used, by whom, and what that leaves of the merchant's addresses.

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use sqlx::query_scalar;
use stack::{Part, Settings};
use system_tests::{Answer, Buyer, Merchant, TestApp, eventually};
use uuid::Uuid;

use super::{fixed, invoices_of, uses_of};

const SPAM: usize = 100;
const POOL: usize = 30;

/// Ten submissions a minute, and addresses that rest for no longer than a moment.
async fn strict() -> TestApp {
    let settings =
        [("PERDURA_FORM_RATE", "10"), ("PERDURA_INVOICE_MONITORING", "1s"), ("PERDURA_INVOICE_COOL_DOWN", "1s")]
            .into_iter()
            .fold(Settings::isolated(), |settings, (name, value)| settings.env(Part::Api, name, value));
    TestApp::isolated(settings).await
}

#[tokio::test]
async fn case_32_spam_is_slowed_down_and_the_addresses_come_back() {
    let app = strict().await;
    let merchant = app.merchant();
    app.fill_pool(&merchant, POOL).await;
    let mut brief = fixed();
    brief["expires_in_seconds"] = json!(1);
    let spammed = Buyer::at(&app, &merchant.form(&brief).await);
    let submit = |key| {
        let request = spammed.submitting(key, &json!({}));
        async move { (key, Answer::to(request).await) }
    };
    let sent = join_all((0..SPAM).map(|_| submit(Uuid::new_v4()))).await;

    let (refused, mut taken): (Vec<_>, Vec<_>) =
        sent.into_iter().partition(|(_, answer)| answer.status == StatusCode::TOO_MANY_REQUESTS);
    // Ten at once, and whatever the account got back until the last of them was looked at.
    assert!((10..POOL).contains(&taken.len()), "{} of {SPAM} were taken", taken.len());
    // Whoever was let in and not answered in time asks again.
    for (key, answer) in taken.iter_mut().filter(|(_, answer)| answer.status == StatusCode::SERVICE_UNAVAILABLE) {
        *answer = spammed.submit_as(*key, &json!({})).await;
    }
    assert!(taken.iter().all(|(_, answer)| answer.status == StatusCode::CREATED), "{taken:#?}");
    for (_, refused) in &refused {
        assert_eq!(refused.text("code"), "rate_limited", "{refused:#?}");
        assert!(refused.headers.contains_key("retry-after"), "{refused:#?}");
    }
    assert_eq!(usize::try_from(invoices_of(&app, &merchant).await), Ok(taken.len()));
    let other = Buyer::at(&app, &merchant.form(&fixed()).await);
    let key = Uuid::new_v4();
    let bought = Answer::patiently(|| other.submitting(key, &json!({}))).await;
    assert_eq!(bought.status, StatusCode::CREATED, "another form is not concerned: {bought:#?}");
    assert_addresses_come_back(&app, &merchant, POOL - 1).await;
}

/// No address had to be made, and so many are free again in the end.
async fn assert_addresses_come_back(app: &TestApp, merchant: &Merchant, wanted: usize) {
    let database = app.database().await;
    let free = || async {
        let free = query_scalar("select count(*) from deposit_address where user_id = $1 and available_at <= now()");
        free.bind(merchant.id()).fetch_one(&database).await.unwrap()
    };
    eventually("free addresses", free, |free: &i64| usize::try_from(*free) == Ok(wanted)).await;
    let created = merchant.create(&Merchant::invoice()).await;
    assert!(created.text("deposit_address").starts_with("TPool"), "{created:#?}");
    let made = app.outside_effects("address_made", &merchant.id().to_string()).await;
    assert!(made.is_empty(), "the pool was enough: {made:#?}");
}

#[tokio::test]
async fn fifty_buyers_at_once_use_a_form_as_often_as_it_may_be_used() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let mut few = fixed();
    few["max_uses"] = json!(5);
    let form = merchant.form(&few).await;
    let buyer = Buyer::at(&app, &form);
    let sent = join_all((0..50).map(|_| async { buyer.submit(&json!({})).await })).await;

    let (bought, refused): (Vec<_>, Vec<_>) = sent.iter().partition(|answer| answer.status == StatusCode::CREATED);
    assert_eq!(bought.len(), 5, "{sent:#?}");
    for refused in refused {
        assert_eq!((refused.status, refused.text("code")), (StatusCode::CONFLICT, "form_used_up"), "{refused:#?}");
    }
    assert_eq!((invoices_of(&app, &merchant).await, uses_of(&merchant, &form).await), (5, json!(5)));
    assert_eq!(buyer.look().await.status, StatusCode::NOT_FOUND, "a stranger learns nothing more");

    super::patch(&merchant, &form, &json!({ "max_uses": 6 })).await;
    buyer.buy(&json!({})).await;
    assert_eq!(buyer.submit(&json!({})).await.text("code"), "form_used_up");
}
