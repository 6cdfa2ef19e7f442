use temporalio_sdk::{
    Runtime, Worker, WorkerOptions,
    runtime::{PollerBehavior, RuntimeOptions},
};

use super::{
    FloorSettings, TASK_QUEUE,
    gift::FloorGift,
    purchase::{FloorPurchase, FloorSteps},
    rows,
    sale::{FloorDoor, FloorSale},
    workflow::{FloorActivities, FloorWorkflow},
};

/// As many as the product's worker has.
const CONNECTIONS: u32 = 8;
const WORKFLOW_POLLS: usize = 10;
const NEW_RUN_SHARE: f32 = 0.5;
const ACTIVITY_POLLS: usize = 5;
const CACHED_WORKFLOWS: usize = 1000;

/// Works until the process ends.
pub(crate) async fn run(settings: FloorSettings) -> anyhow::Result<()> {
    let database = rows::pool(&settings.database_url, CONNECTIONS)?;
    let runtime = Runtime::from_current_tokio(RuntimeOptions::default())?;
    let options = WorkerOptions::new(TASK_QUEUE)
        .register_workflow::<FloorWorkflow>()?
        .register_activities(FloorActivities { database })
        .register_workflow::<FloorPurchase>()?
        .register_activities(FloorSteps)
        .register_workflow::<FloorGift>()?
        .register_workflow::<FloorSale>()?
        .register_activities(FloorDoor)
        .workflow_task_poller_behavior(PollerBehavior::SimpleMaximum(WORKFLOW_POLLS))
        .nonsticky_to_sticky_poll_ratio(NEW_RUN_SHARE)
        .activity_task_poller_behavior(PollerBehavior::SimpleMaximum(ACTIVITY_POLLS))
        .max_cached_workflows(CACHED_WORKFLOWS)
        .build();
    let mut worker = Worker::new(&runtime, settings.temporal.connect().await?, options)?;
    Ok(worker.run().await?)
}
