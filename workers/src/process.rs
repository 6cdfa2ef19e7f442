//! One process on one Temporal worker: what it registers and how it polls.

use std::time::Duration;

use activities::{
    AddressesActivities, AlertsActivities, CoreBankingActivities, FridgeJournalActivities, GiftLedgerActivities,
    IdentityActivities, InvoiceLedgerActivities, Operators, PurchaseRecordsActivities, VendingActivities,
    clients::addresses::AddressService,
};
use anyhow::Context;
use store::postgres::Database;
use temporalio_client::Client;
use temporalio_sdk::{
    Runtime, Worker, WorkerOptions,
    runtime::{
        PollerBehavior, RuntimeOptions,
        worker_tuner::{FixedSizeSlotSupplier, TunerHolder},
    },
};
use workflows::{
    fridge_sales::{self, FridgeSaleWorkflow, MachineCheckWorkflow, SaleNotificationWorkflow},
    gifts::{self, GiftRedemptionWorkflow, GiftVoidWorkflow},
    invoices::{self, InvoiceWorkflow},
    purchase_codes::{self, PurchaseCodeWorkflow},
};

use crate::settings::{Process, WorkerSettings};

/// A new run must not wait behind another: half of these polls are for runs that no worker remembers.
const WORKFLOW_POLLS: usize = 10;
const NEW_RUN_SHARE: f32 = 0.5;
const ACTIVITY_POLLS: usize = 5;
/// Each sale keeps one for as long as it lasts.
const SALES_AT_ONCE: usize = 250;
/// Questions to machines and alerts do not wait for the end of a sale.
const BESIDE_SALES: usize = 50;
/// Of everything that is not an activity, the SDK's own number.
const SLOTS: usize = 100;
/// Heartbeats are made as often as they are needed. The SDK would hold one back until a loaded machine is late with it.
const HEARTBEATS: Duration = Duration::from_secs(1);

/// Whether the settings have what every process of this worker needs.
pub(crate) fn check(settings: &WorkerSettings) -> anyhow::Result<()> {
    if settings.processes.contains(&Process::PurchaseCodes) {
        settings.purchase_codes.check()?;
    }
    if settings.processes.contains(&Process::FridgeSales) {
        settings.fridge_sales.check()?;
    }
    Ok(())
}

/// A worker for `process`, on a connection of its own.
pub(crate) async fn worker(process: Process, settings: &WorkerSettings, client: Client) -> anyhow::Result<Worker> {
    let runtime = Runtime::from_current_tokio(RuntimeOptions::default()).context("starting the Temporal runtime")?;
    let options = match process {
        Process::Invoices => invoice_options(settings)?,
        Process::PurchaseCodes => purchase_code_options(settings).await?,
        Process::FridgeSales => fridge_sale_options(settings)?,
        Process::Gifts => gift_options(settings)?,
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
    let (tables, images) = (purchases.records.tables().await?, purchases.records.images().await);
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

/// Its websockets are handed over as soon as the worker has to stop, without the usual time: most sales do not end in
/// it, and whoever kills a worker that is late leaves their doors to nobody for longer.
fn fridge_sale_options(settings: &WorkerSettings) -> anyhow::Result<WorkerOptions> {
    let database = database(settings, "perdura-fridge-sales")?;
    let (vendron, slack) = (settings.fridge_sales.vendron()?, settings.fridge_sales.slack()?);
    let operators = Operators { database: database.clone(), slack };
    Ok(WorkerOptions::new(fridge_sales::TASK_QUEUE)
        .register_workflow::<FridgeSaleWorkflow>()?
        .register_workflow::<MachineCheckWorkflow>()?
        .register_workflow::<SaleNotificationWorkflow>()?
        .register_activities(FridgeJournalActivities { database: database.clone(), vendron: vendron.clone() })
        .register_activities(VendingActivities { vendron, database, operators: operators.clone() })
        .register_activities(AlertsActivities { operators })
        .workflow_task_poller_behavior(PollerBehavior::SimpleMaximum(WORKFLOW_POLLS))
        .nonsticky_to_sticky_poll_ratio(NEW_RUN_SHARE)
        .activity_task_poller_behavior(PollerBehavior::SimpleMaximum(ACTIVITY_POLLS))
        .tuner(sale_slots())
        .max_heartbeat_throttle_interval(HEARTBEATS)
        .max_cached_workflows(settings.cached_workflows)
        .graceful_shutdown_period(Duration::ZERO)
        .build())
}

fn sale_slots() -> TunerHolder {
    let slots = FixedSizeSlotSupplier::new(SLOTS);
    TunerHolder::builder()
        .workflow_task_slot_supplier(slots)
        .activity_task_slot_supplier(FixedSizeSlotSupplier::new(SALES_AT_ONCE + BESIDE_SALES))
        .local_activity_task_slot_supplier(slots)
        .nexus_task_slot_supplier(slots)
        .build()
}

fn gift_options(settings: &WorkerSettings) -> anyhow::Result<WorkerOptions> {
    let database = database(settings, "perdura-gifts")?;
    Ok(WorkerOptions::new(gifts::TASK_QUEUE)
        .register_workflow::<GiftRedemptionWorkflow>()?
        .register_workflow::<GiftVoidWorkflow>()?
        .register_activities(GiftLedgerActivities { database })
        .workflow_task_poller_behavior(PollerBehavior::SimpleMaximum(WORKFLOW_POLLS))
        .nonsticky_to_sticky_poll_ratio(NEW_RUN_SHARE)
        .activity_task_poller_behavior(PollerBehavior::SimpleMaximum(ACTIVITY_POLLS))
        .max_cached_workflows(settings.cached_workflows)
        .graceful_shutdown_period(settings.shutdown_grace)
        .build())
}
