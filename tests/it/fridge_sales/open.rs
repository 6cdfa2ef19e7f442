//! Opening a machine: once for a request, for one buyer at a time, and not at all when Vendron does not want to.

use futures::future::{join, join_all};
use reqwest::StatusCode;
use serde_json::{Value, json};
use system_tests::{Answer, Fridge, Frontend, TestApp};

use super::{HASTY, assert_not_opened, assert_sold, soup, soups};

const BUSY: (StatusCode, &str) = (StatusCode::CONFLICT, "machine_busy");

/// 8.5
#[tokio::test]
async fn one_key_twenty_times_at_once_is_one_sale_and_one_open_door() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let sales = join_all((0..20).map(|_| fridge.try_to_open("\"the same key\""))).await;
    for sale in &sales {
        assert_eq!(sale.answer.status, StatusCode::CREATED, "{:#?}", sale.answer);
        assert_eq!(sale.answer.body, sales[0].answer.body);
    }
    let sale = fridge.sale("the same key");
    assert_eq!(sales[0].answer.text("ref"), sale.sale_ref.to_string(), "bare or in quotes, it is one key");
    fridge.take(&[soup()]).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "twenty requests").await;
    assert_eq!(fridge.effects("session_begun").await.len(), 1);
}

/// 8.4
#[tokio::test]
async fn of_two_users_at_once_one_gets_the_machine() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    for round in 1..=5 {
        let (anna, bob) = (fridge.order_of("anna"), fridge.order_of("bob"));
        let (keys, bodies) = ([format!("anna {round}"), format!("bob {round}")], [&anna, &bob]);
        let sales = join_all(keys.iter().zip(bodies).map(|(key, body)| fridge.try_to_open_for(key, body))).await;
        let (winners, losers): (Vec<_>, Vec<_>) =
            sales.iter().partition(|sale| sale.answer.status == StatusCode::CREATED);
        let ([winner], [loser]) = (&winners[..], &losers[..]) else { panic!("round {round}: not one of each") };
        assert_eq!((loser.answer.status, loser.answer.text("code")), BUSY, "{:#?}", loser.answer);
        assert_eq!(fridge.openings().await, round);
        fridge.close().await;
        winner.until("empty").await;

        let body = if loser.key.starts_with("anna") { &anna } else { &bob };
        let again = fridge.try_to_open_for(&loser.key, body).await.answer;
        assert_eq!((again.status, again.text("code")), BUSY, "the key has its answer");
        assert_eq!(loser.read().await.text("status"), "failed");
    }
}

/// 8.4
#[tokio::test]
async fn a_machine_that_somebody_else_has_at_vendron_is_busy() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    fridge.set(json!({ "busy": true })).await;
    let sale = fridge.try_to_open("while it is busy").await;
    assert_eq!((sale.answer.status, sale.answer.text("code")), BUSY, "{:#?}", sale.answer);
    assert_not_opened(&fridge, &sale, "machine_busy", "error -5").await;
    fridge.set(json!({ "busy": false })).await;
    let again = fridge.try_to_open("while it is busy").await;
    assert_eq!((again.answer.status, again.answer.text("code")), BUSY, "the key has its answer");
    fridge.open().await;
}

/// 8.2: the machine has all the time in the world, so that whoever did not listen would say that it did not answer.
#[tokio::test]
async fn what_vendron_refuses_is_refused_with_its_code() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    let refusals = [
        (-1, "fridge_refused", "Invalid Parameters"),
        (-2, "fridge_refused", "Invalid Public API Token"),
        (-3, "fridge_refused", "Invalid Machine UID"),
        (-4, "machine_offline", "online"),
        (-10, "fridge_refused", "canceled"),
        (-11, "fridge_refused", "Subscription expired"),
    ];
    for (vendron_code, code, words) in refusals {
        let fridge = app.fridge_of(&frontend).await;
        fridge.set(json!({ "refuses_with": vendron_code })).await;
        let what = format!("error {vendron_code}");
        let sale = fridge.try_to_open(&what).await;
        assert_eq!(sale.answer.status, StatusCode::BAD_GATEWAY, "{what}: {:#?}", sale.answer);
        assert!(sale.answer.text("detail").contains(words), "{what}: {:#?}", sale.answer);
        if code == "fridge_refused" {
            assert_eq!(sale.answer.body["vendron_code"], vendron_code);
        }
        assert_not_opened(&fridge, &sale, code, &what).await;

        fridge.set(json!({ "refuses_with": 0 })).await;
        let again = fridge.try_to_open(&what).await.answer;
        assert_eq!((again.status, again.text("code")), (StatusCode::BAD_GATEWAY, code), "{what}, repeated");
        fridge.open().await;
    }
}

