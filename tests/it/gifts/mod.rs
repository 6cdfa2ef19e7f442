//! Gifts: each is used once, and no PIN is guessed. "Case 3" is number 3 of the failure cases in the facts about gifts.

mod audit;
mod budget;
mod clock;
mod commands;
mod crashes;
mod guesses;
mod locks;
mod race;
mod refusals;
mod repeats;
mod rows;
mod secrets;
mod voids;

use reqwest::StatusCode;
use serde_json::Value;
use stack::{Part, Settings};
use system_tests::{Account, Answer, SharedStack, Shop, new_gift_id};
use uuid::Uuid;

/// No lock ends by itself while a test runs, and what has no PIN is soon looked at.
static SHOPS: SharedStack = SharedStack::new(settings);

fn settings() -> Settings {
    [
        ("PERDURA_PIN_LOCKS", "1h,2h"),
        ("PERDURA_PIN_MEMORY_KIB", "8"),
        ("PERDURA_PIN_PASSES", "1"),
        ("PERDURA_GIFT_ATTEMPT", "5s"),
        // The ledger decides inside the workflow task, also where it waits for somebody.
        ("PERDURA_GIFT_ANSWERING", "30s"),
        // Fifty who guess at once wait for each other, not for a connection; Postgres has enough for two such APIs.
        ("PERDURA_DATABASE_CONNECTIONS", "40"),
        ("PERDURA_GIFT_RETRY_AT_MOST", "1s"),
    ]
    .into_iter()
    .fold(Settings::isolated(), |settings, (name, value)| settings.env(Part::Api, name, value))
}

fn assert_refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), &answer.body["code"]), (status, &Value::from(code)), "{answer:#?}");
}

fn assert_locked(answer: &Answer) {
    assert_refused(answer, 429, "gift_pin_locked");
    assert!(retry_after(answer) > 0, "{answer:#?}");
}

/// Seconds until the same request may be listened to.
fn retry_after(answer: &Answer) -> u32 {
    let seconds = answer.headers.get("retry-after").and_then(|seconds| seconds.to_str().ok());
    seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or_default()
}

/// One of the answers is the use of the gift, and all the others came after it. The id of that use.
fn assert_one_winner(answers: &[Answer]) -> Uuid {
    let winners: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
    assert_eq!(winners.len(), 1, "{answers:#?}");
    for loser in answers.iter().filter(|answer| answer.status != StatusCode::OK) {
        assert_refused(loser, 400, "gift_already_used");
    }
    winners[0].text("redemption_id").parse().unwrap()
}

/// Sends the right PIN for a gift that is not there: what was guessed before is forgotten.
async fn prove(shop: &Shop, account: &Account) {
    assert_refused(&shop.try_to_use(&new_gift_id(), account).await, 400, "gift_not_found");
}
