#![expect(missing_docs, reason = "the workflow macros generate undocumented constants")]

use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{WorkflowContext, WorkflowContextView, WorkflowResult};

use super::{NotificationInput, SaleStatus, journal};

/// What Vendron posted about a sale, whose own run may have ended long ago.
#[workflow]
pub struct SaleNotificationWorkflow {
    pub(super) input: NotificationInput,
}

#[workflow_methods]
impl SaleNotificationWorkflow {
    /// Begins with what the API was sent.
    #[init]
    pub fn new(_: &WorkflowContextView, input: NotificationInput) -> Self {
        Self { input }
    }

    /// Takes it as any frame of the sale, and tells operators what its own run may not tell them any more.
    #[run(name = "SaleNotification")]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<SaleStatus> {
        let told = journal::take_notification(ctx).await?;
        for kind in &told.to_tell {
            journal::tell_of_notification(ctx, *kind, &told).await;
        }
        Ok(told.standing.status)
    }
}
