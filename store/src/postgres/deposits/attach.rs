use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use workflows::domain::BaseUnits;

use super::{
    identity::is_same_asset,
    list::{KeptDeposit, Row},
    state::state_of,
};
use crate::postgres::{Database, StoreError, notices::leave_notice, numeric::to_numeric};

/// An operator gives money without an invoice to one.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Which money.
    pub deposit_id: Uuid,
    /// To which invoice.
    pub invoice_id: Uuid,
    /// Names the request: a repeat has the same.
    pub cause: String,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// HMAC of the request's body, in hexadecimal.
    pub fingerprint: String,
    /// When.
    pub now: DateTime<Utc>,
}

/// What became of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attached {
    /// The money is the invoice's.
    Done(KeptDeposit),
    /// This very request attached it before.
    Repeated {
        /// The deposit as it was attached.
        deposit: KeptDeposit,
        /// Fingerprint of the first request.
        fingerprint: String,
    },
    /// There is no such deposit.
    NoDeposit,
    /// There is no such invoice.
    NoInvoice,
    /// It is the money of this invoice already.
    AttachedAlready(Uuid),
    /// The invoice is to be paid on another network.
    OtherNetwork,
    /// It is what the invoice asks for, with more digits than the invoice knows.
    NotDivisible,
}

/// The request that attached a deposit, and what reports have changed since of its answer.
struct First {
    fingerprint: String,
    answered_state: String,
    answered_block_height: Option<i64>,
    answered_tip_height: i64,
    answered_first_seen_at: DateTime<Utc>,
}

struct Invoice {
    network_id: String,
    coin_id: String,
    contract: Option<String>,
    decimals: i16,
}

impl Database {
    /// Gives money without an invoice to one, for good, with its audit row, and leaves a notice for the relay.
    pub async fn attach_deposit(&self, attachment: &Attachment) -> Result<Attached, StoreError> {
        let failed = StoreError::during("attaching a deposit");
        let mut transaction = self.transaction().await.map_err(&failed)?;
        let attached = attach(&mut transaction, attachment).await?;
        transaction.commit().await.map_err(&failed)?;
        Ok(attached)
    }
}

async fn attach(connection: &mut PgConnection, attachment: &Attachment) -> Result<Attached, StoreError> {
    let Some(deposit) = lock(connection, attachment.deposit_id).await? else {
        return Ok(Attached::NoDeposit);
    };
    if let Some(owner) = deposit.invoice_id {
        let first = attached_before(connection, attachment).await?;
        return first.map_or(Ok(Attached::AttachedAlready(owner)), |first| first.again(deposit));
    }
    let Some(invoice) = find_invoice(connection, attachment.invoice_id).await? else {
        return Ok(Attached::NoInvoice);
    };
    if invoice.network_id != deposit.network_id {
        return Ok(Attached::OtherNetwork);
    }
    let right_asset = invoice.asked_for(&deposit);
    let Some(deposit) = owned(deposit, attachment.invoice_id, right_asset.then_some(invoice.decimals)) else {
        return Ok(Attached::NotDivisible);
    };
    write(connection, attachment, &deposit, right_asset).await?;
    leave_notice(connection, attachment.invoice_id).await?;
    Ok(Attached::Done(deposit))
}

/// Reads the deposit, and keeps reports of it waiting.
async fn lock(connection: &mut PgConnection, deposit_id: Uuid) -> Result<Option<KeptDeposit>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select transaction_id, invoice_id, ambiguous_with, network_id, coin_id, contract, address, tx_id, output_ref,
                amount, decimals, state, block_height, tip_height, first_seen_at, created_at
         from invoice_transaction where transaction_id = $1 for no key update",
        deposit_id,
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::during("locking a deposit"))?;
    row.map(KeptDeposit::try_from).transpose()
}

/// The request that attached the deposit, if it was this very one.
async fn attached_before(connection: &mut PgConnection, attachment: &Attachment) -> Result<Option<First>, StoreError> {
    sqlx::query_as!(
        First,
        "select fingerprint, answered_state, answered_block_height, answered_tip_height, answered_first_seen_at
         from deposit_attachment where transaction_id = $1 and cause = $2",
        attachment.deposit_id,
        attachment.cause,
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::during("finding an attachment"))
}

async fn find_invoice(connection: &mut PgConnection, invoice_id: Uuid) -> Result<Option<Invoice>, StoreError> {
    sqlx::query_as!(
        Invoice,
        "select network_id, coin_id, contract, decimals from invoice where invoice_id = $1",
        invoice_id,
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::during("finding the invoice of an attachment"))
}

