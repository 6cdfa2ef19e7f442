//! 8.9: every part killed with -9 while doors are open, and Vendron out of reach.

use std::time::Duration;

use futures::future::{join, join3};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::query_scalar;
use stack::{Part, Settings};
use system_tests::{Answer, Fridge, Sale, TestApp, event_names, eventually};
use temporal::{Codec, KeyRing};
use temporalio_client::{UntypedWorkflow, WorkflowDescribeOptions};
use workflows::fridge_sales::workflow_id;

use super::{
    DOOR_ALARM, assert_not_opened, assert_sold, assert_unresolved, hasty, left_open, notifications::opened_unheard,
    soup, soups, still_open, until_posted, water, waters,
};

/// What every handshake with Vendron names.
const HANDSHAKE: &str = "publicV2";
/// Between the two alarms is time for a kill.
const DOOR_ESCALATION: Duration = Duration::from_secs(20);

/// A holder that died is soon replaced; what waits for an answer waits for longer than a kill takes.
fn settings() -> Settings {
    [
        ("HEARTBEAT", Duration::from_secs(5)),
        ("ACKNOWLEDGEMENT", Duration::from_secs(15)),
        ("DOOR_ESCALATION", DOOR_ESCALATION),
    ]
    .into_iter()
    .fold(hasty(), |settings, (name, time)| {
        settings.env(Part::Api, format!("PERDURA_SALE_{name}"), format!("{time:?}"))
    })
}

#[tokio::test]
async fn whatever_dies_while_doors_are_open_their_sales_end_with_what_was_taken() {
    let app = TestApp::isolated(settings()).await;
    the_worker_is_killed(&app).await;
    the_worker_is_asked_to_end(&app).await;
    the_worker_is_killed_between_two_alarms(&app).await;
    temporal_and_the_api_are_killed(&app).await;
    the_database_is_away(&app).await;
    the_worker_is_killed_while_the_database_is_away(&app).await;
    vendron_restarts(&app).await;
    vendron_is_out_of_reach(&app).await;
    an_end_is_posted_while_no_worker_runs(&app).await;
    an_end_is_posted_while_temporal_is_away(&app).await;
    vendron_takes_our_token_no_more(&app).await;
}

/// An open door, and a water that was taken.
async fn opened(fridge: &Fridge) -> Sale {
    let sale = fridge.open().await;
    fridge.take(&[water()]).await;
    sale.until_taken(1).await;
    sale
}

async fn take_and_close(fridge: &Fridge) {
    fridge.take(&[soup()]).await;
    fridge.close().await;
}

async fn assert_water_and_soup(fridge: &Fridge, sale: &Sale, what: &str) {
    assert_sold(fridge, sale, &json!([soups(1), waters(1)]), "6.10", what).await;
}

/// Whoever was connected is gone, and somebody else is there now.
async fn until_taken_over(fridge: &Fridge) {
    fridge.until_another_listens(&Value::Null).await;
}

/// 8.19: that is wrong for every machine, and told once for all of them.
async fn vendron_takes_our_token_no_more(app: &TestApp) {
    let [one, other] = [app.fridge().await, app.fridge().await];
    for fridge in [&one, &other] {
        fridge.set(json!({ "refuses_with": -2 })).await;
        let sale = fridge.try_to_open("a bad token").await;
        assert_eq!(sale.answer.status, StatusCode::BAD_GATEWAY, "{:#?}", sale.answer);
        sale.until_closed().await;
    }
    let (told, untold) = (one.messages().await, other.messages().await);
    assert!(told.len() == 1 && told[0].contains("Invalid Public API Token (-2)"), "{told:#?}");
    assert_eq!(untold, Vec::<String>::new());
}

