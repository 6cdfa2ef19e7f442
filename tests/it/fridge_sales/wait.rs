//! Waiting for what becomes of a sale, instead of asking again and again.

use std::time::Duration;

use futures::{
    StreamExt,
    future::join,
    stream::{self, FuturesUnordered},
};
use reqwest::{Method, StatusCode, header};
use serde_json::json;
use sqlx::{postgres::PgListener, query};
use stack::{Part, Settings};
use store::postgres::fridges::CHANGES_CHANNEL;
use system_tests::{Answer, Fridge, Frontend, LongPoll, Sale, TestApp, eventually};
use tokio::time::timeout;

use super::{assert_sold, soup, soups};

/// Only a failing test waits this long.
const DEADLINE: Duration = Duration::from_mins(1);
const CROWD: usize = 100;
/// So many of them may wait for one sale at one process.
const PLACES: usize = 64;

fn reading(frontend: &Frontend, sale: &Sale) -> LongPoll {
    LongPoll::of(frontend.request(Method::GET, &sale.path()))
}

fn version(transaction: &Answer) -> i64 {
    transaction.body["version"].as_i64().unwrap()
}

/// An open door, and the sale as it is from then on.
async fn opened(fridge: &Fridge) -> (Sale, Answer) {
    let sale = fridge.open().await;
    let open = sale.until_heard("smart_fridge_door_open_success").await;
    assert_eq!(open.text("status"), "open", "{open:#?}");
    (sale, open)
}

async fn shop(fridge: &Fridge) {
    fridge.take(&[soup()]).await;
    fridge.close().await;
}

/// A sale to which nothing more happens.
async fn settled(fridge: &Fridge) -> (Sale, Answer) {
    let sale = fridge.open().await;
    fridge.close().await;
    sale.until("empty").await;
    sale.until_closed().await;
    let transaction = sale.read().await;
    (sale, transaction)
}

/// Waits for one change after the other until the sale is completed. What is there then.
async fn follow(fridge: &Fridge, sale: &Sale, mut known: Answer) -> Answer {
    let reading = reading(fridge.frontend(), sale);
    while known.body["status"] != "completed" {
        let next = reading.after(&known).await;
        assert_eq!(next.status, StatusCode::OK, "{next:#?}");
        assert!(version(&next) > version(&known), "{next:#?}");
        assert_eq!(next.headers["etag"], format!("\"{}\"", version(&next)));
        known = next;
    }
    known
}

#[tokio::test]
async fn whoever_waits_is_told_of_what_is_taken_until_the_sale_has_ended() {
    let app = TestApp::shared();
    let (fridge, other) = (app.fridge().await, app.fridge().await);
    let (untouched, quiet) = settled(&other).await;
    let (sale, open) = opened(&fridge).await;
    let unchanged = reading(other.frontend(), &untouched);
    let followed = join(follow(&fridge, &sale, open), shop(&fridge));
    // It is asked first and nothing happens to it: whoever waits for the time to be over is later.
    let (sold, ()) = unchanged.outlasting(&quiet, followed).await;
    assert_eq!((&sold.body["products"], sold.text("total")), (&json!([soups(1)]), "4.50"), "{sold:#?}");
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "followed").await;
}

/// What is lost costs whoever waits two seconds. Nothing is, as long as the database is there.
#[tokio::test]
async fn each_change_of_a_sale_is_announced() {
    let app = TestApp::shared();
    let mut announced = PgListener::connect(app.stack().database_url()).await.unwrap();
    announced.listen(CHANGES_CHANNEL).await.unwrap();
    let (sale, transaction) = settled(&app.fridge().await).await;
    let transaction_id = sale.transaction_id().to_string();
    let changes = version(&transaction) - 1;
    let all = async {
        let mut left = changes;
        while left > 0 {
            left -= i64::from(announced.recv().await.unwrap().payload() == transaction_id);
        }
    };
    timeout(DEADLINE, all)
        .await
        .unwrap_or_else(|_| panic!("there are not {changes} announcements of {transaction_id}"));
}

#[tokio::test]
async fn only_who_has_the_present_version_waits() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let (sale, known) = settled(&fridge).await;
    reading(fridge.frontend(), &sale).assert_only_the_present_version_waits(&known).await;
}

