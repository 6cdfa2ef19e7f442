//! One process on one Temporal worker: what it registers and how it polls.

use activities::{
    AddressesActivities, CoreBankingActivities, IdentityActivities, InvoiceLedgerActivities, PurchaseRecordsActivities,
    clients::addresses::AddressService,
};
use anyhow::Context;
use store::postgres::Database;
use temporalio_client::Client;
use temporalio_sdk::{
    Runtime, Worker, WorkerOptions,
    runtime::{PollerBehavior, RuntimeOptions},
};
use workflows::{
    invoices::{self, InvoiceWorkflow},
    purchase_codes::{self, PurchaseCodeWorkflow},
};

use crate::settings::{Process, WorkerSettings};

/// A new run must not wait behind another: half of these polls are for runs that no worker remembers.
const WORKFLOW_POLLS: usize = 10;
const NEW_RUN_SHARE: f32 = 0.5;
const ACTIVITY_POLLS: usize = 5;

/// Whether the settings have what every process of this worker needs.
pub(crate) fn check(settings: &WorkerSettings) -> anyhow::Result<()> {
    if settings.processes.contains(&Process::PurchaseCodes) {
        settings.purchase_codes.check()?;
    }
    Ok(())
}

/// A worker for `process`, on a connection of its own.
pub(crate) async fn worker(process: Process, settings: &WorkerSettings, client: Client) -> anyhow::Result<Worker> {
    let runtime = Runtime::from_current_tokio(RuntimeOptions::default()).context("starting the Temporal runtime")?;
    let options = match process {
        Process::Invoices => invoice_options(settings)?,
        Process::PurchaseCodes => purchase_code_options(settings).await?,
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

async fn purchase_code_options(settings: &WorkerSettings) -> anyhow::Result<WorkerOptions> {
    let purchases = &settings.purchase_codes;
    let (mambu, ciam) = (purchases.mambu()?, purchases.ciam()?);
    let (tables, images) = (purchases.tables().await?, purchases.images().await);
    Ok(WorkerOptions::new(purchase_codes::TASK_QUEUE)
        .register_workflow::<PurchaseCodeWorkflow>()?
        .register_activities(PurchaseRecordsActivities { tables, images })
        .register_activities(CoreBankingActivities { mambu })
        .register_activities(IdentityActivities { ciam })
        .workflow_task_poller_behavior(PollerBehavior::SimpleMaximum(WORKFLOW_POLLS))
        .nonsticky_to_sticky_poll_ratio(NEW_RUN_SHARE)
        .activity_task_poller_behavior(PollerBehavior::SimpleMaximum(ACTIVITY_POLLS))
        .max_cached_workflows(settings.cached_workflows)
        .graceful_shutdown_period(settings.shutdown_grace)
        .build())
}
