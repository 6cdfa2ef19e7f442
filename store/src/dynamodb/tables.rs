use std::time::Duration;

use aws_sdk_dynamodb::{
    error::BuildError,
    operation::create_table::CreateTableError,
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
        TimeToLiveSpecification, TimeToLiveStatus,
    },
};
use tokio::time::sleep;

use super::{
    PurchaseTables, TableError,
    item::{CODE_HASH, CREDIT_KEY, PURCHASE_ID, TTL},
};

const CREATING: &str = "creating the tables";
const POLL: Duration = Duration::from_millis(200);
/// AWS makes a table within seconds.
const POLLS: u32 = 600;

/// Names of the tables.
#[derive(Debug)]
pub(super) struct Names {
    /// One item a purchase.
    pub(super) purchases: String,
    /// One item a loan: the claim on it, and its credit's state.
    pub(super) credits: String,
    /// One item a disbursement.
    pub(super) disbursements: String,
    /// One item a code: whose it is.
    pub(super) codes: String,
}

impl Names {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            purchases: format!("{prefix}qr-data"),
            credits: format!("{prefix}credit-details"),
            disbursements: format!("{prefix}disbursements"),
            codes: format!("{prefix}purchase-codes"),
        }
    }

    fn with_keys(&self) -> [(&str, &'static str); 4] {
        [
            (self.purchases.as_str(), PURCHASE_ID),
            (self.credits.as_str(), CREDIT_KEY),
            (self.disbursements.as_str(), PURCHASE_ID),
            (self.codes.as_str(), CODE_HASH),
        ]
    }
}

impl PurchaseTables {
    /// Creates the tables that are not there, and waits until all can be used.
    pub async fn create_tables(&self) -> Result<(), TableError> {
        for (table, key) in self.names.with_keys() {
            self.create_table(table, key).await?;
        }
        for (table, _) in self.names.with_keys() {
            self.until_active(table).await?;
        }
        for table in [&self.names.purchases, &self.names.codes] {
            self.forget_in_time(table).await?;
        }
        Ok(())
    }

    async fn create_table(&self, table: &str, key: &str) -> Result<(), TableError> {
        let (attribute, schema) = hash_key(key).map_err(|error| TableError::outage(CREATING, error))?;
        let request = self.client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
        match request.attribute_definitions(attribute).key_schema(schema).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception) => {
                Ok(())
            }
            Err(error) => Err(TableError::outage(CREATING, error)),
        }
    }

    async fn until_active(&self, table: &str) -> Result<(), TableError> {
        for _ in 0..POLLS {
            let answer = self.client.describe_table().table_name(table).send().await;
            let answer = answer.map_err(|error| TableError::outage(CREATING, error))?;
            if answer.table.and_then(|table| table.table_status) == Some(TableStatus::Active) {
                return Ok(());
            }
            sleep(POLL).await;
        }
        Err(TableError::outage(CREATING, format!("the table {table} does not become active")))
    }

    /// Lets items go that say when. Asking for it twice is an error of DynamoDB, so that we look first.
    async fn forget_in_time(&self, table: &str) -> Result<(), TableError> {
        let answer = self.client.describe_time_to_live().table_name(table).send().await;
        let answer = answer.map_err(|error| TableError::outage(CREATING, error))?;
        let status = answer.time_to_live_description.and_then(|description| description.time_to_live_status);
        if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
            return Ok(());
        }
        let specification = TimeToLiveSpecification::builder().attribute_name(TTL).enabled(true).build();
        let specification = specification.map_err(|error| TableError::outage(CREATING, error))?;
        let request = self.client.update_time_to_live().table_name(table).time_to_live_specification(specification);
        request.send().await.map_err(|error| TableError::outage(CREATING, error))?;
        Ok(())
    }
}

fn hash_key(name: &str) -> Result<(AttributeDefinition, KeySchemaElement), BuildError> {
    let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
    let schema = KeySchemaElement::builder().attribute_name(name).key_type(KeyType::Hash);
    Ok((attribute.build()?, schema.build()?))
}
