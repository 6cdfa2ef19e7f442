//! How much too much and how much too little is still the amount.

use futures::future::join_all;
use system_tests::{Merchant, TestApp};

use super::{
    deadlines::BRIEF,
    money::{Money, invoice},
};

/// Network, amount due, amount paid; exception then.
type Payment = (&'static str, &'static str, &'static str, &'static str);

/// Pays each invoice with confirmed money, and waits until it has this status.
async fn assert_all(app: &TestApp, payments: &[Payment], status: &str) {
    let merchant = app.merchant();
    join_all(payments.iter().map(|payment| assert_one(app, &merchant, *payment, status))).await;
}

async fn assert_one(app: &TestApp, merchant: &Merchant, payment: Payment, status: &str) {
    let (network, due, paid, exception) = payment;
    let asked = merchant.create(&invoice(network, due, 900)).await;
    Money::to(app, &asked, paid).is_final().await;
    let told = merchant.until(asked.invoice_id(), status).await;
    assert_eq!(told.text("exception"), exception, "{payment:?}");
    assert_eq!(told.body["amounts"]["confirmed"], paid, "{payment:?}");
}

#[tokio::test]
async fn case_23_more_is_overpaid_from_beyond_the_tolerance() {
    let without = [("tron", "12.5", "12.500001", "none"), ("tron", "12.5", "12.500002", "paid_over")];
    assert_all(&TestApp::shared(), &without, "finished").await;
    // 5,000 units on tron, 100 basis points on ethereum.
    let with = [
        ("tron", "12.5", "12.500001", "none"),
        ("tron", "12.5", "12.505", "none"),
        ("tron", "12.5", "12.505001", "paid_over"),
        ("ethereum", "12.5", "12.625", "none"),
        ("ethereum", "12.5", "12.625001", "paid_over"),
    ];
    assert_all(&BRIEF.app(), &with, "finished").await;
}

#[tokio::test]
async fn case_24_less_within_the_tolerance_is_enough_and_nothing_unusual() {
    assert_all(&TestApp::shared(), &[("tron", "12.5", "12.499999", "paid_partial")], "partially_paid").await;
    let app = BRIEF.app();
    let enough = [
        ("tron", "12.5", "12.495", "none"),
        ("ethereum", "12.5", "12.375", "none"),
        // Never more than a tenth of what is due, and never rounded up: 1.99 units are one.
        ("tron", "0.01", "0.009", "none"),
        ("ethereum", "0.000199", "0.000198", "none"),
    ];
    assert_all(&app, &enough, "finished").await;
    let too_little = [
        ("tron", "12.5", "12.494999", "paid_partial"),
        ("ethereum", "12.5", "12.374999", "paid_partial"),
        ("tron", "0.01", "0.008999", "paid_partial"),
        ("ethereum", "0.000199", "0.000197", "paid_partial"),
    ];
    assert_all(&app, &too_little, "partially_paid").await;
}
