//! The bare floor. Invoices are compared with an update-with-start with one local activity that inserts one row, and
//! with a handler that selects one; purchase codes with an update-with-start with as many activities of the same kinds,
//! none of which does anything; fridge sales with one whose activity tells the workflow by an update what the caller waits
//! for; uses of gifts with one that has a single such activity and ends. It runs in processes of its own, so that processor
//! time and memory compare.

mod child;
mod gift;
mod http;
mod purchase;
mod rows;
mod sale;
mod worker;
mod workflow;

use clap::{Args, Subcommand};
use temporal::TemporalSettings;
use uuid::Uuid;

pub(crate) use child::Floor;

const TASK_QUEUE: &str = "floor";

/// The workflow id of a note.
pub(crate) fn workflow_id(id: Uuid) -> String {
    format!("floor/{id}")
}

/// The workflow id of a use of a gift.
pub(crate) fn gift_workflow_id(id: Uuid) -> String {
    format!("floor-gift/{id}")
}

/// The workflow id of a purchase.
pub(crate) fn purchase_workflow_id(id: Uuid) -> String {
    format!("floor-purchase/{id}")
}

/// The workflow id of a sale.
pub(crate) fn sale_workflow_id(id: Uuid) -> String {
    format!("floor-sale/{id}")
}

/// One process of the floor.
#[derive(Debug, Subcommand)]
pub(crate) enum FloorProcess {
    /// Answers over HTTP.
    #[command(hide = true)]
    FloorApi(FloorSettings),
    /// Runs the workflow.
    #[command(hide = true)]
    FloorWorker(FloorSettings),
}

#[derive(Debug, Args)]
pub(crate) struct FloorSettings {
    #[command(flatten)]
    temporal: TemporalSettings,
    #[arg(long, env = "PERDURA_DATABASE_URL", hide_env_values = true)]
    database_url: String,
}

impl FloorProcess {
    /// Runs until the program that started it is gone. Each has the runtime that its counterpart in the product has: this
    /// thread is the one of the worker's workflows.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        child::end_with_parent();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            match self {
                Self::FloorApi(settings) => http::run(settings).await,
                Self::FloorWorker(settings) => worker::run(settings).await,
            }
        })
    }
}
