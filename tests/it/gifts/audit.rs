//! Every attempt leaves a line, whatever came of it, and no line is ever changed.

use reqwest::StatusCode;
use sqlx::query;

use super::{SHOPS, assert_locked, assert_refused, rows};

#[tokio::test]
async fn every_attempt_leaves_a_line() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let (shop, other, database) = (supplier.device(), supplier.device(), app.database().await);
    let (account, gift_id) = (supplier.account(0), app.gift());
    let (number, wrong) = (account.number.as_str(), account.with_pin("9999"));
    let attempt = |attempt: &str, result: &str, account: Option<&str>| {
        (attempt.to_owned(), result.to_owned(), account.map(str::to_owned))
    };
    assert_refused(&shop.try_to_void(&gift_id).await, 409, "gift_not_used");
    assert_refused(&shop.try_to_use(&gift_id, &wrong).await, 400, "credentials_invalid");
    assert_refused(&shop.try_to_use(&gift_id, &supplier.own_number("9999")).await, 400, "credentials_invalid");
    assert_eq!(shop.try_to_use(&gift_id, &supplier.own_number("1111")).await.status, StatusCode::OK);
    assert_refused(&shop.try_to_use(&gift_id, account).await, 400, "gift_already_used");
    assert_refused(&other.try_to_void(&gift_id).await, 409, "redeemed_elsewhere");
    assert_eq!(shop.try_to_void(&gift_id).await.status, StatusCode::OK);
    let mut expected = vec![
        attempt("void", "gift_not_used", None),
        attempt("use", "credentials_invalid", Some(number)),
        attempt("use", "credentials_invalid", None),
        attempt("use", "used", Some(number)),
        attempt("use", "gift_already_used", Some(number)),
        attempt("void", "redeemed_elsewhere", None),
        attempt("void", "voided", None),
    ];
    assert_eq!(rows::audit(&database, &gift_id).await, expected);

    for _ in 0..5 {
        assert_refused(&shop.try_to_use(&gift_id, &wrong).await, 400, "credentials_invalid");
    }
    assert_locked(&shop.try_to_use(&gift_id, account).await);
    expected.extend((0..5).map(|_| attempt("use", "credentials_invalid", Some(number))));
    expected.push(attempt("use", "gift_pin_locked", Some(number)));
    assert_eq!(rows::audit(&database, &gift_id).await, expected);
}

#[tokio::test]
async fn no_line_is_changed_or_taken_away() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let (database, gift_id) = (app.database().await, app.gift());
    supplier.device().use_gift(&gift_id, supplier.account(0)).await;
    for statement in
        ["update gift_audit set result = 'nothing' where gift_id = $1", "delete from gift_audit where gift_id = $1"]
    {
        assert!(query(statement).bind(&gift_id).execute(&database).await.is_err(), "{statement}");
    }
    assert_eq!(rows::count(&database, &gift_id, "used").await, 1);
}
