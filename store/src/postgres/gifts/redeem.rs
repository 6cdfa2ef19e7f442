use chrono::{DateTime, Utc};
use uuid::Uuid;
use workflows::{
    contracts::gift_ledger::Redeem,
    gifts::{RedeemRefusal, RedeemReply, RedeemResult, Redemption},
};

use crate::postgres::{Database, StoreError, error::violates};

/// What a row says of a gift that is used.
const USED: &str = "used";
const REDEEMING: &str = "redeeming a gift";

struct Row {
    redemption_id: Uuid,
    gift_id: String,
    supplier_code: String,
    supplier_account: String,
    fingerprint: String,
    result: String,
    used_at: Option<DateTime<Utc>>,
    voidable_until: Option<DateTime<Utc>>,
}

impl Database {
    /// Uses a gift if everything fits, and keeps what came of it with its audit row. A repeat finds what the first one
    /// did, whatever has become of the gift since.
    pub async fn redeem_gift(&self, redeem: &Redeem) -> Result<RedeemReply, StoreError> {
        match self.decide_redemption(redeem).await {
            Ok(Some(row)) => row.try_into(),
            Ok(None) => self.known_redemption(redeem.request.redemption_id).await,
            Err(error) if violates(&error, "gift_redemption_pkey") => {
                self.known_redemption(redeem.request.redemption_id).await
            }
            Err(source) => Err(StoreError::during(REDEEMING)(source)),
        }
    }

    /// What became of a redemption; none while nothing is decided.
    pub async fn find_redeem_reply(&self, redemption_id: Uuid) -> Result<Option<RedeemReply>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            "select redemption_id, gift_id, supplier_code, supplier_account, fingerprint, result, used_at, voidable_until
             from gift_redemption where redemption_id = $1",
            redemption_id,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("finding a redemption"))?;
        row.map(RedeemReply::try_from).transpose()
    }

    async fn known_redemption(&self, redemption_id: Uuid) -> Result<RedeemReply, StoreError> {
        let reply = self.find_redeem_reply(redemption_id).await?;
        reply.ok_or_else(|| StoreError::during(REDEEMING)(sqlx::Error::RowNotFound))
    }

    /// One statement: it is done wholly or not at all, and no lock outlives a client that died. It locks the gift and
    /// reads the clock after that, so that whoever waits for another is judged by how things are when the wait is over.
    /// Nothing comes back of what is decided already. Of two that decide the same redemption at once, one violates the
    /// primary key: so it does nothing, even if the gift was used and freed again while it waited.
    async fn decide_redemption(&self, Redeem { request, void_window }: &Redeem) -> Result<Option<Row>, sqlx::Error> {
        sqlx::query_as!(
            Row,
            r#"with locked as materialized (
                select gift_status, valid_from, valid_to, supplier_code from gift_codes where gift_id = $2 for update
            ), seen as materialized (
                select locked.*, clock_timestamp() as now from (select 1) as always left join locked on true
            ), decided as materialized (
                select now, case
                    when gift_status is null then 'gift_not_found'
                    when gift_status = 2 then 'gift_not_active'
                    when gift_status = 1 then 'gift_already_used'
                    when now < valid_from then 'gift_not_yet_valid'
                    when now >= valid_to then 'gift_expired'
                    when supplier_code <> $3 then 'supplier_mismatch'
                    else 'used' end as result
                from seen where not exists (select from gift_redemption where redemption_id = $1)
            ), used as (
                update gift_codes g set gift_status = 1, gift_used_datetime = d.now, redemption_id = $1
                from decided d where g.gift_id = $2 and d.result = 'used'
                returning d.now as at
            ), kept as (
                insert into gift_redemption (redemption_id, gift_id, supplier_code, supplier_account, device, fingerprint,
                    result, used_at, voidable_until, decided_at)
                select $1, $2, $3, $4, $5, $6, d.result, u.at, u.at + make_interval(secs => $7), d.now
                from decided d left join used u on true
                where d.result <> 'used' or u.at is not null
                returning *
            ), audited as (
                insert into gift_audit (at, attempt, gift_id, supplier_code, supplier_account, device, result,
                    redemption_id)
                select decided_at, 'use', gift_id, supplier_code, supplier_account, device, result, redemption_id
                from kept
            )
            select redemption_id as "redemption_id!", gift_id as "gift_id!", supplier_code as "supplier_code!",
                   supplier_account as "supplier_account!", fingerprint as "fingerprint!", result as "result!",
                   used_at as "used_at?", voidable_until as "voidable_until?"
            from kept"#,
            request.redemption_id,
            request.gift_id,
            request.supplier_code,
            request.supplier_account,
            request.device,
            request.fingerprint,
            void_window.as_secs_f64(),
        )
        .fetch_optional(&self.pool)
        .await
    }
}

impl TryFrom<Row> for RedeemReply {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let result = match (row.used_at, row.voidable_until) {
            (Some(used_at), Some(voidable_until)) if row.result == USED => RedeemResult::Used(Redemption {
                redemption_id: row.redemption_id,
                gift_id: row.gift_id,
                supplier_code: row.supplier_code,
                supplier_account: row.supplier_account,
                used_at,
                voidable_until,
            }),
            _ => {
                let refusal = RedeemRefusal::parse(&row.result);
                RedeemResult::Refused(refusal.ok_or_else(|| StoreError::corrupt("reading a redemption", &row.result))?)
            }
        };
        Ok(Self { fingerprint: row.fingerprint, result })
    }
}
