//! A device that did not hear the answer repeats with its key, and gets it.

use std::slice;

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;
use system_tests::{Answer, new_gift_id};

use super::{SHOPS, assert_locked, assert_refused, rows};

/// Requests at once that no guard lets wait for each other.
const AT_ONCE: usize = 5;

/// Case 2.
#[tokio::test]
async fn case_2_the_same_request_is_answered_the_same_for_ever() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let (shop, account, database) = (supplier.device(), supplier.account(0), app.database().await);
    let gift_id = app.gift();
    let ask = || shop.ask_to_use("key", &gift_id, account);
    let first = ask().await;
    assert_eq!(first.text("redemption_id"), shop.redemption_id("key").to_string());
    for answer in join_all((0..AT_ONCE).map(|_| ask())).await {
        assert_eq!((answer.status, &answer.body), (StatusCode::OK, &first.body));
    }
    // The key has proved the device: what PIN comes with it then does not matter, and what it said is not undone by
    // what has become of the gift since.
    let forgetful = shop.ask_to_use("key", &gift_id, &account.with_pin("9999")).await;
    assert_eq!((forgetful.status, &forgetful.body), (StatusCode::OK, &first.body));
    assert_eq!(shop.try_to_void(&gift_id).await.status, StatusCode::OK);
    assert_eq!(ask().await.body, first.body);
    assert_eq!(rows::live_use(&database, &gift_id).await, None);
    assert_eq!(rows::count(&database, &gift_id, "used").await, 1);
}

#[tokio::test]
async fn the_first_request_may_come_several_times_at_once() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let (shop, database) = (supplier.device(), app.database().await);
    for gift_id in app.gifts(10) {
        let answers = join_all((0..AT_ONCE).map(|_| shop.ask_to_use(&gift_id, &gift_id, supplier.account(0)))).await;
        for answer in &answers {
            assert_eq!((answer.status, &answer.body), (StatusCode::OK, &answers[0].body));
        }
        assert_eq!(rows::uses(&database, &gift_id).await, [shop.redemption_id(&gift_id)]);
        assert_eq!(rows::count(&database, &gift_id, "used").await, 1);
        let undone = join_all((0..AT_ONCE).map(|_| shop.ask_to_void(&gift_id, &gift_id))).await;
        for answer in &undone {
            assert_eq!((answer.status, &answer.body), (StatusCode::OK, &undone[0].body));
        }
        assert_eq!(rows::count(&database, &gift_id, "voided").await, 1);
    }
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111", "2222"]);
    let (shop, account) = (supplier.device(), supplier.account(0));
    let (gift_id, other) = (app.gift(), app.gift());
    let used = shop.ask_to_use("key", &gift_id, account).await;
    assert_refused(&shop.ask_to_use("key", &other, account).await, 422, "idempotency_key_reused");
    assert_refused(&shop.ask_to_use("key", &gift_id, supplier.account(1)).await, 422, "idempotency_key_reused");
    assert_eq!(shop.ask_to_use("key", &gift_id, account).await.body, used.body);
    // The key of one device says nothing of another's.
    let neighbour = supplier.device();
    assert_eq!(neighbour.ask_to_use("key", &other, supplier.account(1)).await.status, StatusCode::OK);

    let undone = shop.ask_to_void("key", &gift_id).await;
    assert_eq!(undone.status, StatusCode::OK, "another route: {undone:#?}");
    assert_refused(&shop.ask_to_void("key", &other).await, 422, "idempotency_key_reused");
    let reason = shop.request(Method::POST, &format!("/api/gifts/{gift_id}/void"));
    let reason = reason.header("Idempotency-Key", "key").json(&json!({}));
    assert_refused(&Answer::to(reason).await, 422, "idempotency_key_reused");
    assert_eq!(shop.ask_to_void("key", &gift_id).await.body, undone.body);
}

#[tokio::test]
async fn a_refusal_is_as_lasting_as_a_use_but_a_wrong_pin_is_forgotten() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let (shop, account) = (supplier.device(), supplier.account(0));
    let gift_id = app.gift();
    assert_refused(&shop.ask_to_use("right", &gift_id, &account.with_pin("9999")).await, 400, "credentials_invalid");
    assert_eq!(shop.ask_to_use("right", &gift_id, account).await.status, StatusCode::OK);
    assert_refused(&shop.ask_to_use("late", &gift_id, account).await, 400, "gift_already_used");
    assert_eq!(shop.try_to_void(&gift_id).await.status, StatusCode::OK);
    assert_refused(&shop.ask_to_use("late", &gift_id, account).await, 400, "gift_already_used");
    let missing = new_gift_id();
    assert_refused(&shop.ask_to_use("missing", &missing, account).await, 400, "gift_not_found");
    app.add_gifts(slice::from_ref(&missing), ("2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"), "");
    assert_refused(&shop.ask_to_use("missing", &missing, account).await, 400, "gift_not_found");
    shop.use_gift(&missing, account).await;
}

#[tokio::test]
async fn an_answer_is_learnt_also_while_pins_are_locked() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let (shop, account, gift_id) = (supplier.device(), supplier.account(0), app.gift());
    let used = shop.ask_to_use("key", &gift_id, account).await;
    for _ in 0..5 {
        assert_refused(&shop.try_to_use(&gift_id, &account.with_pin("9999")).await, 400, "credentials_invalid");
    }
    assert_locked(&shop.try_to_use(&gift_id, account).await);
    let again = shop.ask_to_use("key", &gift_id, account).await;
    assert_eq!((again.status, again.body), (StatusCode::OK, used.body));
}
