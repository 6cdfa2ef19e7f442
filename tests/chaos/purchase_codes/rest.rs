//! Whether anything is still on its way.

use temporalio_client::WorkflowCountOptions;

use super::PurchaseCodes;

const RUNNING: &str = "WorkflowType = 'PurchaseCode' AND ExecutionStatus = 'Running'";

/// What still moves, in words: every code ends by itself, and its run soon after.
pub(super) async fn moves(purchases: &PurchaseCodes) -> Option<String> {
    let temporal = purchases.app.temporal().await;
    let running = temporal.count_workflows(RUNNING, WorkflowCountOptions::default()).await;
    let running = running.expect("Temporal").count();
    if running > 0 {
        return Some(format!("{running} runs of purchases are open"));
    }
    // Temporal lists what runs a little later than it runs.
    let records = purchases.aws.items("perdura-qr-data").await;
    let live = records.iter().find(|record| record["status"] == "GENERADO")?;
    Some(format!("the code of purchase {} has not ended", live["purchase_id"]))
}
