//! Lists are taken whole or not at all, and PINs are given one by one.

use reqwest::StatusCode;
use sqlx::{PgPool, query_scalar};
use system_tests::{Account, PinWork, Supplier, TestApp, new_gift_id};

use super::{SHOPS, assert_refused, rows};

const GIFTS: &str = "gift_id,valid_from,valid_to,supplier_code";
const SUPPLIERS: &str = "supplier_code,supplier_invoice_no,name,supplier_account_invoice_no";
const VALID: &str = "2020-01-01T00:00:00Z,2100-01-01T00:00:00Z";

/// Imports a file that is refused. What it is told, a line each.
fn refusal(app: &TestApp, what: &str, csv: &str) -> Vec<String> {
    let refused = app.import(what, csv).unwrap_err().to_string();
    refused.lines().map(|line| line.trim().to_owned()).collect()
}

/// Everything is told, in the order of the lines, and nothing else.
fn assert_flaws(told: &[String], flaws: &[&str]) {
    let told: Vec<_> = told.iter().skip_while(|line| !line.contains("nothing was taken")).skip(1).collect();
    assert_eq!(told.len(), flaws.len(), "{told:#?}");
    for (told, flaw) in told.iter().zip(flaws) {
        assert!(told.contains(flaw), "{told} is not: {flaw}");
    }
}

/// The rows of gifts whose ids begin like this, as Postgres writes them.
async fn gifts(database: &PgPool, prefix: &str) -> Vec<String> {
    let rows = query_scalar("select kept::text from gift_codes kept where starts_with(gift_id, $1) order by gift_id");
    rows.bind(prefix).fetch_all(database).await.unwrap()
}

/// The rows of suppliers and accounts with this text in them, as Postgres writes them.
async fn suppliers(database: &PgPool, text: &str) -> Vec<String> {
    let rows = query_scalar(
        "select line from (select s::text as line from suppliers s union all select a::text from supplier_accounts a) kept
         where position($1 in line) > 0 order by line",
    );
    rows.bind(text).fetch_all(database).await.unwrap()
}

#[tokio::test]
async fn a_list_of_gifts_with_flaws_is_refused_whole_and_each_flaw_is_named() {
    let app = SHOPS.app();
    let (id, database) = (new_gift_id(), app.database().await);
    let csv = format!(
        "{GIFTS}\n{id}-1,{VALID},\n{id}-1,{VALID},\n{id} 2,{VALID},\n{id}-3,soon,2100-01-01,S/1\n\
         {id}-4,2100-01-01T00:00:00Z,2020-01-01T00:00:00Z,\n{id}-5,{VALID}\n"
    );
    let flaws = [
        "line 3: gift_id",
        "line 4: gift_id is not",
        "line 5: valid_from is no time",
        "line 5: valid_to is no time",
        "line 5: supplier_code is not",
        "line 6: valid_to is not after valid_from",
        "line 7: the number of its fields is 3 instead of 4",
    ];
    assert_flaws(&refusal(&app, "gifts", &csv), &flaws);
    let unknown = format!("{GIFTS}\n{id}-1,{VALID},{id}\n{id}-2,{VALID},\n{id}-3,{VALID},{id}\n");
    let flaws = [format!("line 2: there is no supplier {id}"), format!("line 4: there is no supplier {id}")];
    assert_flaws(&refusal(&app, "gifts", &unknown), &flaws.each_ref().map(String::as_str));
    assert!(app.import("gifts", &format!("gift_id,valid_from,valid_to\n{id}-1,{VALID}\n")).is_err());
    assert!(app.import("gifts", "").is_err());
    assert!(gifts(&database, &id).await.is_empty());
}

