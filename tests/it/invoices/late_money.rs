//! Money that came after its time, and what a merchant makes of it.

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{join, join_all};
use reqwest::StatusCode;
use serde_json::json;
use system_tests::{Answer, Merchant, TestApp};
use uuid::Uuid;

use super::{
    deadlines::{A_SECOND, BRIEF},
    money::{
        Money, accept_late, assert_not_acceptable, cancelling, causes, change, credits, expired, invoice, path,
        standing, time, until_amount, until_closed, until_past,
    },
    rows,
};

const AT_ONCE: usize = 20;
/// Cause of every acceptance, but for its key.
const ACCEPTANCE: &str = "accept-late/";

/// Right after the deadline of an invoice that expired.
fn too_late(asked: &Answer) -> DateTime<Utc> {
    time(asked, "expires_at") + TimeDelta::milliseconds(1)
}

fn assert_accepted(answer: &Answer, statuses: &[&str]) {
    assert_eq!(answer.status, StatusCode::OK, "{answer:#?}");
    assert!(statuses.contains(&answer.text("status")), "{answer:#?}");
    assert_eq!(answer.body["amounts"]["late"], "0", "{answer:#?}");
}

#[tokio::test]
async fn case_11_late_money_goes_on_being_confirmed_and_is_credited_once_when_it_is_accepted() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let asked = expired(&merchant, "tron", "12.5").await;
    let invoice_id = asked.invoice_id();
    let mut money = Money::to(&app, &asked, "12.5").first_seen_at(too_late(&asked));
    money.is_seen().await;
    let late = merchant.until_exception(invoice_id, "paid_late").await;
    assert_eq!(standing(&late), ["expired", "paid_late", "0", "12.5"]);
    for confirmations in [1, 7] {
        money.has(confirmations).await;
        assert_eq!(confirmations_of(&app, invoice_id).await, confirmations);
    }
    money.is_final().await;

    let accepted = accept_late(&merchant, invoice_id, "key").await;
    assert_accepted(&accepted, &["payment_accepted", "finished"]);
    let finished = merchant.until(invoice_id, "finished").await;
    assert_eq!(standing(&finished), ["finished", "none", "12.5", "0"]);
    assert_eq!(credits(&app, invoice_id).await, ["12500000"]);
    assert_repeats_are_told_the_same(&merchant, &accepted).await;
    assert_eq!(credits(&app, invoice_id).await, ["12500000"]);

    let event = change(&merchant, invoice_id, "expired", "payment_accepted").await;
    assert!(event["cause"].as_str().is_some_and(|cause| cause.starts_with(ACCEPTANCE)), "{event:#}");
    assert_eq!(event["actor"], format!("merchant:{}", merchant.id()));
    assert_eq!(event["evidence"]["note"], "a regular customer");
    assert_eq!(money.in_evidence(&event)["state"], "final");
    let wanted = ["waiting_for_deposit", "expired", "payment_accepted", "finished"];
    assert_eq!(path(&merchant, invoice_id).await, wanted);
}

async fn confirmations_of(app: &TestApp, invoice_id: Uuid) -> i64 {
    let kept = rows::output(&app.database().await, invoice_id).await;
    kept.tip_height - kept.block_height.unwrap() + 1
}

/// The key stays bound to its request; another key finds nothing more to accept.
async fn assert_repeats_are_told_the_same(merchant: &Merchant, accepted: &Answer) {
    let invoice_id = accepted.invoice_id();
    assert_eq!(accept_late(merchant, invoice_id, "key").await.body, accepted.body);
    assert_not_acceptable(&accept_late(merchant, invoice_id, "another key").await, "nothing_late");
    let path = format!("/invoices/{invoice_id}/accept-late");
    let other = merchant.post(&path, "key", &json!({ "note": "somebody else" })).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{other:#?}");
    assert_eq!(other.body["code"], "idempotency_key_reused");
    assert_eq!(causes(merchant, invoice_id, ACCEPTANCE).await, 1);
}

#[tokio::test]
async fn late_money_that_is_accepted_before_it_is_confirmed_is_awaited() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let asked = expired(&merchant, "tron", "12.5").await;
    let invoice_id = asked.invoice_id();
    let mut money = Money::to(&app, &asked, "12.5").first_seen_at(too_late(&asked));
    money.is_seen().await;
    merchant.until_exception(invoice_id, "paid_late").await;
    let accepted = accept_late(&merchant, invoice_id, "key").await;
    assert_accepted(&accepted, &["payment_confirmation"]);
    assert_eq!(standing(&accepted), ["payment_confirmation", "none", "12.5", "0"]);
    assert!(credits(&app, invoice_id).await.is_empty());

    money.is_final().await;
    merchant.until(invoice_id, "finished").await;
    assert_eq!(credits(&app, invoice_id).await, ["12500000"]);
}

