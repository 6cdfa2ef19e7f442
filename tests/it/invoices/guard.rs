//! The guard that every merchant of these tests carries: each of its invoices is what its own log says. Operators have
//! a command that looks at the same.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sqlx::{Connection, PgConnection, query};
use system_tests::{Merchant, Output, TestApp};
use uuid::Uuid;

use super::deadlines::BRIEF;

/// Changes the newest event of an invoice, as only somebody can who may switch off triggers.
async fn tamper(connection: &mut PgConnection, invoice_id: Uuid, change: &'static str) {
    query("set session_replication_role = replica").execute(&mut *connection).await.unwrap();
    let changed = query(change).bind(invoice_id).execute(&mut *connection).await.unwrap();
    query("reset session_replication_role").execute(&mut *connection).await.unwrap();
    assert_eq!(changed.rows_affected(), 1, "{change}");
}

/// What the operators' command says of a merchant's invoices, or how it fails.
fn told(app: &TestApp, merchant: &Merchant) -> Result<String, String> {
    let merchant_id = merchant.id().to_string();
    let told = app.stack().command(&["invoices", "audit", "--merchant", &merchant_id], "");
    told.map_err(|error| format!("{error:#}"))
}

/// What the guard says when its merchant is dropped; nothing when all is well.
fn said_at_the_end(merchant: Merchant) -> Option<String> {
    // With the last clone of its merchant it looks at the invoices, and panics with what it finds.
    let panicked = catch_unwind(AssertUnwindSafe(|| drop(merchant))).err()?;
    Some(panicked.downcast_ref::<String>().cloned().unwrap_or_default())
}

#[tokio::test]
async fn an_invoice_that_is_not_what_its_log_says_fails_the_test_that_made_it() {
    let app = BRIEF.app();
    let mut connection = PgConnection::connect(app.stack().database_url()).await.unwrap();
    for (change, back) in [
        (
            "update invoice_event set seen = seen + 1 where invoice_id = $1 and sequence = 2",
            "update invoice_event set seen = seen - 1 where invoice_id = $1 and sequence = 2",
        ),
        (
            "update invoice_event set sequence = 3 where invoice_id = $1 and sequence = 2",
            "update invoice_event set sequence = 2 where invoice_id = $1 and sequence = 3",
        ),
        (
            "update invoice_event set evidence = jsonb_set(evidence, '{invoice,title}', '\"x\"')
             where invoice_id = $1 and sequence = 1",
            "update invoice_event set evidence = jsonb_set(evidence, '{invoice,title}', '\"\"')
             where invoice_id = $1 and sequence = 1",
        ),
    ] {
        let merchant = app.merchant();
        let created = merchant.create(&Merchant::invoice()).await;
        let (invoice_id, another) = (created.invoice_id(), merchant.clone());
        assert_eq!(app.watcher().tell(&Output::paying(&created, "5").seen(1)).await, "accepted");
        merchant.until_exception(invoice_id, "paid_partial").await;
        tamper(&mut connection, invoice_id, change).await;
        assert_eq!(said_at_the_end(another), None, "somebody has the merchant yet");
        let told = told(&app, &merchant).expect_err("the command to fail");
        assert!(told.contains("1 invoices, 1 flaws") && told.contains(&format!("{invoice_id}: ")), "{told}");
        let said = said_at_the_end(merchant).expect("the guard to find it");
        assert!(said.contains(&invoice_id.to_string()), "{said}");
        tamper(&mut connection, invoice_id, back).await;
    }
}

#[tokio::test]
async fn a_merchant_whose_invoices_are_what_their_logs_say_goes_in_peace() {
    let app = BRIEF.app();
    let merchant = app.merchant();
    assert_eq!(told(&app, &merchant).unwrap(), "0 invoices, 0 flaws\n");
    merchant.create(&Merchant::invoice()).await;
    assert_eq!(told(&app, &merchant).unwrap(), "1 invoices, 0 flaws\n");
    assert_eq!(said_at_the_end(merchant), None);
}
