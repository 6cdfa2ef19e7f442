//! Many devices and one gift.

use futures::{
    StreamExt,
    future::{join, join_all},
    stream,
};
use reqwest::StatusCode;
use sqlx::PgPool;
use system_tests::{Account, Answer, Shop, TestApp};
use uuid::Uuid;

use super::{SHOPS, assert_one_winner, assert_refused, rows};

const SUPPLIERS: usize = 4;
/// Of each supplier, each with a device.
const PINS: [&str; 5] = ["1001", "1002", "1003", "1004", "1005"];
const DEVICES: usize = SUPPLIERS * PINS.len();
const RACES: usize = 200;
/// Races at the same time.
const AT_ONCE: usize = 2;

/// Twenty devices, each with an account of its own: no PIN waits for another.
fn devices(app: &TestApp) -> Vec<(Shop, Account)> {
    let suppliers = (0..SUPPLIERS).map(|_| app.supplier(&PINS));
    suppliers
        .flat_map(|supplier| {
            let pair = |account: &Account| (supplier.device(), account.clone());
            supplier.accounts().iter().map(pair).collect::<Vec<_>>()
        })
        .collect()
}

async fn race(devices: &[(Shop, Account)], gift_id: &str) -> Vec<Answer> {
    join_all(devices.iter().map(|(shop, account)| shop.try_to_use(gift_id, account))).await
}

/// Case 1, two hundred times.
#[tokio::test]
async fn of_twenty_devices_one_wins_two_hundred_times() {
    let app = SHOPS.app();
    let (devices, database) = (devices(&app), app.database().await);
    assert_eq!(devices.len(), DEVICES);
    let (devices, database) = (&devices, &database);
    let one = |gift_id: String| async move {
        let winner = assert_one_winner(&race(devices, &gift_id).await);
        assert_eq!(rows::live_use(database, &gift_id).await, Some(winner));
        assert_eq!(rows::uses(database, &gift_id).await, [winner]);
        assert_eq!(rows::count(database, &gift_id, "used").await, 1);
        assert_eq!(rows::count(database, &gift_id, "gift_already_used").await, DEVICES - 1);
    };
    let races = stream::iter(app.gifts(RACES)).map(one).buffer_unordered(AT_ONCE);
    assert_eq!(races.count().await, RACES);
}

/// Case 1: five requests of each of twenty devices, all at once.
#[tokio::test]
async fn case_1_of_a_hundred_uses_at_once_one_wins() {
    let app = SHOPS.app();
    let (devices, database, gift_id) = (devices(&app), app.database().await, app.gift());
    let gift = gift_id.as_str();
    let uses = devices.iter().flat_map(|(shop, account)| (0..5).map(move |_| shop.try_to_use(gift, account)));
    let answers = join_all(uses).await;
    assert_eq!(answers.len(), 100);
    let winner = assert_one_winner(&answers);
    assert_eq!(rows::uses(&database, &gift_id).await, [winner]);
}

/// Case 10: two undoings, and uses by two others, at the same time.
#[tokio::test]
async fn case_10_an_undoing_that_races_with_uses_frees_the_gift_once() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["2001", "2002", "2003"]);
    let shops = [supplier.device(), supplier.device(), supplier.device()];
    let [first, second, third] = &shops;
    let database = app.database().await;
    for gift_id in app.gifts(25) {
        let before = first.use_gift(&gift_id, supplier.account(0)).await;
        let undoings = join(first.try_to_void(&gift_id), first.try_to_void(&gift_id));
        let uses =
            join(second.try_to_use(&gift_id, supplier.account(1)), third.try_to_use(&gift_id, supplier.account(2)));
        let (undoings, uses) = join(undoings, uses).await;
        assert_undone_once(before, &[undoings.0, undoings.1]);
        assert_used_again_at_most_once(&database, &gift_id, &[uses.0, uses.1]).await;
    }
}

/// The one that comes second finds nothing to undo, or another's use.
fn assert_undone_once(redemption_id: Uuid, undoings: &[Answer]) {
    let (done, refused): (Vec<_>, Vec<_>) = undoings.iter().partition(|answer| answer.status == StatusCode::OK);
    assert_eq!(done.len(), 1, "{undoings:#?}");
    assert_eq!(done[0].text("redemption_id"), redemption_id.to_string());
    for answer in refused {
        let code = answer.text("code");
        assert!(["gift_not_used", "redeemed_elsewhere"].contains(&code), "{answer:#?}");
    }
}

async fn assert_used_again_at_most_once(database: &PgPool, gift_id: &str, uses: &[Answer]) {
    let (again, refused): (Vec<_>, Vec<_>) = uses.iter().partition(|answer| answer.status == StatusCode::OK);
    assert!(again.len() <= 1, "{uses:#?}");
    for answer in refused {
        assert_refused(answer, 400, "gift_already_used");
    }
    let live = rows::live_use(database, gift_id).await.map(|id| id.to_string());
    assert_eq!(live.as_deref(), again.first().map(|answer| answer.text("redemption_id")));
    assert_eq!(rows::uses(database, gift_id).await.len(), 1 + again.len());
}
