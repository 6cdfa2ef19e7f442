use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use workflows::{
    contracts::invoice_ledger::CreditMerchant,
    invoices::{InvoiceStatus, Output, Standing, confirmed, transition::Fact},
};

use super::{
    apply::{Cause, apply},
    ledger_row::LedgerRow,
    outputs::Outputs,
};
use crate::postgres::{Database, StoreError, numeric::to_numeric};

impl Database {
    /// Records the merchant's credit of an accepted invoice: one row for each confirmed output, once, and `finished`
    /// with them. When the chain has taken the money back meanwhile, nothing is credited and the invoice goes back.
    pub async fn credit_merchant(&self, credit: &CreditMerchant) -> Result<Standing, StoreError> {
        let mut transaction = self.begin("crediting a merchant").await?;
        let mut row = LedgerRow::lock(&mut transaction, credit.invoice_id).await?;
        let outputs = Outputs::read(&mut transaction, credit.invoice_id).await?;
        let due =
            row.state.status == InvoiceStatus::PaymentAccepted && row.terms.covers(&outputs.sums(&row.terms).confirmed);
        let fact = if due { Fact::Credited } else { Fact::Look };
        if due {
            let owed = confirmed(&outputs.counted, &row.terms);
            insert_credits(&mut transaction, &row, &owed, credit.now).await?;
        }
        let name = format!("credit/{}", row.version);
        let cause = Cause::look(&name, &row, &outputs);
        let effects = apply(&mut transaction, &mut row, &outputs, (fact, credit.now), &cause).await?;
        transaction.commit().await.map_err(StoreError::during("crediting a merchant"))?;
        Ok(row.standing(&effects))
    }
}

/// Credits the merchant with each output that he was not credited with before.
pub(super) async fn insert_credits(
    connection: &mut PgConnection,
    row: &LedgerRow,
    outputs: &[&Output],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let credits: Vec<_> = outputs.iter().map(|_| Uuid::now_v7()).collect();
    let transactions: Vec<_> = outputs.iter().map(|output| output.transaction_id).collect();
    let amounts: Vec<_> = outputs.iter().map(|output| to_numeric(&output.amount)).collect();
    sqlx::query!(
        "insert into merchant_credit (credit_id, merchant_id, invoice_id, transaction_id, coin_id, network_id, amount,
            decimals, credited_at)
         select credit_id, $1, $2, transaction_id, $3, $4, amount, $5, $6
         from unnest($7::uuid[], $8::uuid[], $9::numeric[]) as new (credit_id, transaction_id, amount)
         on conflict (transaction_id) do nothing",
        row.merchant_id,
        row.invoice_id,
        row.coin_id,
        row.network_id,
        row.decimals,
        now,
        &credits,
        &transactions,
        &amounts,
    )
    .execute(connection)
    .await
    .map_err(StoreError::during("recording credits"))?;
    Ok(())
}
