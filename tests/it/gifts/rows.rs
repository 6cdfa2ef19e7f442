//! What the tables say of gifts and guesses, and what only a look at them, or a hand on their clocks, can arrange.

use sqlx::{PgPool, query, query_as, query_scalar};
use system_tests::{Account, Shop};
use uuid::Uuid;

/// What is known of the guesses of one subject.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Guard {
    pub(super) wrong: i32,
    pub(super) undecided: i32,
    pub(super) locks: i32,
    pub(super) is_locked: bool,
}

/// A line of the audit: what was tried, what came of it, and for which account as far as that is known.
pub(super) type Line = (String, String, Option<String>);

/// Under which guesses at an account are counted.
pub(super) async fn subject_of(database: &PgPool, account: &Account) -> String {
    query_scalar("select 'account:' || account_id from supplier_accounts where supplier_account_invoice_no = $1")
        .bind(&account.number)
        .fetch_one(database)
        .await
        .unwrap()
}

/// Under which guesses of a device are counted.
pub(super) fn device(shop: &Shop) -> String {
    format!("device:{}", shop.principal())
}

/// All zero for a subject that nobody has counted anything of.
pub(super) async fn guard(database: &PgPool, subject: &str) -> Guard {
    let row: Option<(i32, i32, i32, bool)> = query_as(
        "select wrong, cardinality(undecided), locks, coalesce(locked_until > clock_timestamp(), false)
         from pin_guard where subject = $1",
    )
    .bind(subject)
    .fetch_optional(database)
    .await
    .unwrap();
    row.map(|(wrong, undecided, locks, is_locked)| Guard { wrong, undecided, locks, is_locked }).unwrap_or_default()
}

/// Time passes for these subjects until their locks are over.
pub(super) async fn unlock(database: &PgPool, subjects: &[String]) {
    let unlock = query("update pin_guard set locked_until = clock_timestamp() where subject = any($1)");
    unlock.bind(subjects).execute(database).await.unwrap();
}

/// Time passes for these subjects until nobody tells any more what became of the guesses that are under way.
pub(super) async fn give_up_on(database: &PgPool, subjects: &[String]) {
    let age = query(
        "update pin_guard set undecided = array(select began - interval '31 seconds' from unnest(undecided) began)
         where subject = any($1)",
    );
    age.bind(subjects).execute(database).await.unwrap();
}

/// The attempts at a gift, in their order.
pub(super) async fn audit(database: &PgPool, gift_id: &str) -> Vec<Line> {
    query_as("select attempt, result, supplier_account from gift_audit where gift_id = $1 order by audit_id")
        .bind(gift_id)
        .fetch_all(database)
        .await
        .unwrap()
}

/// How many attempts at a gift came to this.
pub(super) async fn count(database: &PgPool, gift_id: &str, result: &str) -> usize {
    audit(database, gift_id).await.iter().filter(|(_, came_to, _)| came_to == result).count()
}

/// The use that a gift is used by, if it is used. The rows about it do not contradict each other.
pub(super) async fn live_use(database: &PgPool, gift_id: &str) -> Option<Uuid> {
    let live: Vec<Uuid> = query_scalar(
        "select redemption_id from gift_redemption where gift_id = $1 and result = 'used' and voided_at is null",
    )
    .bind(gift_id)
    .fetch_all(database)
    .await
    .unwrap();
    assert!(live.len() <= 1, "{gift_id} is used by {live:?}");
    let (status, redemption_id): (i16, Option<Uuid>) =
        query_as("select gift_status, redemption_id from gift_codes where gift_id = $1")
            .bind(gift_id)
            .fetch_one(database)
            .await
            .unwrap();
    assert_eq!((status == 1, redemption_id), (!live.is_empty(), live.first().copied()), "{gift_id}");
    live.first().copied()
}

/// All uses of a gift that there ever were.
pub(super) async fn uses(database: &PgPool, gift_id: &str) -> Vec<Uuid> {
    query_scalar("select redemption_id from gift_redemption where gift_id = $1 and result = 'used' order by used_at")
        .bind(gift_id)
        .fetch_all(database)
        .await
        .unwrap()
}

/// The time to undo this use is over.
pub(super) async fn close_window(database: &PgPool, redemption_id: Uuid) {
    let close = query("update gift_redemption set voidable_until = clock_timestamp() where redemption_id = $1");
    let closed = close.bind(redemption_id).execute(database).await.unwrap();
    assert_eq!(closed.rows_affected(), 1);
}

/// Switches a gift off.
pub(super) async fn switch_off(database: &PgPool, gift_id: &str) {
    query("update gift_codes set gift_status = 2 where gift_id = $1").bind(gift_id).execute(database).await.unwrap();
}
