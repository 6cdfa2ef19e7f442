use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use store::{
    dynamodb::{AwsSettings, CodeKey, PurchaseTables},
    s3::VoucherImages,
};

/// Where the purchases are kept. Credentials and region come from the variables that every program for AWS reads.
#[derive(Debug, Clone, Args)]
pub(crate) struct RecordSettings {
    /// Processes that run here: the routes of purchase codes are not served without theirs.
    #[arg(long, env = "PERDURA_PROCESSES", value_delimiter = ',', default_values = ["invoices", "purchase-codes"])]
    processes: Vec<Process>,
    /// URL of another DynamoDB than that of AWS.
    #[arg(long, env = "PERDURA_DYNAMODB_URL")]
    dynamodb_url: Option<String>,
    /// URL of another S3 than that of AWS.
    #[arg(long, env = "PERDURA_S3_URL")]
    s3_url: Option<String>,
    /// What the names of the tables begin with.
    #[arg(long, env = "PERDURA_TABLE_PREFIX", default_value = "perdura-")]
    table_prefix: String,
    /// The bucket with the vouchers.
    #[arg(long, env = "PERDURA_VOUCHER_BUCKET", default_value = "perdura-vouchers")]
    voucher_bucket: String,
    /// File with the key that purchase codes are sealed with: base64 of 32 bytes. Needed for purchase codes.
    #[arg(long, env = "PERDURA_CODE_KEY_FILE")]
    code_key_file: Option<PathBuf>,
}

/// A process, by the name that workers know it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Process {
    Invoices,
    PurchaseCodes,
}

/// Where the purchases are kept.
pub(crate) struct Records {
    pub(super) tables: PurchaseTables,
    pub(super) images: VoucherImages,
}

impl RecordSettings {
    /// The way to the records; none where purchase codes do not run. Calls nobody yet.
    pub(crate) async fn connect(&self) -> anyhow::Result<Option<Records>> {
        if !self.processes.contains(&Process::PurchaseCodes) {
            return Ok(None);
        }
        let key = self.code_key()?;
        let aws = AwsSettings {
            dynamodb_url: self.dynamodb_url.clone(),
            s3_url: self.s3_url.clone(),
            table_prefix: self.table_prefix.clone(),
            voucher_bucket: self.voucher_bucket.clone(),
        };
        let tables = PurchaseTables::connect(&aws, key).await;
        Ok(Some(Records { tables, images: VoucherImages::connect(&aws).await }))
    }

    fn code_key(&self) -> anyhow::Result<CodeKey> {
        let path = self.code_key_file.as_ref().context("purchase codes need PERDURA_CODE_KEY_FILE")?;
        let named = || format!("{}, the file named by PERDURA_CODE_KEY_FILE, cannot be used", path.display());
        let text = fs::read_to_string(path).with_context(named)?;
        CodeKey::from_base64(text.trim()).with_context(named)
    }
}

impl Records {
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
        settings: RecordSettings,
    }

    #[tokio::test]
    async fn purchase_codes_need_their_key_where_they_run() {
        let connect = async |arguments: &[&str]| {
            let arguments = ["test"].into_iter().chain(arguments.iter().copied());
            Settings::parse_from(arguments).settings.connect().await.map(|records| records.is_some())
        };
        assert!(format!("{:#}", connect(&[]).await.unwrap_err()).contains("PERDURA_CODE_KEY_FILE"));
        assert!(connect(&["--processes", "invoices,purchase-codes"]).await.is_err());
        assert!(!connect(&["--processes", "invoices"]).await.unwrap());
        assert!(Settings::try_parse_from(["test", "--processes", "gifts"]).is_err());
    }
}
