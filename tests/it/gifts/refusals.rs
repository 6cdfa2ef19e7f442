//! Who may use which gift when, and what is said to everybody else.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{PgPool, query, query_scalar};
use system_tests::{Account, Answer, Shop, Supplier, new_gift_id};

use super::{SHOPS, assert_refused, prove, rows};

const PIN: &str = "0042";

#[tokio::test]
async fn the_answer_tells_what_was_used_by_whom() {
    let app = SHOPS.app();
    let supplier = app.supplier(&[PIN]);
    let (shop, gift_id, database) = (supplier.device(), app.gift(), app.database().await);
    let used = shop.ask_to_use("key", &gift_id, supplier.account(0)).await;
    let redemption_id = shop.redemption_id("key");
    let expected = json!({
        "gift_id": gift_id, "status": "used", "used_at": used.body["used_at"], "supplier_code": supplier.code,
        "supplier_account": supplier.account(0).number, "redemption_id": redemption_id,
    });
    assert_eq!((used.status, &used.body), (StatusCode::OK, &expected));
    assert_eq!(used.headers["cache-control"], "no-store");
    let kept: String = query_scalar(
        "select to_char(gift_used_datetime at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')
         from gift_codes where gift_id = $1",
    )
    .bind(&gift_id)
    .fetch_one(&database)
    .await
    .unwrap();
    assert_eq!(used.text("used_at"), kept);
    assert_eq!(rows::live_use(&database, &gift_id).await, Some(redemption_id));
    assert_refused(&shop.try_to_use(&gift_id, supplier.account(0)).await, 400, "gift_already_used");
}

/// Case 3. To the millisecond it is in `clock.rs`.
#[tokio::test]
async fn case_3_a_gift_before_its_time_after_it_or_switched_off_is_not_used() {
    let app = SHOPS.app();
    let (supplier, database) = (app.supplier(&[PIN]), app.database().await);
    let (early, late, off) = (
        app.gift_with(("2099-01-01T00:00:00Z", "2100-01-01T00:00:00Z"), ""),
        app.gift_with(("2020-01-01T00:00:00Z", "2021-01-01T00:00:00+02:00"), ""),
        app.gift(),
    );
    rows::switch_off(&database, &off).await;
    let shop = supplier.device();
    for (gift_id, code) in [
        (&early, "gift_not_yet_valid"),
        (&late, "gift_expired"),
        (&off, "gift_not_active"),
        (&new_gift_id(), "gift_not_found"),
    ] {
        assert_refused(&shop.ask_to_use(gift_id, gift_id, supplier.account(0)).await, 400, code);
        assert_refused(&shop.ask_to_use(gift_id, gift_id, supplier.account(0)).await, 400, code);
        assert_eq!(rows::count(&database, gift_id, code).await, 1, "a repeat is no attempt");
    }
    for gift_id in [&early, &late] {
        assert_eq!(rows::live_use(&database, gift_id).await, None);
    }
}

/// Case 4.
#[tokio::test]
async fn case_4_a_number_is_a_suppliers_an_accounts_or_nobodys() {
    let app = SHOPS.app();
    let (supplier, database) = (app.supplier(&["1111", "2222"]), app.database().await);
    let shop = supplier.device();
    for (number, account) in [
        (supplier.account(0).clone(), 0),
        (supplier.account(1).clone(), 1),
        (supplier.own_number("1111"), 0),
        (supplier.own_number("2222"), 1),
    ] {
        let used = shop.try_to_use(&app.gift(), &number).await;
        assert_eq!(used.status, StatusCode::OK, "{used:#?}");
        assert_eq!(used.text("supplier_account"), supplier.account(account).number);
    }
    for nobodys in ["9", "no-number", &supplier.code] {
        let account = Account { number: nobodys.to_owned(), pin: "1111".to_owned() };
        assert_refused(&shop.try_to_use(&app.gift(), &account).await, 400, "credentials_invalid");
    }
    assert_no_account_without_a_supplier(&database, &supplier).await;
}

