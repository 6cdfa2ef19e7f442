//! Nobody guesses a PIN, and nobody keeps a shop from its work by guessing.

use futures::{StreamExt, future::join_all, stream};
use reqwest::StatusCode;
use serde_json::json;
use sqlx::{PgPool, query};
use system_tests::{Account, Answer, PinWork, Shop};

use super::{SHOPS, assert_locked, assert_refused, prove, retry_after, rows};

/// Wrong ones in a row that lock.
const TRIES: usize = 5;
const WRONG: &str = "9999";

/// Guesses wrong until the next one is not listened to.
async fn use_up(shop: &Shop, gift_id: &str, account: &Account) {
    for _ in 0..TRIES {
        assert_refused(&shop.try_to_use(gift_id, &account.with_pin(WRONG)).await, 400, "credentials_invalid");
    }
    assert_locked(&shop.try_to_use(gift_id, &account.with_pin(WRONG)).await);
}

/// Case 6: five wrong ones lock the account and the device, nobody else, and not for ever.
#[tokio::test]
async fn case_6_five_wrong_pins_lock_until_time_has_passed() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111", "2222"]);
    let (shop, other, database) = (supplier.device(), supplier.device(), app.database().await);
    let (account, gift_id) = (supplier.account(0), app.gift());
    use_up(&shop, &gift_id, account).await;
    let (of_account, of_device) = (rows::subject_of(&database, account).await, rows::device(&shop));
    let locked = rows::Guard { wrong: 0, undecided: 0, locks: 1, is_locked: true };
    for subject in [&of_account, &of_device] {
        assert_eq!(rows::guard(&database, subject).await, locked, "{subject}");
    }
    // The right PIN is not looked at, whoever brings it, and the device is not listened to with another account either.
    for (device, account) in [(&shop, account), (&other, account), (&shop, supplier.account(1))] {
        assert_locked(&device.try_to_use(&gift_id, account).await);
    }
    assert_locked(&shop.try_to_use(&gift_id, &supplier.own_number("2222")).await);
    other.use_gift(&app.gift(), supplier.account(1)).await;
    assert_eq!(rows::live_use(&database, &gift_id).await, None);

    rows::unlock(&database, &[of_account.clone(), of_device.clone()]).await;
    shop.use_gift(&gift_id, account).await;
    for subject in [&of_account, &of_device] {
        assert_eq!(rows::guard(&database, subject).await, rows::Guard::default(), "a right PIN begins anew: {subject}");
    }
}

#[tokio::test]
async fn a_second_lock_is_longer_and_a_right_pin_in_time_prevents_the_first() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let (shop, account, database) = (supplier.device(), supplier.account(0), app.database().await);
    let (gift_id, subjects) = (app.gift(), [rows::subject_of(&database, account).await, rows::device(&shop)]);
    for _ in 0..3 {
        for _ in 1..TRIES {
            assert_refused(&shop.try_to_use(&gift_id, &account.with_pin(WRONG)).await, 400, "credentials_invalid");
        }
        prove(&shop, account).await;
    }
    let mut waits = Vec::new();
    for _ in 0..2 {
        use_up(&shop, &gift_id, account).await;
        waits.push(retry_after(&shop.try_to_use(&gift_id, account).await));
        rows::unlock(&database, &subjects).await;
    }
    let hour = 3600;
    assert!(waits[0] <= hour && hour < waits[1] && waits[1] <= 2 * hour, "{waits:?}");
    shop.use_gift(&gift_id, account).await;
}

#[tokio::test]
async fn a_suppliers_own_number_has_tries_of_its_own() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let (shop, other, gift_id) = (supplier.device(), supplier.device(), app.gift());
    use_up(&shop, &gift_id, &supplier.own_number("1111")).await;
    assert_locked(&other.try_to_use(&gift_id, &supplier.own_number("1111")).await);
    other.use_gift(&gift_id, supplier.account(0)).await;
}

/// What became of guesses: how many were looked at, and how many were not.
fn verdicts(answers: &[Answer]) -> (usize, usize) {
    let (wrong, others): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.body["code"] == "credentials_invalid");
    for answer in &others {
        assert_locked(answer);
    }
    (wrong.len(), others.len())
}

/// The audit says the same as the callers were told.
async fn assert_audited(database: &PgPool, gift_id: &str, (wrong, locked): (usize, usize)) {
    assert_eq!(rows::count(database, gift_id, "credentials_invalid").await, wrong);
    assert_eq!(rows::count(database, gift_id, "gift_pin_locked").await, locked);
    assert_eq!(rows::live_use(database, gift_id).await, None);
}