/// 8.2: nothing more comes of it, so that whoever waited would say that there was no answer.
#[tokio::test]
async fn a_request_that_vendron_does_not_take_is_refused() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    fridge.set(json!({ "quirks": ["nack"] })).await;
    let sale = fridge.try_to_open("not taken").await;
    assert_eq!(sale.answer.status, StatusCode::BAD_GATEWAY, "{:#?}", sale.answer);
    assert!(sale.answer.text("detail").contains("was not taken"), "{:#?}", sale.answer);
    assert_eq!(sale.answer.body["vendron_code"], Value::Null);
    assert_not_opened(&fridge, &sale, "fridge_refused", "not taken").await;
}

/// 8.1, 8.3, 8.12: nothing, too little, or rubbish in the place of an answer.
#[tokio::test]
async fn a_machine_that_does_not_begin_is_not_opened() {
    let app = HASTY.app();
    let frontend = &app.frontend();
    let cases = [
        ("no session", json!({ "omit": ["session"] }), None),
        ("no word", json!({}), Some("timeout")),
        ("begun and no word", json!({}), Some("execute_then_timeout")),
        ("begun and only acknowledged", json!({}), Some("no_result")),
        ("begun and garbled", json!({}), Some("malformed")),
    ];
    join_all(cases.map(|case| refused_for_silence(&app, frontend, case))).await;
}

async fn refused_for_silence(
    app: &TestApp,
    frontend: &Frontend,
    (what, machine, fault): (&'static str, Value, Option<&'static str>),
) {
    let fridge = app.fridge_of(frontend).await;
    fridge.set(machine).await;
    if let Some(kind) = fault {
        fridge.break_down("request", kind).await;
    }
    let sale = fridge.try_to_open(what).await;
    assert_eq!(sale.answer.status, StatusCode::BAD_GATEWAY, "{what}: {:#?}", sale.answer);
    assert_not_opened(&fridge, &sale, "fridge_unanswered", what).await;
}

/// What a buyer does who sees a door open, whatever anybody else knows.
async fn shop(fridge: &Fridge) {
    fridge.until_unlocked().await;
    fridge.take(&[soup()]).await;
    fridge.close().await;
}

#[tokio::test]
async fn a_door_that_opens_unheard_is_sold_through_and_not_opened_again() {
    let app = HASTY.app();
    let frontend = &app.frontend();
    let through = |kind: &'static str| {
        let app = &app;
        async move {
            let fridge = app.fridge_of(frontend).await;
            fridge.break_down("door_open", kind).await;
            let (sale, ()) = join(fridge.try_to_open(kind), shop(&fridge)).await;
            assert_eq!(sale.answer.status, StatusCode::CREATED, "{kind}: {:#?}", sale.answer);
            assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", kind).await;
        }
    };
    join_all(["execute_then_timeout", "no_result", "malformed"].map(through)).await;
}

#[tokio::test]
async fn a_door_that_opens_late_opens_its_sale() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    let held = json!({
        "system": "vendron", "operation": "door_open", "kind": "slow", "match": fridge.uid(), "times": 1,
        "delay_ms": 20_000,
    });
    app.control("/faults", held).await;
    let opened = async {
        // Its holder has waited in vain, and asked.
        fridge.sale("late").until_heard("check_machine_state_error").await;
        app.mend(fridge.uid()).await;
    };
    let (sale, ()) = join(fridge.try_to_open("late"), opened).await;
    assert_eq!((sale.answer.status, sale.answer.text("status")), (StatusCode::CREATED, "open"));
    fridge.take(&[soup()]).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "late").await;
}

/// 8.2: between the request and the open door.
#[tokio::test]
async fn an_error_that_comes_while_the_door_is_unlocked_is_told_at_once() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    fridge.break_down("door_open", "timeout").await;
    let refused = async {
        app.until_struck(fridge.uid()).await;
        fridge.act("error", json!({ "code": -11 })).await;
    };
    let (sale, ()) = join(fridge.try_to_open("refused late"), refused).await;
    assert_eq!(sale.answer.body["vendron_code"], -11, "{:#?}", sale.answer);
    assert_not_opened(&fridge, &sale, "fridge_refused", "refused late").await;

    let fridge = app.fridge().await;
    fridge.break_down("door_open", "error").await;
    let sale = fridge.try_to_open("not unlocked").await;
    assert_not_opened(&fridge, &sale, "fridge_refused", "not unlocked").await;
}

#[tokio::test]
async fn a_key_is_for_one_machine_and_one_body() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let other = app.fridge_of(fridge.frontend()).await;
    let sale = fridge.try_to_open("key").await;
    assert_eq!(sale.answer.status, StatusCode::CREATED, "{:#?}", sale.answer);
    let body = fridge.order();
    let mut more = body.clone();
    more["stripe"]["amount"] = json!("20.01");
    for (what, request) in
        [("another machine", other.opening("key", &body)), ("another amount", fridge.opening("key", &more))]
    {
        let refused = Answer::to(request).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{what}: {refused:#?}");
        assert_eq!(refused.text("code"), "idempotency_key_reused", "{what}");
    }
    assert_eq!((fridge.openings().await, other.openings().await), (1, 0));
}
