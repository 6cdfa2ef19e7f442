//! Whatever Vendron says, and in whatever order, the list that counts is the final one of this very sale.

use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::query_scalar;
use system_tests::{Fridge, Sale, TestApp, event_names};
use uuid::Uuid;

use super::{HASTY, assert_sold, soup, soups, water, waters};

/// Longer than a list of everything in a fridge, and short enough to be read.
const LONG: usize = 1_000_000;
/// Longer than what is read.
const TOO_LONG: usize = 1_100_000;

pub(super) fn frame(command: &str, json_data: &Value, reference: &str) -> String {
    let data = json!({ "status": 1, "error_data": [], "json_data": json_data });
    json!({ "command": command, "command_data": data, "ref": reference }).to_string()
}

fn unlocked(reference: &str) -> String {
    frame("smart_fridge_door_open_success", &json!({ "code": 1, "data": [{ "door_status": "UNLOCKED" }] }), reference)
}

pub(super) fn taken(list: &[Value], reference: &str) -> String {
    frame("smart_fridge_product_taken", &json!({ "code": 1, "list": list }), reference)
}

pub(super) fn closed(reference: &str) -> String {
    frame("smart_fridge_door_close_success", &json!({ "code": 1, "data": { "door_status": "LOCKED" } }), reference)
}

pub(super) fn completed(list: &[Value], total: &str, reference: &str) -> String {
    let data = json!({
        "transaction_id": "t-1", "transaction_status": 1, "transaction_total": total, "transaction_product": list,
    });
    frame("smart_fridge_request_completed", &json!({ "code": 1, "data": data }), reference)
}

/// 8.10
#[tokio::test]
async fn events_come_twice_and_in_any_order_and_the_final_list_counts() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    let orders = [
        "soup both closed end",
        "both soup closed end",
        "end closed both soup",
        "closed both end soup",
        "soup soup both both closed closed end end",
        "end end soup closed",
        "soup closed unlocked end",
        "closed unlocked closed nothing end",
        "closed end other",
        "end",
    ];
    let fridges = app.fridges_of(&frontend, orders.len()).await;
    let through = |(fridge, order): (&Fridge, &'static str)| {
        let fridge = fridge.clone();
        async move {
            let sale = fridge.open().await;
            fridge.emit(&in_order(order, &sale.sale_ref.to_string())).await;
            let products = json!([soups(1), waters(1)]);
            assert_sold(&fridge, &sale, &products, "6.10", order).await;
            let shown = sale.read().await;
            let closings = event_names(&shown).iter().filter(|name| name.contains("door_close")).count();
            assert!(closings <= 1, "{order}: {closings} closings are shown");
        }
    };
    join_all(fridges.iter().zip(orders).map(through)).await;
}

fn in_order(order: &str, reference: &str) -> Vec<String> {
    let one = |word: &str| match word {
        "nothing" => taken(&[], reference),
        "soup" => taken(&[soup()], reference),
        "both" => taken(&[soup(), water()], reference),
        "closed" => closed(reference),
        "unlocked" => unlocked(reference),
        "end" => completed(&[water(), soup()], "6.10", reference),
        "other" => completed(&[soup(), soup()], "9.00", reference),
        _ => panic!("no frame is called {word}"),
    };
    order.split(' ').map(one).collect()
}

/// 8.10 to 8.12: the same sale in every way of telling it.
#[tokio::test]
async fn however_vendron_puts_it_the_sale_is_the_same() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    let styles = [
        json!({ "quirks": ["opened"] }),
        json!({ "quirks": ["numbers_as_strings"] }),
        json!({ "quirks": ["prices_as_numbers"] }),
        json!({ "quirks": ["product_data"] }),
        json!({ "quirks": ["swapped"] }),
        json!({ "quirks": ["seconds_ref"] }),
        json!({ "quirks": ["result_first"] }),
        json!({ "quirks": ["completed_first"] }),
        json!({ "omit": ["ref", "message", "code", "transaction_id", "trade_vdps_id", "transaction_status"] }),
        json!({
            "quirks": [
                "opened", "numbers_as_strings", "product_data", "swapped", "seconds_ref", "result_first",
                "completed_first",
            ],
        }),
    ];
    let fridges = app.fridges_of(&frontend, styles.len()).await;
    join_all(fridges.iter().zip(&styles).map(|(fridge, style)| sold_in(fridge, style))).await;
}

async fn sold_in(fridge: &Fridge, style: &Value) {
    let what = style.to_string();
    fridge.set(style.clone()).await;
    let sale = fridge.open().await;
    fridge.take(&[water(), soup(), soup()]).await;
    sale.until_taken(3).await;
    fridge.put_back(&["1"]).await;
    fridge.act("close", json!({ "repeat": 2 })).await;
    assert_sold(fridge, &sale, &json!([soups(1), waters(1)]), "6.10", &what).await;

    let nothing = fridge.try_to_open(&format!("nothing is taken {}", fridge.id())).await;
    assert_eq!(nothing.answer.text("status"), "open", "{what}");
    fridge.close().await;
    nothing.until("empty").await;
}

