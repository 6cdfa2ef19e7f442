use sqlx::PgConnection;
use uuid::Uuid;
use workflows::{domain::BaseUnits, invoices::Sighting};

use super::{
    Observation, Recorded,
    owner::{Owner, owner},
    share::Share,
    sighting::sighting,
    state::word,
};
use crate::postgres::{StoreError, notices::leave_notice, numeric::to_numeric};

/// More than any coin has: as many as an amount may have digits.
const MOST_DECIMALS: u8 = 78;

/// An output that was not reported before.
struct New<'a> {
    observation: &'a Observation,
    sighting: Sighting,
    owner: Option<Owner>,
    right_asset: bool,
    amount: BaseUnits,
    decimals: u8,
}

/// Keeps a first report. Nothing when another report of the same output was first after all.
pub(super) async fn insert(
    connection: &mut PgConnection,
    observation: &Observation,
) -> Result<Option<Recorded>, StoreError> {
    let owner = owner(connection, observation).await?;
    let rightful = owner.as_ref().filter(|owner| owner.asked_for(observation));
    let right_asset = rightful.is_some();
    let amount = match rightful {
        Some(owner) => owner.amount_of(observation),
        None => amount_of(connection, observation).await?,
    };
    let Some((amount, decimals)) = amount else {
        let reason = "the network is unknown, or the amount is no positive decimal of this coin";
        return Ok(Some(Recorded::Rejected(reason)));
    };
    let new = New { observation, sighting: sighting(observation), owner, right_asset, amount, decimals };
    if !new.write(connection).await? {
        return Ok(None);
    }
    let Some(owner) = new.owner else {
        return Ok(Some(Recorded::Unmatched));
    };
    if Share::of(&new.sighting, right_asset, owner.terms) != Share::Nothing {
        leave_notice(connection, owner.invoice_id).await?;
    }
    Ok(Some(Recorded::Accepted))
}

impl New<'_> {
    /// Whether it was the first.
    async fn write(&self, connection: &mut PgConnection) -> Result<bool, StoreError> {
        let Self { observation, sighting, owner, .. } = self;
        let inserted = sqlx::query!(
            "insert into invoice_transaction (transaction_id, invoice_id, ambiguous_with, network_id, address, tx_id,
                 output_ref, coin_id, contract, amount, decimals, right_asset, state, reported, final_version, lost_version,
                 block_height, block_hash, tip_height, first_seen_at, observed_version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
             on conflict (network_id, tx_id, output_ref) do nothing",
            Uuid::now_v7(),
            owner.as_ref().map(|owner| owner.invoice_id),
            owner.as_ref().and_then(|owner| owner.ambiguous_with(observation)),
            observation.network_id,
            observation.address,
            observation.tx_id,
            observation.output_ref,
            observation.coin_id,
            observation.contract.as_deref(),
            to_numeric(&self.amount),
            i16::from(self.decimals),
            self.right_asset,
            word(sighting.state()),
            word(sighting.reported),
            sighting.final_version,
            sighting.lost_version,
            sighting.block_height,
            sighting.block_hash.as_deref(),
            sighting.tip_height,
            sighting.first_seen_at,
            sighting.version,
        )
        .execute(connection)
        .await
        .map_err(StoreError::during("inserting a deposit"))?;
        Ok(inserted.rows_affected() == 1)
    }
}

/// The amount in base units: by the catalogue, or as the digits are written where it does not have the coin on this
/// network or where no amount of that coin has such digits, for then it is another coin of that name.
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
    let written = u8::try_from(written).ok().filter(|written| *written <= MOST_DECIMALS);
    let usual = network.decimals.and_then(|decimals| u8::try_from(decimals).ok());
    let amount = [usual, written].into_iter().flatten().find_map(|decimals| {
        let amount = BaseUnits::parse(&observation.amount, decimals).ok().filter(|amount| !amount.is_zero())?;
        Some((amount, decimals))
    });
    Ok(amount)
}
