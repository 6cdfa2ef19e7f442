//! The worker killed with -9 at every event of an invoice's life: nothing of that is left in the end.

use std::time::Duration;

use futures::future::join;
use reqwest::StatusCode;
use serde_json::Value;
use sqlx::{postgres::PgListener, query_scalar};
use stack::{Part, Settings};
use store::postgres::invoices::EVENTS_CHANNEL;
use system_tests::{History, Merchant, Output, TestApp, eventually};
use temporalio_client::{UntypedWorkflow, WorkflowDescribeOptions};
use tokio::time::timeout;
use uuid::Uuid;
use workflows::invoices::workflow_id;

const KEY: &str = "key";
/// Only a failing test waits this long.
const DEADLINE: Duration = Duration::from_mins(3);

/// All that is kept of an invoice, but for its names and times, and for what made the worker look at the money: one that
/// begins anew looks by itself, and may find what it would have been told of.
const LEFT: &str = "
    select jsonb_build_object(
        'invoice', to_jsonb(i) - array['invoice_id', 'merchant_id', 'deposit_address_id', 'fingerprint', 'created_at',
            'updated_at', 'expires_at', 'ended_at'],
        'events', (
            select jsonb_agg(jsonb_build_array(sequence, from_status, to_status, exception, seen, confirmed,
                case when cause ~ '^(deposits|deadline)/' then 'look' else split_part(cause, '/', 1) end)
                order by sequence)
            from invoice_event e where e.invoice_id = i.invoice_id),
        'deposits', (
            select jsonb_agg(jsonb_build_array(state, amount, right_asset, observed_version))
            from invoice_transaction t where t.invoice_id = i.invoice_id),
        'credits', (
            select jsonb_agg(jsonb_build_array(coin_id, network_id, amount, decimals))
            from merchant_credit c where c.invoice_id = i.invoice_id),
        'released', (select a.released_at is not null from address_assignment a where a.invoice_id = i.invoice_id),
        'notices', (select count(*) from deposit_notice n where n.invoice_id = i.invoice_id))
    from invoice i where i.invoice_id = $1";

#[tokio::test]
async fn case_08_killed_at_any_event_the_worker_leaves_what_it_would_have_left() {
    let settings = Settings::isolated().env(Part::Api, "PERDURA_INVOICE_MONITORING", "1s");
    // A task that died with its worker is soon given to the next one.
    let app = TestApp::isolated(settings.temporal("history.defaultWorkflowTaskTimeout", "\"3s\"")).await;
    let merchant = app.merchant();
    let undisturbed = live(&app, &merchant).await;
    let events = app.history(merchant.invoice_id(KEY)).await.len();
    assert_eq!(undisturbed["invoice"]["status"], "finished", "{undisturbed:#}");

    at_every_event_of_the_history(&app, &undisturbed, events).await;
    after_every_commit(&app, &undisturbed).await;
}

/// Events that are written at once leave no moment between them: the next kill comes after the last one that was there.
async fn at_every_event_of_the_history(app: &TestApp, undisturbed: &Value, events: usize) {
    let mut killed_at = 0;
    while killed_at < events {
        let merchant = app.merchant();
        let killed = kill_at_event(app, &merchant, killed_at + 1);
        let (left, there) = join(live(app, &merchant), killed).await;
        assert_eq!(left, *undisturbed, "killed at event {} of {events}, with {there} there", killed_at + 1);
        killed_at = there;
    }
}

/// Our rows know already what Temporal does not.
async fn after_every_commit(app: &TestApp, undisturbed: &Value) {
    let commits = undisturbed["events"].as_array().unwrap().len();
    for commit in 1..=commits {
        let merchant = app.merchant();
        let mut told = PgListener::connect(app.stack().database_url()).await.unwrap();
        told.listen(EVENTS_CHANNEL).await.unwrap();
        let killed = kill_at_commit(app, told, merchant.invoice_id(KEY), commit);
        let (left, ()) = join(live(app, &merchant), killed).await;
        assert_eq!(left, *undisturbed, "killed after commit {commit}");
    }
}

/// An invoice from its creation to the end of its run; what is left of it.
async fn live(app: &TestApp, merchant: &Merchant) -> Value {
    let created = merchant.insist(KEY).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:#?}");
    let invoice_id = created.invoice_id();
    // A watcher of its own: on the sandbox's chain the blocks of one invoice would be those of all.
    let (watcher, output) = (app.watcher(), Output::paying(&created, "12.5"));
    assert_eq!(watcher.tell(&output.seen(1)).await, "accepted");
    merchant.until(invoice_id, "payment_confirmation").await;
    assert_eq!(watcher.tell(&output.settled(2)).await, "accepted");
    merchant.until(invoice_id, "finished").await;
    eventually("the run to close", || app.history(invoice_id), History::is_closed).await;
    let database = app.database().await;
    let left = || async { query_scalar::<_, Value>(LEFT).bind(invoice_id).fetch_one(&database).await.unwrap() };
    eventually("the end of all notices", left, |left| left["notices"] == 0).await
}

/// Kills the worker when the history has so many events, or has ended before; how many there are when it is dead.
async fn kill_at_event(app: &TestApp, merchant: &Merchant, events: usize) -> usize {
    let temporal = app.temporal().await;
    let run = temporal.get_workflow_handle::<UntypedWorkflow>(workflow_id(merchant.invoice_id(KEY)));
    let look = || async {
        let described = run.describe(WorkflowDescribeOptions::default()).await.ok();
        described.map_or((0, false), |run| (run.history_length(), run.close_time().is_some()))
    };
    eventually(&format!("event {events}"), look, |(length, closed)| *length >= events || *closed).await;
    app.stack().kill(Part::Worker).unwrap();
    let (length, _) = look().await;
    app.stack().launch(Part::Worker).await.unwrap();
    length.max(events)
}

/// Kills the worker as soon as it has committed so many events of the invoice.
async fn kill_at_commit(app: &TestApp, mut told: PgListener, invoice_id: Uuid, commits: usize) {
    let invoice_id = invoice_id.to_string();
    let committed = async {
        let mut left = commits;
        while left > 0 {
            let committed = told.recv().await.unwrap();
            left -= usize::from(committed.payload() == invoice_id);
        }
    };
    timeout(DEADLINE, committed).await.unwrap_or_else(|_| panic!("there is no commit {commits} of {invoice_id}"));
    app.stack().kill(Part::Worker).unwrap();
    app.stack().launch(Part::Worker).await.unwrap();
}
