use clap::Args;
use store::dynamodb::AwsSettings;

use super::DatabaseSettings;
use crate::{processes::ProcessSettings, purchase_codes::Records};

#[derive(Debug, Args)]
pub(super) struct Settings {
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    processes: ProcessSettings,
    #[command(flatten)]
    records: AwsSettings,
}

/// What is there already stays as it is.
pub(super) async fn run(settings: Settings) -> anyhow::Result<()> {
    settings.database.open()?.migrate().await?;
    if let Some(records) = Records::connect(&settings.records, &settings.processes).await? {
        records.create().await?;
    }
    Ok(())
}
