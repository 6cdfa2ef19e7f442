//! The scan: one wins, by the right till, with the right code.

use futures::{
    StreamExt,
    future::{join, join_all},
    stream,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use system_tests::{Answer, PROVIDER, Purchase, TestApp, eventually};

use super::{HASTY, until_closed};

/// Not this code, and read as one.
const UNKNOWN: &str = "000000000000000000011";

fn assert_refused(answer: &Answer, reason: &str) {
    assert_eq!((answer.status, answer.text("code")), (StatusCode::FORBIDDEN, "code_not_valid"), "{answer:#?}");
    assert_eq!(answer.text("reason"), reason);
}

/// One of the scans was the use, and every other one came second.
fn assert_one_winner(answers: &[Answer]) {
    let winners: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
    assert_eq!(winners.len(), 1, "{answers:#?}");
    assert_eq!(winners[0].text("state"), "USADO");
    for loser in answers.iter().filter(|answer| answer.status != StatusCode::OK) {
        assert_refused(loser, "already_used");
    }
}

async fn assert_used(app: &TestApp, purchase: &Purchase) {
    let aws = app.aws();
    let record = aws.purchase(purchase.id).await;
    assert_eq!((&record["status"], &record["version"]), (&json!("USADO"), &json!("2")), "{record:#}");
    assert_eq!(aws.credit(&purchase.loan.id).await["substate"], "DESEMBOLSADO");
    assert_eq!(app.adjustments(&purchase.loan).await, Vec::<Value>::new());
}

#[tokio::test]
async fn of_two_scans_at_once_one_wins_two_hundred_times() {
    let app = TestApp::shared();
    let (frontend, one, other) = (app.frontend(), app.till(PROVIDER), app.till(PROVIDER));
    let race = |_round| async {
        let purchase = frontend.issue(&app.open_loan().await).await;
        let (first, second) = join(one.try_to_use(&purchase), other.try_to_use(&purchase)).await;
        assert_one_winner(&[first, second]);
    };
    let rounds = stream::iter(0..200).map(race).buffer_unordered(20);
    assert_eq!(rounds.count().await, 200);
}

#[tokio::test]
async fn of_a_hundred_racers_one_wins() {
    let app = TestApp::shared();
    let purchase = app.frontend().issue(&app.open_loan().await).await;
    let tills: Vec<_> = (0..5).map(|_| app.till(PROVIDER)).collect();
    let racers = tills.iter().flat_map(|till| (0..20).map(|_| till.try_to_use(&purchase)));
    assert_one_winner(&join_all(racers).await);
    assert_used(&app, &purchase).await;
}

#[tokio::test]
async fn a_till_that_repeats_its_scan_gets_the_same_answer() {
    let app = TestApp::shared();
    let till = app.till(PROVIDER);
    let purchase = app.frontend().issue(&app.open_loan().await).await;
    let scan = || till.scan("key", &purchase.loan.id, purchase.code());
    let answers = join_all((0..20).map(|_| scan())).await;
    for answer in answers.iter().chain([&scan().await]) {
        assert_eq!((answer.status, &answer.body), (StatusCode::OK, &answers[0].body));
    }
    assert_used(&app, &purchase).await;
    let other = till.scan("key", &purchase.loan.id, UNKNOWN).await;
    assert_eq!((other.status, other.text("code")), (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused"));
    assert_refused(&app.till(PROVIDER).scan("key", &purchase.loan.id, purchase.code()).await, "already_used");
}

/// There is no way back for a used code (ADR 4): the till that lost its answer asks again and has its use, nobody else can.
#[tokio::test]
async fn case_26_a_till_whose_answer_was_lost_has_used_the_code_and_learns_it() {
    let app = HASTY.app();
    let till = app.till(PROVIDER);
    let purchase = app.frontend().issue(&app.open_loan().await).await;
    let scan = || till.scanning("key", &purchase.loan.id, purchase.code());
    let gone = tokio::spawn(scan().send());
    let aws = app.aws();
    eventually("the use", || aws.purchase(purchase.id), |record| record["status"] == "USADO").await;
    gone.abort();

    let learnt = Answer::patiently(scan).await;
    assert_eq!((learnt.status, learnt.text("state")), (StatusCode::OK, "USADO"), "{learnt:#?}");
    until_closed(&app, purchase.id).await;
    assert_eq!(Answer::patiently(scan).await.body, learnt.body, "also once the run has ended");
    assert_refused(&till.try_to_use(&purchase).await, "already_used");
    assert_used(&app, &purchase).await;
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_uses_nothing() {
    let app = TestApp::shared();
    let (frontend, till, stranger) = (app.frontend(), app.till(PROVIDER), app.till("P-2"));
    let purchase = frontend.issue(&app.open_loan().await).await;
    let another = frontend.issue(&app.open_loan().await).await;
    let loan = &purchase.loan.id;

    assert_refused(&stranger.try_to_use(&purchase).await, "other_provider");
    let mut tampered = purchase.code().to_owned();
    let last = if tampered.ends_with('0') { "1" } else { "0" };
    tampered.replace_range(tampered.len() - 1.., last);
    for wrong in [tampered.as_str(), another.code(), UNKNOWN, "nonsense"] {
        assert_refused(&till.scan(wrong, loan, wrong).await, "wrong_code");
        assert_refused(&stranger.scan(wrong, loan, wrong).await, "wrong_code");
    }
    let missing = till.scan("no purchase", "LN-nobody", purchase.code()).await;
    assert_eq!((missing.status, missing.text("code")), (StatusCode::NOT_FOUND, "not_found"));
    let by_frontend = frontend.request(reqwest::Method::POST, &format!("/loans/{loan}/use"));
    let by_frontend = by_frontend.header("Idempotency-Key", "key").json(&json!({ "code": purchase.code() }));
    assert_eq!(Answer::to(by_frontend).await.status, StatusCode::FORBIDDEN);

    assert_eq!(till.try_to_use(&purchase).await.status, StatusCode::OK);
    assert_used(&app, &purchase).await;
}

#[tokio::test]
async fn a_code_is_taken_as_it_is_scanned_or_typed() {
    let app = TestApp::shared();
    let (frontend, till) = (app.frontend(), app.till(PROVIDER));
    let spellings: [fn(&str) -> String; 4] = [
        |code| format!("HTTPS://CODES.EXAMPLE/C/{code}"),
        str::to_lowercase,
        |code| code.replace('1', "l").replace('0', "O"),
        |code| code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-"),
    ];
    for spell in spellings {
        let purchase = frontend.issue(&app.open_loan().await).await;
        let spelled = spell(purchase.code());
        let used = till.scan(&spelled, &purchase.loan.id, &spelled).await;
        assert_eq!(used.status, StatusCode::OK, "{spelled}: {used:#?}");
        assert_eq!(used.text("code"), purchase.code());
    }
}
