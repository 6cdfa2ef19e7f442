//! A use can be undone by the device that made it, once, and not for long.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use system_tests::{Answer, new_gift_id};

use super::{SHOPS, assert_refused, rows};

/// Case 10.
#[tokio::test]
async fn case_10_a_gift_whose_use_was_undone_can_be_used_again() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111", "2222"]);
    let (shop, other, database) = (supplier.device(), supplier.device(), app.database().await);
    let gift_id = app.gift();
    let first = shop.use_gift(&gift_id, supplier.account(0)).await;
    let undone = shop.ask_to_void("key", &gift_id).await;
    let expected = json!({
        "gift_id": gift_id, "status": "active", "voided_at": undone.body["voided_at"], "redemption_id": first,
    });
    assert_eq!((undone.status, &undone.body), (StatusCode::OK, &expected));
    assert_eq!(undone.headers["cache-control"], "no-store");
    assert_eq!(rows::live_use(&database, &gift_id).await, None);

    let second = other.use_gift(&gift_id, supplier.account(1)).await;
    assert_ne!(first, second);
    assert_eq!(rows::live_use(&database, &gift_id).await, Some(second));
    // The first device's undoing was of its own use: asked again it undoes nothing more.
    assert_eq!(shop.ask_to_void("key", &gift_id).await.body, undone.body);
    assert_refused(&shop.try_to_void(&gift_id).await, 409, "redeemed_elsewhere");
    assert_eq!(other.try_to_void(&gift_id).await.status, StatusCode::OK);
    let third = shop.use_gift(&gift_id, supplier.account(0)).await;
    assert_eq!(rows::uses(&database, &gift_id).await, [first, second, third]);
}

/// Case 10.
#[tokio::test]
async fn case_10_a_use_is_undone_once() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let (shop, database) = (supplier.device(), app.database().await);
    let gift_id = app.gift();
    assert_refused(&shop.try_to_void(&gift_id).await, 409, "gift_not_used");
    assert_refused(&shop.try_to_void(&new_gift_id()).await, 404, "not_found");
    shop.use_gift(&gift_id, supplier.account(0)).await;
    assert_eq!(shop.try_to_void(&gift_id).await.status, StatusCode::OK);
    assert_refused(&shop.try_to_void(&gift_id).await, 409, "gift_not_used");
    assert_eq!(rows::live_use(&database, &gift_id).await, None);
}

/// Case 10. To the millisecond it is in `clock.rs`.
#[tokio::test]
async fn case_10_a_use_is_not_undone_after_its_window() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let (shop, database) = (supplier.device(), app.database().await);
    let gift_id = app.gift();
    let used = shop.use_gift(&gift_id, supplier.account(0)).await;
    rows::close_window(&database, used).await;
    assert_refused(&shop.ask_to_void("key", &gift_id).await, 409, "void_window_over");
    assert_refused(&shop.ask_to_void("key", &gift_id).await, 409, "void_window_over");
    assert_eq!(rows::count(&database, &gift_id, "void_window_over").await, 1);
    assert_eq!(rows::live_use(&database, &gift_id).await, Some(used));
}

#[tokio::test]
async fn only_the_device_that_used_a_gift_undoes_that() {
    let app = SHOPS.app();
    let (supplier, stranger) = (app.supplier(&["1111"]), app.supplier(&["1111"]));
    let (shop, neighbour, strange) = (supplier.device(), supplier.device(), stranger.device());
    let (database, anybodys, own) = (app.database().await, app.gift(), app.gift_for(&supplier));
    let mut used = Vec::new();
    for gift_id in [&anybodys, &own] {
        used.push(shop.use_gift(gift_id, supplier.account(0)).await);
        assert_refused(&neighbour.try_to_void(gift_id).await, 409, "redeemed_elsewhere");
    }
    assert_refused(&strange.try_to_void(&anybodys).await, 409, "redeemed_elsewhere");
    // Of a gift that it may not take it does not learn whether it is there.
    assert_refused(&strange.try_to_void(&own).await, 404, "not_found");
    for (gift_id, used) in [&anybodys, &own].into_iter().zip(used) {
        assert_eq!(rows::live_use(&database, gift_id).await, Some(used));
        assert_eq!(shop.try_to_void(gift_id).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_reason_is_one_short_line_or_none() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let shop = supplier.device();
    let gift_id = app.gift();
    shop.use_gift(&gift_id, supplier.account(0)).await;
    let path = format!("/api/gifts/{gift_id}/void");
    let void = async |key: &str, body: Value| {
        Answer::patiently(|| shop.request(Method::POST, &path).header("Idempotency-Key", key).json(&body)).await
    };
    for reason in ["two\nlines", "\0", &"x".repeat(201)] {
        assert_refused(&void("key", json!({ "reason": reason })).await, 422, "unacceptable");
    }
    for body in [json!({ "reason": null }), json!({ "reason": 1 }), json!({ "why": "x" })] {
        assert_refused(&void("key", body).await, 400, "invalid_body");
    }
    assert_refused(&void("key", json!([])).await, 400, "invalid_body");
    assert_eq!(void("key", json!({})).await.status, StatusCode::OK);
    shop.use_gift(&gift_id, supplier.account(0)).await;
    assert_eq!(void("another", json!({ "reason": "é".repeat(200) })).await.status, StatusCode::OK);
}
