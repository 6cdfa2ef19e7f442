use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;
use workflows::{
    domain::Money,
    fridge_sales::{Buyer, DoorStatus, Failure, OpenReply, Product, SaleState, SaleStatus},
};

use super::{
    journal::Direction,
    sale::{Sale, door_of, find_sale, money, reported, status_of},
};
use crate::postgres::{Database, StoreError};

/// A sale, or an attempt at one, as readers see it.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// Its id.
    pub transaction_id: Uuid,
    /// Its `ref`.
    pub sale_ref: Uuid,
    /// The machine, as the frontend names it.
    pub machine_id: String,
    /// Its owner, as the principal is written: `frontend:demo`.
    pub frontend: String,
    /// Who bought; his address is that of his latest sale, the object is as it was sent with this one.
    pub buyer: Buyer,
    /// The object `stripe` of the request, as it was sent: JSON text.
    pub stripe: String,
    /// What Stripe has authorised; the currency of everything in this sale.
    pub authorised: Money,
    /// Its status.
    pub status: SaleStatus,
    /// What is known of the door.
    pub door: DoorStatus,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What is taken so far, and what was taken when it is completed.
    pub products: Vec<Product>,
    /// What the buyer owes, once that is known.
    pub total: Option<Money>,
    /// The total as Vendron sent it.
    pub reported_total: Option<Money>,
    /// The products and the total that Vendron sent contradict each other.
    pub is_disputed: bool,
    /// What was heard of it, in the order of arrival and without duplicates. A search leaves this empty.
    pub events: Vec<Event>,
    /// Grows with every change of the above.
    pub version: i64,
    /// Beginning.
    pub created_at: DateTime<Utc>,
    /// Time of the last change.
    pub updated_at: DateTime<Utc>,
    /// When the door was reported open.
    pub opened_at: Option<DateTime<Utc>>,
    /// When the door was reported closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// When it got a status in which it can stay.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Something that was heard of a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place in the order of arrival, among the events of all sales.
    pub sequence: i64,
    /// Its id.
    pub event_id: Uuid,
    /// Which way it went.
    pub direction: Direction,
    /// Vendron's name for it, or ours.
    pub name: String,
    /// In one word, where there is one.
    pub status: Option<String>,
    /// For people; may be empty.
    pub message: String,
    /// When.
    pub at: DateTime<Utc>,
}

pub(super) struct Row {
    pub(super) transaction_id: Uuid,
    pub(super) sale_ref: Uuid,
    pub(super) machine_id: String,
    pub(super) frontend: String,
    pub(super) bubble_id: String,
    pub(super) email: String,
    pub(super) user_sent: String,
    pub(super) stripe: String,
    pub(super) authorised: i64,
    pub(super) currency: String,
    pub(super) status: String,
    pub(super) door: String,
    pub(super) failure: Option<Json<Failure>>,
    pub(super) products: Json<Vec<Product>>,
    pub(super) due: Option<i64>,
    pub(super) reported_total: Option<i64>,
    pub(super) reported_currency: Option<String>,
    pub(super) is_disputed: bool,
    pub(super) version: i64,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) opened_at: Option<DateTime<Utc>>,
    pub(super) closed_at: Option<DateTime<Utc>>,
    pub(super) ended_at: Option<DateTime<Utc>>,
}

/// What has to be known of a sale to read what is said about it.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// The machine, as the frontend names it.
    pub machine_id: String,
    /// What Stripe has authorised.
    pub authorised: Money,
    /// Vendron's session, if there is one.
    pub session: Option<String>,
}

struct EventRow {
    sequence: i64,
    event_id: Uuid,
    direction: String,
    name: String,
    status: Option<String>,
    message: String,
    at: DateTime<Utc>,
}

impl Database {
    /// What whoever opened a machine is answered about a sale that has ended; none before that.
    pub async fn find_open_reply(&self, sale_ref: Uuid) -> Result<Option<OpenReply>, StoreError> {
        let sale = find_sale(&self.pool, sale_ref).await?;
        Ok(sale.filter(|sale| sale.state.status.is_final()).map(Sale::into_reply))
    }

    /// The sale that something is said about.
    pub async fn find_recipient(&self, sale_ref: Uuid) -> Result<Recipient, StoreError> {
        let sale = find_sale(&self.pool, sale_ref).await?;
        let missing = || StoreError::corrupt("finding whom something is said about", "there is no sale with this ref");
        let Sale { machine_id, authorised, state, .. } = sale.ok_or_else(missing)?;
        Ok(Recipient { machine_id, authorised, session: state.session })
    }

    /// Everything that is known of a sale that has begun.
    pub async fn find_sale_state(&self, sale_ref: Uuid) -> Result<SaleState, StoreError> {
        let sale = find_sale(&self.pool, sale_ref).await?;
        let missing = || StoreError::corrupt("finding the state of a sale", "there is none with this ref");
        sale.map(|sale| sale.state).ok_or_else(missing)
    }

    /// A sale with its events. They are read after it, so that its version never promises one that is not there.
    pub async fn find_transaction(&self, transaction_id: Uuid) -> Result<Option<Transaction>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"select t.transaction_id, t.sale_ref, t.machine_id, t.frontend, u.bubble_id, u.email,
                      t.user_sent::text as "user_sent!", t.stripe::text as "stripe!", t.authorised, t.currency,
                      t.status, t.door, t.failure as "failure: Json<Failure>",
                      t.products as "products: Json<Vec<Product>>", t.due, t.reported_total, t.reported_currency,
                      t.is_disputed, t.version, t.created_at, t.updated_at, t.opened_at, t.closed_at, t.ended_at
               from transaction t join "user" u on u.user_id = t.user_id
               where t.transaction_id = $1"#,
            transaction_id,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("finding a transaction"))?;
        let Some(row) = row else { return Ok(None) };
        let events = self.events(transaction_id).await?;
        Ok(Some(Transaction { events, ..Transaction::try_from(row)? }))
    }

    async fn events(&self, transaction_id: Uuid) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query_as!(
            EventRow,
            "select sequence, event_id, direction, name, status, message, at from event
             where transaction_id = $1 and not duplicate order by sequence",
            transaction_id,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during("reading the events of a transaction"))?;
        rows.into_iter().map(Event::try_from).collect()
    }
}

impl TryFrom<Row> for Transaction {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            transaction_id: row.transaction_id,
            sale_ref: row.sale_ref,
            machine_id: row.machine_id,
            frontend: row.frontend,
            buyer: Buyer { id: row.bubble_id, email: row.email, sent: row.user_sent },
            stripe: row.stripe,
            authorised: money(row.authorised, &row.currency)?,
            status: status_of(&row.status)?,
            door: door_of(&row.door)?,
            failure: row.failure.map(|failure| failure.0),
            products: row.products.0,
            total: row.due.map(|due| money(due, &row.currency)).transpose()?,
            reported_total: reported(row.reported_total, row.reported_currency.as_deref())?,
            is_disputed: row.is_disputed,
            events: Vec::new(),
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            opened_at: row.opened_at,
            closed_at: row.closed_at,
            ended_at: row.ended_at,
        })
    }
}

impl TryFrom<EventRow> for Event {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let unknown = || StoreError::corrupt("reading an event", &row.direction);
        Ok(Self {
            sequence: row.sequence,
            event_id: row.event_id,
            direction: Direction::parse(&row.direction).ok_or_else(unknown)?,
            name: row.name,
            status: row.status,
            message: row.message,
            at: row.at,
        })
    }
}
