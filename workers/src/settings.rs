use std::{net::SocketAddr, time::Duration};

use clap::{Parser, ValueEnum};
use program::logging::LogFormat;
use secrecy::SecretString;
use temporal::TemporalSettings;

use crate::{fridge_sales::SaleSettings, purchase_codes::PurchaseSettings};

/// Settings of a worker. Each is a flag and an environment variable.
#[derive(Debug, Clone, Parser)]
#[command(name = "perdura-worker", version, about = "Runs the workflows and activities of Perdura's processes")]
pub struct WorkerSettings {
    /// Processes to run, each on a connection and a thread of its own.
    #[arg(
        long,
        env = "PERDURA_PROCESSES",
        value_delimiter = ',',
        default_value = "invoices,purchase-codes,fridge-sales,gifts"
    )]
    pub processes: Vec<Process>,
    /// Where Temporal is.
    #[command(flatten)]
    pub temporal: TemporalSettings,
    /// URL of the Postgres database.
    #[arg(long, env = "PERDURA_DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretString,
    /// Connections to Postgres of each process.
    #[arg(long, env = "PERDURA_DATABASE_CONNECTIONS", default_value_t = 8)]
    pub database_connections: u32,
    /// URL of the address service.
    #[arg(long, env = "PERDURA_ADDRESS_SERVICE_URL")]
    pub address_service_url: reqwest::Url,
    /// How long the address service may take to answer.
    #[arg(long, env = "PERDURA_ADDRESS_SERVICE_TIMEOUT", default_value = "5s", value_parser = humantime::parse_duration)]
    pub address_service_timeout: Duration,
    /// What the purchase codes need.
    #[command(flatten)]
    pub purchase_codes: PurchaseSettings,
    /// What the fridge sales need.
    #[command(flatten)]
    pub fridge_sales: SaleSettings,
    /// Where health is answered.
    #[arg(long, env = "PERDURA_WORKER_LISTEN", default_value = "127.0.0.1:8083")]
    pub listen: SocketAddr,
    /// Workflow runs kept in memory of each process.
    #[arg(long, env = "PERDURA_CACHED_WORKFLOWS", default_value_t = 1000)]
    pub cached_workflows: usize,
    /// How long running activities may take to end at a shutdown.
    #[arg(long, env = "PERDURA_SHUTDOWN_GRACE", default_value = "10s", value_parser = humantime::parse_duration)]
    pub shutdown_grace: Duration,
    /// How log lines are written.
    #[arg(long, env = "PERDURA_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
}

/// A process that a worker can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Process {
    /// Crypto invoices.
    Invoices,
    /// Purchase codes.
    PurchaseCodes,
    /// Fridge sales.
    FridgeSales,
    /// Gifts.
    Gifts,
}

impl Process {
    /// Its name in flags, logs and health.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invoices => "invoices",
            Self::PurchaseCodes => "purchase-codes",
            Self::FridgeSales => "fridge-sales",
            Self::Gifts => "gifts",
        }
    }
}
