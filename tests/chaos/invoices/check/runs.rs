//! An invoice runs as long as it is monitored, and no run is stuck.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use sqlx::query_as;
use temporalio_client::{
    Client, UntypedWorkflow, WorkflowDescribeOptions, WorkflowExecutionStatus as Status, WorkflowListOptions,
};
use uuid::Uuid;
use workflows::invoices::workflow_id;

use super::super::Invoices;
use crate::violation::Violation;

pub(super) async fn check(invoices: &Invoices) -> Vec<Violation> {
    let client = invoices.app.temporal().await;
    let mut runs = listed(&client).await;
    let rows: Vec<(Uuid, bool)> = query_as("select invoice_id, released_at is null from address_assignment")
        .fetch_all(&invoices.database)
        .await
        .expect("the assignments");
    let mut sentences = Vec::new();
    for (invoice_id, is_active) in rows {
        let found = runs.remove(&workflow_id(invoice_id)).unwrap_or_default();
        let expected = if is_active { Status::Running } else { Status::Completed };
        if found != [expected] {
            sentences.push(format!("invoice {invoice_id} should have one run that is {expected:?} and has {found:?}"));
        }
        if is_active {
            sentences.extend(stuck(&client, &workflow_id(invoice_id)).await);
        }
    }
    sentences.extend(runs.iter().map(|(id, statuses)| format!("{id} has runs ({statuses:?}) and no invoice")));
    sentences.into_iter().map(Violation::new).collect()
}

/// Every run by its workflow.
async fn listed(client: &Client) -> BTreeMap<String, Vec<Status>> {
    let mut runs = BTreeMap::<_, Vec<_>>::new();
    let mut list = client.list_workflows("WorkflowType = 'Invoice'", WorkflowListOptions::default());
    while let Some(run) = list.try_next().await.expect("the list of runs") {
        runs.entry(run.id().to_owned()).or_default().push(run.status());
    }
    runs
}

/// At rest a run waits for its timer: a task or an activity that is pending is one that keeps failing.
async fn stuck(client: &Client, workflow_id: &str) -> Option<String> {
    let handle = client.get_workflow_handle::<UntypedWorkflow>(workflow_id);
    let description = handle.describe(WorkflowDescribeOptions::default()).await.expect("a description");
    let raw = description.raw();
    let activities = raw.pending_activities.len();
    let attempt = raw.pending_workflow_task.as_ref().map_or(0, |task| task.attempt);
    (activities > 0 || attempt > 0).then(|| {
        format!("{workflow_id} has {activities} pending activities and a workflow task in attempt {attempt} while all is at rest")
    })
}
