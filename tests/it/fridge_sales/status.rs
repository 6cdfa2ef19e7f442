//! 8.1: how a machine is, and that somebody asked.

use std::{cell::Cell, iter::repeat_n};

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use sqlx::{PgPool, query_as};
use system_tests::{Fridge, TestApp, eventually, is_in_time};

use super::HASTY;

/// Status, Vendron's code, and for which user it was asked.
type Question = (String, Option<i64>, Option<String>);

/// The questions about a machine that are on record.
pub(super) async fn questions(database: &PgPool, fridge: &Fridge) -> Vec<Question> {
    let select = "select status, code, bubble_id from event where machine_id = $1 and transaction_id is null
                  order by bubble_id, sequence";
    query_as(select).bind(fridge.id()).fetch_all(database).await.unwrap()
}

#[tokio::test]
async fn a_machine_is_as_vendron_says_and_the_question_is_recorded() {
    let app = TestApp::shared();
    let (frontend, database) = (app.frontend(), app.database().await);
    let cases = [
        (json!({}), "available", None, "available"),
        (json!({ "quirks": ["result_first"] }), "available", None, "available"),
        (json!({ "quirks": ["numbers_as_strings", "swapped", "seconds_ref"] }), "available", None, "available"),
        (json!({ "busy": true }), "busy", Some(-5), "busy"),
        (json!({ "online": false }), "offline", Some(-4), "online"),
        (json!({ "refuses_with": -1 }), "error", Some(-1), "Invalid Parameters"),
        (json!({ "refuses_with": -2 }), "error", Some(-2), "Invalid Public API Token"),
        (json!({ "refuses_with": -11 }), "error", Some(-11), "Subscription expired"),
        (json!({ "quirks": ["nack"] }), "error", None, "was not taken"),
    ];
    for (machine, status, code, words) in cases {
        let fridge = app.fridge_of(&frontend).await;
        fridge.set(machine).await;
        let times = assert_is(&fridge, status, words).await;
        assert_recorded(&database, &fridge, &(status.to_owned(), code, None), times).await;
    }
    let unknown = app.fridge_unknown_to_vendron(&frontend);
    let times = assert_is(&unknown, "error", "Invalid Machine UID").await;
    assert_recorded(&database, &unknown, &("error".to_owned(), Some(-3), None), times).await;
}

/// How many questions it took: one, where there is an answer in time.
async fn assert_is(fridge: &Fridge, status: &str, words: &str) -> usize {
    let taken = Cell::new(0_usize);
    let ask = || async {
        let answer = fridge.status().await;
        taken.set(taken.get() + usize::from(answer.body["code"] != "temporarily_unavailable"));
        answer
    };
    let answer = eventually("an answer in time", ask, is_in_time).await;
    assert_eq!(answer.status, StatusCode::OK, "{status}: {answer:#?}");
    assert_eq!((answer.text("status"), answer.text("machine_id")), (status, fridge.id()));
    assert!(answer.text("message").contains(words) && answer.body["checked_at"].is_string(), "{answer:#?}");
    taken.get()
}

/// Each question is on record, once. One that was given up may be later.
async fn assert_recorded(database: &PgPool, fridge: &Fridge, question: &Question, times: usize) {
    let recorded = || questions(database, fridge);
    let recorded = eventually("every question on record", recorded, |recorded| recorded.len() >= times).await;
    assert_eq!(recorded, repeat_n(question.clone(), times).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_machine_that_sells_is_busy_and_its_sale_is_not_disturbed() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    assert_is(&fridge, "busy", "busy").await;
    let path = format!("/machine/{}/status", fridge.id());
    let singular = eventually("an answer in time", || fridge.frontend().get(&path), is_in_time).await;
    assert_eq!(singular.text("status"), "busy");
    fridge.close().await;
    sale.until("empty").await;
    assert_is(&fridge, "available", "available").await;
}

/// Vendron accepts the question and says no more, or says nothing at all, or nothing that can be read.
#[tokio::test]
async fn no_answer_is_told_in_time_and_recorded() {
    let app = HASTY.app();
    let (frontend, database) = (&app.frontend(), &app.database().await);
    let through = |kind: &'static str| {
        let app = &app;
        async move {
            let fridge = app.fridge_of(frontend).await;
            fridge.break_down("check", kind).await;
            let answer = fridge.status().await;
            assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT, "{kind}: {answer:#?}");
            assert_eq!(answer.text("code"), "machine_unanswered", "{kind}");
            let recorded = || questions(database, &fridge);
            let is_recorded =
                |questions: &Vec<Question>| matches!(&questions[..], [(status, None, None)] if status == "unanswered");
            eventually("the question on record", recorded, is_recorded).await;
        }
    };
    join_all(["no_result", "timeout", "malformed", "execute_then_timeout"].map(through)).await;
}

#[tokio::test]
async fn many_who_ask_at_once_are_all_answered_and_all_recorded() {
    let app = TestApp::shared();
    let fridge = &app.fridge().await;
    let users: Vec<_> = (0..12).map(|number| format!("user-{number:02}")).collect();
    // A run may end before it takes a question: whoever hears so asks again.
    let answers = join_all(users.iter().map(|user| {
        let query = format!("?user_id={user}");
        async move { fridge.status_in_time(&query).await }
    }));
    for answer in answers.await {
        assert_eq!((answer.status, answer.text("status")), (StatusCode::OK, "available"), "{answer:#?}");
    }
    let mut recorded = questions(&app.database().await, fridge).await;
    recorded.dedup();
    let expected: Vec<Question> = users.into_iter().map(|user| ("available".to_owned(), None, Some(user))).collect();
    assert_eq!(recorded, expected);
    let refused = fridge.frontend().get(&format!("/machines/{}/status?user=1", fridge.id())).await;
    assert_eq!((refused.status, refused.text("code")), (StatusCode::BAD_REQUEST, "invalid_query"));
}
