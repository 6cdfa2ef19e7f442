//! Many invoices at the same moment.

use futures::{StreamExt, stream};
use sqlx::query_scalar;
use stack::Settings;
use system_tests::{Answer, Merchant, TestApp, eventually};

use super::addresses::{assert_share_no_address, create_at_once};

const CROWD: usize = 200;
/// Buyers who pay at the same moment.
const AT_ONCE: usize = 8;

/// Invoices that have all their money seen, and nothing else.
const SEEN: &str = "select count(*) from invoice where merchant_id = $1 and status = 'payment_confirmation'";

/// Invoices that are finished as they should be: once, with one credit, and every event in its place.
const FINISHED_ONCE: &str = "
    select count(*) from invoice i
    where merchant_id = $1 and status = 'finished' and exception = 'none' and confirmed = amount
      and (select array_agg(sequence order by sequence) = array(select generate_series(1, i.version))
              and count(*) filter (where to_status = 'finished') = 1
           from invoice_event e where e.invoice_id = i.invoice_id)
      and (select count(*) = 1 and sum(c.amount) = i.amount from merchant_credit c where c.invoice_id = i.invoice_id)
      and not exists (select from deposit_notice n where n.invoice_id = i.invoice_id)";

#[tokio::test]
async fn case_01_and_40_two_hundred_at_once_share_no_address_and_finish_each_once_with_one_block() {
    let app = TestApp::isolated(Settings::isolated()).await;
    let merchant = app.merchant();
    app.fill_pool(&merchant, 1).await;
    let created = create_at_once(&merchant, CROWD).await;
    assert_share_no_address(&app, &merchant, &created, 1).await;

    let address_of = |created: &Answer| created.text("deposit_address").to_owned();
    stream::iter(created.iter().map(address_of))
        .for_each_concurrent(AT_ONCE, |address| {
            let app = &app;
            async move { drop(app.pay("tron", "usdt", &address, "12.5").await) }
        })
        .await;
    until_all(&app, &merchant, SEEN).await;
    // They are all in the first of these blocks, and the last confirms them all.
    app.mine("tron", 19).await;
    until_all(&app, &merchant, FINISHED_ONCE).await;
}

async fn until_all(app: &TestApp, merchant: &Merchant, counting: &'static str) {
    let database = app.database().await;
    let counted = || async {
        let counted = query_scalar(counting).bind(merchant.id());
        counted.fetch_one(&database).await.unwrap()
    };
    let all = i64::try_from(CROWD).unwrap();
    eventually(&format!("all of them: {counting}"), counted, |counted: &i64| *counted == all).await;
}