/// The deposit once it is the invoice's, in the invoice's base units if they have to be the same. Nothing when its digits
/// do not fit into them.
fn owned(deposit: KeptDeposit, invoice_id: Uuid, decimals: Option<i16>) -> Option<KeptDeposit> {
    let decimals = decimals.map_or(Some(deposit.decimals), |decimals| decimals.try_into().ok())?;
    let amount = BaseUnits::parse(&deposit.amount.to_decimal(deposit.decimals), decimals).ok()?;
    Some(KeptDeposit { invoice_id: Some(invoice_id), amount, decimals, ..deposit })
}

async fn write(
    connection: &mut PgConnection,
    attachment: &Attachment,
    deposit: &KeptDeposit,
    right_asset: bool,
) -> Result<(), StoreError> {
    sqlx::query!(
        "with attached as (
            update invoice_transaction set invoice_id = $2, right_asset = $3, amount = $4, decimals = $5, updated_at = now()
            where transaction_id = $1
            returning transaction_id, state, block_height, tip_height, first_seen_at
        )
        insert into deposit_attachment (transaction_id, invoice_id, cause, actor, reason, fingerprint, attached_at,
            answered_state, answered_block_height, answered_tip_height, answered_first_seen_at)
        select transaction_id, $2, $6, $7, $8, $9, $10, state, block_height, tip_height, first_seen_at from attached",
        attachment.deposit_id,
        attachment.invoice_id,
        right_asset,
        to_numeric(&deposit.amount),
        i16::from(deposit.decimals),
        attachment.cause,
        attachment.actor,
        attachment.reason,
        attachment.fingerprint,
        attachment.now,
    )
    .execute(connection)
    .await
    .map_err(StoreError::during("writing an attachment"))?;
    Ok(())
}

impl First {
    /// The answer that it got.
    fn again(self, deposit: KeptDeposit) -> Result<Attached, StoreError> {
        let state = state_of(&self.answered_state)
            .ok_or_else(|| StoreError::corrupt("finding an attachment", &self.answered_state))?;
        let deposit = KeptDeposit {
            state,
            block_height: self.answered_block_height,
            tip_height: self.answered_tip_height,
            first_seen_at: self.answered_first_seen_at,
            ..deposit
        };
        Ok(Attached::Repeated { deposit, fingerprint: self.fingerprint })
    }
}

impl Invoice {
    fn asked_for(&self, deposit: &KeptDeposit) -> bool {
        let theirs = (deposit.coin_id.as_str(), deposit.contract.as_deref());
        is_same_asset((self.coin_id.as_str(), self.contract.as_deref()), theirs)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use workflows::invoices::OutputState;

    use super::*;

    fn deposit(amount: u64, decimals: u8) -> KeptDeposit {
        KeptDeposit {
            deposit_id: Uuid::nil(),
            invoice_id: None,
            ambiguous_with: None,
            network_id: "tron".to_owned(),
            coin_id: "usdt".to_owned(),
            contract: None,
            address: "T".to_owned(),
            tx_id: "1".to_owned(),
            output_ref: "v:0".to_owned(),
            amount: amount.into(),
            decimals,
            state: OutputState::Seen,
            block_height: None,
            tip_height: 1,
            first_seen_at: DateTime::UNIX_EPOCH,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn money_takes_the_base_units_of_its_invoice() {
        let units = |deposit, decimals| owned(deposit, Uuid::nil(), decimals).map(|it| (it.amount, it.decimals));
        assert_eq!(units(deposit(125, 1), Some(6)), Some((12_500_000.into(), 6)));
        assert_eq!(units(deposit(1_250, 3), Some(2)), Some((125.into(), 2)));
        assert_eq!(units(deposit(1_251, 3), Some(2)), None);
        assert_eq!(units(deposit(1_251, 3), None), Some((1_251.into(), 3)));
    }

    #[test]
    fn a_repeat_is_answered_with_what_was_known_then() {
        let first = |state: &str| First {
            fingerprint: "ab".to_owned(),
            answered_state: state.to_owned(),
            answered_block_height: None,
            answered_tip_height: 1,
            answered_first_seen_at: DateTime::UNIX_EPOCH,
        };
        let settled = KeptDeposit {
            state: OutputState::Final,
            block_height: Some(2),
            tip_height: 30,
            first_seen_at: DateTime::UNIX_EPOCH - TimeDelta::seconds(1),
            ..deposit(125, 1)
        };
        let again = first("seen").again(settled.clone()).unwrap();
        assert_eq!(again, Attached::Repeated { deposit: deposit(125, 1), fingerprint: "ab".to_owned() });
        assert!(first("lost").again(settled).is_err());
    }
}
