//! Whether anything is still on its way.

use temporalio_client::WorkflowCountOptions;

use super::FridgeSales;

/// What still moves, in words: every sale ends by itself once its door is closed, and its run soon after.
pub(super) async fn moves(sales: &FridgeSales) -> Option<String> {
    let temporal = sales.app.temporal().await;
    for kind in ["FridgeSale", "MachineCheck", "SaleNotification"] {
        let query = format!("WorkflowType = '{kind}' AND ExecutionStatus = 'Running'");
        let running = temporal.count_workflows(&query, WorkflowCountOptions::default()).await;
        let running = running.expect("Temporal").count();
        if running > 0 {
            return Some(format!("{running} runs of {kind} are open"));
        }
    }
    // Temporal lists what runs a little later than it runs, and an activity whose time is over may still be telling.
    let open = "select 'sale ' || sale_ref || ' is ' || status from transaction where ended_at is null
        union all
        select 'alert ' || alert_id || ' is being told' from alert
        where sent_at is null and claimed_until > clock_timestamp()
        limit 1";
    sqlx::query_scalar(open).fetch_optional(&sales.database).await.expect("the database")
}
