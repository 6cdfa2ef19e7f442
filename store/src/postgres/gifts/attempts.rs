use chrono::{DateTime, Utc};
use sqlx::{PgConnection, types::Json};

use super::guard::{Admission, Guard, GuardRules, admit};
use crate::postgres::{Database, StoreError};

struct Row {
    subject: String,
    wrong: i32,
    undecided: Vec<DateTime<Utc>>,
    locks: i32,
    locked_until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
}

impl Database {
    /// Counts an attempt against every subject, before its PIN is looked at: against all of them or against none.
    pub async fn admit_attempt(&self, subjects: &[String], rules: &GuardRules) -> Result<Admission, StoreError> {
        let subjects = in_order(subjects);
        if let Some(admission) = self.try_to_admit(&subjects, rules).await? {
            return Ok(admission);
        }
        self.add_guards(&subjects).await?;
        let admission = self.try_to_admit(&subjects, rules).await?;
        admission.ok_or_else(|| StoreError::corrupt("admitting an attempt", "a guard is gone"))
    }

    /// Tells what became of an admitted attempt, against the same subjects.
    pub async fn settle_attempt(
        &self,
        subjects: &[String],
        was_right: bool,
        rules: &GuardRules,
    ) -> Result<(), StoreError> {
        let settling = StoreError::during("settling an attempt");
        let mut transaction = self.transaction().await.map_err(&settling)?;
        let (mut guards, now) = lock(&mut transaction, &in_order(subjects)).await?;
        for guard in &mut guards {
            guard.settle(was_right, now, rules);
        }
        write(&mut transaction, &guards).await?;
        transaction.commit().await.map_err(&settling)
    }

    /// None when a subject has no guard yet.
    async fn try_to_admit(&self, subjects: &[String], rules: &GuardRules) -> Result<Option<Admission>, StoreError> {
        let admitting = StoreError::during("admitting an attempt");
        let mut transaction = self.transaction().await.map_err(&admitting)?;
        let (before, now) = lock(&mut transaction, subjects).await?;
        let mut guards = before.clone();
        let admission = (before.len() == subjects.len()).then(|| admit(&mut guards, now, rules));
        if guards != before {
            write(&mut transaction, &guards).await?;
        }
        transaction.commit().await.map_err(&admitting)?;
        Ok(admission)
    }

    /// Not inside the transaction that locks: whoever waits for somebody else's new row must not hold another one.
    async fn add_guards(&self, subjects: &[String]) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into pin_guard (subject) select unnest($1::text[]) on conflict (subject) do nothing",
            subjects,
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("adding a guard"))?;
        Ok(())
    }
}

/// Every subject once, and always in the same order: of two that want the same rows, one waits for the other.
fn in_order(subjects: &[String]) -> Vec<String> {
    let mut subjects = subjects.to_vec();
    subjects.sort_unstable();
    subjects.dedup();
    subjects
}

/// Locks the rows one after the other, and reads the clock when it has them all.
async fn lock(connection: &mut PgConnection, subjects: &[String]) -> Result<(Vec<Guard>, DateTime<Utc>), StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"with locked as materialized (
            select subject, wrong, undecided, locks, locked_until from pin_guard
            where subject = any($1) order by subject for update
        )
        select subject as "subject!", wrong as "wrong!", undecided as "undecided!", locks as "locks!",
               locked_until as "locked_until?", clock_timestamp() as "now!"
        from locked"#,
        subjects,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::during("locking the guards"))?;
    let now = rows.iter().map(|row| row.now).max().unwrap_or_default();
    let guards: Result<Vec<_>, _> = rows.into_iter().map(Guard::try_from).collect();
    Ok((guards?, now))
}

async fn write(connection: &mut PgConnection, guards: &[Guard]) -> Result<(), StoreError> {
    sqlx::query!(
        "update pin_guard g set wrong = n.wrong, undecided = n.undecided, locks = n.locks, locked_until = n.locked_until
         from jsonb_to_recordset($1) as n (subject text, wrong integer, undecided timestamptz[], locks integer,
             locked_until timestamptz)
         where g.subject = n.subject",
        Json(guards) as _,
    )
    .execute(connection)
    .await
    .map_err(StoreError::during("writing the guards"))?;
    Ok(())
}

impl TryFrom<Row> for Guard {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let negative = |_| StoreError::corrupt("reading a guard", "a count is negative");
        Ok(Self {
            subject: row.subject,
            wrong: row.wrong.try_into().map_err(negative)?,
            undecided: row.undecided,
            locks: row.locks.try_into().map_err(negative)?,
            locked_until: row.locked_until,
        })
    }
}
