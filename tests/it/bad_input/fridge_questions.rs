//! What cannot be asked of `GET /machines/{id}/status`, `/transactions/search` and `/transactions/{id}`, and what is
//! odd and can be.

use reqwest::{Method, StatusCode};
use sqlx::query_scalar;
use system_tests::{Fridge, Frontend, TestApp};
use uuid::Uuid;

use super::{NOT_FOUND, OTHER_METHOD, Refusal, assert_refused};

/// The parameter cannot have any of these values.
async fn assert_misasked(frontend: &Frontend, path: &str, field: &'static str, values: &[&str]) {
    let refusal = Refusal { status: 400, code: "invalid_query", field: Some(field) };
    for value in values {
        let query = format!("{path}?{field}={value}");
        assert_refused(&query, frontend.request(Method::GET, &query), refusal).await;
    }
}

/// For which users the machine was asked how it is, by the questions that are on record.
async fn asked_for(app: &TestApp, fridge: &Fridge) -> Vec<String> {
    let select = "select coalesce(bubble_id, 'nobody') from event where machine_id = $1 order by sequence";
    query_scalar(select).bind(fridge.id()).fetch_all(&app.database().await).await.unwrap()
}

#[tokio::test]
async fn questions_about_a_machine_that_are_not_asked() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let (frontend, path) = (fridge.frontend(), format!("/machines/{}/status", fridge.id()));
    let bad = ["", "a%00", "a%0Ab", "%C2%85", "a&user_id=b", "a&user_id=a", &"x".repeat(201)];
    assert_misasked(frontend, &path, "user_id", &bad).await;
    for unknown in ["user", "User_id", "email", "machine_id", "limit"] {
        assert_misasked(frontend, &path, unknown, &["1"]).await;
    }
    assert_eq!(asked_for(&app, &fridge).await, Vec::<String>::new());
}

#[tokio::test]
async fn odd_users_may_be_asked_for() {
    let app = TestApp::shared();
    let (fridge, long) = (app.fridge().await, "é".repeat(200));
    let users =
        [("%F0%9F%91%8B", "👋"), ("'--", "'--"), ("%FF", "\u{fffd}"), ("+", " "), (long.as_str(), long.as_str())];
    for (user, _) in users {
        let answer = fridge.status_in_time(&format!("?user_id={user}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{user}: {answer:#?}");
    }
    let mut recorded = asked_for(&app, &fridge).await;
    recorded.dedup();
    assert_eq!(recorded, users.map(|(_, user)| user));
}

#[tokio::test]
async fn searches_that_cannot_be_made() {
    let app = TestApp::shared();
    let (frontend, path) = (app.frontend(), "/transactions/search");
    let cursors = ["B".to_owned() + &"A".repeat(31), "A".repeat(31), "A".repeat(33), "A".repeat(31) + "%2B"];
    let [far, short, long, plus] = cursors.each_ref().map(String::as_str);
    let limits = ["", "0", "-1", "101", "1.5", "ten", "%2B5", "1e1", "99999999999999999999", "1&limit=1"];
    let days = ["", "yesterday", "1769860800", "2026-01-31", "31.01.2026", "2026-01-31T12:00:00"];
    // A plus that is not escaped is a space.
    let times =
        ["2026-02-30T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:00:00+01:00", "%2B10000-01-01T00:00:00Z"];
    let bad: [(&str, &[&str]); 13] = [
        ("limit", &limits),
        ("status", &["", "sold", "Open", "open%20", "open,empty", "open%00", "open&status=empty"]),
        ("from", &days),
        ("from", &times),
        ("to", &days),
        ("to", &times),
        ("cursor", &["", "x", "%00", "AAAA%3D", far, short, long, plus]),
        ("user_id", &["a%00", "a%0Ab", "%C2%85", "a&user_id=b"]),
        ("email", &["a@b.c%0D%0A", "%7F"]),
        ("machine_id", &["%00", "FRIDGE-1%09"]),
        ("frontend", &["frontend:demo"]),
        ("Limit", &["5"]),
        ("userId", &["1"]),
    ];
    for (field, values) in bad {
        assert_misasked(&frontend, path, field, values).await;
    }
    assert_refused("a search is read", frontend.request(Method::POST, path), OTHER_METHOD).await;
}

#[tokio::test]
async fn odd_names_of_a_sale_find_nothing() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let (sale, frontend) = (fridge.open().await, fridge.frontend());
    fridge.close().await;
    sale.until("empty").await;
    let (first, last) = (format!("cursor=A{}", "_".repeat(31)), format!("cursor={}", "A".repeat(32)));
    let latest = "to=9999-12-31T23:59:59.999999999-23:59";
    let found: [(usize, &[&str]); 5] = [
        (1, &["", "&&", "limit=001", "from=0000-01-01T00:00:00Z", "from=2016-12-31T23:59:60Z", latest, &first]),
        (0, &["user_id=", "user_id=%25", "user_id=_", "user_id=' or 1=1--", "email=", "email=%25", "email=%FF"]),
        (0, &["machine_id=", "machine_id='--", "machine_id=%F0%9F%91%8B", "status=unresolved", &last]),
        (0, &["from=9999-12-31T23:59:59Z&to=0000-01-01T00:00:00Z", "to=0000-01-01T00:00:00Z"]),
        (0, &["from=9999-12-31T23:59:59Z"]),
    ];
    for (count, queries) in found {
        for query in queries {
            let answer = frontend.get(&format!("/transactions/search?{query}")).await;
            assert_eq!(answer.body["items"].as_array().map(Vec::len), Some(count), "{query}: {answer:#?}");
        }
    }

    let (id, machine) = (sale.transaction_id(), fridge.id().to_owned());
    let other_spellings = [id.to_string().to_uppercase(), id.simple().to_string(), format!("{{{id}}}"), machine];
    let nonsense = ["x", "0", "-1", "%00", "%FF", "%2e%2e", "..%2f..%2fetc", "null", "'--", "Search", "%F0%9F%91%8B"];
    let nobody = [sale.sale_ref, Uuid::nil(), Uuid::max(), Uuid::now_v7()].map(|id| id.to_string());
    let ids = other_spellings.into_iter().chain(nonsense.map(str::to_owned)).chain(nobody).chain(["a".repeat(4000)]);
    for id in ids {
        assert_refused(&id, frontend.request(Method::GET, &format!("/transactions/{id}")), NOT_FOUND).await;
    }
    assert_refused("a change", frontend.request(Method::PATCH, &sale.path()), OTHER_METHOD).await;
    assert_eq!(sale.read().await.text("status"), "empty");
}
