use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use workflows::gifts::{Void, VoidRefusal, VoidReply, VoidRequest, VoidResult};

use crate::postgres::{Database, StoreError, error::violates};

/// What a row says of a redemption that is undone.
const VOIDED: &str = "voided";
const UNDOING: &str = "undoing a redemption";

struct Row {
    redemption_id: Option<Uuid>,
    gift_id: String,
    fingerprint: String,
    result: String,
    decided_at: DateTime<Utc>,
}

impl Database {
    /// Undoes the redemption of a gift if this device made it and its time to do so is not over, and keeps what came of
    /// that with its audit row. A repeat finds what the first one did.
    pub async fn void_gift(&self, request: &VoidRequest) -> Result<VoidReply, StoreError> {
        match self.decide_void(request).await {
            Ok(Some(row)) => row.try_into(),
            Ok(None) => self.known_void(request.void_id).await,
            Err(error) if violates(&error, "gift_void_pkey") => self.known_void(request.void_id).await,
            Err(source) => Err(StoreError::during(UNDOING)(source)),
        }
    }

    /// What became of the wish to undo a redemption; none while nothing is decided.
    pub async fn find_void_reply(&self, void_id: Uuid) -> Result<Option<VoidReply>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            "select redemption_id, gift_id, fingerprint, result, decided_at from gift_void where void_id = $1",
            void_id,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("finding an undoing"))?;
        row.map(VoidReply::try_from).transpose()
    }

    async fn known_void(&self, void_id: Uuid) -> Result<VoidReply, StoreError> {
        let reply = self.find_void_reply(void_id).await?;
        reply.ok_or_else(|| StoreError::during(UNDOING)(sqlx::Error::RowNotFound))
    }

    /// The second statement sees what whoever had the gift before has committed: its redemption, for one.
    async fn decide_void(&self, request: &VoidRequest) -> Result<Option<Row>, sqlx::Error> {
        let mut transaction = self.transaction().await?;
        sqlx::query!("select gift_id from gift_codes where gift_id = $1 for update", request.gift_id)
            .fetch_optional(&mut *transaction)
            .await?;
        let row = decide(&mut transaction, request).await?;
        if row.is_some() {
            transaction.commit().await?;
        }
        Ok(row)
    }
}

/// Judges by the time after the gift was locked, and does everything or nothing. Nothing comes back of what is decided
/// already.
async fn decide(connection: &mut PgConnection, request: &VoidRequest) -> Result<Option<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"with gift as materialized (
            select g.gift_status, r.redemption_id, r.device, r.voidable_until, clock_timestamp() as now
            from (select 1) as always
            left join gift_codes g on g.gift_id = $2 and (g.supplier_code is null or g.supplier_code = $3)
            left join gift_redemption r on r.redemption_id = g.redemption_id
        ), decided as materialized (
            select now, redemption_id, case
                when gift_status is null then 'gift_not_found'
                when gift_status <> 1 then 'gift_not_used'
                when device <> $4 then 'redeemed_elsewhere'
                when now >= voidable_until then 'void_window_over'
                else 'voided' end as result
            from gift where not exists (select from gift_void where void_id = $1)
        ), undone as (
            update gift_redemption r set voided_at = d.now, void_id = $1
            from decided d
            where d.result = 'voided' and r.redemption_id = d.redemption_id and r.device = $4
              and r.voided_at is null and d.now < r.voidable_until
            returning r.redemption_id
        ), freed as (
            update gift_codes g set gift_status = 0, gift_used_datetime = null, redemption_id = null
            from undone u
            where g.gift_id = $2 and g.gift_status = 1 and g.redemption_id = u.redemption_id
            returning u.redemption_id
        ), kept as (
            insert into gift_void (void_id, gift_id, redemption_id, device, reason, fingerprint, result, decided_at)
            select $1, $2, d.redemption_id, $4, $5, $6, d.result, d.now
            from decided d left join freed f on true
            where d.result <> 'voided' or f.redemption_id is not null
            returning *
        ), audited as (
            insert into gift_audit (at, attempt, gift_id, supplier_code, device, result, redemption_id)
            select decided_at, 'void', gift_id, $3, device, result, redemption_id from kept
        )
        select redemption_id as "redemption_id?", gift_id as "gift_id!", fingerprint as "fingerprint!",
               result as "result!", decided_at as "decided_at!"
        from kept"#,
        request.void_id,
        request.gift_id,
        request.supplier_code,
        request.device,
        request.reason,
        request.fingerprint,
    )
    .fetch_optional(connection)
    .await
}

impl TryFrom<Row> for VoidReply {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let result = match row.redemption_id {
            Some(redemption_id) if row.result == VOIDED => {
                VoidResult::Voided(Void { redemption_id, gift_id: row.gift_id, voided_at: row.decided_at })
            }
            _ => {
                let refusal = VoidRefusal::parse(&row.result);
                VoidResult::Refused(refusal.ok_or_else(|| StoreError::corrupt("reading an undoing", &row.result))?)
            }
        };
        Ok(Self { fingerprint: row.fingerprint, result })
    }
}
