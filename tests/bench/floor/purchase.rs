use std::{future::ready, time::Duration};

use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_workflow::{
    ActivityOptions, LocalActivityOptions, WorkflowContext, WorkflowContextView, WorkflowResult,
};
use uuid::Uuid;

use super::workflow::Note;

pub(super) const ATTEMPT: Duration = Duration::from_secs(3);
/// A purchase reads its loan, spends its one-time password and disburses.
const CALLS: usize = 3;

/// The least that takes the steps of a purchase's issue: one inside the workflow task, three of their own, and one
/// inside again. It lives on, as a purchase does whose code waits for its scan.
#[workflow]
#[derive(Default)]
pub(crate) struct FloorPurchase;

#[workflow_methods]
impl FloorPurchase {
    #[init]
    pub(crate) fn new(_: &WorkflowContextView) -> Self {
        Self
    }

    #[run(name = "FloorPurchase")]
    pub(crate) async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<()> {
        ctx.wait_condition(|_| false).await?;
        Ok(())
    }

    #[update(name = "issue")]
    pub(crate) async fn issue(
        ctx: &mut WorkflowContext<Self>,
        note: Note,
    ) -> Result<Uuid, Box<dyn std::error::Error + Send + Sync>> {
        let id = note.id;
        ctx.execute_local_activity(FloorSteps::nothing, note.clone(), inside()).await?;
        for _ in 0..CALLS {
            let options = ActivityOptions::start_to_close_timeout(ATTEMPT);
            ctx.execute_activity(FloorSteps::nothing, note.clone(), options).await?;
        }
        ctx.execute_local_activity(FloorSteps::nothing, note, inside()).await?;
        Ok(id)
    }
}

/// Of a step inside the workflow task.
pub(super) fn inside() -> LocalActivityOptions {
    LocalActivityOptions::builder().schedule_to_close_timeout(ATTEMPT).build()
}

/// The steps of such a purchase.
pub(crate) struct FloorSteps;

#[activities]
impl FloorSteps {
    #[activity(name = "floor.nothing")]
    pub(crate) async fn nothing(_: ActivityContext, _: Note) -> Result<(), ActivityError> {
        ready(Ok(())).await
    }
}
