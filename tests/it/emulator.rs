//! What we rely on of DynamoDB and S3, asked of whatever plays them here: proofs about purchases are worth as much as this.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client as Tables,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
        TransactWriteItem, Update,
    },
};
use aws_sdk_s3::{
    Client as Objects, error::ProvideErrorMetadata, operation::get_object::GetObjectError, primitives::ByteStream,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use futures::future::join_all;
use stack::{Part, Settings};
use system_tests::TestApp;
use uuid::Uuid;

const RACERS: usize = 20;
const KEY: &str = "id";
const FREE: &str = "attribute_not_exists(winner)";
const CONDITION_FAILED: &str = "ConditionalCheckFailed";

/// A table and a bucket that nobody else uses, and clients that try nothing twice.
struct Emulator {
    tables: Tables,
    table: String,
    objects: Objects,
    bucket: String,
}

impl Emulator {
    async fn new(app: &TestApp) -> Self {
        let name = format!("contract-{}", Uuid::new_v4().simple());
        let url = app.stack().aws_url();
        let emulator = Self { tables: tables(url), table: name.clone(), objects: objects(url), bucket: name };
        emulator.create().await;
        emulator
    }

    async fn create(&self) {
        let attribute = AttributeDefinition::builder().attribute_name(KEY).attribute_type(ScalarAttributeType::S);
        let schema = KeySchemaElement::builder().attribute_name(KEY).key_type(KeyType::Hash);
        let table = self.tables.create_table().table_name(&self.table).billing_mode(BillingMode::PayPerRequest);
        let table = table.attribute_definitions(attribute.build().unwrap()).key_schema(schema.build().unwrap());
        table.send().await.unwrap();
        self.objects.create_bucket().bucket(&self.bucket).send().await.unwrap();
    }

    /// The item, as everybody must see it.
    async fn item(&self, id: &str) -> Option<HashMap<String, AttributeValue>> {
        let get = self.tables.get_item().table_name(&self.table).set_key(Some(key(id))).consistent_read(true);
        get.send().await.unwrap().item
    }

    async fn attribute(&self, id: &str, name: &str) -> Option<AttributeValue> {
        self.item(id).await.and_then(|mut item| item.remove(name))
    }

    /// Makes `racer` the winner of the item.
    fn win(&self, id: &str, racer: usize) -> TransactWriteItem {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(id)))
            .update_expression("SET winner = :racer")
            .condition_expression(FREE)
            .expression_attribute_values(":racer", number(racer))
            .build();
        TransactWriteItem::builder().update(update.unwrap()).build()
    }

    /// Adds to the item's count.
    fn count(&self, id: &str, more: usize) -> TransactWriteItem {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(id)))
            .update_expression("SET hits = if_not_exists(hits, :nothing) + :more")
            .expression_attribute_values(":nothing", number(0))
            .expression_attribute_values(":more", number(more))
            .build();
        TransactWriteItem::builder().update(update.unwrap()).build()
    }

    async fn transact(&self, token: &str, changes: Vec<TransactWriteItem>) -> Result<(), Box<TransactWriteItemsError>> {
        let request = self.tables.transact_write_items().set_transact_items(Some(changes));
        let sent = request.client_request_token(token).send().await;
        sent.map(drop).map_err(|error| Box::new(error.into_service_error()))
    }

    /// Whether the object was put, as a new one.
    async fn put_new(&self, name: &str, body: &str) -> bool {
        let put = self.objects.put_object().bucket(&self.bucket).key(name).if_none_match("*");
        match put.body(ByteStream::from(body.as_bytes().to_vec())).send().await {
            Ok(_) => true,
            Err(error) => {
                let error = error.into_service_error();
                assert_eq!(error.code(), Some("PreconditionFailed"), "{error:?}");
                false
            }
        }
    }

    async fn object(&self, name: &str) -> Result<Vec<u8>, Box<GetObjectError>> {
        let get = self.objects.get_object().bucket(&self.bucket).key(name).send().await;
        let object = get.map_err(|error| Box::new(error.into_service_error()))?;
        Ok(object.body.collect().await.unwrap().to_vec())
    }
}

fn tables(url: &str) -> Tables {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(url)
        .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
        .retry_config(RetryConfig::disabled());
    Tables::from_conf(config.build())
}

fn objects(url: &str) -> Objects {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(url)
        .force_path_style(true)
        .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
        .retry_config(RetryConfig::disabled());
    Objects::from_conf(config.build())
}

fn key(id: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([(KEY.to_owned(), AttributeValue::S(id.to_owned()))])
}

fn number(value: usize) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn token() -> String {
    Uuid::new_v4().to_string()
}

