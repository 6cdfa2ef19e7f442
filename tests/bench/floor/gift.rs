use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{WorkflowContext, WorkflowContextView, WorkflowResult};
use uuid::Uuid;

use super::{
    purchase::{FloorSteps, inside},
    workflow::Note,
};

/// The least that answers durably and is over: one update, one step inside the workflow task that does nothing, and the
/// end.
#[workflow]
pub(crate) struct FloorGift {
    is_used: bool,
}

#[workflow_methods]
impl FloorGift {
    #[init]
    pub(crate) fn new(_: &WorkflowContextView) -> Self {
        Self { is_used: false }
    }

    #[run(name = "FloorGift")]
    pub(crate) async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<()> {
        ctx.wait_condition(|gift| gift.is_used).await?;
        ctx.wait_condition(|_| ctx.all_handlers_finished()).await?;
        Ok(())
    }

    #[update(name = "redeem")]
    pub(crate) async fn redeem(
        ctx: &mut WorkflowContext<Self>,
        note: Note,
    ) -> Result<Uuid, Box<dyn std::error::Error + Send + Sync>> {
        let id = note.id;
        ctx.execute_local_activity(FloorSteps::nothing, note, inside()).await?;
        ctx.state_mut(|gift| gift.is_used = true);
        Ok(id)
    }
}
