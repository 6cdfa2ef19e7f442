use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use workflows::{
    contracts::invoice_ledger::CreditMerchant,
    invoices::{InvoiceStatus, Output, Standing, Sums, confirmed, transition::Fact},
};

use super::{
    advance::{Cause, apply},
    ledger_row::{LedgerRow, outputs},
};
use crate::postgres::{Database, StoreError, numeric::to_numeric};

impl Database {
    /// Records the merchant's credit of an accepted invoice: one row for each confirmed output, once, and `finished`
    /// with them. When the chain has taken the money back meanwhile, nothing is credited and the invoice goes back.
    pub async fn credit_merchant(&self, credit: &CreditMerchant) -> Result<Standing, StoreError> {
        let mut transaction = self.begin("crediting a merchant").await?;
        let mut row = LedgerRow::lock(&mut transaction, credit.invoice_id).await?;
        let outputs = outputs(&mut transaction, credit.invoice_id).await?;
        let due = row.state.status == InvoiceStatus::PaymentAccepted
            && row.terms.covers(&Sums::of(&outputs, &row.terms).confirmed);
        let fact = if due { Fact::Credited } else { Fact::Look };
        if due {
            for output in confirmed(&outputs, &row.terms) {
                insert_credit(&mut transaction, &row, output, credit.now).await?;
            }
        }
        let name = format!("credit/{}", row.version);
        let cause = Cause::system(&name);
        let effects = apply(&mut transaction, &mut row, &outputs, (fact, credit.now), &cause).await?;
        transaction.commit().await.map_err(StoreError::during("crediting a merchant"))?;
        Ok(row.standing(&effects))
    }
}

async fn insert_credit(
    connection: &mut PgConnection,
    row: &LedgerRow,
    output: &Output,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into merchant_credit (credit_id, merchant_id, invoice_id, transaction_id, coin_id, network_id, amount,
            decimals, credited_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        Uuid::now_v7(),
        row.merchant_id,
        row.invoice_id,
        output.transaction_id,
        row.coin_id,
        row.network_id,
        to_numeric(&output.amount),
        row.decimals,
        now,
    )
    .execute(connection)
    .await
    .map_err(StoreError::during("recording a credit"))?;
    Ok(())
}