/// Unconfirmed it only counts, confirmed it is a part; the rest has a grace of its own.
#[tokio::test]
async fn a_late_part_that_is_accepted_can_be_completed_within_a_new_grace() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    for is_confirmed in [true, false] {
        let asked = expired(&merchant, "tron", "12.5").await;
        let invoice_id = asked.invoice_id();
        let mut part = Money::to(&app, &asked, "5").first_seen_at(too_late(&asked));
        if is_confirmed {
            part.is_final().await;
        } else {
            part.is_seen().await;
        }
        until_amount(&merchant, invoice_id, "late", "5").await;
        let accepted = accept_late(&merchant, invoice_id, "key").await;
        let status = if is_confirmed { "partially_paid" } else { "expired" };
        assert_accepted(&accepted, &[status]);
        assert_eq!(standing(&accepted), [status, "paid_partial", "5", "0"]);
        part.is_final().await;
        merchant.until(invoice_id, "partially_paid").await;

        let after = time(&accepted, "updated_at") + TimeDelta::milliseconds(1);
        Money::to(&app, &asked, "7.5").first_seen_at(after).is_final().await;
        let finished = merchant.until(invoice_id, "finished").await;
        assert_eq!(standing(&finished), ["finished", "none", "12.5", "0"]);
        assert_eq!(credits(&app, invoice_id).await, ["5000000", "7500000"], "one for each output");
    }
}

#[tokio::test]
async fn a_late_part_that_is_accepted_and_not_completed_expires_again() {
    let app = BRIEF.app();
    let merchant = app.merchant();
    let asked = expired(&merchant, "bitcoin", "0.001").await;
    let invoice_id = asked.invoice_id();
    Money::to(&app, &asked, "0.0004").first_seen_at(too_late(&asked)).is_final().await;
    until_amount(&merchant, invoice_id, "late", "0.0004").await;
    let accepted = accept_late(&merchant, invoice_id, "key").await;
    assert_accepted(&accepted, &["partially_paid"]);
    let over = merchant.until(invoice_id, "expired").await;
    assert_eq!(standing(&over), ["expired", "paid_partial", "0.0004", "0"]);
    assert!(time(&over, "updated_at") >= time(&accepted, "updated_at") + A_SECOND, "{over:#?}");
}

#[tokio::test]
async fn late_money_is_not_accepted_where_there_is_none_or_where_it_cannot_help() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let open = merchant.create(&invoice("tron", "12.5", 900)).await;
    assert_not_acceptable(&accept_late(&merchant, open.invoice_id(), "open").await, "not_over");

    Money::to(&app, &open, "12.5").is_final().await;
    merchant.until(open.invoice_id(), "finished").await;
    assert_not_acceptable(&accept_late(&merchant, open.invoice_id(), "finished").await, "nothing_late");

    let nothing = expired(&merchant, "tron", "12.5").await;
    assert_not_acceptable(&accept_late(&merchant, nothing.invoice_id(), "expired").await, "nothing_late");

    let cancelled = cancelled_with_money(&app, &merchant).await;
    assert_not_acceptable(&accept_late(&merchant, cancelled, "cancelled").await, "cancelled");
    assert!(credits(&app, cancelled).await.is_empty());
}

async fn cancelled_with_money(app: &TestApp, merchant: &Merchant) -> Uuid {
    let asked = merchant.create(&invoice("tron", "12.5", 900)).await;
    let invoice_id = asked.invoice_id();
    let cancelled = Answer::patiently(|| cancelling(merchant, invoice_id, "cancel")).await;
    assert_eq!(cancelled.text("status"), "cancelled", "{cancelled:#?}");
    Money::to(app, &asked, "12.5").is_final().await;
    merchant.until_exception(invoice_id, "paid_after_cancel").await;
    invoice_id
}

