//! Whether anything is still on its way.

use temporalio_client::WorkflowCountOptions;

use super::Gifts;

const RUNNING: &str = "WorkflowType IN ('GiftRedemption', 'GiftVoid') AND ExecutionStatus = 'Running'";

/// What still moves, in words: every run ends when its till is answered, or when nobody asks.
pub(super) async fn moves(gifts: &Gifts) -> Option<String> {
    let temporal = gifts.app.temporal().await;
    let running = temporal.count_workflows(RUNNING, WorkflowCountOptions::default()).await;
    let running = running.expect("Temporal").count();
    (running > 0).then(|| format!("{running} runs about gifts are open"))
}
