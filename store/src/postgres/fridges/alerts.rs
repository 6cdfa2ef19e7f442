use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use workflows::contracts::alerts::Alert;

use super::text::without_nul;
use crate::postgres::{Database, StoreError};

/// What is to be done with an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertTurn {
    /// Nothing: operators were told, or there was one like it just before.
    None,
    /// To tell it, within the time of the claim.
    Tell(AlertClaim),
    /// Somebody else tells it just now.
    Taken,
}

/// The right to tell an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertClaim {
    /// How many of this kind about this subject were kept from operators since the last one that they were told.
    pub suppressed_before: i64,
    until: DateTime<Utc>,
}

struct Record {
    is_due: bool,
    is_claimed: bool,
}

impl Database {
    /// Records an alert and claims it for `claim`, if it is to be told: not when there was one of this kind about this
    /// subject less than the alert's window before. Again, it finds what was decided.
    pub async fn claim_alert(&self, alert: &Alert, claim: Duration) -> Result<AlertTurn, StoreError> {
        let failed = StoreError::during("recording an alert");
        let mut transaction = self.transaction().await.map_err(&failed)?;
        wait_for_turn(&mut transaction, alert).await?;
        insert(&mut transaction, alert).await?;
        let record = find(&mut transaction, alert.alert_id).await?;
        let turn = match (record.is_due, record.is_claimed) {
            (false, _) => AlertTurn::None,
            (true, true) => AlertTurn::Taken,
            (true, false) => AlertTurn::Tell(set_claim(&mut transaction, alert.alert_id, claim).await?),
        };
        transaction.commit().await.map_err(&failed)?;
        Ok(turn)
    }

    /// It was not told after all: whoever wants to can try at once. Of another's claim this takes nothing.
    pub async fn release_alert(&self, alert_id: Uuid, claim: &AlertClaim) -> Result<(), StoreError> {
        sqlx::query!(
            "update alert set claimed_until = null where alert_id = $1 and claimed_until = $2 and sent_at is null",
            alert_id,
            claim.until,
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("releasing an alert"))?;
        Ok(())
    }

    /// Those of these alerts that operators are to be told and were not.
    pub async fn untold_alerts(&self, alerts: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
        sqlx::query_scalar!(
            "select alert_id from alert where alert_id = any($1) and to_send and sent_at is null",
            alerts,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during("looking for untold alerts"))
    }

    /// Whether there was one of these alerts, told or not.
    pub async fn has_alert_of(&self, alerts: &[Uuid]) -> Result<bool, StoreError> {
        sqlx::query_scalar!(r#"select exists (select from alert where alert_id = any($1)) as "exists!""#, alerts)
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::during("looking for an alert"))
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

async fn find(connection: &mut PgConnection, alert_id: Uuid) -> Result<Record, StoreError> {
    sqlx::query_as!(
        Record,
        r#"select to_send and sent_at is null as "is_due!", coalesce(claimed_until > clock_timestamp(), false) as "is_claimed!"
           from alert where alert_id = $1"#,
        alert_id,
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::during("reading an alert"))
}

async fn set_claim(connection: &mut PgConnection, alert_id: Uuid, claim: Duration) -> Result<AlertClaim, StoreError> {
    sqlx::query_as!(
        AlertClaim,
        r#"update alert set claimed_until = clock_timestamp() + make_interval(secs => $2) where alert_id = $1
           returning suppressed_before, claimed_until as "until!""#,
        alert_id,
        claim.as_secs_f64(),
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::during("claiming an alert"))
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
