//! At rest no sale runs and no question is open, and none ended in any other way than by itself.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use temporalio_client::{Client, WorkflowExecutionStatus as Status, WorkflowListOptions};
use uuid::Uuid;
use workflows::fridge_sales::workflow_id;

use super::super::{FridgeSales, memory::Known};

type Runs = BTreeMap<String, Vec<Status>>;

pub(super) async fn check(sales: &FridgeSales, known: &BTreeMap<Uuid, Known>) -> Vec<String> {
    let client = sales.app.temporal().await;
    let (mut runs, questions) = (listed(&client, "FridgeSale").await, listed(&client, "MachineCheck").await);
    let mut sentences = Vec::new();
    for sale in known.keys() {
        let found = runs.remove(&workflow_id(*sale)).unwrap_or_default();
        if found.is_empty() || found.iter().any(|status| *status != Status::Completed) {
            sentences.push(format!("sale {sale} should have runs that completed and has {found:?}"));
        }
    }
    sentences.extend(runs.iter().map(|(id, statuses)| format!("{id} has runs ({statuses:?}) that nobody asked for")));
    let open = questions.iter().filter(|(_, statuses)| statuses.iter().any(|status| *status != Status::Completed));
    sentences.extend(open.map(|(id, statuses)| format!("{id} has runs that did not complete: {statuses:?}")));
    sentences
}

/// Every run by its workflow.
async fn listed(client: &Client, kind: &str) -> Runs {
    let mut runs = Runs::new();
    let mut list = client.list_workflows(format!("WorkflowType = '{kind}'"), WorkflowListOptions::default());
    while let Some(run) = list.try_next().await.expect("the list of runs") {
        runs.entry(run.id().to_owned()).or_default().push(run.status());
    }
    runs
}