async fn the_worker_is_killed(app: &TestApp) {
    let [resumed, kept, lost] = [app.fridge().await, app.fridge().await, app.fridge().await];
    let [unlocking, requested] = [app.fridge().await, app.fridge().await];
    kept.set(json!({ "keeps_events": true })).await;
    unlocking.break_down("door_open", "execute_then_timeout").await;
    requested.break_down("request", "execute_then_timeout").await;
    let open = join3(opened(&resumed), opened(&kept), opened(&lost)).await;
    let killed = async {
        unlocking.until_unlocked().await;
        app.until_struck(requested.uid()).await;
        app.stack().kill(Part::Worker).unwrap();
        for fridge in [&resumed, &kept, &lost, &unlocking] {
            fridge.until_deserted().await;
        }
        take_and_close(&kept).await;
        take_and_close(&lost).await;
        app.stack().launch(Part::Worker).await.unwrap();
        for fridge in [&resumed, &unlocking] {
            until_taken_over(fridge).await;
            take_and_close(fridge).await;
        }
    };
    let (half_open, refused, ()) = join3(unlocking.try_to_open("key"), requested.try_to_open("key"), killed).await;
    assert_water_and_soup(&resumed, &open.0, "taken while it lived, and after").await;
    assert_water_and_soup(&kept, &open.1, "taken while it was dead, and kept").await;
    assert_unresolved(&lost, &open.2, "taken while it was dead, and lost").await;
    assert_eq!(lost.openings().await, 1);
    assert_eq!(half_open.answer.status, StatusCode::CREATED, "{:#?}", half_open.answer);
    assert_sold(&unlocking, &half_open, &json!([soups(1)]), "4.50", "killed while it unlocked").await;
    assert_not_opened(&requested, &refused, "fridge_interrupted", "killed before it unlocked").await;
}

async fn the_worker_is_asked_to_end(app: &TestApp) {
    let fridge = app.fridge().await;
    let sale = opened(&fridge).await;
    let status = app.stack().terminate(Part::Worker).await.unwrap();
    assert!(status.success(), "{status}");
    fridge.until_deserted().await;
    app.stack().launch(Part::Worker).await.unwrap();
    until_taken_over(&fridge).await;
    take_and_close(&fridge).await;
    assert_water_and_soup(&fridge, &sale, "asked to end").await;
}

/// 8.7: whoever takes over goes on counting, and tells nothing again.
async fn the_worker_is_killed_between_two_alarms(app: &TestApp) {
    let fridge = app.fridge().await;
    let sale = opened(&fridge).await;
    fridge.until_told(&left_open(DOOR_ALARM)).await;
    // Until then it may be told again, rather than not at all.
    let database = app.database().await;
    let told = || async {
        let count = query_scalar("select count(*) from alert where subject = $1 and sent_at is not null");
        count.bind(fridge.id()).fetch_one(&database).await.unwrap()
    };
    eventually("the alarm to be recorded as told", told, |count: &i64| *count == 1).await;
    app.stack().kill(Part::Worker).unwrap();
    fridge.until_deserted().await;
    app.stack().launch(Part::Worker).await.unwrap();
    until_taken_over(&fridge).await;
    fridge.until_told(&still_open(DOOR_ESCALATION)).await;
    take_and_close(&fridge).await;
    assert_water_and_soup(&fridge, &sale, "killed between two alarms").await;
    sale.until_closed().await;
    let messages = fridge.messages().await;
    assert_eq!(messages.len(), 2, "{messages:#?}");
}

/// The holder of the websocket lives, and nobody whom it could tell.
async fn temporal_and_the_api_are_killed(app: &TestApp) {
    let fridge = app.fridge().await;
    let sale = opened(&fridge).await;
    for part in [Part::Temporal, Part::Api] {
        app.stack().kill(part).unwrap();
    }
    take_and_close(&fridge).await;
    for part in [Part::Temporal, Part::Api] {
        app.stack().launch(part).await.unwrap();
    }
    assert_water_and_soup(&fridge, &sale, "without Temporal").await;
    sale.until_closed().await;
}

async fn the_database_is_away(app: &TestApp) {
    let fridge = app.fridge().await;
    let sale = opened(&fridge).await;
    app.stack().kill(Part::Postgres).unwrap();
    fridge.take(&[water()]).await;
    fridge.put_back(&["2"]).await;
    take_and_close(&fridge).await;
    app.stack().launch(Part::Postgres).await.unwrap();
    assert_water_and_soup(&fridge, &sale, "without the database").await;
}

/// What was heard and could not be written is in the heartbeats: the next holder writes it.
async fn the_worker_is_killed_while_the_database_is_away(app: &TestApp) {
    let fridge = app.fridge().await;
    let sale = opened(&fridge).await;
    app.stack().kill(Part::Postgres).unwrap();
    take_and_close(&fridge).await;
    until_carried(app, &sale, "smart_fridge_request_completed").await;
    app.stack().kill(Part::Worker).unwrap();
    app.stack().launch(Part::Postgres).await.unwrap();
    app.stack().launch(Part::Worker).await.unwrap();
    assert_water_and_soup(&fridge, &sale, "carried over").await;
}