#[tokio::test]
async fn a_wait_ends_with_its_time_has_bounds_and_is_for_its_frontend() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let (sale, known) = settled(&fridge).await;
    reading(fridge.frontend(), &sale).assert_a_wait_ends_and_has_bounds(&known).await;
    let refused = reading(&app.frontend(), &sale).after(&known).await;
    assert_eq!((refused.status, refused.text("code")), (StatusCode::NOT_FOUND, "not_found"));
}

/// Who finds no room to wait has what there is, and asks again.
#[tokio::test]
async fn a_hundred_who_wait_for_one_sale_are_all_answered() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let (sale, open) = opened(&fridge).await;
    let reading = reading(fridge.frontend(), &sale);
    let ask = || reading.after(&open);
    let mut waiting: FuturesUnordered<_> = (0..CROWD).map(|_| ask()).collect();
    let refused: Vec<_> = waiting.by_ref().take(CROWD - PLACES).collect().await;
    assert!(refused.iter().all(|answer| answer.status == StatusCode::NOT_MODIFIED), "{refused:#?}");

    let (told, ()) = join(waiting.collect::<Vec<_>>(), shop(&fridge)).await;
    assert_eq!(told.len(), PLACES);
    let again = stream::iter(refused).then(|_| ask()).collect::<Vec<_>>().await;
    for answer in told.into_iter().chain(again) {
        assert_eq!(answer.status, StatusCode::OK, "{answer:#?}");
        assert!(version(&answer) > version(&open), "{answer:#?}");
    }
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "for a hundred").await;
}

#[tokio::test]
async fn nobody_is_sent_to_a_transaction_that_is_not_there_yet() {
    // A door does not open long after its buyer has asked, which is not what this is about.
    let settings = Settings::isolated().env(Part::Api, "PERDURA_SALE_UNLOCK", "10m");
    let app = TestApp::isolated(settings).await;
    while_no_worker_runs(&app).await;
    while_nothing_can_be_recorded(&app).await;
}

async fn while_no_worker_runs(app: &TestApp) {
    let fridge = app.fridge().await;
    let sale = fridge.sale("no worker");
    app.stack().kill(Part::Worker).unwrap();
    let asked = Answer::to(fridge.opening(&sale.key, &fridge.order())).await;
    assert!([StatusCode::ACCEPTED, StatusCode::SERVICE_UNAVAILABLE].contains(&asked.status), "{asked:#?}");
    assert_unrecorded(&sale, &asked).await;
    app.stack().launch(Part::Worker).await.unwrap();
    assert_opened(&fridge, &sale).await;
}

/// The run was taken and goes on trying, and whoever holds the table lets nobody write the sale down.
async fn while_nothing_can_be_recorded(app: &TestApp) {
    let fridge = app.fridge().await;
    let (sale, order) = (fridge.sale("no record"), fridge.order());
    let database = app.database().await;
    let mut holding = database.begin().await.unwrap();
    query("lock table transaction in exclusive mode").execute(&mut *holding).await.unwrap();
    let ask = || Answer::to(fridge.opening(&sale.key, &order));
    let taken = eventually("a sale that is taken", ask, |asked| asked.status == StatusCode::ACCEPTED).await;
    assert_eq!((taken.text("ref"), taken.text("status")), (sale.sale_ref.to_string().as_str(), "opening"));
    assert_unrecorded(&sale, &taken).await;
    holding.rollback().await.unwrap();
    assert_opened(&fridge, &sale).await;
}

/// It has no answer yet, nor a place.
async fn assert_unrecorded(sale: &Sale, asked: &Answer) {
    assert!(!asked.headers.contains_key(header::LOCATION), "{asked:#?}");
    assert_eq!(asked.headers[header::RETRY_AFTER], "1");
    assert_eq!(sale.read().await.status, StatusCode::NOT_FOUND);
}

/// The same request gets its answer, and the transaction can be read where that says.
async fn assert_opened(fridge: &Fridge, sale: &Sale) {
    let opened = fridge.try_to_open(&sale.key).await.answer;
    assert_eq!((opened.status, opened.text("status")), (StatusCode::CREATED, "open"), "{opened:#?}");
    assert_eq!(opened.headers[header::LOCATION], sale.path());
    assert_eq!(sale.read().await.status, StatusCode::OK);
    assert_eq!(fridge.openings().await, 1);
}
