use std::collections::HashMap;

use aws_sdk_dynamodb::{
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    types::AttributeValue,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The tables of purchases.
pub const TABLES: [&str; 4] =
    ["perdura-qr-data", "perdura-credit-details", "perdura-disbursements", "perdura-purchase-codes"];
const BUCKET: &str = "perdura-vouchers";

/// DynamoDB and S3 as anybody sees them who has the credentials.
#[derive(Debug)]
pub struct Aws {
    tables: aws_sdk_dynamodb::Client,
    objects: aws_sdk_s3::Client,
}

impl Aws {
    pub(crate) fn at(url: &str) -> Self {
        let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let credentials = Credentials::new("test", "test", None, None, "test");
        let (region, version) = (Region::new("us-east-1"), BehaviorVersion::latest());
        let tables = aws_sdk_dynamodb::Config::builder()
            .behavior_version(version)
            .region(region.clone())
            .credentials_provider(credentials.clone())
            .endpoint_url(url)
            .http_client(http.clone())
            .retry_config(RetryConfig::disabled());
        let objects = aws_sdk_s3::Config::builder()
            .behavior_version(version)
            .region(region)
            .credentials_provider(credentials)
            .endpoint_url(url)
            .force_path_style(true)
            .http_client(http)
            .retry_config(RetryConfig::disabled());
        Self {
            tables: aws_sdk_dynamodb::Client::from_conf(tables.build()),
            objects: aws_sdk_s3::Client::from_conf(objects.build()),
        }
    }

    /// All items of a table: plain JSON, with numbers as texts.
    ///
    /// # Panics
    /// When DynamoDB is away.
    pub async fn items(&self, table: &str) -> Vec<Value> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let scan = self.tables.scan().table_name(table).consistent_read(true).set_exclusive_start_key(start);
            let page = scan.send().await.expect("a table");
            items.extend(page.items().iter().map(plain));
            start = page.last_evaluated_key().cloned();
            if start.is_none() {
                return items;
            }
        }
    }

    /// The item of a purchase, null when there is none.
    pub async fn purchase(&self, purchase_id: Uuid) -> Value {
        self.item("perdura-qr-data", "purchase_id", purchase_id.to_string()).await
    }

    /// What was disbursed for a purchase, null when nothing was.
    pub async fn disbursement(&self, purchase_id: Uuid) -> Value {
        self.item("perdura-disbursements", "purchase_id", purchase_id.to_string()).await
    }

    /// The credit details of a loan, null when there are none.
    pub async fn credit(&self, loan_id: &str) -> Value {
        self.item("perdura-credit-details", "loan_account_id", loan_id.to_owned()).await
    }

    async fn item(&self, table: &str, name: &str, key: String) -> Value {
        let get = self.tables.get_item().table_name(table).key(name, AttributeValue::S(key)).consistent_read(true);
        get.send().await.expect("a table").item.as_ref().map(plain).unwrap_or_default()
    }

    /// The names of all vouchers that are kept.
    pub async fn vouchers(&self) -> Vec<String> {
        self.objects_under("").await
    }

    /// Whether the voucher of a purchase is kept.
    pub async fn has_voucher(&self, purchase_id: Uuid) -> bool {
        !self.objects_under(&voucher(purchase_id)).await.is_empty()
    }

    /// Takes the voucher of a purchase away, as S3 does with what is too old.
    ///
    /// # Panics
    /// When S3 is away.
    pub async fn lose_voucher(&self, purchase_id: Uuid) {
        self.objects.delete_object().bucket(BUCKET).key(voucher(purchase_id)).send().await.expect("the bucket");
    }

    async fn objects_under(&self, prefix: &str) -> Vec<String> {
        let (mut names, mut token) = (Vec::new(), None);
        loop {
            let list = self.objects.list_objects_v2().bucket(BUCKET).prefix(prefix).set_continuation_token(token);
            let page = list.send().await.expect("the bucket");
            names.extend(page.contents().iter().filter_map(|object| object.key()).map(str::to_owned));
            token = page.next_continuation_token().map(str::to_owned);
            if token.is_none() {
                return names;
            }
        }
    }
}

fn voucher(purchase_id: Uuid) -> String {
    format!("vouchers/{purchase_id}.png")
}

fn plain(item: &HashMap<String, AttributeValue>) -> Value {
    let attribute = |value: &AttributeValue| match value {
        AttributeValue::S(text) | AttributeValue::N(text) => json!(text),
        AttributeValue::Bool(truth) => json!(truth),
        other => json!(format!("{other:?}")),
    };
    Value::Object(item.iter().map(|(name, value)| (name.clone(), attribute(value))).collect::<Map<_, _>>())
}
