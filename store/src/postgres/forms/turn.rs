use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::postgres::{Database, StoreError};

const TAKING: &str = "taking a turn at a form";

/// Whether a buyer may have an invoice of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Yes.
    Taken,
    /// The same request has its turn already, and perhaps its invoice.
    Repeated,
    /// No: the form is switched off.
    Off,
    /// No: it was used as often as it may be.
    UsedUp,
    /// There is no such form, or not any more.
    Gone,
}

/// A turn that was taken before.
struct Before {
    has_invoice: bool,
    /// Whether it counts without an invoice.
    counts: bool,
}

impl Database {
    /// Takes a turn at a form for the invoice `invoice_id`, with the names of the fields that its buyer filled. It
    /// counts for the time `kept`, and for good once there is the invoice. Turns at one form are taken one after the
    /// other, by the database's clock.
    pub async fn take_turn(
        &self,
        form_id: Uuid,
        invoice_id: Uuid,
        filled: &[String],
        kept: Duration,
    ) -> Result<Turn, StoreError> {
        let mut transaction = self.transaction().await.map_err(StoreError::during(TAKING))?;
        // It does not keep the form's invoices from being written, which only refer to it.
        let form = sqlx::query!(
            "select enabled, max_uses from invoice_form where form_id = $1 and deleted_at is null for no key update",
            form_id,
        );
        let form = form.fetch_optional(&mut *transaction).await.map_err(StoreError::during(TAKING))?;
        let Some(form) = form else { return Ok(Turn::Gone) };
        let before = find_turn(&mut transaction, invoice_id, kept).await?;
        if before.as_ref().is_some_and(|turn| turn.has_invoice) {
            return Ok(Turn::Repeated);
        }
        let counts = before.as_ref().is_some_and(|turn| turn.counts);
        if !counts && !form.enabled {
            return Ok(Turn::Off);
        }
        if !counts
            && let Some(most) = form.max_uses
            && others(&mut transaction, form_id, invoice_id, kept, most).await? >= most
        {
            return Ok(Turn::UsedUp);
        }
        keep(&mut transaction, form_id, invoice_id, filled).await?;
        transaction.commit().await.map_err(StoreError::during(TAKING))?;
        Ok(if before.is_none() { Turn::Taken } else { Turn::Repeated })
    }

    /// The names of the fields that the buyer filled in the form behind an invoice; none without a form.
    pub async fn find_filled(&self, invoice_id: Uuid) -> Result<Option<Vec<String>>, StoreError> {
        sqlx::query_scalar!("select filled from form_submission where invoice_id = $1", invoice_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::during("finding a submission"))
    }
}

/// The turn of an invoice, if it ever had one.
async fn find_turn(
    connection: &mut PgConnection,
    invoice_id: Uuid,
    kept: Duration,
) -> Result<Option<Before>, StoreError> {
    sqlx::query_as!(
        Before,
        r#"select i.invoice_id is not null as "has_invoice!",
                  s.taken_at > clock_timestamp() - make_interval(secs => $2) as "counts!"
           from form_submission s left join invoice i on i.invoice_id = s.invoice_id where s.invoice_id = $1"#,
        invoice_id,
        kept.as_secs_f64(),
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::during(TAKING))
}

/// How many others have a turn that counts, no further than to `most`. A statement of its own after the form was locked:
/// it sees all turns of those who had the lock before.
async fn others(
    connection: &mut PgConnection,
    form_id: Uuid,
    but: Uuid,
    kept: Duration,
    most: i64,
) -> Result<i64, StoreError> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from (
               select 1 from form_submission s left join invoice i on i.invoice_id = s.invoice_id
               where s.form_id = $1 and s.invoice_id <> $2
                 and (i.invoice_id is not null or s.taken_at > clock_timestamp() - make_interval(secs => $3))
               limit $4
           ) other"#,
        form_id,
        but,
        kept.as_secs_f64(),
        most,
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::during(TAKING))
}

/// A turn without an invoice is taken anew: the fields are those of the order that begins the run, which has all its
/// time before it.
async fn keep(
    connection: &mut PgConnection,
    form_id: Uuid,
    invoice_id: Uuid,
    filled: &[String],
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into form_submission (invoice_id, form_id, filled, taken_at) values ($1, $2, $3, clock_timestamp())
         on conflict (invoice_id) do update set filled = excluded.filled, taken_at = excluded.taken_at",
        invoice_id,
        form_id,
        filled,
    )
    .execute(connection)
    .await
    .map_err(StoreError::during(TAKING))?;
    Ok(())
}
