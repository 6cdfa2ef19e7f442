//! Tells the run what its callers wait for.

use std::{convert::Infallible, future::pending, time::Duration};

use temporalio_client::{WorkflowStartUpdateOptions, errors::WorkflowUpdateError};
use temporalio_sdk::activities::ActivityContext;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{sleep, timeout},
};
use uuid::Uuid;
use workflows::fridge_sales::{FridgeSaleWorkflow, ReportedEvent, SaleReport};

/// Bound of one call: the SDK itself asks without end while no worker takes the update.
const CALL: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(500);

/// Tells every report, in order, for as long as somebody waits for this.
pub(super) async fn tell_all(
    context: &ActivityContext,
    sale_ref: Uuid,
    mut reports: UnboundedReceiver<SaleReport>,
) -> Infallible {
    while let Some(report) = reports.recv().await {
        while !is_told(context, sale_ref, &report).await {
            sleep(PAUSE).await;
        }
    }
    pending().await
}

/// Whether nothing is left to do: the run has it, or does not want it. The update's id makes telling it twice harmless.
async fn is_told(context: &ActivityContext, sale_ref: Uuid, report: &SaleReport) -> bool {
    let Some(run) = context.workflow_handle::<FridgeSaleWorkflow>() else {
        return true;
    };
    let options = WorkflowStartUpdateOptions::builder().update_id(update_id(sale_ref, report.event)).build();
    let told = timeout(CALL, run.start_update(FridgeSaleWorkflow::report, report.clone(), options)).await;
    let (why, is_final) = match told {
        Ok(Ok(_accepted)) => return true,
        Ok(Err(error)) => (error.to_string(), is_final(&error)),
        Err(_) => ("Temporal did not take it in time".to_owned(), false),
    };
    tracing::warn!(%sale_ref, event = report.event.as_str(), why, is_final, "the run has not taken a report");
    is_final
}

/// The run is over, or says no.
const fn is_final(error: &WorkflowUpdateError) -> bool {
    matches!(error, WorkflowUpdateError::NotFound(_) | WorkflowUpdateError::Failed(_))
}

fn update_id(sale_ref: Uuid, event: ReportedEvent) -> String {
    format!("{sale_ref}/{}", event.as_str())
}