/// Case 6: of fifty at once no more are looked at than in a row.
#[tokio::test]
async fn case_6_fifty_guesses_at_once_are_five() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let shops: Vec<_> = (0..10).map(|_| supplier.device()).collect();
    let (database, wrong) = (app.database().await, supplier.account(0).with_pin(WRONG));
    let account = rows::subject_of(&database, &wrong).await;
    for gift_id in app.gifts(5) {
        let (gift, wrong) = (gift_id.as_str(), &wrong);
        let guesses = shops.iter().flat_map(|shop| (0..5).map(move |_| shop.try_to_use(gift, wrong)));
        let answers = join_all(guesses).await;
        assert_eq!(answers.len(), 50);
        assert_eq!(verdicts(&answers), (TRIES, 50 - TRIES));
        assert_audited(&database, gift, (TRIES, 50 - TRIES)).await;
        assert_locked(&shops[0].try_to_use(gift, supplier.account(0)).await);
        let guard = rows::guard(&database, &account).await;
        assert_eq!((guard.wrong, guard.undecided, guard.locks, guard.is_locked), (0, 0, 1, true));
        // As if nobody had ever guessed.
        query("delete from pin_guard where subject = $1 or subject like 'device:shop:' || $2 || '/%'")
            .bind(&account)
            .bind(&supplier.code)
            .execute(&database)
            .await
            .unwrap();
    }
}

/// Case 6: all PINs of four digits, the first hundred one after the other, then many at once from several devices.
#[tokio::test]
async fn case_6_of_ten_thousand_pins_five_are_looked_at() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["9753", "2222"]);
    let shops: Vec<_> = (0..4).map(|_| supplier.device()).collect();
    let (database, gift_id) = (app.database().await, app.gift());
    let (shops, account, gift) = (&shops, supplier.account(0), gift_id.as_str());
    let guess = |number: usize| async move {
        let shop = &shops[number % shops.len()];
        shop.try_to_use(gift, &account.with_pin(&format!("{number:04}"))).await
    };
    let mut answers: Vec<_> = stream::iter(0..100).then(guess).collect().await;
    assert_eq!(verdicts(&answers), (TRIES, 100 - TRIES));
    answers.extend(stream::iter(100..10_000).map(guess).buffer_unordered(32).collect::<Vec<_>>().await);
    assert_eq!(verdicts(&answers), (TRIES, 10_000 - TRIES));
    assert_audited(&database, gift, (TRIES, 10_000 - TRIES)).await;
    let guard = rows::guard(&database, &rows::subject_of(&database, account).await).await;
    assert_eq!((guard.locks, guard.is_locked), (1, true), "what is not looked at makes no lock longer");
    supplier.device().use_gift(gift, supplier.account(1)).await;
}

/// Case 7.
#[tokio::test]
async fn case_7_nobody_without_a_device_of_the_supplier_locks_its_shops() {
    let app = SHOPS.app();
    let (supplier, attacker) = (app.supplier(&["1111"]), app.supplier(&["1111"]));
    let (shop, stranger, database) = (supplier.device(), attacker.device(), app.database().await);
    let (account, gift_id) = (supplier.account(0), app.gift());
    let body = json!({ "gift_id": gift_id, "supplier_invoice_no": account.number, "pin": WRONG });
    for _ in 0..2 * TRIES {
        let anybody = app.http().post(app.api("/api/gifts/use")).header("Idempotency-Key", "key").json(&body);
        assert_refused(&Answer::to(anybody).await, 401, "unauthenticated");
    }
    assert!(rows::audit(&database, &gift_id).await.is_empty());
    for number in [account, &supplier.own_number("1111")] {
        // Even with the right PIN: it only ever locks itself.
        for pin in [WRONG, "1111"] {
            stranger.try_to_use(&gift_id, &number.with_pin(pin)).await;
            stranger.try_to_use(&gift_id, &number.with_pin(pin)).await;
        }
    }
    assert_locked(&stranger.try_to_use(&gift_id, account).await);
    assert!(rows::guard(&database, &rows::device(&stranger)).await.is_locked);
    for subject in [rows::subject_of(&database, account).await, format!("supplier:{}", supplier.code)] {
        assert_eq!(rows::guard(&database, &subject).await, rows::Guard::default(), "{subject}");
    }
    shop.use_gift(&gift_id, account).await;
    // The attacker's own supplier goes on, too: with its other devices.
    attacker.device().use_gift(&app.gift(), attacker.account(0)).await;
}

/// What a device asks for is nothing but its supplier's: a device of a supplier that is not there has no right PIN.
#[tokio::test]
async fn a_device_of_nobody_is_refused_like_everybody() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let key = app.stack().create_key("shop:S-nobody/till", &["gifts:use"]).unwrap();
    let body = json!({ "gift_id": app.gift(), "supplier_invoice_no": supplier.account(0).number, "pin": "1111" });
    let request = app.http().post(app.api("/api/gifts/use")).bearer_auth(key).header("Idempotency-Key", "key");
    assert_refused(&Answer::to(request.json(&body)).await, 400, "credentials_invalid");
}

#[tokio::test]
async fn a_pin_that_is_changed_fits_at_once_and_the_old_one_never_more() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let (shop, account) = (supplier.device(), supplier.account(0));
    shop.use_gift(&app.gift(), account).await;
    app.set_pin(PinWork::Little, &account.number, "3333").unwrap();
    assert_refused(&shop.try_to_use(&app.gift(), account).await, 400, "credentials_invalid");
    let used = shop.try_to_use(&app.gift(), &account.with_pin("3333")).await;
    assert_eq!(used.status, StatusCode::OK, "{used:#?}");
}
