use sqlx::PgConnection;
use uuid::Uuid;

use super::Observation;
use crate::postgres::StoreError;

/// The invoice that an observation belongs to.
pub(super) struct Owner {
    pub(super) invoice_id: Uuid,
    coin_id: String,
    contract: Option<String>,
    address: String,
    pub(super) confirmations: i64,
}

/// The invoice that had the address when the money was first seen. Money that a watcher's clock puts before the first
/// assignment belongs to that one.
pub(super) async fn owner(
    connection: &mut PgConnection,
    observation: &Observation,
) -> Result<Option<Owner>, StoreError> {
    let owner = sqlx::query_as!(
        Owner,
        r#"select i.invoice_id, i.coin_id, i.contract, d.address,
                  (i.policy ->> 'confirmations')::bigint as "confirmations!"
           from deposit_address d
           join address_assignment a using (address_id)
           join invoice i using (invoice_id)
           where d.network_id = $1 and lower(d.address) = lower($2)
             and (a.cooldown_until is null or $3 < a.cooldown_until)
           order by a.assigned_at <= $3 desc,
                    case when a.assigned_at <= $3 then a.assigned_at end desc, a.assigned_at
           limit 1"#,
        observation.network_id,
        observation.address,
        observation.first_seen_at,
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::during("finding the invoice of a deposit"))?;
    Ok(owner.filter(|owner| owner.has_address(&observation.address)))
}

impl Owner {
    /// Hexadecimal and bech32 addresses are the same in upper and lower case, base58 ones are not.
    fn has_address(&self, address: &str) -> bool {
        let folds = |text: &str| ["0x", "bc1"].iter().any(|prefix| text.to_ascii_lowercase().starts_with(prefix));
        self.address == address || folds(address)
    }

    /// A token is what its contract says, whatever name it goes by.
    pub(super) fn asked_for(&self, observation: &Observation) -> bool {
        match (&self.contract, &observation.contract) {
            (None, None) => self.coin_id == observation.coin_id,
            (Some(ours), Some(theirs)) if ours.starts_with("0x") => ours.eq_ignore_ascii_case(theirs),
            (ours, theirs) => ours == theirs,
        }
    }
}
