use bigdecimal::BigDecimal;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use workflows::domain::BaseUnits;

use super::{
    Observation,
    identity::{is_same_address, is_same_asset},
    share::Terms,
};
use crate::postgres::{StoreError, numeric::to_numeric};

/// The invoice that an observation belongs to.
pub(super) struct Owner {
    pub(super) invoice_id: Uuid,
    pub(super) terms: Terms,
    asset: Asset,
    before: Option<Before>,
}

/// What an invoice asks for.
struct Asset {
    coin_id: String,
    contract: Option<String>,
    decimals: u8,
}

/// The expired invoice that had the address before and got nothing in time.
struct Before {
    invoice_id: Uuid,
    asset: Asset,
    due: BigDecimal,
}

struct Row {
    invoice_id: Uuid,
    coin_id: String,
    contract: Option<String>,
    decimals: i16,
    address: String,
    confirmations: i64,
    expires_at: DateTime<Utc>,
    before_id: Option<Uuid>,
    before_coin_id: Option<String>,
    before_contract: Option<String>,
    before_decimals: Option<i16>,
    before_due: Option<BigDecimal>,
}

/// The invoice that had the address when the money was first seen. Money that a watcher's clock puts before the first
/// assignment belongs to that one, and to a later one what it puts a minute before; what came between two, after the
/// first had cooled down, is nobody's. With it comes the invoice before on the same address, if its buyer may be the one who
/// pays now: for 30 days.
pub(super) async fn owner(
    connection: &mut PgConnection,
    observation: &Observation,
) -> Result<Option<Owner>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        r#"select o.invoice_id as "invoice_id!", o.coin_id as "coin_id!", o.contract as "contract?",
                  o.decimals as "decimals!", o.address as "address!", o.confirmations as "confirmations!",
                  o.expires_at as "expires_at!", b.invoice_id as "before_id?", b.coin_id as "before_coin_id?",
                  b.contract as "before_contract?", b.decimals as "before_decimals?", b.amount as "before_due?"
           from (
               select i.invoice_id, i.coin_id, i.contract, i.decimals, i.expires_at, d.address, a.address_id,
                      a.assigned_at, (i.policy ->> 'confirmations')::bigint as confirmations
               from deposit_address d
               join address_assignment a using (address_id)
               join invoice i using (invoice_id)
               where d.network_id = $1 and lower(d.address) = lower($2)
                 and case when a.assigned_at <= $3 then a.cooldown_until is null or $3 < a.cooldown_until
                     else a.assigned_at <= $3 + interval '1 minute' or not exists (
                         select from address_assignment e where e.address_id = a.address_id and e.assigned_at <= $3
                     ) end
               order by a.assigned_at <= $3 desc,
                        case when a.assigned_at <= $3 then a.assigned_at end desc, a.assigned_at
               limit 1
           ) o
           left join lateral (
               select invoice_id from address_assignment
               where address_id = o.address_id and assigned_at < o.assigned_at
               order by assigned_at desc limit 1
           ) p on true
           left join invoice b on b.invoice_id = p.invoice_id and b.status = 'expired'
               and $3 < b.expires_at + interval '30 days'
               and not exists (
                   select from invoice_transaction t
                   where t.invoice_id = b.invoice_id and t.right_asset and t.state in ('seen', 'included', 'final')
                     and t.first_seen_at < greatest(b.expires_at, b.late_accepted_at)
               )"#,
        observation.network_id,
        observation.address,
        observation.first_seen_at,
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::during("finding the invoice of a deposit"))?;
    let row = row.filter(|row| is_same_address(&observation.address, &row.address));
    row.map(Owner::try_from).transpose()
}

impl Owner {
    /// The amount and its decimals, if this is what the invoice asks for: by its own decimals, for its coin is what the
    /// contract says. Nothing when the digits do not fit or are no positive amount.
    pub(super) fn amount_of(&self, observation: &Observation) -> Option<(BaseUnits, u8)> {
        let decimals = self.asset.decimals;
        let amount = BaseUnits::parse(&observation.amount, decimals).ok().filter(|amount| !amount.is_zero());
        amount.map(|amount| (amount, decimals))
    }

    /// Whether it is the asset that the invoice asks for.
    pub(super) fn asked_for(&self, observation: &Observation) -> bool {
        self.asset.is_that_of(observation)
    }

    /// The invoice before, if it asked for just this.
    pub(super) fn ambiguous_with(&self, observation: &Observation) -> Option<Uuid> {
        let before = self.before.as_ref().filter(|before| before.asset.is_that_of(observation))?;
        let amount = BaseUnits::parse(&observation.amount, before.asset.decimals).ok()?;
        (to_numeric(&amount) == before.due).then_some(before.invoice_id)
    }
}

impl Asset {
    fn is_that_of(&self, observation: &Observation) -> bool {
        let theirs = (observation.coin_id.as_str(), observation.contract.as_deref());
        is_same_asset((self.coin_id.as_str(), self.contract.as_deref()), theirs)
    }
}

impl TryFrom<Row> for Owner {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let corrupt = |_| StoreError::corrupt("reading the invoice of a deposit", "decimals");
        let before = match (row.before_id, row.before_coin_id, row.before_decimals, row.before_due) {
            (Some(invoice_id), Some(coin_id), Some(decimals), Some(due)) => {
                let decimals = u8::try_from(decimals).map_err(corrupt)?;
                Some(Before { invoice_id, asset: Asset { coin_id, contract: row.before_contract, decimals }, due })
            }
            _ => None,
        };
        let decimals = u8::try_from(row.decimals).map_err(corrupt)?;
        Ok(Self {
            invoice_id: row.invoice_id,
            terms: Terms { confirmations: row.confirmations, expires_at: row.expires_at },
            asset: Asset { coin_id: row.coin_id, contract: row.contract, decimals },
            before,
        })
    }
}
