use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_workflow::{LocalActivityOptions, WorkflowContext, WorkflowContextView, WorkflowResult};
use uuid::Uuid;

use super::rows;

const ATTEMPT: Duration = Duration::from_secs(3);

/// What the floor keeps: one row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) id: Uuid,
    pub(crate) text: String,
}

/// The least that answers durably from a workflow: one update, one local activity. It lives on, as an invoice does.
#[workflow]
#[derive(Default)]
pub(crate) struct FloorWorkflow;

#[workflow_methods]
impl FloorWorkflow {
    #[init]
    pub(crate) fn new(_: &WorkflowContextView) -> Self {
        Self
    }

    #[run(name = "Floor")]
    pub(crate) async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<()> {
        ctx.wait_condition(|_| false).await?;
        Ok(())
    }

    #[update(name = "keep")]
    pub(crate) async fn keep(
        ctx: &mut WorkflowContext<Self>,
        note: Note,
    ) -> Result<Uuid, Box<dyn std::error::Error + Send + Sync>> {
        let options = LocalActivityOptions::builder().schedule_to_close_timeout(ATTEMPT).build();
        let id = note.id;
        ctx.execute_local_activity(FloorActivities::insert, note, options).await?;
        Ok(id)
    }
}

/// The floor's only step.
pub(crate) struct FloorActivities {
    pub(crate) database: PgPool,
}

#[activities]
impl FloorActivities {
    #[activity(name = "floor.insert")]
    pub(crate) async fn insert(self: Arc<Self>, _: ActivityContext, note: Note) -> Result<(), ActivityError> {
        Ok(rows::insert(&self.database, &note).await.map_err(anyhow::Error::from)?)
    }
}
