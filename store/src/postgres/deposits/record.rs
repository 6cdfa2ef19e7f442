use bigdecimal::BigDecimal;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use workflows::{domain::BaseUnits, invoices::OutputState};

use super::{
    Observation, Recorded,
    owner::owner,
    share::{Share, share, share_of},
    state::{state_of, word},
};
use crate::postgres::{
    Database, StoreError,
    notices::CHANNEL,
    numeric::{from_numeric, to_numeric},
};

/// What is kept of an output already.
struct Kept {
    invoice_id: Option<Uuid>,
    amount: BigDecimal,
    decimals: i16,
    state: String,
    block_height: Option<i64>,
    tip_height: i64,
    observed_version: i64,
    confirmations: Option<i64>,
}

impl Database {
    /// Keeps an observation under its identity (network, transaction, output), whatever came before and in whatever
    /// order, and leaves a notice for the relay when the sums of an invoice change.
    pub async fn record_observation(&self, observation: &Observation) -> Result<Recorded, StoreError> {
        let failed = StoreError::during("keeping an observation");
        let mut transaction = self.pool.begin().await.map_err(&failed)?;
        let recorded = match kept(&mut transaction, observation).await? {
            Some(kept) => update(&mut transaction, observation, kept).await?,
            None => insert(&mut transaction, observation).await?,
        };
        transaction.commit().await.map_err(&failed)?;
        Ok(recorded)
    }

    /// Network and address of an invoice, and since when it has it.
    pub async fn find_invoice_address(
        &self,
        invoice_id: Uuid,
    ) -> Result<Option<(String, String, DateTime<Utc>)>, StoreError> {
        let row = sqlx::query!(
            "select d.network_id, d.address, a.assigned_at
             from address_assignment a join deposit_address d using (address_id) where a.invoice_id = $1",
            invoice_id,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("finding an invoice's address"))?;
        Ok(row.map(|row| (row.network_id, row.address, row.assigned_at)))
    }
}

async fn kept(connection: &mut PgConnection, observation: &Observation) -> Result<Option<Kept>, StoreError> {
    sqlx::query_as!(
        Kept,
        r#"select t.invoice_id, t.amount, t.decimals, t.state, t.block_height, t.tip_height,
                  t.observed_version, (i.policy ->> 'confirmations')::bigint as confirmations
           from invoice_transaction t left join invoice i on i.invoice_id = t.invoice_id
           where t.network_id = $1 and t.tx_id = $2 and t.output_ref = $3 for update of t"#,
        observation.network_id,
        observation.tx_id,
        observation.output_ref,
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::during("finding a deposit"))
}

/// The newer observation replaces the older; the identity, the amount and the invoice stay.
async fn update(connection: &mut PgConnection, observation: &Observation, kept: Kept) -> Result<Recorded, StoreError> {
    if observation.version == kept.observed_version {
        return Ok(Recorded::Duplicate);
    }
    if observation.version < kept.observed_version {
        return Ok(Recorded::Stale);
    }
    let decimals = u8::try_from(kept.decimals).map_err(|_| StoreError::corrupt("reading a deposit", "decimals"))?;
    let amount = from_numeric(&kept.amount)?;
    if BaseUnits::parse(&observation.amount, decimals).as_ref() != Ok(&amount) {
        return Ok(Recorded::Rejected("the amount of a known output cannot change"));
    }
    sqlx::query!(
        "update invoice_transaction set state = $4, block_height = $5, block_hash = $6, observed_version = $7,
             tip_height = greatest(tip_height, $8), first_seen_at = least(first_seen_at, $9), updated_at = now()
         where network_id = $1 and tx_id = $2 and output_ref = $3",
        observation.network_id,
        observation.tx_id,
        observation.output_ref,
        word(observation.state),
        observation.block_height,
        observation.block_hash.as_deref(),
        observation.version,
        observation.tip_height,
        observation.first_seen_at,
    )
    .execute(&mut *connection)
    .await
    .map_err(StoreError::during("updating a deposit"))?;
    let (Some(invoice_id), Some(confirmations)) = (kept.invoice_id, kept.confirmations) else {
        return Ok(Recorded::Unmatched);
    };
    let before = kept_share(&kept, &amount, confirmations);
    let tip_height = observation.tip_height.max(kept.tip_height);
    if before != share(observation, &amount, tip_height, confirmations) {
        leave_notice(connection, invoice_id).await?;
    }
    Ok(Recorded::Accepted)
}

