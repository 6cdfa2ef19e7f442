//! At rest no purchase runs, and none ended in any other way than by itself.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use temporalio_client::{WorkflowExecutionStatus as Status, WorkflowListOptions};
use uuid::Uuid;
use workflows::purchase_codes::workflow_id;

use super::super::{PurchaseCodes, memory::Known};

pub(super) async fn check(purchases: &PurchaseCodes, known: &BTreeMap<Uuid, Known>) -> Vec<String> {
    let client = purchases.app.temporal().await;
    let mut runs = BTreeMap::<_, Vec<_>>::new();
    let mut list = client.list_workflows("WorkflowType = 'PurchaseCode'", WorkflowListOptions::default());
    while let Some(run) = list.try_next().await.expect("the list of runs") {
        runs.entry(run.id().to_owned()).or_default().push(run.status());
    }
    let mut sentences = Vec::new();
    for id in known.keys() {
        let found = runs.remove(&workflow_id(*id)).unwrap_or_default();
        if found.is_empty() || found.iter().any(|status| *status != Status::Completed) {
            sentences.push(format!("purchase {id} should have runs that completed and has {found:?}"));
        }
    }
    sentences.extend(runs.iter().map(|(id, statuses)| format!("{id} has runs ({statuses:?}) that nobody asked for")));
    sentences
}
