//! `GET /credit-lines/{id}/purchases/{code}/valid`: whether a code can be used, for its provider.

use axum::{Json, extract::State};
use chrono::Utc;
use serde::Serialize;
use utoipa::ToSchema;
use workflows::purchase_codes::{CodeStatus, Purchase};

use super::{body::time, path::PurchasePath, state_at};
use crate::{
    auth::{Caller, CheckPurchases},
    openapi::schemas,
    problem::Problem,
    state::Api,
};

/// What a till has to know before it scans, in the words of the source.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "clientId": "C-1", "provider": "P-1", "amount": "1250.00", "currency": "MXN", "timestamp": "2026-01-31T12:00:00.000Z",
    "status": "GENERADO", "expiration_date": "2026-02-03T12:00:00.000Z", "valid": true,
})))]
pub(crate) struct PurchaseValidity {
    #[serde(rename = "clientId")]
    #[schema(schema_with = schemas::outside_id)]
    client_id: String,
    #[schema(schema_with = schemas::outside_id)]
    provider: String,
    #[schema(schema_with = schemas::money_answered)]
    amount: String,
    #[schema(schema_with = schemas::currency)]
    currency: String,
    /// When the code was issued.
    #[schema(schema_with = schemas::time)]
    timestamp: String,
    #[schema(schema_with = schemas::code_status)]
    status: &'static str,
    /// End of the time to scan.
    #[schema(schema_with = schemas::time)]
    expiration_date: String,
    /// Whether a scan would be taken now.
    valid: bool,
}

/// Check a purchase code
///
/// Whether the code can be used now. Looking changes nothing.
#[utoipa::path(
    get, path = "/credit-lines/{id}/purchases/{code}/valid", operation_id = "check_purchase_code", tag = "purchase codes",
    security(("api_key" = ["purchases:read"])), params(PurchasePath),
    responses((status = 200, description = "Where the code stands", body = PurchaseValidity)),
)]
pub(crate) async fn valid(
    State(api): State<Api>,
    caller: Caller<CheckPurchases>,
    path: PurchasePath,
) -> Result<Json<PurchaseValidity>, Problem> {
    let purchase = api.purchase_codes()?.find(&path, &caller.who).await?;
    let state = state_at(&purchase, Utc::now());
    Ok(Json(PurchaseValidity::new(purchase, state)))
}

impl PurchaseValidity {
    fn new(purchase: Purchase, state: CodeStatus) -> Self {
        Self {
            client_id: purchase.client_id,
            provider: purchase.provider,
            amount: purchase.amount.to_decimal(),
            currency: purchase.amount.currency.code().to_owned(),
            timestamp: time(purchase.created_at),
            status: state.as_str(),
            expiration_date: time(purchase.expires_at),
            valid: state == CodeStatus::Generado,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::purchase_codes::tests::purchase;

    #[test]
    fn a_till_reads_the_words_of_the_source() {
        let body = |state| serde_json::to_value(PurchaseValidity::new(purchase(), state)).unwrap();
        assert_eq!(
            body(CodeStatus::Generado),
            json!({
                "clientId": "C-1", "provider": "P-1", "amount": "1250.00", "currency": "MXN",
                "timestamp": "2026-01-01T00:00:00.120Z", "status": "GENERADO",
                "expiration_date": "2026-01-04T00:00:00.120Z", "valid": true
            })
        );
        assert_eq!(body(CodeStatus::Vencido)["valid"], json!(false));
        assert_eq!(body(CodeStatus::Usado)["valid"], json!(false));
    }
}
