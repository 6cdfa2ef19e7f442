//! At rest nothing about gifts runs, and nothing ended in any other way than by itself.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use temporalio_client::{WorkflowExecutionStatus as Status, WorkflowListOptions};
use workflows::gifts::{redemption_workflow_id, void_workflow_id};

use super::super::{
    Gifts,
    memory::{Action, Step},
};

const ALL: &str = "WorkflowType IN ('GiftRedemption', 'GiftVoid')";

pub(super) async fn check(gifts: &Gifts, known: &BTreeMap<String, Vec<Step>>) -> Vec<String> {
    let client = gifts.app.temporal().await;
    let mut runs = BTreeMap::<_, Vec<_>>::new();
    let mut list = client.list_workflows(ALL, WorkflowListOptions::default());
    while let Some(run) = list.try_next().await.expect("the list of runs") {
        runs.entry(run.id().to_owned()).or_default().push(run.status());
    }
    let mut sentences = Vec::new();
    for id in known.values().flatten().map(workflow_id).chain(last(gifts)) {
        let found = runs.remove(&id).unwrap_or_default();
        if found.is_empty() || found.iter().any(|status| *status != Status::Completed) {
            sentences.push(format!("{id} should have runs that completed and has {found:?}"));
        }
    }
    sentences.extend(runs.iter().map(|(id, statuses)| format!("{id} has runs ({statuses:?}) that nobody asked for")));
    sentences
}

fn workflow_id(step: &Step) -> String {
    match step.action {
        Action::Use => redemption_workflow_id(step.id),
        Action::Void => void_workflow_id(step.id),
    }
}

/// The uses that this check itself has made.
fn last(gifts: &Gifts) -> impl Iterator<Item = String> {
    let tills = gifts.corners.iter().flat_map(|corner| [&corner.own, &corner.rival]);
    tills.map(|till| redemption_workflow_id(till.shop.redemption_id("last")))
}
