//! Plays the outside systems: `perdura-sandbox --help` lists the settings.

use anyhow::anyhow;
use clap::Parser;
use sandbox::Settings;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow!("the crypto provider is installed twice"))?;
    sandbox::run(settings).await
}
