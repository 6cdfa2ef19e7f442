//! A sale as the transition function sees it.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;
use workflows::{
    domain::{Currency, Money},
    fridge_sales::{DoorStatus, Failure, OpenReply, Product, SaleState, SaleStatus},
};

use crate::postgres::StoreError;

pub(super) struct Sale {
    pub(super) transaction_id: Uuid,
    pub(super) machine_id: String,
    pub(super) fingerprint: String,
    pub(super) authorised: Money,
    pub(super) state: SaleState,
    pub(super) ended_at: Option<DateTime<Utc>>,
    pub(super) version: i64,
}

struct Row {
    transaction_id: Uuid,
    machine_id: String,
    fingerprint: String,
    authorised: i64,
    currency: String,
    status: String,
    door: String,
    failure: Option<Json<Failure>>,
    session: Option<String>,
    was_requested: bool,
    unlock_sent_at: Option<DateTime<Utc>>,
    products: Json<Vec<Product>>,
    reported_total: Option<i64>,
    reported_currency: Option<String>,
    opened_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    version: i64,
}

/// The sale with this `ref`.
pub(super) async fn find_sale(executor: impl PgExecutor<'_>, sale_ref: Uuid) -> Result<Option<Sale>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        r#"select transaction_id, machine_id, fingerprint, authorised, currency, status, door,
                  failure as "failure: Json<Failure>", session, was_requested, unlock_sent_at,
                  products as "products: Json<Vec<Product>>", reported_total, reported_currency, opened_at, closed_at,
                  ended_at, version
           from transaction where sale_ref = $1"#,
        sale_ref,
    )
    .fetch_optional(executor)
    .await
    .map_err(StoreError::during("finding a sale"))?;
    row.map(Sale::try_from).transpose()
}

/// The same, and nobody else changes it before the connection's transaction ends.
pub(super) async fn lock_sale(connection: &mut PgConnection, sale_ref: Uuid) -> Result<Sale, StoreError> {
    let row = sqlx::query_as!(
        Row,
        r#"select transaction_id, machine_id, fingerprint, authorised, currency, status, door,
                  failure as "failure: Json<Failure>", session, was_requested, unlock_sent_at,
                  products as "products: Json<Vec<Product>>", reported_total, reported_currency, opened_at, closed_at,
                  ended_at, version
           from transaction where sale_ref = $1 for update"#,
        sale_ref,
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::during("locking a sale"))?;
    let missing = || StoreError::corrupt("locking a sale", "there is none with this ref");
    row.ok_or_else(missing).and_then(Sale::try_from)
}

/// An amount as it is kept.
pub(super) fn money(minor: i64, currency: &str) -> Result<Money, StoreError> {
    let currency = Currency::parse(currency).map_err(|error| StoreError::corrupt("reading an amount", error))?;
    Ok(Money { minor, currency })
}

/// The total that Vendron sent, as it is kept.
pub(super) fn reported(minor: Option<i64>, currency: Option<&str>) -> Result<Option<Money>, StoreError> {
    minor.zip(currency).map(|(minor, currency)| money(minor, currency)).transpose()
}

pub(super) fn status_of(word: &str) -> Result<SaleStatus, StoreError> {
    SaleStatus::parse(word).ok_or_else(|| StoreError::corrupt("reading the status of a sale", word))
}

pub(super) fn door_of(word: &str) -> Result<DoorStatus, StoreError> {
    DoorStatus::parse(word).ok_or_else(|| StoreError::corrupt("reading the door of a sale", word))
}

impl Sale {
    /// What whoever opened the machine is answered.
    pub(super) fn into_reply(self) -> OpenReply {
        let standing = self.state.standing(&self.authorised);
        OpenReply { fingerprint: self.fingerprint, standing }
    }
}

