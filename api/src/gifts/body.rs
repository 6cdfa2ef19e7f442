use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use workflows::gifts::{Redemption, Void};

use crate::openapi::schemas;

/// A used gift.
#[derive(Serialize, ToSchema)]
#[schema(as = GiftUseResponse, examples(json!({
    "gift_id": "GIFT-1", "status": "used", "used_at": "2026-01-31T12:00:00.000Z", "supplier_code": "S-1",
    "supplier_account": "900101", "redemption_id": "0190a0b0-0000-5000-8000-00000000000d",
})))]
pub(crate) struct UsedGift {
    #[schema(schema_with = schemas::outside_id)]
    gift_id: String,
    #[schema(schema_with = schemas::gift_status)]
    status: &'static str,
    #[schema(schema_with = schemas::time)]
    used_at: String,
    /// Who took it.
    #[schema(schema_with = schemas::outside_id)]
    supplier_code: String,
    /// Number of the account whose PIN it was.
    #[schema(schema_with = schemas::outside_id)]
    supplier_account: String,
    /// Names this use of the gift.
    redemption_id: Uuid,
}

/// A gift that can be used again.
#[derive(Serialize, ToSchema)]
#[schema(as = GiftVoidResponse, examples(json!({
    "gift_id": "GIFT-1", "status": "active", "voided_at": "2026-01-31T12:05:00.000Z",
    "redemption_id": "0190a0b0-0000-5000-8000-00000000000d",
})))]
pub(crate) struct VoidedGift {
    #[schema(schema_with = schemas::outside_id)]
    gift_id: String,
    #[schema(schema_with = schemas::gift_status)]
    status: &'static str,
    #[schema(schema_with = schemas::time)]
    voided_at: String,
    /// The use of the gift that was undone.
    redemption_id: Uuid,
}

/// A use of a gift that is under way.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingGiftUse, examples(json!({"redemption_id": "0190a0b0-0000-5000-8000-00000000000d"})))]
pub(crate) struct PendingUse {
    /// Names the use of the gift to operators.
    pub(super) redemption_id: Uuid,
}

/// The undoing of a use that is under way.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingGiftVoid, examples(json!({"void_id": "0190a0b0-0000-5000-8000-00000000000e"})))]
pub(crate) struct PendingVoid {
    /// Names the undoing to operators.
    pub(super) void_id: Uuid,
}

impl From<&Redemption> for UsedGift {
    fn from(redemption: &Redemption) -> Self {
        Self {
            gift_id: redemption.gift_id.clone(),
            status: "used",
            used_at: time(redemption.used_at),
            supplier_code: redemption.supplier_code.clone(),
            supplier_account: redemption.supplier_account.clone(),
            redemption_id: redemption.redemption_id,
        }
    }
}

impl From<&Void> for VoidedGift {
    fn from(void: &Void) -> Self {
        Self {
            gift_id: void.gift_id.clone(),
            status: "active",
            voided_at: time(void.voided_at),
            redemption_id: void.redemption_id,
        }
    }
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_answers_have_the_fields_of_the_api() {
        let at = DateTime::from_timestamp_micros(1_767_225_600_120_456).unwrap();
        let (redemption_id, gift_id) = (Uuid::from_u128(1), "GIFT-1".to_owned());
        let redemption = Redemption {
            redemption_id,
            gift_id: gift_id.clone(),
            supplier_code: "S-1".to_owned(),
            supplier_account: "900101".to_owned(),
            used_at: at,
            voidable_until: at,
        };
        assert_eq!(
            serde_json::to_value(UsedGift::from(&redemption)).unwrap(),
            json!({
                "gift_id": "GIFT-1", "status": "used", "used_at": "2026-01-01T00:00:00.120Z", "supplier_code": "S-1",
                "supplier_account": "900101", "redemption_id": "00000000-0000-0000-0000-000000000001"
            })
        );
        assert_eq!(
            serde_json::to_value(VoidedGift::from(&Void { redemption_id, gift_id, voided_at: at })).unwrap(),
            json!({
                "gift_id": "GIFT-1", "status": "active", "voided_at": "2026-01-01T00:00:00.120Z",
                "redemption_id": "00000000-0000-0000-0000-000000000001"
            })
        );
    }
}