/// An account whose supplier is missing cannot come to be.
async fn assert_no_account_without_a_supplier(database: &PgPool, supplier: &Supplier) {
    let orphan = "insert into supplier_accounts (account_id, supplier_code, supplier_account_invoice_no)
                  values (gen_random_uuid(), $1, $1)";
    let added = query(orphan).bind(new_gift_id()).execute(database).await.unwrap_err();
    let removed = query("delete from suppliers where supplier_code = $1").bind(&supplier.code).execute(database).await;
    for refused in [added, removed.unwrap_err()] {
        let constraint = refused.as_database_error().and_then(|error| error.constraint().map(str::to_owned));
        assert_eq!(constraint.as_deref(), Some("supplier_accounts_supplier_code_fkey"));
    }
}

/// Case 5. That two accounts of one supplier cannot have the same PIN is in `commands.rs`.
#[tokio::test]
async fn case_5_only_the_very_pin_of_the_very_account_fits() {
    let app = SHOPS.app();
    let (supplier, other) = (app.supplier(&[PIN, "5555", ""]), app.supplier(&[PIN]));
    let (shop, account) = (supplier.device(), supplier.account(0));
    let long = PIN.repeat(1000);
    for pin in [
        "5555",
        "42",
        "042",
        "00042",
        "0042 ",
        " 0042",
        "0042\n",
        "00 42",
        "0042\0",
        "",
        "４２",
        "００４２",
        "٠٠٤٢",
        &long,
    ] {
        let refused = shop.try_to_use(&app.gift(), &account.with_pin(pin)).await;
        assert_refused(&refused, 400, "credentials_invalid");
        prove(&shop, account).await;
    }
    let without = supplier.account(2);
    for pin in ["", PIN, "5555"] {
        assert_refused(&shop.try_to_use(&app.gift(), &without.with_pin(pin)).await, 400, "credentials_invalid");
    }
    prove(&shop, account).await;
    // Somebody else's account may have the same PIN, and both are right.
    shop.use_gift(&app.gift(), account).await;
    other.device().use_gift(&app.gift(), other.account(0)).await;
}

/// Case 8.
#[tokio::test]
async fn case_8_a_gift_of_another_suppliers_campaign_is_not_used() {
    let app = SHOPS.app();
    let (supplier, stranger, database) = (app.supplier(&[PIN]), app.supplier(&[PIN]), app.database().await);
    let (shop, strange) = (supplier.device(), stranger.device());
    let gift_id = app.gift_for(&supplier);
    assert_refused(&strange.try_to_use(&gift_id, stranger.account(0)).await, 400, "supplier_mismatch");
    assert_eq!(rows::live_use(&database, &gift_id).await, None);
    let used = shop.use_gift(&gift_id, supplier.account(0)).await;
    assert_refused(&strange.try_to_void(&gift_id).await, 404, "not_found");
    assert_eq!(rows::live_use(&database, &gift_id).await, Some(used));
}

