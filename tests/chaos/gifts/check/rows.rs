//! What is kept.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{PgPool, query_as, query_scalar};
use uuid::Uuid;

use super::super::Gifts;

/// Everything that the tables say of gifts.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// By gift: whether it is used, and by which use.
    pub(super) gifts: BTreeMap<String, (bool, Option<Uuid>)>,
    pub(super) uses: BTreeMap<Uuid, Use>,
    pub(super) voids: BTreeMap<Uuid, Void>,
}

/// A decided request to use a gift.
#[derive(Debug, Clone)]
pub(super) struct Use {
    pub(super) gift_id: String,
    pub(super) result: String,
    pub(super) used_at: Option<DateTime<Utc>>,
    pub(super) voided_at: Option<DateTime<Utc>>,
    pub(super) void_id: Option<Uuid>,
}

/// A decided request to undo a use.
#[derive(Debug, Clone)]
pub(super) struct Void {
    pub(super) gift_id: String,
    pub(super) redemption_id: Option<Uuid>,
    pub(super) result: String,
}

type UseRow = (Uuid, String, String, Option<DateTime<Utc>>, Option<DateTime<Utc>>, Option<Uuid>);
type VoidRow = (Uuid, String, Option<Uuid>, String);

/// The gifts of the demonstration are nobody's here, and not used.
pub(super) async fn read(gifts: &Gifts) -> Rows {
    let database = gifts.app.database().await;
    let gifts: Vec<(String, i16, Option<Uuid>)> =
        query_as("select gift_id, gift_status, redemption_id from gift_codes")
            .fetch_all(&database)
            .await
            .expect("the gifts");
    let gifts = gifts.into_iter().map(|(gift_id, status, used_by)| (gift_id, (status == 1, used_by))).collect();
    Rows { gifts, uses: uses(&database).await, voids: voids(&database).await }
}

async fn uses(database: &PgPool) -> BTreeMap<Uuid, Use> {
    let rows: Vec<UseRow> =
        query_as("select redemption_id, gift_id, result, used_at, voided_at, void_id from gift_redemption")
            .fetch_all(database)
            .await
            .expect("the uses");
    let of_row = |(id, gift_id, result, used_at, voided_at, void_id): UseRow| {
        (id, Use { gift_id, result, used_at, voided_at, void_id })
    };
    rows.into_iter().map(of_row).collect()
}

async fn voids(database: &PgPool) -> BTreeMap<Uuid, Void> {
    let rows: Vec<VoidRow> = query_as("select void_id, gift_id, redemption_id, result from gift_void")
        .fetch_all(database)
        .await
        .expect("the undoings");
    let of_row = |(id, gift_id, redemption_id, result): VoidRow| (id, Void { gift_id, redemption_id, result });
    rows.into_iter().map(of_row).collect()
}

/// Every decision has one line in the audit, and the audit has no decision that was not made.
pub(super) async fn unaudited(gifts: &Gifts) -> Vec<String> {
    let database = gifts.app.database().await;
    let decisions = query_scalar(
        "select format('%s of gift %s came to %s and is %s times more often in the audit', attempt, gift_id, result, sum(n))
         from (
             select 'use' as attempt, gift_id, result, -1 as n from gift_redemption
             union all select 'void', gift_id, result, -1 from gift_void
             union all select attempt, gift_id, result, 1 from gift_audit where result in
                 ('used', 'gift_not_found', 'gift_not_active', 'gift_not_yet_valid', 'gift_expired', 'gift_already_used',
                  'supplier_mismatch', 'voided', 'gift_not_used', 'redeemed_elsewhere', 'void_window_over')
         ) as balance
         group by attempt, gift_id, result having sum(n) <> 0",
    );
    decisions.fetch_all(&database).await.expect("the audit")
}
