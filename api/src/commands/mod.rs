//! What the binary can do.

mod csv_file;
mod gifts;
mod invoices;
mod keys;
mod machines;
mod migrate;
mod prompt;
mod serve;
mod suppliers;

use std::io::{Write, stdout};

use clap::{Args, Parser, Subcommand};
use program::logging::{self, LogFormat};
use secrecy::SecretString;
use store::postgres::Database;
use workflows::attributes;

use crate::openapi;

/// Perdura's HTTP API, and what has to be done around it.
#[derive(Debug, Parser)]
#[command(name = "perdura-api", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How log lines are written.
    #[arg(long, env = "PERDURA_LOG_FORMAT", value_enum, default_value_t, global = true)]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API.
    Serve(Box<serve::Settings>),
    /// Bring the database's schema up to date, and create the tables and the bucket of the purchase codes.
    Migrate(Box<migrate::Settings>),
    /// Print the search attributes that a Temporal namespace has to have, one Name=Type a line.
    SearchAttributes,
    /// Print the OpenAPI document, of which docs/openapi.json is a copy.
    Openapi,
    /// Manage API keys.
    Keys(keys::Settings),
    /// Check invoices.
    Invoices(invoices::Settings),
    /// Manage the machines of fridge sales.
    Machines(machines::Settings),
    /// Load gifts.
    Gifts(gifts::Settings),
    /// Load the suppliers that take gifts, and give their accounts PINs.
    Suppliers(suppliers::Settings),
}

#[derive(Debug, Clone, Args)]
struct DatabaseSettings {
    /// URL of the Postgres database.
    #[arg(long, env = "PERDURA_DATABASE_URL", hide_env_values = true, value_name = "PERDURA_DATABASE_URL")]
    database_url: SecretString,
}

impl DatabaseSettings {
    /// For a command that ends by itself one connection is enough.
    fn open(&self) -> anyhow::Result<Database> {
        Ok(Database::new(&self.database_url, 1, "perdura-api")?)
    }
}

/// Does what the command line says.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    logging::start(cli.log_format, "info");
    match cli.command {
        Command::Serve(settings) => serve::run(*settings).await,
        Command::Migrate(settings) => migrate::run(*settings).await,
        Command::SearchAttributes => print_search_attributes(),
        Command::Openapi => Ok(stdout().lock().write_all(openapi::text()?.as_bytes())?),
        Command::Keys(settings) => keys::run(settings).await,
        Command::Invoices(settings) => invoices::run(settings).await,
        Command::Machines(settings) => machines::run(settings).await,
        Command::Gifts(settings) => gifts::run(settings).await,
        Command::Suppliers(settings) => suppliers::run(settings).await,
    }
}

fn print_search_attributes() -> anyhow::Result<()> {
    let mut out = stdout().lock();
    for (name, kind) in attributes::REGISTRY {
        writeln!(out, "{name}={kind}")?;
    }
    Ok(())
}