#[tokio::test]
async fn of_many_conditional_updates_at_once_one_wins() {
    let emulator = Emulator::new(&TestApp::shared()).await;
    let race = |racer: usize| {
        let update = emulator.tables.update_item().table_name(&emulator.table).set_key(Some(key("prize")));
        let update = update.update_expression("SET winner = :racer").condition_expression(FREE);
        update.expression_attribute_values(":racer", number(racer)).send()
    };
    let results = join_all((0..RACERS).map(race)).await;
    let winners: Vec<_> = (0..RACERS).filter(|racer| results[*racer].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    for lost in results.into_iter().filter_map(Result::err) {
        let error = lost.into_service_error();
        assert!(error.is_conditional_check_failed_exception(), "{error:?}");
    }
    assert_eq!(emulator.attribute("prize", "winner").await, Some(number(winners[0])));
}

#[tokio::test]
async fn of_many_transactions_at_once_one_wins_everything() {
    let emulator = Emulator::new(&TestApp::shared()).await;
    let race = |racer: usize| {
        let emulator = &emulator;
        let changes = vec![emulator.win("gold", racer), emulator.win("silver", racer), emulator.count("races", 1)];
        async move { emulator.transact(&token(), changes).await }
    };
    let results = join_all((0..RACERS).map(race)).await;
    let winners: Vec<_> = (0..RACERS).filter(|racer| results[*racer].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    for lost in results.into_iter().filter_map(Result::err) {
        assert!(lost.is_transaction_canceled_exception(), "{lost:?}");
    }
    for prize in ["gold", "silver"] {
        assert_eq!(emulator.attribute(prize, "winner").await, Some(number(winners[0])), "{prize}");
    }
    assert_eq!(emulator.attribute("races", "hits").await, Some(number(1)));
}

#[tokio::test]
async fn a_transaction_repeated_under_its_token_has_one_effect() {
    let emulator = Emulator::new(&TestApp::shared()).await;
    let (first, second) = (token(), token());
    for token in [&first, &first, &second, &first] {
        emulator.transact(token, vec![emulator.count("a", 1), emulator.count("b", 10)]).await.unwrap();
    }
    assert_eq!(emulator.attribute("a", "hits").await, Some(number(2)));
    assert_eq!(emulator.attribute("b", "hits").await, Some(number(20)));
}

#[tokio::test]
async fn another_transaction_under_the_same_token_is_refused() {
    let emulator = Emulator::new(&TestApp::shared()).await;
    let token = token();
    emulator.transact(&token, vec![emulator.count("a", 1), emulator.count("b", 1)]).await.unwrap();
    let other = emulator.transact(&token, vec![emulator.count("a", 1), emulator.count("b", 2)]).await.unwrap_err();
    assert!(other.is_idempotent_parameter_mismatch_exception(), "{other:?}");
    assert_eq!(emulator.attribute("b", "hits").await, Some(number(1)));
}

#[tokio::test]
async fn failed_conditions_are_told_in_the_order_of_the_changes_and_nothing_is_written() {
    let emulator = Emulator::new(&TestApp::shared()).await;
    emulator.transact(&token(), vec![emulator.win("second", 1), emulator.win("fourth", 1)]).await.unwrap();
    let changes = Vec::from(["first", "second", "third", "fourth"].map(|id| emulator.win(id, 2)));
    let error = emulator.transact(&token(), changes).await.unwrap_err();
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = &*error else { panic!("{error:?}") };
    let failed = cancelled.cancellation_reasons().iter().map(|reason| reason.code() == Some(CONDITION_FAILED));
    assert_eq!(failed.collect::<Vec<_>>(), [false, true, false, true]);
    for untouched in ["first", "third"] {
        assert_eq!(emulator.item(untouched).await, None, "{untouched}");
    }
}

#[tokio::test]
async fn a_consistent_read_sees_every_write_that_was_answered() {
    let emulator = Emulator::new(&TestApp::shared()).await;
    for total in 1..=50 {
        emulator.transact(&token(), vec![emulator.count("a", 1), emulator.count("b", 1)]).await.unwrap();
        assert_eq!(emulator.attribute("a", "hits").await, Some(number(total)));
    }
}

#[tokio::test]
async fn of_many_who_put_a_new_object_one_does() {
    let emulator = Emulator::new(&TestApp::shared()).await;
    let bodies: Vec<_> = (0..RACERS).map(|racer| format!("voucher of {racer}")).collect();
    let results = join_all(bodies.iter().map(|body| emulator.put_new("vouchers/one.png", body))).await;
    let winners: Vec<_> = (0..RACERS).filter(|racer| results[*racer]).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert!(!emulator.put_new("vouchers/one.png", "late").await);
    assert_eq!(emulator.object("vouchers/one.png").await.unwrap(), bodies[winners[0]].as_bytes());
}

#[tokio::test]
async fn a_deleted_object_is_gone_and_can_be_deleted_again() {
    let emulator = Emulator::new(&TestApp::shared()).await;
    assert!(emulator.put_new("vouchers/one.png", "voucher").await);
    for _ in 0..2 {
        let delete = emulator.objects.delete_object().bucket(&emulator.bucket).key("vouchers/one.png");
        delete.send().await.unwrap();
        let error = emulator.object("vouchers/one.png").await.unwrap_err();
        assert!(error.is_no_such_key(), "{error:?}");
    }
    assert!(emulator.put_new("vouchers/one.png", "another").await);
}

#[tokio::test]
async fn it_is_never_killed_and_keeps_what_it_knows_when_it_is_told_to_end() {
    let app = TestApp::isolated(Settings::isolated()).await;
    let emulator = Emulator::new(&app).await;
    emulator.transact(&token(), vec![emulator.count("a", 7), emulator.win("b", 1)]).await.unwrap();
    assert!(emulator.put_new("vouchers/one.png", "voucher").await);

    let refused = app.stack().kill(Part::Aws).unwrap_err().to_string();
    assert!(refused.contains("stands for AWS"), "{refused}");
    assert_eq!(app.stack().exit_status(Part::Aws).unwrap(), None);

    app.stack().terminate(Part::Aws).await.unwrap();
    app.stack().launch(Part::Aws).await.unwrap();
    // What was connected to the one that ended proves nothing.
    let url = app.stack().aws_url();
    let emulator = Emulator { tables: tables(url), objects: objects(url), ..emulator };
    assert_eq!(emulator.attribute("a", "hits").await, Some(number(7)));
    assert_eq!(emulator.object("vouchers/one.png").await.unwrap(), b"voucher");
}
