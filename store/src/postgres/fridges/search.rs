use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;
use workflows::fridge_sales::{Failure, Product, SaleStatus};

use super::read::{Row, Transaction};
use crate::postgres::{Database, StoreError};

/// What is searched for: everything that is given has to fit.
#[derive(Debug, Clone, Default)]
pub struct TransactionFilter {
    /// Whose, as the principal is written: `frontend:demo`. A search never leaves this.
    pub frontend: String,
    /// The user's id at the frontend.
    pub user_id: Option<String>,
    /// The user's present address, in upper or lower case.
    pub email: Option<String>,
    /// Machine.
    pub machine_id: Option<String>,
    /// Status.
    pub status: Option<SaleStatus>,
    /// Begun at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Begun before this time.
    pub to: Option<DateTime<Utc>>,
    /// Only what comes after this place.
    pub after: Option<Position>,
    /// At most so many.
    pub limit: i64,
}

/// A place in a list: the last transaction that was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Its beginning.
    pub created_at: DateTime<Utc>,
    /// Its id.
    pub transaction_id: Uuid,
}

impl TransactionFilter {
    /// Where the list ends at its new end: only what comes after this place fits.
    fn end(&self) -> Option<Position> {
        let to = self.to.map(|created_at| Position { created_at, transaction_id: Uuid::nil() });
        to.into_iter().chain(self.after).min()
    }
}

impl Database {
    /// The transactions that fit, newest first, without their events. There is one upper bound, and it is always there,
    /// so that every plan begins at it; users are found first, so that theirs is one look into an index.
    pub async fn search_transactions(&self, filter: &TransactionFilter) -> Result<Vec<Transaction>, StoreError> {
        let end = filter.end();
        let failed = StoreError::during("searching transactions");
        let mut search = self.search_transaction().await.map_err(&failed)?;
        let rows = sqlx::query_as!(
            Row,
            r#"select t.transaction_id, t.sale_ref, t.machine_id, t.frontend, u.bubble_id, u.email,
                      t.user_sent::text as "user_sent!", t.stripe::text as "stripe!", t.authorised, t.currency,
                      t.status, t.door, t.failure as "failure: Json<Failure>",
                      t.products as "products: Json<Vec<Product>>", t.due, t.reported_total, t.reported_currency,
                      t.is_disputed, t.version, t.created_at, t.updated_at, t.opened_at, t.closed_at, t.ended_at
               from transaction t join "user" u on u.user_id = t.user_id
               where t.frontend = $1
                 and (($2::text is null and $3::text is null) or t.user_id = any(array(
                     select user_id from "user"
                     where frontend = $1 and ($2::text is null or bubble_id = $2)
                       and ($3::text is null or lower(email) = lower($3))
                 )))
                 and ($4::text is null or t.machine_id = $4)
                 and ($5::text is null or t.status = $5)
                 and t.created_at >= coalesce($6, '-infinity'::timestamptz)
                 and (t.created_at, t.transaction_id) < (coalesce($7, 'infinity'::timestamptz), $8::uuid)
               order by t.created_at desc, t.transaction_id desc limit $9"#,
            filter.frontend,
            filter.user_id.as_deref(),
            filter.email.as_deref(),
            filter.machine_id.as_deref(),
            filter.status.map(SaleStatus::as_str),
            filter.from,
            end.map(|position| position.created_at),
            end.map_or(Uuid::max(), |position| position.transaction_id),
            filter.limit,
        )
        .fetch_all(&mut *search)
        .await
        .map_err(&failed)?;
        rows.into_iter().map(Transaction::try_from).collect()
    }

    /// The versions of those of `transactions` that exist.
    pub async fn transaction_versions(&self, transactions: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StoreError> {
        let rows = sqlx::query!(
            "select transaction_id, version from transaction where transaction_id = any($1)",
            transactions,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during("reading the versions of transactions"))?;
        Ok(rows.into_iter().map(|row| (row.transaction_id, row.version)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_at_the_earlier_of_its_bounds() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let position = |seconds, id| Position { created_at: at(seconds), transaction_id: Uuid::from_u128(id) };
        let end = |to, after| TransactionFilter { to, after, ..TransactionFilter::default() }.end();
        assert_eq!(end(None, None), None);
        assert_eq!(end(Some(at(5)), None), Some(position(5, 0)));
        assert_eq!(end(Some(at(5)), Some(position(4, 7))), Some(position(4, 7)));
        assert_eq!(end(Some(at(5)), Some(position(5, 7))), Some(position(5, 0)));
        assert_eq!(end(None, Some(position(5, 7))), Some(position(5, 7)));
    }
}