/// Everything that somebody might hear from, but for what is different in every answer.
fn told(answer: &Answer) -> (StatusCode, Value, Vec<(String, String)>) {
    let mut body = answer.body.clone();
    body.as_object_mut().unwrap().remove("instance").unwrap();
    let of_this_answer = ["date", "x-request-id"];
    let headers = answer.headers.iter().filter(|(name, _)| !of_this_answer.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    (answer.status, body, headers)
}

/// Case 11. The time that each takes is measured by the benchmark, and asserted nowhere: times belong to a machine.
#[tokio::test]
async fn case_11_whatever_is_wrong_the_answer_is_the_same() {
    let app = SHOPS.app();
    let (supplier, other) = (app.supplier(&["1111", "2222", ""]), app.supplier(&["3333"]));
    let (shop, account, gift_id) = (supplier.device(), supplier.account(0), app.gift());
    let nobodys = Account { number: "9".to_owned(), pin: "1111".to_owned() };
    let wrong = [
        ("a wrong PIN", account.with_pin("9999")),
        ("a wrong PIN for the supplier", supplier.own_number("9999")),
        ("another account's PIN", account.with_pin("2222")),
        ("no PIN at all", account.with_pin("")),
        ("an account without a PIN", supplier.account(2).with_pin("1111")),
        ("a number that is nobody's", nobodys),
        ("another supplier's account", other.account(0).clone()),
        ("another supplier's number", other.own_number("3333")),
    ];
    let mut first = None;
    for (what, account_and_pin) in wrong {
        // Whether the gift is there makes no difference either.
        for gift_id in [&gift_id, &new_gift_id()] {
            let answer = shop.try_to_use(gift_id, &account_and_pin).await;
            assert_refused(&answer, 400, "credentials_invalid");
            let told = told(&answer);
            assert_eq!(first.get_or_insert_with(|| told.clone()), &told, "{what}");
        }
        prove(&shop, account).await;
    }
    other.device().use_gift(&gift_id, other.account(0)).await;
}

/// A request, and how it is refused.
async fn assert_refuses(shop: &Shop, account: &Account, changes: Value, (status, code): (u16, &str)) {
    let mut body = json!({ "gift_id": "G-1", "supplier_invoice_no": account.number, "pin": account.pin });
    if let Value::Object(changes) = changes {
        body.as_object_mut().unwrap().extend(changes);
    }
    assert_refused(&Answer::to(shop.saying("key", &body)).await, status, code);
}

/// Case 12.
#[tokio::test]
async fn case_12_what_names_no_gift_does_no_harm() {
    let app = SHOPS.app();
    let (supplier, database) = (app.supplier(&[PIN]), app.database().await);
    let (shop, account, gift_id) = (supplier.device(), supplier.account(0), app.gift());
    let quoting = ["'or(1=1)--", "G';drop(table)gift_codes;--", "$1", "%", "_", "\"},\"pin\":\"", &"G".repeat(64)];
    for injected in quoting.into_iter().chain([gift_id.to_lowercase().as_str(), &gift_id.to_uppercase(), "g-1"]) {
        if injected != gift_id {
            assert_refused(&shop.try_to_use(injected, account).await, 400, "gift_not_found");
        }
    }
    for id in ["", " ", "' or 1=1 --", "G-1 ", "G\0", "../G-1", "a/b", "Ｇ-1", &"G".repeat(65)] {
        assert_refuses(&shop, account, json!({ "gift_id": id }), (422, "unacceptable")).await;
        assert_refuses(&shop, account, json!({ "supplier_invoice_no": id }), (422, "unacceptable")).await;
    }
    for value in [json!(null), json!(1), json!({ "$ne": null }), json!([gift_id]), json!(true)] {
        for field in ["gift_id", "supplier_invoice_no", "pin"] {
            assert_refuses(&shop, account, json!({ field: value }), (400, "invalid_body")).await;
        }
    }
    assert_refuses(&shop, account, json!({ "status": 0 }), (400, "invalid_body")).await;
    let twice = shop.request(Method::POST, "/api/gifts/use").header("Idempotency-Key", "twice");
    let twice = twice.header("Content-Type", "application/json").body(r#"{"gift_id":"G-1","gift_id":"G-2"}"#);
    assert_refused(&Answer::to(twice).await, 400, "invalid_body");
    for path in ["%27or%281=1%29--", "%00", "G%2F1", "..%2Fuse", "G-1"] {
        assert_refused(&Answer::to(shop.voiding(path, path)).await, 404, "not_found");
    }
    // The gift is as it was, and nothing of all this was a wrong PIN.
    assert_eq!(rows::guard(&database, &rows::device(&shop)).await, rows::Guard::default());
    shop.use_gift(&gift_id, account).await;
}

#[tokio::test]
async fn a_request_without_a_key_or_with_a_bad_one_is_refused() {
    let app = SHOPS.app();
    let supplier = app.supplier(&[PIN]);
    let shop = supplier.device();
    let body = json!({ "gift_id": "G-1", "supplier_invoice_no": supplier.account(0).number, "pin": PIN });
    for path in ["/api/gifts/use", "/api/gifts/G-1/void"] {
        let without = shop.request(Method::POST, path).json(&body);
        assert_refused(&Answer::to(without).await, 400, "idempotency_key_missing");
        let bad = shop.request(Method::POST, path).header("Idempotency-Key", "a\tb").json(&body);
        assert_refused(&Answer::to(bad).await, 400, "idempotency_key_invalid");
    }
}