#[tokio::test]
async fn the_same_list_of_gifts_twice_changes_nothing_and_a_gift_that_differs_is_a_conflict() {
    let app = SHOPS.app();
    let (supplier, id, database) = (app.supplier(&["1111"]), new_gift_id(), app.database().await);
    let line = |gift: &str, supplier_code: &str| format!("{id}-{gift},{VALID},{supplier_code}\n");
    let csv = format!("{GIFTS}\n{}{}", line("1", ""), line("2", &supplier.code));
    app.import("gifts", &csv).unwrap();
    // One of them has been used since, which is nothing that the list speaks of.
    let used = supplier.device().use_gift(&format!("{id}-1"), supplier.account(0)).await;
    let before = gifts(&database, &id).await;
    assert_eq!(before.len(), 2);
    app.import("gifts", &csv).unwrap();
    assert_eq!(gifts(&database, &id).await, before);
    assert_eq!(rows::live_use(&database, &format!("{id}-1")).await, Some(used));

    let other = format!("{GIFTS}\n{}{}{}", line("3", ""), line("2", ""), line("1", &supplier.code));
    let flaws = [
        format!("line 3: the gift {id}-2 exists, with other terms"),
        format!("line 4: the gift {id}-1 exists, with other terms"),
    ];
    assert_flaws(&refusal(&app, "gifts", &other), &flaws.each_ref().map(String::as_str));
    assert_eq!(gifts(&database, &id).await, before, "nothing of it was taken");
    let longer = format!("{csv}{}", line("3", ""));
    app.import("gifts", &longer).unwrap();
    assert_eq!(gifts(&database, &id).await[..2], before[..]);
}

#[tokio::test]
async fn a_list_of_suppliers_with_flaws_is_refused_whole_and_each_flaw_is_named() {
    let app = SHOPS.app();
    let (base, database) = (new_gift_id(), app.database().await);
    let csv = format!(
        "{SUPPLIERS}\n{base},{base}00,One,{base}01\n{base},{base}09,One,{base}02\n{base},{base}00,One,{base}01\n\
         S/2,{base}20,,x y\n{base}-3,{base}01,Three,\n"
    );
    let flaws = [
        "line 3: supplier_code",
        "line 4: supplier_account_invoice_no",
        "line 5: supplier_code is not",
        "line 5: name is empty",
        "line 5: supplier_account_invoice_no is not",
        "line 6: supplier_invoice_no",
    ];
    assert_flaws(&refusal(&app, "suppliers", &csv), &flaws);
    let many = (1..=17).map(|account| format!("{base},{base}00,One,{base}{account:02}"));
    let many = [SUPPLIERS.to_owned()].into_iter().chain(many).collect::<Vec<_>>().join("\n");
    assert_flaws(&refusal(&app, "suppliers", &many), &["line 18: the supplier"]);
    assert!(suppliers(&database, &base).await.is_empty());
}

#[tokio::test]
async fn numbers_and_names_that_somebody_else_has_are_conflicts() {
    let app = SHOPS.app();
    let (one, two) = (app.supplier(&["1111", "2222"]), app.supplier(&["1111"]));
    let (base, database) = (new_gift_id(), app.database().await);
    let (code, number, theirs) = (&one.code, &one.number, &two.number);
    let (account, another) = (&one.account(0).number, &one.account(1).number);
    let taken = format!(
        "{SUPPLIERS}\n{base},{base}00,One,{base}01\n{code},{number},Another name,{base}02\n{base}-3,{theirs},Three,\n\
         {base}-4,{base}40,Four,{account}\n{base}-5,{another},Five,\n"
    );
    let flaws = [
        format!("line 3: the supplier {code} has another number or name"),
        format!("line 4: the number {theirs} is somebody else's"),
        format!("line 5: the number {account} is somebody else's"),
        format!("line 6: the number {another} is somebody else's"),
    ];
    assert_flaws(&refusal(&app, "suppliers", &taken), &flaws.each_ref().map(String::as_str));
    assert!(suppliers(&database, &base).await.is_empty(), "nothing of it was taken");
}