/// An invoice that was paid exactly, and then once more.
async fn paid_twice(app: &TestApp, merchant: &Merchant, amount: &str) -> Answer {
    let asked = merchant.create(&invoice("tron", "12.5", 900)).await;
    Money::to(app, &asked, "12.5").is_final().await;
    merchant.until(asked.invoice_id(), "finished").await;
    Money::to(app, &asked, amount).is_final().await;
    let told = merchant.until_exception(asked.invoice_id(), "paid_over").await;
    assert_eq!(told.body["amounts"]["overpaid"], amount);
    assert_eq!(credits(app, asked.invoice_id()).await, ["12500000"], "no more without the merchant's word");
    told
}

#[tokio::test]
async fn what_a_finished_invoice_got_since_is_credited_once_whoever_asks_how_often() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let one_key = paid_twice(&app, &merchant, "7.5").await.invoice_id();
    let answers = join_all((0..AT_ONCE).map(|_| accept_late(&merchant, one_key, "key"))).await;
    for answer in &answers {
        assert_accepted(answer, &["finished"]);
        assert_eq!(answer.body, answers[0].body);
    }
    assert_eq!(credits(&app, one_key).await, ["7500000", "12500000"]);
    assert_eq!(causes(&merchant, one_key, ACCEPTANCE).await, 1);

    let two_keys = paid_twice(&app, &merchant, "7.5").await.invoice_id();
    let (one, other) = join(accept_late(&merchant, two_keys, "one"), accept_late(&merchant, two_keys, "other")).await;
    let (accepted, refused) = if one.status == StatusCode::OK { (one, other) } else { (other, one) };
    assert_accepted(&accepted, &["finished"]);
    assert_not_acceptable(&refused, "nothing_late");
    assert_eq!(credits(&app, two_keys).await, ["7500000", "12500000"]);
    assert_eq!(causes(&merchant, two_keys, ACCEPTANCE).await, 1);
    assert_eq!(merchant.read(two_keys).await.text("status"), "finished");
}

#[tokio::test]
async fn late_money_of_a_finished_invoice_has_to_be_confirmed_first() {
    let app = BRIEF.app();
    let merchant = app.merchant();
    let asked = merchant.create(&invoice("bitcoin", "0.001", 1)).await;
    let invoice_id = asked.invoice_id();
    Money::to(&app, &asked, "0.001").is_final().await;
    merchant.until(invoice_id, "finished").await;
    // Until then it would complete a part.
    let late = time(&asked, "expires_at") + A_SECOND;
    until_past(&app, late).await;
    let mut extra = Money::to(&app, &asked, "0.0005").first_seen_at(late);
    extra.is_seen().await;
    let told = merchant.until_exception(invoice_id, "paid_late").await;
    assert_eq!(standing(&told), ["finished", "paid_late", "0.001", "0.0005"]);
    assert_not_acceptable(&accept_late(&merchant, invoice_id, "too early").await, "not_confirmed");
    assert_eq!(credits(&app, invoice_id).await, ["100000"]);

    extra.is_final().await;
    let accepted = accept_late(&merchant, invoice_id, "key").await;
    assert_accepted(&accepted, &["finished"]);
    assert_eq!(standing(&accepted), ["finished", "paid_over", "0.0015", "0"]);
    assert_eq!(credits(&app, invoice_id).await, ["50000", "100000"]);
}

#[tokio::test]
async fn after_the_run_has_closed_late_money_is_accepted_when_it_pays_the_invoice() {
    let app = BRIEF.app();
    let merchant = app.merchant();
    let asked = expired(&merchant, "tron", "12.5").await;
    let invoice_id = asked.invoice_id();
    until_closed(&app, invoice_id).await;
    assert_not_acceptable(&accept_late(&merchant, invoice_id, "too early").await, "nothing_late");
    let mut part = Money::to(&app, &asked, "5").first_seen_at(too_late(&asked));
    part.is_final().await;
    merchant.until_exception(invoice_id, "paid_late").await;
    assert_not_acceptable(&accept_late(&merchant, invoice_id, "a part").await, "too_little");

    let mut rest = Money::to(&app, &asked, "7.5").first_seen_at(too_late(&asked));
    rest.is_seen().await;
    until_amount(&merchant, invoice_id, "late", "12.5").await;
    assert_not_acceptable(&accept_late(&merchant, invoice_id, "unconfirmed").await, "not_confirmed");
    rest.is_final().await;
    let answers = join_all((0..AT_ONCE).map(|_| accept_late(&merchant, invoice_id, "key"))).await;
    for answer in &answers {
        assert_accepted(answer, &["payment_accepted", "finished"]);
        assert_eq!(answer.body, answers[0].body);
    }
    assert_eq!(standing(&merchant.read(invoice_id).await), ["finished", "none", "12.5", "0"]);
    assert_eq!(credits(&app, invoice_id).await, ["5000000", "7500000"]);
    assert_repeats_are_told_the_same(&merchant, &answers[0]).await;
    let wanted = ["waiting_for_deposit", "expired", "payment_accepted", "finished"];
    assert_eq!(path(&merchant, invoice_id).await, wanted);
}

