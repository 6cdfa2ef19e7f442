//! The composition root of the workers: settings, wiring, supervision, health and shutdown.

mod fridge_sales;
mod health;
mod process;
mod purchase_codes;
mod relay;
mod settings;
mod supervisor;

use clap::Parser;
use program::logging;

pub use fridge_sales::SaleSettings;
pub use purchase_codes::PurchaseSettings;
pub use settings::WorkerSettings;
pub use supervisor::run;

/// What is logged when nobody says otherwise. The SDK tells at `info` much that only its own developers want to know.
const USUAL_FILTER: &str = "info,temporalio_sdk_core=warn";

/// The whole program: reads its settings, logs, and works until it is told to stop.
pub async fn start() -> anyhow::Result<()> {
    // A second crypto provider in the tree must never make rustls guess; an earlier choice is as good as ours.
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
    let settings = WorkerSettings::parse();
    logging::start(settings.log_format, USUAL_FILTER);
    run(settings).await
}
