use chrono::{DateTime, Utc};

use crate::postgres::{Database, StoreError};

/// A smart fridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its id at the frontends.
    pub machine_id: String,
    /// Its id at Vendron.
    pub machine_uid: String,
    /// What people call it; may be empty.
    pub name: String,
    /// Who may open it, as the principal is written: `frontend:demo`.
    pub owner: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// A smart fridge to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMachine {
    /// Its id at the frontends.
    pub machine_id: String,
    /// Its id at Vendron.
    pub machine_uid: String,
    /// What people call it; may be empty.
    pub name: String,
    /// Who may open it, as the principal is written: `frontend:demo`.
    pub owner: String,
}

impl Database {
    /// Adds a machine. False when one has this id, or this id at Vendron, already; that one stays as it is.
    pub async fn add_machine(&self, machine: &NewMachine) -> Result<bool, StoreError> {
        let added = sqlx::query!(
            "insert into machine (machine_id, machine_uid, name, owner) values ($1, $2, $3, $4) on conflict do nothing",
            machine.machine_id,
            machine.machine_uid,
            machine.name,
            machine.owner,
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("adding a machine"))?;
        Ok(added.rows_affected() == 1)
    }

    /// Every machine, by its id.
    pub async fn list_machines(&self) -> Result<Vec<Machine>, StoreError> {
        sqlx::query_as!(
            Machine,
            "select machine_id, machine_uid, name, owner, created_at from machine order by machine_id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during("listing the machines"))
    }

    /// The machine with this id.
    pub async fn find_machine(&self, machine_id: &str) -> Result<Option<Machine>, StoreError> {
        sqlx::query_as!(
            Machine,
            "select machine_id, machine_uid, name, owner, created_at from machine where machine_id = $1",
            machine_id,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("finding a machine"))
    }
}
