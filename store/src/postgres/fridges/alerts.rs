use sqlx::PgConnection;
use uuid::Uuid;
use workflows::contracts::alerts::Alert;

use super::text::without_nul;
use crate::postgres::{Database, StoreError};

/// What is to be done with an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertRecord {
    /// It is for the operators, and they have not been told.
    pub to_send: bool,
    /// How many of this kind about this subject were kept from them since the last one that they were told.
    pub suppressed_before: i64,
}

impl Database {
    /// Records an alert and says whether to tell it: not when there was one of this kind about this subject less than
    /// the alert's window before. Again, it finds what was decided.
    pub async fn record_alert(&self, alert: &Alert) -> Result<AlertRecord, StoreError> {
        let failed = StoreError::during("recording an alert");
        let mut transaction = self.pool.begin().await.map_err(&failed)?;
        wait_for_turn(&mut transaction, alert).await?;
        insert(&mut transaction, alert).await?;
        let record = sqlx::query_as!(
            AlertRecord,
            r#"select to_send and sent_at is null as "to_send!", suppressed_before from alert where alert_id = $1"#,
            alert.alert_id,
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(record)
    }

    /// The operators were told.
    pub async fn note_alert_sent(&self, alert_id: Uuid) -> Result<(), StoreError> {
        sqlx::query!("update alert set sent_at = now() where alert_id = $1 and to_send and sent_at is null", alert_id)
            .execute(&self.pool)
            .await
            .map_err(StoreError::during("noting that an alert was sent"))?;
        Ok(())
    }
}

/// Two alerts of a kind about one subject see each other, whoever is first. The lock ends with the transaction.
async fn wait_for_turn(connection: &mut PgConnection, alert: &Alert) -> Result<(), StoreError> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended($1, 0))",
        format!("alert/{}/{}", alert.kind.as_str(), alert.subject),
    )
    .execute(connection)
    .await
    .map_err(StoreError::during("waiting to record an alert"))?;
    Ok(())
}

async fn insert(connection: &mut PgConnection, alert: &Alert) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into alert (alert_id, kind, subject, text, asked_at, to_send, suppressed_before)
         select $1, $2, $3, $4, $5,
             coalesce((
                 select asked_at <= $6 from alert where kind = $2 and subject = $3 and to_send
                 order by sequence desc limit 1
             ), true),
             (select count(*) from alert where kind = $2 and subject = $3 and not to_send and sequence > coalesce((
                 select sequence from alert where kind = $2 and subject = $3 and sent_at is not null
                 order by sequence desc limit 1
             ), 0))
         on conflict (alert_id) do nothing",
        alert.alert_id,
        alert.kind.as_str(),
        alert.subject,
        without_nul(&alert.text),
        alert.now,
        alert.now - alert.window,
    )
    .execute(connection)
    .await
    .map_err(StoreError::during("recording an alert"))?;
    Ok(())
}
