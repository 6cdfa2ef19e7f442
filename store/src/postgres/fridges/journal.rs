use chrono::{DateTime, SubsecRound, Utc};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;
use workflows::fridge_sales::{
    SaleState,
    transition::{Fact, transition},
};

use super::{
    CHANGES_CHANNEL,
    sale::{Sale, lock_sale},
    text::{kept_of_frame, scrub, without_nul},
};
use crate::postgres::{Database, StoreError};

/// Digits of a second that the database keeps.
const MICROSECONDS: u16 = 6;
/// Says what is taken so far: the same again is news after something else.
const SNAPSHOT: &str = "smart_fridge_product_taken";

/// Something to write down about a sale.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The same for every attempt to write this down. That of an intent is the same for every attempt to act on it.
    pub event_id: Uuid,
    /// Of which sale.
    pub sale_ref: Uuid,
    /// The connection that it went over.
    pub socket_id: Uuid,
    /// Which way it went.
    pub direction: Direction,
    /// Vendron's name for it, or ours.
    pub name: String,
    /// In one word, where there is one.
    pub status: Option<String>,
    /// For people; may be empty.
    pub message: String,
    /// The frame as it came, without our token; the first 64 KiB are kept.
    pub raw: String,
    /// What it means for the sale; none where it means nothing, or where it is not about this sale.
    pub fact: Option<Fact>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Which way something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From us to Vendron, or about to.
    Sent,
    /// From Vendron to us.
    Received,
    /// Neither: we found it out.
    Noted,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journalled {
    /// The sale from now on.
    pub state: SaleState,
    /// It was not written down before. An intent that was is never acted on again.
    pub is_new: bool,
}

impl Direction {
    const ALL: [Self; 3] = [Self::Sent, Self::Received, Self::Noted];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Noted => "noted",
        }
    }

    /// Reads what [`Self::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|direction| direction.as_str() == text)
    }
}

impl Database {
    /// Writes an entry down and brings its sale up to what it says, in one transaction. One that was written down
    /// before changes nothing.
    pub async fn journal(&self, entry: &Entry) -> Result<Journalled, StoreError> {
        let failed = StoreError::during("journalling");
        let fact = entry.fact.as_ref().map(kept).transpose()?;
        let mut transaction = self.transaction().await.map_err(&failed)?;
        let sale = lock_sale(&mut transaction, entry.sale_ref).await?;
        let Some(is_duplicate) = insert(&mut transaction, &sale, entry, fact.as_ref()).await? else {
            return Ok(Journalled { state: sale.state, is_new: false });
        };
        let now = entry.at.trunc_subsecs(MICROSECONDS);
        let state = fact.map_or_else(|| sale.state.clone(), |fact| transition(&sale.state, &fact, now));
        if !is_duplicate || state != sale.state {
            update(&mut transaction, &sale, &state, now).await?;
        }
        transaction.commit().await.map_err(&failed)?;
        Ok(Journalled { state, is_new: true })
    }
}

/// The fact as it can be kept: the sale is made of what is on record.
fn kept(fact: &Fact) -> Result<Fact, StoreError> {
    let corrupt = |error: serde_json::Error| StoreError::corrupt("journalling", error);
    let mut document = serde_json::to_value(fact).map_err(corrupt)?;
    scrub(&mut document);
    serde_json::from_value(document).map_err(corrupt)
}

/// Whether the event is a duplicate of one before it; none when it is on record itself.
async fn insert(
    connection: &mut PgConnection,
    sale: &Sale,
    entry: &Entry,
    fact: Option<&Fact>,
) -> Result<Option<bool>, StoreError> {
    let may_repeat = entry.direction != Direction::Received || entry.name == SNAPSHOT;
    sqlx::query_scalar!(
        "insert into event (event_id, transaction_id, machine_id, socket_id, direction, name, status, message, raw,
             fact, at, duplicate)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, not $12 and exists (
             select from event
             where transaction_id = $2 and socket_id = $4 and direction = $5 and name = $6 and raw = $9
         ))
         on conflict (event_id) do nothing
         returning duplicate",
        entry.event_id,
        sale.transaction_id,
        sale.machine_id,
        entry.socket_id,
        entry.direction.as_str(),
        without_nul(&entry.name),
        entry.status.as_deref().map(without_nul),
        without_nul(&entry.message),
        kept_of_frame(&entry.raw),
        fact.map(Json) as _,
        entry.at,
        may_repeat,
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::during("writing an event"))
}

/// One statement, guarded by what was read, with the word to whoever watches.
async fn update(
    connection: &mut PgConnection,
    sale: &Sale,
    state: &SaleState,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let standing = state.standing(&sale.authorised);
    let reported = state.reported_total.as_ref();
    let has_moved = state.status != sale.state.status;
    let ended_at = if has_moved { state.status.is_final().then_some(now) } else { sale.ended_at };
    let written = sqlx::query!(
        "with changed as (
             update transaction set status = $4, door = $5, failure = $6, session = $7, was_requested = $8,
                 unlock_sent_at = $9, products = $10, reported_total = $11, reported_currency = $12, due = $13,
                 is_disputed = $14, opened_at = $15, closed_at = $16, ended_at = $17, version = version + 1,
                 updated_at = greatest(updated_at, $18)
             where transaction_id = $1 and version = $2 and status = $3
             returning transaction_id
         )
         select pg_notify($19, transaction_id::text) from changed",
        sale.transaction_id,
        sale.version,
        sale.state.status.as_str(),
        state.status.as_str(),
        state.door.as_str(),
        state.failure.as_ref().map(Json) as _,
        state.session.as_deref(),
        state.was_requested,
        state.unlock_sent_at,
        Json(&state.products) as _,
        reported.map(|total| total.minor),
        reported.map(|total| total.currency.code()),
        standing.total.as_ref().map(|total| total.minor),
        standing.is_disputed,
        state.opened_at,
        state.closed_at,
        ended_at,
        now,
        CHANGES_CHANNEL,
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::during("writing what became of a sale"))?;
    match written {
        Some(_) => Ok(()),
        None => Err(StoreError::corrupt("writing what became of a sale", "it changed while it was locked")),
    }
}
