//! DynamoDB: purchases, the credit details of their loans, disbursements, and where codes are found. Items stay in
//! here.
//!
//! Every change is conditional and may run twice: a condition that fails says that somebody was faster, maybe this very
//! change, and the items then tell who.

mod begin;
mod change;
mod code;
mod error;
mod expire;
mod find;
mod image;
mod issue;
mod item;
mod refuse;
mod scan;
mod seal;
mod settings;
mod tables;
mod transaction;

use std::sync::Arc;

use aws_sdk_dynamodb::{Client, config::Builder};

pub use error::TableError;
pub use settings::{AwsSettings, AwsSettingsError, CodeKey, CodeKeyError};

use self::{seal::Seal, tables::Names};
use crate::aws;

/// The tables of purchases.
#[derive(Debug, Clone)]
pub struct PurchaseTables {
    client: Client,
    names: Arc<Names>,
    seal: Arc<Seal>,
}

impl PurchaseTables {
    /// A client that connects when it is first used, with credentials and region from the environment.
    pub async fn connect(settings: &AwsSettings, key: CodeKey) -> Self {
        let mut config = Builder::from(&aws::load().await);
        if let Some(url) = settings.dynamodb_url() {
            config = config.endpoint_url(url);
        }
        Self {
            client: Client::from_conf(config.build()),
            names: Arc::new(Names::new(&settings.table_prefix)),
            seal: Arc::new(Seal::new(key)),
        }
    }
}
