use std::io::{Write, stdout};

use anyhow::ensure;
use clap::{Args, Subcommand};
use store::postgres::{Database, invoices::Audit};
use uuid::Uuid;

use super::DatabaseSettings;

#[derive(Debug, Args)]
pub(super) struct Settings {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Rebuild invoices from their events, and tell each that differs from what is kept.
    Audit {
        /// Only the invoices of this merchant.
        #[arg(long)]
        merchant: Option<Uuid>,
        #[command(flatten)]
        database: DatabaseSettings,
    },
}

pub(super) async fn run(settings: Settings) -> anyhow::Result<()> {
    match settings.command {
        Command::Audit { merchant, database } => audit(&database.open()?, merchant).await,
    }
}

async fn audit(database: &Database, merchant: Option<Uuid>) -> anyhow::Result<()> {
    let audit = database.audit_invoices(merchant).await?;
    let mut out = stdout().lock();
    for line in report(&audit) {
        writeln!(out, "{line}")?;
    }
    ensure!(audit.flaws.is_empty(), "the events and the rows of some invoices contradict each other");
    Ok(())
}

fn report(audit: &Audit) -> impl Iterator<Item = String> {
    let summary = format!("{} invoices, {} flaws", audit.invoices, audit.flaws.len());
    [summary].into_iter().chain(audit.flaws.iter().map(|(invoice_id, flaw)| format!("{invoice_id}: {flaw}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flaw_has_a_line() {
        let flaws = vec![(Uuid::from_u128(1), "event 2 is missing".to_owned())];
        let lines: Vec<_> = report(&Audit { invoices: 7, flaws }).collect();
        assert_eq!(lines, ["7 invoices, 1 flaws", "00000000-0000-0000-0000-000000000001: event 2 is missing"]);
        assert_eq!(report(&Audit { invoices: 0, flaws: Vec::new() }).collect::<Vec<_>>(), ["0 invoices, 0 flaws"]);
    }
}
