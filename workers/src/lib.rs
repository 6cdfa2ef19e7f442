//! The composition root of the workers: settings, wiring, supervision, health and shutdown.

mod fridge_sales;
mod health;
pub mod logging;
mod process;
mod purchase_codes;
mod relay;
mod secrets;
mod settings;
mod supervisor;

use clap::Parser;

pub use fridge_sales::SaleSettings;
pub use purchase_codes::PurchaseSettings;
pub use settings::WorkerSettings;
pub use supervisor::run;

/// The whole program: reads its settings, logs, and works until it is told to stop.
pub async fn start() -> anyhow::Result<()> {
    // A second crypto provider in the tree must never make rustls guess; an earlier choice is as good as ours.
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
    let settings = WorkerSettings::parse();
    logging::start(settings.log_format);
    run(settings).await
}
