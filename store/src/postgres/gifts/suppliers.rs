use sqlx::PgConnection;
use uuid::Uuid;

use super::{Conflict, register::Register};
use crate::postgres::{Database, StoreError};

/// A supplier to be added, with one account or none. Several lines may repeat the supplier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSupplier {
    /// The line in the file.
    pub line: u64,
    /// The supplier.
    pub supplier_code: String,
    /// The supplier's own number.
    pub supplier_invoice_no: String,
    /// What people call the supplier.
    pub name: String,
    /// Number of the account that this line adds.
    pub supplier_account_invoice_no: Option<String>,
}

impl Database {
    /// Adds suppliers and accounts: all of them, or none when something speaks against a line. What is there already,
    /// just so, stays as it is, PINs too: an import whose answer was lost can be repeated.
    pub async fn import_suppliers(&self, lines: &[NewSupplier]) -> Result<Vec<Conflict>, StoreError> {
        let importing = StoreError::during("importing suppliers");
        let mut transaction = self.transaction().await.map_err(&importing)?;
        // Two imports at once could give one number to a supplier and to an account. Readers are not in the way.
        sqlx::query("lock table suppliers, supplier_accounts in share row exclusive mode")
            .execute(&mut *transaction)
            .await
            .map_err(&importing)?;
        let mut register = read(&mut transaction, lines).await?;
        let conflicts: Vec<_> = lines.iter().filter_map(|line| register.add(line).err()).collect();
        if conflicts.is_empty() {
            insert(&mut transaction, lines).await?;
            transaction.commit().await.map_err(&importing)?;
        }
        Ok(conflicts)
    }
}

/// Every row that a line could meet: by its codes and by its numbers.
async fn read(connection: &mut PgConnection, lines: &[NewSupplier]) -> Result<Register, StoreError> {
    let reading = StoreError::during("reading suppliers");
    let codes: Vec<_> = lines.iter().map(|line| line.supplier_code.clone()).collect();
    let own = lines.iter().map(|line| line.supplier_invoice_no.clone());
    let numbers: Vec<_> = lines.iter().filter_map(|line| line.supplier_account_invoice_no.clone()).chain(own).collect();
    let mut register = Register::default();
    let suppliers = sqlx::query!(
        "select supplier_code, supplier_invoice_no, name from suppliers
         where supplier_code = any($1) or supplier_invoice_no = any($2)",
        &codes,
        &numbers,
    );
    for row in suppliers.fetch_all(&mut *connection).await.map_err(&reading)? {
        register.know_supplier(row.supplier_code, row.supplier_invoice_no, row.name);
    }
    let accounts = sqlx::query!(
        "select supplier_account_invoice_no, supplier_code from supplier_accounts
         where supplier_code = any($1) or supplier_account_invoice_no = any($2)",
        &codes,
        &numbers,
    );
    for row in accounts.fetch_all(connection).await.map_err(&reading)? {
        register.know_account(row.supplier_account_invoice_no, row.supplier_code);
    }
    Ok(register)
}

/// Those that are there already stay as they are.
async fn insert(connection: &mut PgConnection, lines: &[NewSupplier]) -> Result<(), StoreError> {
    let codes: Vec<_> = lines.iter().map(|line| line.supplier_code.clone()).collect();
    let numbers: Vec<_> = lines.iter().map(|line| line.supplier_invoice_no.clone()).collect();
    let names: Vec<_> = lines.iter().map(|line| line.name.clone()).collect();
    sqlx::query!(
        "insert into suppliers (supplier_code, supplier_invoice_no, name)
         select distinct supplier_code, supplier_invoice_no, name
         from unnest($1::text[], $2::text[], $3::text[]) as new (supplier_code, supplier_invoice_no, name)
         on conflict (supplier_code) do nothing",
        &codes,
        &numbers,
        &names,
    )
    .execute(&mut *connection)
    .await
    .map_err(StoreError::during("adding suppliers"))?;
    insert_accounts(connection, lines).await
}

async fn insert_accounts(connection: &mut PgConnection, lines: &[NewSupplier]) -> Result<(), StoreError> {
    let account = |line: &NewSupplier| Some((line.supplier_account_invoice_no.clone()?, line.supplier_code.clone()));
    let (numbers, codes): (Vec<_>, Vec<_>) = lines.iter().filter_map(account).unzip();
    let ids: Vec<_> = numbers.iter().map(|_| Uuid::now_v7()).collect();
    sqlx::query!(
        "insert into supplier_accounts (account_id, supplier_code, supplier_account_invoice_no)
         select account_id, supplier_code, number
         from unnest($1::uuid[], $2::text[], $3::text[]) as new (account_id, supplier_code, number)
         on conflict (supplier_account_invoice_no) do nothing",
        &ids,
        &codes,
        &numbers,
    )
    .execute(connection)
    .await
    .map_err(StoreError::during("adding accounts"))?;
    Ok(())
}
