//! One process on one Temporal worker: what it registers and how it polls.

use activities::{AddressesActivities, InvoiceLedgerActivities, clients::addresses::AddressService};
use anyhow::Context;
use store::postgres::Database;
use temporalio_client::Client;
use temporalio_sdk::{
    Runtime, Worker, WorkerOptions,
    runtime::{PollerBehavior, RuntimeOptions},
};
use workflows::invoices::{self, InvoiceWorkflow};

use crate::settings::{Process, WorkerSettings};

/// A new run must not wait behind another: half of these polls are for runs that no worker remembers.
const WORKFLOW_POLLS: usize = 10;
const NEW_RUN_SHARE: f32 = 0.5;
const ACTIVITY_POLLS: usize = 5;

/// A worker for `process`, on a connection of its own.
pub(crate) fn worker(process: Process, settings: &WorkerSettings, client: Client) -> anyhow::Result<Worker> {
    let runtime = Runtime::from_current_tokio(RuntimeOptions::default()).context("starting the Temporal runtime")?;
    let options = match process {
        Process::Invoices => invoice_options(settings)?,
    };
    Worker::new(&runtime, client, options).context("starting a worker")
}

/// The database of `settings`, for one process.
pub(crate) fn database(settings: &WorkerSettings, application: &str) -> anyhow::Result<Database> {
    Ok(Database::new(&settings.database_url, settings.database_connections, application)?)
}

fn invoice_options(settings: &WorkerSettings) -> anyhow::Result<WorkerOptions> {
    let database = database(settings, "perdura-invoices")?;
    let service = AddressService::new(settings.address_service_url.clone(), settings.address_service_timeout)?;
    Ok(WorkerOptions::new(invoices::TASK_QUEUE)
        .register_workflow::<InvoiceWorkflow>()?
        .register_activities(InvoiceLedgerActivities { database: database.clone() })
        .register_activities(AddressesActivities { service, database })
        .workflow_task_poller_behavior(PollerBehavior::SimpleMaximum(WORKFLOW_POLLS))
        .nonsticky_to_sticky_poll_ratio(NEW_RUN_SHARE)
        .activity_task_poller_behavior(PollerBehavior::SimpleMaximum(ACTIVITY_POLLS))
        .max_cached_workflows(settings.cached_workflows)
        .graceful_shutdown_period(settings.shutdown_grace)
        .build())
}
