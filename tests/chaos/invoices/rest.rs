//! Whether anything is still on its way.

use std::collections::BTreeMap;

use sqlx::query_scalar;
use system_tests::TestApp;
use temporalio_client::WorkflowCountOptions;

use super::{Invoices, outside};

/// One line for each thing in our own rows that has to change by itself.
const UNFINISHED: &str = "
    select 'invoice ' || invoice_id || ' has deposits that were not counted yet' from deposit_notice
    union all
    select 'invoice ' || invoice_id || ' is accepted and not credited yet' from invoice where status = 'payment_accepted'
    union all
    select 'invoice ' || invoice_id || ' is ' || status || ' after its deadline' from invoice
    where status in ('waiting_for_deposit', 'partially_paid') and expires_at + interval '1s' < now()
    union all
    select 'invoice ' || invoice_id || ' has ended and is still monitored' from invoice
    join address_assignment using (invoice_id) where ended_at is not null and released_at is null
    limit 1";

/// What still moves, in words.
pub(super) async fn moves(invoices: &Invoices) -> Option<String> {
    let unfinished: Option<String> =
        query_scalar(UNFINISHED).fetch_optional(&invoices.database).await.expect("the database");
    if unfinished.is_some() {
        return unfinished;
    }
    if let Some(unreported) = unreported(invoices).await {
        return Some(unreported);
    }
    unclosed(&invoices.app, invoices).await
}

/// An output whose last state has not arrived.
async fn unreported(invoices: &Invoices) -> Option<String> {
    let outputs = outside::outputs(invoices, &invoices.memory.invoices()).await;
    let kept: Vec<(String, i64)> = sqlx::query_as(
        "select network_id || '/' || tx_id || '/' || output_ref, observed_version from invoice_transaction",
    )
    .fetch_all(&invoices.database)
    .await
    .expect("the database");
    let kept: BTreeMap<_, _> = kept.into_iter().collect();
    let missing =
        outputs.iter().find(|output| kept.get(&output.name()).is_none_or(|version| *version < output.version));
    missing.map(|output| format!("output {} is {} and that was not kept yet", output.name(), output.state))
}

/// Temporal lists what runs a little later than it runs.
async fn unclosed(app: &TestApp, invoices: &Invoices) -> Option<String> {
    let active: i64 = query_scalar("select count(*) from address_assignment where released_at is null")
        .fetch_one(&invoices.database)
        .await
        .expect("the database");
    let temporal = app.temporal().await;
    let running = "WorkflowType = 'Invoice' AND ExecutionStatus = 'Running'";
    let counted = temporal.count_workflows(running, WorkflowCountOptions::default()).await;
    let running = counted.expect("Temporal").count();
    (i64::try_from(running) != Ok(active)).then(|| format!("{active} invoices are active and {running} runs are open"))
}
