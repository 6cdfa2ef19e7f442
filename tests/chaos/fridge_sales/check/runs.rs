//! At rest no sale runs, no question is open and nothing that was posted is still to be taken, and none of them ended
//! in any other way than by itself.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use temporalio_client::{Client, WorkflowExecutionStatus as Status, WorkflowListOptions};
use uuid::Uuid;
use workflows::fridge_sales::workflow_id;

use super::super::{FridgeSales, memory::Known};

pub(super) type Runs = BTreeMap<String, Vec<Status>>;

pub(super) async fn check(sales: &FridgeSales, known: &BTreeMap<Uuid, Known>) -> Vec<String> {
    let client = sales.app.temporal().await;
    let mut runs = listed(&client, "FridgeSale").await;
    let mut others = listed(&client, "MachineCheck").await;
    others.extend(listed(&client, "SaleNotification").await);
    let mut sentences = Vec::new();
    for sale in known.keys() {
        let found = runs.remove(&workflow_id(*sale)).unwrap_or_default();
        if found.is_empty() || found.iter().any(|status| *status != Status::Completed) {
            sentences.push(format!("sale {sale} should have runs that completed and has {found:?}"));
        }
    }
    sentences.extend(runs.iter().map(|(id, statuses)| format!("{id} has runs ({statuses:?}) that nobody asked for")));
    let open = others.iter().filter(|(_, statuses)| statuses.iter().any(|status| *status != Status::Completed));
    sentences.extend(open.map(|(id, statuses)| format!("{id} has runs that did not complete: {statuses:?}")));
    sentences
}

/// Every run by its workflow.
pub(super) async fn listed(client: &Client, kind: &str) -> Runs {
    let mut runs = Runs::new();
    let mut list = client.list_workflows(format!("WorkflowType = '{kind}'"), WorkflowListOptions::default());
    while let Some(run) = list.try_next().await.expect("the list of runs") {
        runs.entry(run.id().to_owned()).or_default().push(run.status());
    }
    runs
}
