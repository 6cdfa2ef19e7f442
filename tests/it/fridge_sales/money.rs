//! 8.13, 8.14: what a buyer owes, and what of it can be taken.

use futures::future::join_all;
use serde_json::{Value, json};
use system_tests::{Fridge, Sale, TestApp, product};

use super::{assert_sold, soup, soups, water, waters};

/// More than one kind of fridge holds.
const KINDS: u32 = 40;
const OF_EACH: u32 = 5;

/// How a sale ended: its fields that are about money.
async fn ended(fridge: &Fridge, taken: &[Value], closing: Value) -> (Sale, Value) {
    let sale = fridge.open().await;
    fridge.take(taken).await;
    fridge.act("close", closing).await;
    let ended = sale.until_it("has ended", |shown| shown.body["total"].is_string()).await.body;
    let fields = ["status", "products", "total", "reported_total", "disputed", "capture"];
    let money = fields.iter().map(|field| ((*field).to_owned(), ended[*field].clone())).collect();
    (sale, Value::Object(money))
}

#[tokio::test]
async fn prices_and_total_that_contradict_each_other_are_shown_both_and_told() {
    let app = TestApp::shared();
    let frontend = &app.frontend();
    let no_price = json!({ "vpn": "3", "name": "Pain" });
    let unreadable = product("3", "Pain", "cher");
    let bread = json!({ "vpn": "3", "name": "Pain", "unit_price": null, "quantity": 1 });
    let cases = [
        // The prices count.
        (vec![soup(), soup()], json!({ "total": "9.99" }), json!([soups(2)]), "9.00", "9.99"),
        (vec![soup()], json!({ "total": "0" }), json!([soups(1)]), "4.50", "0.00"),
        (vec![], json!({ "products": [], "total": "5.00" }), json!([]), "0.00", "5.00"),
        // Without them what Vendron says.
        (vec![soup(), no_price], json!({ "total": "7.00" }), json!([soups(1), bread]), "7.00", "7.00"),
        (vec![unreadable], json!({ "total": "2.50" }), json!([bread]), "2.50", "2.50"),
    ];
    let through =
        |(taken, closing, products, total, reported): (Vec<Value>, Value, Value, &'static str, &'static str)| {
            let app = &app;
            async move {
                let fridge = app.fridge_of(frontend).await;
                let what = closing.to_string();
                let (sale, money) = ended(&fridge, &taken, closing).await;
                let expected = json!({
                    "status": "completed", "products": products, "total": total, "reported_total": reported,
                    "disputed": true,
                    "capture": { "amount": total, "shortfall": "0.00" },
                });
                assert_eq!(money, expected, "{what}");
                let messages = fridge.until_told("do not add up").await;
                assert!(messages[0].contains(&sale.transaction_id().to_string()), "{messages:#?}");
                sale.until_closed().await;
                assert_eq!(fridge.messages().await.len(), 1, "{what}");
            }
        };
    join_all(cases.map(through)).await;
}

#[tokio::test]
async fn a_list_of_nothing_that_completes_is_an_empty_sale() {
    let app = TestApp::shared();
    let (_, money) = ended(&app.fridge().await, &[], json!({ "products": [] })).await;
    let expected = json!({
        "status": "empty", "products": [], "total": "0.00", "reported_total": "0.00", "disputed": false,
        "capture": { "amount": "0.00", "shortfall": "0.00" },
    });
    assert_eq!(money, expected);
}

/// What was seen before, and what is not known at all, does not matter.
#[tokio::test]
async fn the_final_list_counts_also_where_it_is_another_than_the_basket() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    fridge.take(&[soup(), soup()]).await;
    sale.until_taken(2).await;
    let strange = product("", "", "0.05");
    fridge.act("close", json!({ "products": [water(), strange], "transaction_id": "" })).await;
    let products = json!([{ "vpn": "", "name": "", "unit_price": "0.05", "quantity": 1 }, waters(1)]);
    assert_sold(&fridge, &sale, &products, "1.65", "another list").await;
}

/// 8.14
#[tokio::test]
async fn a_basket_over_what_is_authorised_is_owed_and_captured_in_part() {
    let app = TestApp::shared();
    let taken = vec![soup(); 7];
    let (_, money) = ended(&app.fridge().await, &taken, json!({})).await;
    let expected = json!({
        "status": "completed", "products": [soups(7)], "total": "31.50", "reported_total": "31.50", "disputed": false,
        "capture": { "amount": "20.00", "shortfall": "11.50" },
    });
    assert_eq!(money, expected);
}

#[tokio::test]
async fn two_hundred_pieces_are_counted() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    let kind = |number: u32| product(&format!("{number:03}"), &format!("Plat {number}"), "1.25");
    let pieces: Vec<_> = (0..KINDS * OF_EACH).map(|piece| kind(piece % KINDS)).collect();
    for some in pieces.chunks(50) {
        fridge.take(some).await;
    }
    sale.until_taken(200).await;
    fridge.close().await;
    let with_quantity = |mut kind: Value| {
        kind["quantity"] = json!(OF_EACH);
        kind
    };
    let products: Vec<_> = (0..KINDS).map(|number| with_quantity(kind(number))).collect();
    assert_sold(&fridge, &sale, &json!(products), "250.00", "200 pieces").await;
}
