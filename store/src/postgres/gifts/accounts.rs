use secrecy::SecretString;

use crate::postgres::{Database, StoreError};

/// A branch or a till of a supplier.
#[derive(Debug, Clone)]
pub struct Account {
    /// Whose it is.
    pub supplier_code: String,
    /// Its number, under which a device names it.
    pub supplier_account: String,
    /// The argon2 hash of its PIN, in the PHC format. None: no PIN fits.
    pub pin_hash: Option<SecretString>,
}

/// Whom a number stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedNumber {
    /// The supplier, or the one whose account it is.
    pub supplier_code: String,
    /// The account, by its number. None: the number is the supplier's own and stands for all of its accounts.
    pub account: Option<String>,
    /// Under which wrong PINs for this number are counted: `account:<account_id>` or `supplier:<supplier_code>`.
    pub guard_subject: String,
}

#[expect(clippy::struct_field_names, reason = "the columns of the source")]
struct Row {
    supplier_code: String,
    supplier_account_invoice_no: String,
    supplier_account_secret_hash: Option<String>,
}

impl Database {
    /// Keeps the hash of an account's PIN, instead of the one before. False when there is no such account.
    pub async fn set_pin_hash(&self, supplier_account: &str, hash: &str) -> Result<bool, StoreError> {
        let kept = sqlx::query!(
            "update supplier_accounts set supplier_account_secret_hash = $2 where supplier_account_invoice_no = $1",
            supplier_account,
            hash,
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("keeping the hash of a PIN"))?;
        Ok(kept.rows_affected() == 1)
    }

    /// The account with this number.
    pub async fn find_account(&self, supplier_account: &str) -> Result<Option<Account>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            "select supplier_code, supplier_account_invoice_no, supplier_account_secret_hash from supplier_accounts
             where supplier_account_invoice_no = $1",
            supplier_account,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("finding an account"))?;
        Ok(row.map(Account::from))
    }

    /// Every account of a supplier, in a stable order.
    pub async fn accounts_of(&self, supplier_code: &str) -> Result<Vec<Account>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "select supplier_code, supplier_account_invoice_no, supplier_account_secret_hash from supplier_accounts
             where supplier_code = $1 order by supplier_account_invoice_no",
            supplier_code,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during("finding the accounts of a supplier"))?;
        Ok(rows.into_iter().map(Account::from).collect())
    }

    /// Accounts of a supplier that have a PIN.
    pub async fn count_pins(&self, supplier_code: &str) -> Result<i64, StoreError> {
        sqlx::query_scalar!(
            r#"select count(supplier_account_secret_hash) as "pins!" from supplier_accounts where supplier_code = $1"#,
            supplier_code,
        )
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::during("counting the PINs of a supplier"))
    }

    /// Whom a number stands for: a supplier, else an account.
    pub async fn resolve_number(&self, number: &str) -> Result<Option<ResolvedNumber>, StoreError> {
        sqlx::query_as!(
            ResolvedNumber,
            r#"select supplier_code as "supplier_code!", account as "account?", guard_subject as "guard_subject!"
               from (
                   select 1 as rank, supplier_code, null::text as account, 'supplier:' || supplier_code as guard_subject
                   from suppliers where supplier_invoice_no = $1
                   union all
                   select 2, supplier_code, supplier_account_invoice_no, 'account:' || account_id
                   from supplier_accounts where supplier_account_invoice_no = $1
               ) as found
               order by rank limit 1"#,
            number,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("resolving a number"))
    }
}

impl From<Row> for Account {
    fn from(row: Row) -> Self {
        Self {
            supplier_code: row.supplier_code,
            supplier_account: row.supplier_account_invoice_no,
            pin_hash: row.supplier_account_secret_hash.map(SecretString::from),
        }
    }
}
