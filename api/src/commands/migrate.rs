use clap::Args;

use super::DatabaseSettings;
use crate::purchase_codes::RecordSettings;

#[derive(Debug, Args)]
pub(super) struct Settings {
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    records: RecordSettings,
}

/// What is there already stays as it is.
pub(super) async fn run(settings: Settings) -> anyhow::Result<()> {
    settings.database.open()?.migrate().await?;
    if let Some(records) = settings.records.connect().await? {
        records.create().await?;
    }
    Ok(())
}