async fn insert(connection: &mut PgConnection, observation: &Observation) -> Result<Recorded, StoreError> {
    let Some((amount, decimals)) = amount_of(connection, observation).await? else {
        return Ok(Recorded::Rejected("the network is unknown, or the amount is no positive decimal of this coin"));
    };
    let owner = owner(connection, observation).await?;
    let right_asset = owner.as_ref().is_some_and(|owner| owner.asked_for(observation));
    let inserted = sqlx::query!(
        "insert into invoice_transaction (transaction_id, invoice_id, network_id, address, tx_id, output_ref, coin_id,
             contract, amount, decimals, right_asset, state, block_height, block_hash, tip_height, first_seen_at,
             observed_version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         on conflict (network_id, tx_id, output_ref) do nothing",
        Uuid::now_v7(),
        owner.as_ref().map(|owner| owner.invoice_id),
        observation.network_id,
        observation.address,
        observation.tx_id,
        observation.output_ref,
        observation.coin_id,
        observation.contract.as_deref(),
        to_numeric(&amount),
        i16::from(decimals),
        right_asset,
        word(observation.state),
        observation.block_height,
        observation.block_hash.as_deref(),
        observation.tip_height,
        observation.first_seen_at,
        observation.version,
    )
    .execute(&mut *connection)
    .await
    .map_err(StoreError::during("inserting a deposit"))?;
    if inserted.rows_affected() == 0 {
        return overtaken(connection, observation).await;
    }
    let Some(owner) = owner else {
        return Ok(Recorded::Unmatched);
    };
    if share(observation, &amount, observation.tip_height, owner.confirmations) != Share::default() {
        leave_notice(connection, owner.invoice_id).await?;
    }
    Ok(Recorded::Accepted)
}

/// Another report of the same output was first, between our look and our insert.
async fn overtaken(connection: &mut PgConnection, observation: &Observation) -> Result<Recorded, StoreError> {
    match kept(connection, observation).await? {
        Some(kept) => update(connection, observation, kept).await,
        None => Err(StoreError::corrupt("inserting a deposit", "it is there and it is not")),
    }
}

/// The amount in base units. Of a coin that the catalogue does not have on this network the digits as they are written.
async fn amount_of(
    connection: &mut PgConnection,
    observation: &Observation,
) -> Result<Option<(BaseUnits, u8)>, StoreError> {
    let network = sqlx::query!(
        r#"select o.decimals as "decimals?" from network n
           left join payment_option o on o.network_id = n.network_id and o.coin_id = $2 where n.network_id = $1"#,
        observation.network_id,
        observation.coin_id,
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::during("finding a coin"))?;
    let Some(network) = network else { return Ok(None) };
    let written = observation.amount.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let decimals = network.decimals.and_then(|it| u8::try_from(it).ok()).or_else(|| u8::try_from(written).ok());
    let Some(decimals) = decimals else { return Ok(None) };
    let amount = BaseUnits::parse(&observation.amount, decimals).ok().filter(|amount| !amount.is_zero());
    Ok(amount.map(|amount| (amount, decimals)))
}

/// The sums of an invoice changed: its workflow has to hear of it.
async fn leave_notice(connection: &mut PgConnection, invoice_id: Uuid) -> Result<(), StoreError> {
    sqlx::query!(
        "with changed as (
             update invoice set deposit_revision = deposit_revision + 1 where invoice_id = $1
             returning invoice_id, deposit_revision
         ), noticed as (
             insert into deposit_notice (invoice_id, revision, due_at)
             select invoice_id, deposit_revision, now() from changed
             on conflict (invoice_id) do update set revision = excluded.revision, due_at = excluded.due_at, attempts = 0
         )
         select pg_notify($2, invoice_id::text) from changed",
        invoice_id,
        CHANNEL,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::during("leaving a notice"))?;
    Ok(())
}

fn kept_share(kept: &Kept, amount: &BaseUnits, confirmations: i64) -> Share {
    let state = state_of(&kept.state).unwrap_or(OutputState::Orphaned);
    share_of(state, kept.block_height, amount, (kept.tip_height, confirmations))
}
