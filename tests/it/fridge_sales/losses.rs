//! 8.8, 8.15: websockets that are lost at every step, and ends that nobody heard.

use futures::future::{join, join_all};
use reqwest::StatusCode;
use serde_json::{Value, json};
use system_tests::{Answer, Fridge, Frontend, Sale, TestApp};

use super::{HASTY, assert_not_opened, assert_sold, assert_unresolved, soup, soups, water, waters};

/// Somebody else goes on with the sale: he takes a soup, closes the door, and the sale is what it should be.
async fn assert_goes_on(fridge: &Fridge, sale: &Sale, before: &Value, what: &str) {
    fridge.until_another_listens(before).await;
    fridge.take(&[soup()]).await;
    fridge.close().await;
    assert_sold(fridge, sale, &json!([soups(1)]), "4.50", what).await;
}

/// How often operators were told of an end that was missed.
pub(super) async fn missed_ends(fridge: &Fridge) -> usize {
    fridge.messages().await.iter().filter(|message| message.contains("was missed")).count()
}

#[tokio::test]
async fn lost_before_the_machine_has_begun_the_door_stays_shut() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    fridge.break_down("request", "execute_then_timeout").await;
    let lost = async {
        app.until_struck(fridge.uid()).await;
        fridge.drop_connections().await;
    };
    let (sale, ()) = join(fridge.try_to_open("requested"), lost).await;
    assert_eq!(sale.answer.status, StatusCode::BAD_GATEWAY, "{:#?}", sale.answer);
    assert_not_opened(&fridge, &sale, "fridge_interrupted", "requested").await;
    assert_eq!(fridge.effects("session_begun").await.len(), 1, "it was requested once");
}

/// Whoever takes over is told the session, and asks for the door for the first time.
#[tokio::test]
async fn lost_before_the_door_is_asked_for_it_is_asked_for_once() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    // Not even acknowledged: the machine has to begin soon after that.
    fridge.break_down("request", "execute_then_timeout").await;
    let lost = async {
        app.until_struck(fridge.uid()).await;
        let before = fridge.drop_connections().await;
        fridge.until_another_listens(&before).await;
        let session = fridge.view().await["session"].take();
        let data = json!({ "status": 1, "error_data": [], "json_data": { "code": 1, "data": { "session": session } } });
        fridge.emit(&[json!({ "command": "smart_fridge_request_begun", "command_data": data }).to_string()]).await;
    };
    let (sale, ()) = join(fridge.try_to_open("begun"), lost).await;
    assert_eq!((sale.answer.status, sale.answer.text("status")), (StatusCode::CREATED, "open"));
    fridge.take(&[soup()]).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "begun").await;
}

#[tokio::test]
async fn lost_while_the_door_is_unlocked_it_is_not_unlocked_again() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    fridge.break_down("door_open", "execute_then_timeout").await;
    let lost = async {
        fridge.until_unlocked().await;
        let before = fridge.drop_connections().await;
        assert_goes_on(&fridge, &fridge.sale("unlocking"), &before, "unlocking").await;
    };
    let (sale, ()) = join(fridge.try_to_open("unlocking"), lost).await;
    assert_eq!(sale.answer.status, StatusCode::CREATED, "{:#?}", sale.answer);
}

#[tokio::test]
async fn lost_and_never_unlocked_the_sale_is_empty() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    fridge.break_down("door_open", "timeout").await;
    let lost = async {
        app.until_struck(fridge.uid()).await;
        let before = fridge.drop_connections().await;
        fridge.until_another_listens(&before).await;
        fridge.give_up().await;
    };
    let (sale, ()) = join(fridge.try_to_open("not unlocked"), lost).await;
    assert_eq!((sale.answer.status, sale.answer.text("status")), (StatusCode::CREATED, "empty"));
    assert_eq!(fridge.openings().await, 0);
}

/// 8.8a
#[tokio::test]
async fn lost_while_the_door_is_open_the_sale_goes_on_however_often() {
    let fridge = HASTY.app().fridge().await;
    let sale = fridge.open().await;
    for _ in 0..3 {
        let before = fridge.drop_connections().await;
        fridge.until_another_listens(&before).await;
    }
    let before = fridge.drop_connections().await;
    assert_goes_on(&fridge, &sale, &before, "open").await;
}

/// 8.8a
#[tokio::test]
async fn lost_with_something_in_the_basket_nothing_of_it_is_lost() {
    let fridge = HASTY.app().fridge().await;
    let sale = fridge.open().await;
    fridge.take(&[water()]).await;
    sale.until_taken(1).await;
    let before = fridge.drop_connections().await;
    fridge.until_another_listens(&before).await;
    fridge.take(&[soup()]).await;
    sale.until_taken(2).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1), waters(1)]), "6.10", "basket").await;
}

/// 8.8a
#[tokio::test]
async fn lost_between_the_closed_door_and_the_final_list_it_is_heard_by_another() {
    let fridge = HASTY.app().fridge().await;
    let sale = fridge.open().await;
    fridge.take(&[soup()]).await;
    fridge.act("close", json!({ "complete": false })).await;
    sale.until("closed").await;
    let before = fridge.drop_connections().await;
    fridge.until_another_listens(&before).await;
    fridge.act("complete", json!({})).await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "closed").await;
}

