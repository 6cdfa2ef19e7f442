use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;
use workflows::{
    contracts::fridge_journal::{BeginResult, BeginSale},
    fridge_sales::{Failure, transaction_id},
};

use super::{sale::find_sale, text::without_nul};
use crate::postgres::{Database, StoreError};

impl Database {
    /// Finds or creates the user, records the sale and claims its machine; when another sale has the machine, this one
    /// has failed. A repeat finds what the first one made, and changes nothing.
    pub async fn begin_sale(&self, begin: &BeginSale) -> Result<BeginResult, StoreError> {
        if self.claim_machine(begin).await? {
            return Ok(BeginResult::Begun);
        }
        let sale = find_sale(&self.pool, begin.request.sale_ref).await?;
        let sale = sale.ok_or_else(|| StoreError::corrupt("beginning a sale", "it is there and it is not"))?;
        Ok(if sale.state.status.is_final() { BeginResult::Ended(sale.into_reply()) } else { BeginResult::Begun })
    }

    /// One statement: whoever inserts an open sale first has the machine, the others wait for him and then write their
    /// failure. False, too, when the sale was there already.
    async fn claim_machine(&self, BeginSale { request, now }: &BeginSale) -> Result<bool, StoreError> {
        sqlx::query_scalar!(
            r#"with buyer as (
                insert into "user" (user_id, frontend, bubble_id, email, created_at, updated_at)
                select $1, $2, $3, $4, $5, $5 where not exists (select from transaction where sale_ref = $7)
                on conflict (frontend, bubble_id) do update set email = excluded.email,
                    updated_at = case when "user".email = excluded.email then "user".updated_at else $5 end
                returning user_id
            ), sale as (
                select $6::uuid as transaction_id, $7::uuid as sale_ref, $8::text as machine_id, user_id,
                       $2::text as frontend, $9::text::json as user_sent, $10::text::json as stripe,
                       $11::text as payment_intent_id, $12::bigint as authorised, $13::text as currency,
                       $14::text as fingerprint, $5::timestamptz as created_at, $5::timestamptz as updated_at
                from buyer
            ), claimed as (
                insert into transaction (transaction_id, sale_ref, machine_id, user_id, frontend, user_sent, stripe,
                    payment_intent_id, authorised, currency, fingerprint, created_at, updated_at, status)
                select sale.*, 'requested' from sale
                on conflict do nothing
                returning transaction_id
            ), refused as (
                insert into transaction (transaction_id, sale_ref, machine_id, user_id, frontend, user_sent, stripe,
                    payment_intent_id, authorised, currency, fingerprint, created_at, updated_at, status, failure,
                    ended_at)
                select sale.*, 'failed', $15::jsonb, $5 from sale where not exists (select from claimed)
                on conflict do nothing
            )
            select exists (select from claimed) as "is_claimed!""#,
            Uuid::now_v7(),
            request.frontend,
            request.buyer.id,
            request.buyer.email,
            now,
            transaction_id(request.sale_ref),
            request.sale_ref,
            request.machine_id,
            request.buyer.sent,
            request.stripe,
            payment_intent(&request.stripe),
            request.authorised.minor,
            request.authorised.currency.code(),
            request.fingerprint,
            Json(Failure::MachineBusy) as _,
        )
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::during("beginning a sale"))
    }
}

/// What operators look a payment up by. The rest of the object is kept and not looked into.
fn payment_intent(stripe: &str) -> Option<String> {
    let stripe: Value = serde_json::from_str(stripe).ok()?;
    stripe.get("payment_intent_id")?.as_str().map(without_nul)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payment_is_found_where_it_is_named() {
        assert_eq!(payment_intent(r#"{"payment_intent_id":"pi_1","amount":"20.00"}"#).as_deref(), Some("pi_1"));
        for stripe in [r#"{"payment_intent_id":1}"#, "{}", "[]", "pi_1"] {
            assert_eq!(payment_intent(stripe), None, "{stripe}");
        }
    }
}
