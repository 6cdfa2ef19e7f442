use anyhow::Context;
use store::{
    dynamodb::{AwsSettings, PurchaseTables},
    s3::VoucherImages,
};

use crate::processes::{Process, ProcessSettings};

/// Where the purchases are kept.
pub(crate) struct Records {
    pub(super) tables: PurchaseTables,
    pub(super) images: VoucherImages,
}

impl Records {
    /// The way to the records; none where purchase codes do not run. Calls nobody yet.
    pub(crate) async fn connect(settings: &AwsSettings, processes: &ProcessSettings) -> anyhow::Result<Option<Self>> {
        if !processes.has(Process::PurchaseCodes) {
            return Ok(None);
        }
        Ok(Some(Self { tables: settings.tables().await?, images: settings.images().await }))
    }

    /// Creates the tables and the bucket that are not there.
    pub(crate) async fn create(&self) -> anyhow::Result<()> {
        self.tables.create_tables().await.context("the tables cannot be created")?;
        self.images.create_bucket().await.context("the bucket cannot be created")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        processes: ProcessSettings,
        #[command(flatten)]
        records: AwsSettings,
    }

    #[tokio::test]
    async fn purchase_codes_need_their_key_where_they_run() {
        let connect = async |arguments: &[&str]| {
            let arguments = ["test"].into_iter().chain(arguments.iter().copied());
            let Settings { processes, records } = Settings::parse_from(arguments);
            Records::connect(&records, &processes).await.map(|records| records.is_some())
        };
        assert!(format!("{:#}", connect(&[]).await.unwrap_err()).contains("PERDURA_CODE_KEY_FILE"));
        assert!(connect(&["--processes", "invoices,purchase-codes"]).await.is_err());
        assert!(!connect(&["--processes", "invoices"]).await.unwrap());
    }
}