#[tokio::test]
async fn the_same_list_of_suppliers_twice_changes_nothing_not_even_a_pin() {
    let app = SHOPS.app();
    let (base, database) = (new_gift_id(), app.database().await);
    let csv = format!(
        "{SUPPLIERS}\n{base},{base}00,\"One, at the corner\",{base}01\n{base},{base}00,\"One, at the corner\",{base}02\n"
    );
    app.import("suppliers", &csv).unwrap();
    app.set_pin(PinWork::Little, &format!("{base}01"), "1111").unwrap();
    let before = suppliers(&database, &base).await;
    assert_eq!(before.len(), 3);
    app.import("suppliers", &csv).unwrap();
    assert_eq!(suppliers(&database, &base).await, before);
    app.import("suppliers", &format!("{csv}{base},{base}00,\"One, at the corner\",{base}03\n")).unwrap();
    assert_eq!(suppliers(&database, &base).await.len(), 4);
}

async fn assert_fits(app: &TestApp, supplier: &Supplier, account: &Account) {
    let used = supplier.device().try_to_use(&app.gift(), account).await;
    assert_eq!(used.status, StatusCode::OK, "{used:#?}");
}

/// Case 5: with the same PIN nobody could tell two accounts of one supplier apart.
#[tokio::test]
async fn case_5_two_accounts_of_a_supplier_never_have_the_same_pin() {
    let app = SHOPS.app();
    let (supplier, other) = (app.supplier(&["1111", "2222", ""]), app.supplier(&["3333"]));
    for account in [supplier.account(1), supplier.account(2)] {
        let refused = app.set_pin(PinWork::Little, &account.number, "1111").unwrap_err().to_string();
        assert!(refused.contains("another account"), "{refused}");
    }
    assert_fits(&app, &supplier, supplier.account(1)).await;
    // Its own once more, however much work it is now, and another supplier's are nobody's business.
    app.set_pin(PinWork::Usual, &supplier.account(0).number, "1111").unwrap();
    app.set_pin(PinWork::Little, &other.account(0).number, "1111").unwrap();
    assert_fits(&app, &supplier, supplier.account(0)).await;
    assert_fits(&app, &other, &other.account(0).with_pin("1111")).await;
    let refused = app.set_pin(PinWork::Little, &supplier.account(2).number, "1111").unwrap_err().to_string();
    assert!(refused.contains("another account"), "{refused}");
}

#[tokio::test]
async fn a_pin_is_a_line_of_four_to_twelve_digits() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let (account, database) = (supplier.account(0), app.database().await);
    for pin in ["", "123", "1234567890123", "12 34", "1234 ", " 1234", "123a", "-1234", "１２３４", "٠٠٤٢", "12\t34"]
    {
        let refused = app.set_pin(PinWork::Little, &account.number, pin).unwrap_err().to_string();
        assert!(refused.contains("4 to 12 digits"), "{pin:?}: {refused}");
    }
    let missing = app.set_pin(PinWork::Little, "nobodys", "1234").unwrap_err().to_string();
    assert!(missing.contains("there is no account nobodys"), "{missing}");
    assert_fits(&app, &supplier, account).await;

    let arguments = ["suppliers", "set-pin", "--account", &account.number];
    let mut hashes = Vec::new();
    for input in ["0042\n", "0042\r\n", "0042", "0042\n5678\n"] {
        let said = app.stack().command(&arguments, input).unwrap();
        assert!(!said.contains("0042"), "{said}");
        assert_fits(&app, &supplier, &account.with_pin("0042")).await;
        let hash: String = query_scalar(
            "select supplier_account_secret_hash from supplier_accounts where supplier_account_invoice_no = $1",
        )
        .bind(&account.number)
        .fetch_one(&database)
        .await
        .unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        hashes.push(hash);
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 4, "each has a salt of its own");
    assert_refused(&supplier.device().try_to_use(&app.gift(), account).await, 400, "credentials_invalid");
}
