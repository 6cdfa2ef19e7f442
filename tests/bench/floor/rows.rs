//! The floor's table.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{
    PgPool, Row,
    postgres::{PgPoolOptions, PgRow},
};
use uuid::Uuid;

use super::workflow::Note;

/// A row as it is answered.
#[derive(Debug, Serialize)]
pub(crate) struct Kept {
    id: Uuid,
    text: String,
    created_at: DateTime<Utc>,
}

/// A pool that spends no round trip on looking whether a connection still lives.
pub(crate) fn pool(url: &str, connections: u32) -> Result<PgPool, sqlx::Error> {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(3))
        .test_before_acquire(false)
        .connect_lazy(url)
}

/// Makes the table.
pub(crate) async fn make(url: &str) -> Result<(), sqlx::Error> {
    let table = "create table floor_note (id uuid primary key, text text not null, created_at timestamptz not null default now())";
    sqlx::query(table).execute(&pool(url, 1)?).await?;
    Ok(())
}

/// One row, by one statement.
pub(crate) async fn insert(database: &PgPool, note: &Note) -> Result<(), sqlx::Error> {
    let insert = sqlx::query("insert into floor_note (id, text) values ($1, $2)");
    insert.bind(note.id).bind(&note.text).execute(database).await?;
    Ok(())
}

/// One row, by its primary key.
pub(crate) async fn find(database: &PgPool, id: Uuid) -> Result<Option<Kept>, sqlx::Error> {
    let select = sqlx::query("select id, text, created_at from floor_note where id = $1");
    let row: Option<PgRow> = select.bind(id).fetch_optional(database).await?;
    row.map(|row| Ok(Kept { id: row.try_get(0)?, text: row.try_get(1)?, created_at: row.try_get(2)? })).transpose()
}