/// 8.8a: Vendron keeps what happens until somebody listens.
#[tokio::test]
async fn what_happens_while_nobody_listens_is_heard_later() {
    let fridge = HASTY.app().fridge().await;
    fridge.set(json!({ "keeps_events": true })).await;
    let sale = fridge.open().await;
    fridge.drop_connections().await;
    fridge.take(&[soup()]).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "kept").await;
}

/// 8.12: as if a cable were cut. Nobody says that the connection is gone; it does not answer pings any more.
#[tokio::test]
async fn a_connection_that_is_silent_for_too_long_is_given_up() {
    let fridge = HASTY.app().fridge().await;
    let sale = fridge.open().await;
    let before = fridge.view().await["listener"].take();
    fridge.act("drop", json!({ "connections": true, "silently": true })).await;
    assert_goes_on(&fridge, &sale, &before, "silent").await;
}

#[tokio::test]
async fn what_vendron_never_told_or_told_in_part_is_in_the_final_list() {
    let app = HASTY.app();
    let frontend = &app.frontend();
    join_all(["timeout", "malformed"].map(|kind| sold_unheard(&app, frontend, kind))).await;
}

async fn sold_unheard(app: &TestApp, frontend: &Frontend, kind: &str) {
    let fridge = app.fridge_of(frontend).await;
    for event in ["taken", "closed"] {
        fridge.break_down(event, kind).await;
    }
    let sale = fridge.open().await;
    fridge.take(&[soup()]).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", kind).await;
}

/// 8.8b
#[tokio::test]
async fn an_end_that_nobody_heard_is_left_to_a_person() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    fridge.set(json!({ "resumes": false })).await;
    let sale = fridge.open().await;
    fridge.drop_connections().await;
    fridge.take(&[soup()]).await;
    fridge.close().await;
    assert_unresolved(&fridge, &sale, "unheard").await;
    app.until_runs(&sale.query("BusinessStatus = 'unresolved' AND NeedsAttention = true"), 1).await;

    // It does not keep the machine from others, and stays as it is.
    let next = fridge.open().await;
    fridge.close().await;
    next.until("empty").await;
    app.until_runs(&sale.query("ExecutionStatus = 'Completed' AND NeedsAttention = true"), 1).await;
    assert_eq!(sale.read().await.text("status"), "unresolved");
    assert_eq!(missed_ends(&fridge).await, 1);
    let again = Answer::patiently(|| fridge.opening(&sale.key, &fridge.order())).await;
    assert_eq!((again.status, &again.body["ref"]), (StatusCode::CREATED, &sale.answer.body["ref"]), "it was open");
}

/// 8.6: the unlocking was asked for, nothing was heard of it, and the machine is free again: nobody knows.
#[tokio::test]
async fn a_session_that_vanishes_is_never_silently_an_empty_sale() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    fridge.break_down("door_open", "timeout").await;
    let vanished = async {
        app.until_struck(fridge.uid()).await;
        fridge.lose_session().await;
    };
    let (sale, ()) = join(fridge.try_to_open("vanished"), vanished).await;
    assert_eq!((sale.answer.status, sale.answer.text("status")), (StatusCode::ACCEPTED, "unresolved"));
    assert_eq!(assert_unresolved(&fridge, &sale, "vanished").await.text("door"), "unknown");
}

/// 8.2: the door is open already, so that it is no refusal any more.
#[tokio::test]
async fn an_error_while_the_door_is_open_is_left_to_a_person() {
    let fridge = HASTY.app().fridge().await;
    let sale = fridge.open().await;
    fridge.take(&[soup()]).await;
    sale.until_taken(1).await;
    fridge.act("error", json!({ "code": -11 })).await;
    let missed = assert_unresolved(&fridge, &sale, "an error").await;
    assert_eq!(missed.body["products"], json!([soups(1)]), "what was seen is kept");
}

/// 8.15
#[tokio::test]
async fn an_end_that_comes_late_settles_the_sale_once() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    fridge.take(&[soup()]).await;
    sale.until_taken(1).await;
    let before = fridge.view().await["listener"].take();
    fridge.break_down("completed", "timeout").await;
    fridge.close().await;
    let missed = assert_unresolved(&fridge, &sale, "the list is lost").await;
    assert_eq!(missed.text("door"), "closed");

    fridge.until_another_listens(&before).await;
    app.mend(fridge.uid()).await;
    fridge.act("complete", json!({ "repeat": 2 })).await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "late").await;
    fridge.until_told("whose end was missed is completed: 4.50 EUR owed").await;
    app.until_runs(&sale.query("ExecutionStatus = 'Completed' AND NeedsAttention = false"), 1).await;
    let settled = sale.read().await;
    fridge.act("complete", json!({ "products": [water()], "total": "1.60" })).await;
    let next = fridge.open().await;
    fridge.close().await;
    next.until("empty").await;
    assert_eq!(sale.read().await.body, settled.body, "it settles once");
    assert_eq!(missed_ends(&fridge).await, 2, "missed, and found");
}
