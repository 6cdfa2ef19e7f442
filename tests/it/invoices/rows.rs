//! What is kept of an invoice.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgPool, query_as, query_scalar};
use uuid::Uuid;

/// An output of a transaction, as it is kept; amounts are in base units.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(super) struct Kept {
    pub(super) tx_id: String,
    pub(super) output_ref: String,
    pub(super) amount: String,
    pub(super) right_asset: bool,
    pub(super) state: String,
    pub(super) reported: String,
    pub(super) final_version: Option<i64>,
    pub(super) lost_version: Option<i64>,
    pub(super) block_height: Option<i64>,
    pub(super) block_hash: Option<String>,
    pub(super) tip_height: i64,
    pub(super) first_seen_at: DateTime<Utc>,
    pub(super) observed_version: i64,
}

/// The outputs that belong to an invoice.
pub(super) async fn outputs(database: &PgPool, invoice_id: Uuid) -> Vec<Kept> {
    let outputs = query_as(
        "select tx_id, output_ref, amount::text as amount, right_asset, state, reported, final_version, lost_version,
                block_height, block_hash, tip_height, first_seen_at, observed_version
         from invoice_transaction where invoice_id = $1 order by tx_id, output_ref",
    );
    outputs.bind(invoice_id).fetch_all(database).await.unwrap()
}

/// The one output that belongs to an invoice.
pub(super) async fn output(database: &PgPool, invoice_id: Uuid) -> Kept {
    let mut outputs = outputs(database, invoice_id).await;
    assert_eq!(outputs.len(), 1, "{outputs:#?}");
    outputs.remove(0)
}

/// How many rows there are of a transaction, whosever they are.
pub(super) async fn count(database: &PgPool, tx_id: &str) -> i64 {
    let count = query_scalar("select count(*) from invoice_transaction where tx_id = $1").bind(tx_id);
    count.fetch_one(database).await.unwrap()
}

/// The status after each event.
pub(super) async fn statuses(database: &PgPool, invoice_id: Uuid) -> Vec<String> {
    let statuses = query_scalar("select to_status::text from invoice_event where invoice_id = $1 order by sequence");
    statuses.bind(invoice_id).fetch_all(database).await.unwrap()
}

/// What the merchant was credited for an invoice, in base units, smallest first.
pub(super) async fn credits(database: &PgPool, invoice_id: Uuid) -> Vec<String> {
    let credits =
        query_scalar("select amount::text from merchant_credit where invoice_id = $1 order by merchant_credit.amount");
    credits.bind(invoice_id).fetch_all(database).await.unwrap()
}

/// How often the sums of an invoice changed. What leaves it alone is no news to the workflow.
pub(super) async fn revision(database: &PgPool, invoice_id: Uuid) -> i64 {
    let revision = query_scalar("select deposit_revision from invoice where invoice_id = $1").bind(invoice_id);
    revision.fetch_one(database).await.unwrap()
}
