//! `perdura-worker`: runs the workflows and activities of one or more processes.

use clap::Parser;
use workers::{WorkerSettings, logging};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // A second crypto provider in the tree must never make rustls guess; an earlier choice is as good as ours.
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
    let settings = WorkerSettings::parse();
    logging::start(settings.log_format);
    workers::run(settings).await
}