/// 8.11
#[tokio::test]
async fn what_is_said_of_other_sales_changes_nothing() {
    let app = TestApp::shared();
    let one = app.fridge().await;
    let other = app.fridge_of(one.frontend()).await;
    let (first, second) = (one.open().await, other.open().await);
    let (own, elsewhere) = (first.sale_ref.to_string(), second.sale_ref.to_string());
    let foreign_session = json!({ "code": 1, "session": "somebody-elses", "list": [water(), water(), water()] });
    let foreign = [
        taken(&[water()], &elsewhere),
        closed(&Uuid::new_v4().to_string()),
        frame("smart_fridge_product_taken", &foreign_session, &own),
        completed(&[water()], "1.60", &elsewhere),
    ];
    one.emit(&foreign).await;
    let heard = first.until_heard("smart_fridge_request_completed").await;
    assert_eq!((heard.text("status"), &heard.body["products"]), ("open", &json!([])), "{heard:#?}");
    assert_eq!(kept(&app, &first, "fact is null").await.iter().filter(|raw| foreign.contains(raw)).count(), 4);

    // Their own events, in turns; one of them without a reference, one with the time in its place.
    one.act("take", json!({ "products": [soup()], "omit": ["ref"] })).await;
    other.take(&[water()]).await;
    one.act("take", json!({ "products": [soup()], "ref": "1795341600" })).await;
    other.act("close", json!({ "omit": ["ref"] })).await;
    one.close().await;
    assert_sold(&one, &first, &json!([soups(2)]), "9.00", "one").await;
    assert_sold(&other, &second, &json!([waters(1)]), "1.60", "the other").await;
}

/// The frames of a sale that are on record and are as the condition says.
pub(super) async fn kept(app: &TestApp, sale: &Sale, condition: &'static str) -> Vec<String> {
    let select = format!(
        "select raw from event where transaction_id = $1 and direction = 'received' and {condition} order by sequence"
    );
    let select = query_scalar(sqlx::AssertSqlSafe(select)).bind(sale.transaction_id());
    select.fetch_all(&app.database().await).await.unwrap()
}

/// 8.12
#[tokio::test]
async fn rubbish_is_kept_and_does_no_harm() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    let nested = "[".repeat(5000);
    let rubbish = [
        "",
        "hello",
        "{",
        "[]",
        "null",
        "17",
        "{}",
        r#"{"command":1}"#,
        r#"{"command":["smart_fridge_request_completed"]}"#,
        r#"{"command":"smart_fridge_request_completed"}"#,
        r#"{"command":"smart_fridge_request_completed","command_data":{"status":1,"json_data":[]}}"#,
        r#"{"command":"smart_fridge_product_taken","command_data":{"status":1,"json_data":{"list":7}}}"#,
        r#"{"command":"smart_fridge_door_close_success","command_data":{"status":1,"json_data":{"data":{"door_status":"OPENED"}}}}"#,
        "a\0b",
        r#"{"command":"a\u0000b"}"#,
        "\u{202e}👩‍👩‍👧\u{fffd}",
        nested.as_str(),
        r#"{"command":"unheard_of","command_data":{"status":1}}"#,
    ];
    fridge.emit(&rubbish.map(str::to_owned)).await;
    fridge.act("emit", json!({ "frames": ["bytes", "{\"command\":\"in_bytes\"}"], "binary": true })).await;
    fridge.take(&[soup()]).await;
    let heard = sale.until_taken(1).await;
    assert_eq!((heard.text("status"), heard.text("door")), ("open", "open"), "{heard:#?}");
    assert!(event_names(&heard).contains(&"unheard_of") && event_names(&heard).contains(&"unreadable"), "{heard:#?}");
    let raw = kept(&app, &sale, "fact is null").await;
    for frame in rubbish.into_iter().chain(["bytes", "{\"command\":\"in_bytes\"}"]) {
        assert!(raw.contains(&frame.replace('\0', "\u{fffd}")), "{frame:?} is lost");
    }
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "rubbish").await;
}

/// 8.12: a megabyte is read and cut; what is longer costs the connection, and nothing else.
#[tokio::test]
async fn frames_without_end_do_not_end_a_sale() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    fridge.emit(&["x".repeat(LONG)]).await;
    sale.until_heard("unreadable").await;
    let longest = kept(&app, &sale, "name = 'unreadable'").await;
    assert_eq!(longest[0].len(), 64 * 1024);

    let before = fridge.view().await["listener"].take();
    fridge.emit(&["x".repeat(TOO_LONG)]).await;
    fridge.until_another_listens(&before).await;
    fridge.take(&[soup()]).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "two megabytes").await;
}
