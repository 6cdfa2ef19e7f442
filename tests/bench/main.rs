//! Measures what invoices, purchase codes, fridge sales and gifts cost beside a bare floor, in the same run against the same
//! servers. `docs/BENCHMARKS.md` says how and what came out.

mod arena;
mod compare;
mod conditions;
mod cost;
mod figures;
mod floor;
mod fridges;
mod gifts;
mod invoices;
mod load;
mod plan;
mod processes;
mod purchases;
mod report;
mod run;
mod vouchers;
mod watchers;

use std::io::{Write, stdout};

use clap::Parser;
use floor::FloorProcess;
use plan::Plan;

/// Compares invoices, purchase codes, fridge sales and gifts with a bare floor.
#[derive(Debug, Parser)]
#[command(name = "perdura-bench", version, about)]
struct Arguments {
    #[command(subcommand)]
    floor: Option<FloorProcess>,
    #[command(flatten)]
    plan: Plan,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<()> {
    // A second crypto provider in the tree must never make rustls guess; an earlier choice is as good as ours.
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
    let arguments = Arguments::parse();
    if let Some(process) = arguments.floor {
        return process.run();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let figures = runtime.block_on(run::run(&arguments.plan))?;
    let text = if arguments.json { serde_json::to_string_pretty(&figures)? } else { figures.to_string() };
    Ok(writeln!(stdout().lock(), "{text}")?)
}