/// It is not late, and nobody counts any more: without the merchant's word it would be nobody's.
#[tokio::test]
async fn after_the_run_has_closed_money_in_time_is_accepted_as_well() {
    let app = BRIEF.app();
    let merchant = app.merchant();
    let asked = expired(&merchant, "tron", "12.5").await;
    let invoice_id = asked.invoice_id();
    until_closed(&app, invoice_id).await;
    Money::to(&app, &asked, "12.5").is_final().await;
    let told = merchant.until_exception(invoice_id, "paid_late").await;
    assert_eq!(standing(&told), ["expired", "paid_late", "12.5", "0"]);
    assert_accepted(&accept_late(&merchant, invoice_id, "key").await, &["payment_accepted", "finished"]);
    assert_eq!(standing(&merchant.read(invoice_id).await), ["finished", "none", "12.5", "0"]);
    assert_eq!(credits(&app, invoice_id).await, ["12500000"]);
}

#[tokio::test]
async fn after_the_run_has_closed_the_same_is_credited_and_refused_as_before() {
    let app = BRIEF.app();
    let merchant = app.merchant();
    let asked = merchant.create(&invoice("tron", "12.5", 900)).await;
    let (finished, cancelled) = (asked.invoice_id(), cancelled_with_money(&app, &merchant).await);
    Money::to(&app, &asked, "12.5").is_final().await;
    merchant.until(finished, "finished").await;
    until_closed(&app, finished).await;
    until_closed(&app, cancelled).await;
    assert_not_acceptable(&accept_late(&merchant, cancelled, "cancelled").await, "cancelled");

    assert_not_acceptable(&accept_late(&merchant, finished, "nothing yet").await, "nothing_late");
    Money::to(&app, &asked, "7.5").is_final().await;
    merchant.until_exception(finished, "paid_over").await;
    let (one, same) = join(accept_late(&merchant, finished, "key"), accept_late(&merchant, finished, "key")).await;
    assert_accepted(&one, &["finished"]);
    assert_eq!(same.body, one.body);
    assert_eq!(credits(&app, finished).await, ["7500000", "12500000"]);
    assert_repeats_are_told_the_same(&merchant, &one).await;
}

/// More late money and its acceptance at the same time: whichever is first, nothing is lost and nothing counts twice.
#[tokio::test]
async fn an_acceptance_and_more_late_money_at_once_lose_nothing() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    join_all((0..10).map(|_| more_at_once(&app, &merchant))).await;
}

async fn more_at_once(app: &TestApp, merchant: &Merchant) {
    let asked = expired(merchant, "tron", "12.5").await;
    let invoice_id = asked.invoice_id();
    Money::to(app, &asked, "12.5").first_seen_at(too_late(&asked)).is_final().await;
    merchant.until_exception(invoice_id, "paid_late").await;
    let mut more = Money::to(app, &asked, "1").first_seen_at(too_late(&asked));
    let (accepted, ()) = join(accept_late(merchant, invoice_id, "key"), more.is_final()).await;
    assert_eq!(accepted.status, StatusCode::OK, "{accepted:#?}");
    // Seen before the acceptance, it is in time with the rest; only its credit may be left.
    until_amount(merchant, invoice_id, "confirmed", "13.5").await;
    merchant.until(invoice_id, "finished").await;
    if credits(app, invoice_id).await.len() == 1 {
        assert_accepted(&accept_late(merchant, invoice_id, "another key").await, &["finished"]);
    }
    assert_eq!(credits(app, invoice_id).await, ["1000000", "12500000"]);
}