/// Waits until a heartbeat of the sale's activity carries this.
async fn until_carried(app: &TestApp, sale: &Sale, name: &str) {
    let keys = KeyRing::from_file(&app.stack().secrets_dir().join("codec.keys")).unwrap();
    let (codec, temporal) = (Codec::new(keys), app.temporal().await);
    let run = temporal.get_workflow_handle::<UntypedWorkflow>(workflow_id(sale.sale_ref));
    let carried = || async {
        let description = run.describe(WorkflowDescribeOptions::default()).await.unwrap();
        let details =
            description.raw().pending_activities.iter().filter_map(|pending| pending.heartbeat_details.clone());
        let opened = details.flat_map(|details| details.payloads).map(|payload| codec.open(payload).unwrap().data);
        opened.map(|data| String::from_utf8_lossy(&data).into_owned()).collect::<String>()
    };
    eventually(&format!("{name} in a heartbeat"), carried, |carried| carried.contains(name)).await;
}

/// Its sessions go on, and every websocket is gone.
async fn vendron_restarts(app: &TestApp) {
    let fridge = app.fridge().await;
    let sale = opened(&fridge).await;
    app.stack().kill(Part::Sandbox).unwrap();
    app.stack().launch(Part::Sandbox).await.unwrap();
    until_taken_over(&fridge).await;
    take_and_close(&fridge).await;
    assert_water_and_soup(&fridge, &sale, "Vendron restarted").await;
}

async fn vendron_is_out_of_reach(app: &TestApp) {
    let (open, shut) = (app.fridge().await, app.fridge().await);
    let sale = opened(&open).await;
    app.break_down(("vendron", "connect"), "error", HANDSHAKE).await;
    open.drop_connections().await;

    let status = shut.status_in_time("").await;
    assert_eq!((status.status, status.text("code")), (StatusCode::BAD_GATEWAY, "machine_unreachable"), "{status:#?}");
    let refused = shut.try_to_open("out of reach").await;
    assert_eq!(refused.answer.status, StatusCode::BAD_GATEWAY, "{:#?}", refused.answer);
    assert_not_opened(&shut, &refused, "fridge_unanswered", "out of reach").await;
    assert_eq!(event_names(&refused.read().await), ["unanswered"], "nothing was asked of it");
    assert_eq!(sale.read().await.text("status"), "open");

    app.mend(HANDSHAKE).await;
    let goes_on = async {
        until_taken_over(&open).await;
        take_and_close(&open).await;
        assert_water_and_soup(&open, &sale, "back in reach").await;
    };
    join(goes_on, shut.open()).await;
}

/// 8.8c: acknowledged is what Temporal has, whoever takes it up later.
async fn an_end_is_posted_while_no_worker_runs(app: &TestApp) {
    let fridge = app.fridge().await;
    let sale = opened_unheard(&fridge).await;
    fridge.take(&[water()]).await;
    app.stack().kill(Part::Worker).unwrap();
    take_and_close(&fridge).await;
    until_posted(&fridge, 1).await;
    assert_eq!(sale.read().await.text("status"), "open");
    app.stack().launch(Part::Worker).await.unwrap();
    assert_water_and_soup(&fridge, &sale, "posted without a worker").await;
}

/// 8.8c: what is not acknowledged is posted again.
async fn an_end_is_posted_while_temporal_is_away(app: &TestApp) {
    let fridge = app.fridge().await;
    let sale = opened_unheard(&fridge).await;
    fridge.take(&[water()]).await;
    app.stack().kill(Part::Temporal).unwrap();
    let refused = Answer::to(app.http().post(fridge.notification_url().await).body("{}")).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:#?}");
    assert_eq!(refused.text("code"), "temporarily_unavailable");
    assert!(refused.headers.contains_key("retry-after"), "{refused:#?}");

    take_and_close(&fridge).await;
    let refused = || async { fridge.effects("notified").await.iter().any(|post| post["status"] == 503) };
    eventually("an end that is not taken", refused, |refused| *refused).await;
    app.stack().launch(Part::Temporal).await.unwrap();
    until_posted(&fridge, 1).await;
    assert_water_and_soup(&fridge, &sale, "posted without Temporal").await;
}