impl TryFrom<Row> for Sale {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            transaction_id: row.transaction_id,
            machine_id: row.machine_id,
            fingerprint: row.fingerprint,
            authorised: money(row.authorised, &row.currency)?,
            state: SaleState {
                status: status_of(&row.status)?,
                door: door_of(&row.door)?,
                failure: row.failure.map(|failure| failure.0),
                session: row.session,
                was_requested: row.was_requested,
                unlock_sent_at: row.unlock_sent_at,
                products: row.products.0,
                reported_total: reported(row.reported_total, row.reported_currency.as_deref())?,
                opened_at: row.opened_at,
                closed_at: row.closed_at,
            },
            ended_at: row.ended_at,
            version: row.version,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use workflows::fridge_sales::transition::{Fact, transition};

    use super::*;

    const SALES: &str = include_str!("../../../../migrations/20261122070000_create_fridge_sales.sql");
    const VIEWS: &str = include_str!("../../../../migrations/20261122070100_create_reporting_views.sql");
    const COMPLETED: &str = include_str!("../../../../migrations/20261122100000_complete_fridge_sales.sql");

    type Edges = BTreeSet<(&'static str, &'static str)>;

    fn letters() -> impl Iterator<Item = char> {
        ('A'..='Z').collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn the_views_write_every_currency_as_we_do() {
        let pairs = letters().flat_map(|first| letters().map(move |second| format!("{first}{second}")));
        for code in pairs.flat_map(|pair| letters().map(move |third| format!("{pair}{third}"))) {
            let digits = Currency::parse(&code).unwrap().exponent();
            assert_eq!(VIEWS.contains(&format!("('{code}', {digits})")), digits != 2, "{code}");
        }
    }

    /// The edges in the statement that begins so.
    fn edges(migration: &'static str, statement: &str) -> Edges {
        let (_, statement) = migration.split_once(statement).unwrap();
        let (statement, _) = statement.split_once(';').unwrap();
        let statuses: Vec<_> = statement.split('\'').skip(1).step_by(2).collect();
        statuses.chunks_exact(2).map(|edge| (edge[0], edge[1])).collect()
    }

    /// Everything that may be known of a sale from now on.
    fn facts() -> Vec<Fact> {
        let (code, message) = (Some(-1), String::new());
        let one = vec![Product { vpn: String::new(), name: String::new(), unit_price: None, quantity: 1 }];
        vec![
            Fact::RequestSent,
            Fact::Begun { session: Some("S-1".to_owned()) },
            Fact::RequestRefused { code, message: message.clone() },
            Fact::UnlockSent,
            Fact::Unlocked,
            Fact::UnlockRefused { code, message },
            Fact::Taken(one.clone()),
            Fact::Taken(Vec::new()),
            Fact::DoorClosed,
            Fact::Completed { products: one, total: None },
            Fact::Completed { products: Vec::new(), total: None },
            Fact::Cancelled,
            Fact::Unanswered,
            Fact::Interrupted,
            Fact::Vanished,
            Fact::Overdue,
        ]
    }

    /// The changes of status that these facts make, in every state that they lead to.
    fn changes() -> Edges {
        let (facts, mut states, mut changes) = (facts(), vec![SaleState::new()], Edges::new());
        let mut known = 0;
        while let Some(state) = states.get(known).cloned() {
            let after = facts.iter().map(|fact| transition(&state, fact, DateTime::UNIX_EPOCH));
            let after: Vec<_> = after.collect();
            changes.extend(after.iter().map(|next| (state.status.as_str(), next.status.as_str())));
            let new: Vec<_> = after.into_iter().filter(|next| !states.contains(next)).collect();
            states.extend(new);
            known += 1;
        }
        changes.into_iter().filter(|(from, to)| from != to).collect()
    }

    #[test]
    fn the_table_of_edges_has_every_change_that_a_fact_makes() {
        let inserted = edges(SALES, "insert into transaction_status_edge (from_status, to_status) values");
        let added = edges(COMPLETED, "insert into transaction_status_edge (from_status, to_status) values");
        let edges = &inserted | &added;
        // Never made any more since what is taken opens a sale.
        let unused = BTreeSet::from([("requested", "closed")]);
        assert_eq!(&edges - &unused, changes());
    }
}
