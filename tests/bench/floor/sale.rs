use anyhow::Context;
use temporalio_client::WorkflowStartUpdateOptions;
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_workflow::{ActivityOptions, SyncWorkflowContext, WorkflowContext, WorkflowContextView, WorkflowResult};
use uuid::Uuid;

use super::{
    purchase::{ATTEMPT, FloorSteps, inside},
    workflow::Note,
};

/// The least that takes the steps of a fridge that is opened: one inside the workflow task, and one of its own, which
/// tells the workflow by an update what its caller waits for. It is over when that step is.
#[workflow]
#[derive(Default)]
pub(crate) struct FloorSale {
    asked: Option<Note>,
    is_open: bool,
}

#[workflow_methods]
impl FloorSale {
    #[init]
    pub(crate) fn new(_: &WorkflowContextView) -> Self {
        Self::default()
    }

    #[run(name = "FloorSale")]
    pub(crate) async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<()> {
        ctx.wait_condition(|sale| sale.asked.is_some()).await?;
        if let Some(note) = ctx.state(|sale| sale.asked.clone()) {
            ctx.execute_local_activity(FloorSteps::nothing, note.clone(), inside()).await?;
            let options = ActivityOptions::start_to_close_timeout(ATTEMPT);
            ctx.execute_activity(FloorDoor::open, note, options).await?;
        }
        ctx.wait_condition(|_| ctx.all_handlers_finished()).await?;
        Ok(())
    }

    #[update(name = "open")]
    pub(crate) async fn open(
        ctx: &mut WorkflowContext<Self>,
        note: Note,
    ) -> Result<Uuid, Box<dyn std::error::Error + Send + Sync>> {
        let id = note.id;
        ctx.state_mut(|sale| sale.asked = Some(note));
        ctx.wait_condition(|sale| sale.is_open).await?;
        Ok(id)
    }

    #[update(name = "report")]
    pub(crate) fn report(&mut self, _: &mut SyncWorkflowContext<Self>, is_open: bool) {
        self.is_open = is_open;
    }
}

/// The step that tells.
pub(crate) struct FloorDoor;

#[activities]
impl FloorDoor {
    #[activity(name = "floor.open")]
    pub(crate) async fn open(context: ActivityContext, _: Note) -> Result<(), ActivityError> {
        let run = context.workflow_handle::<FloorSale>().context("no run to tell")?;
        let options = WorkflowStartUpdateOptions::builder().build();
        run.start_update(FloorSale::report, true, options).await.map_err(anyhow::Error::from)?;
        Ok(())
    }
}
