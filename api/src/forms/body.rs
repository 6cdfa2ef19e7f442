use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use store::postgres::forms::Form;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::openapi::schemas;

/// A form as its merchant sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvoiceForm, examples(json!({
    "form_id": "0190a0b0-0000-5000-8000-00000000000f", "coin_id": "usdt", "network_id": null, "amount": null,
    "title": "Donations", "description": "", "checkout_url": "https://shop.example/thanks", "enabled": true,
    "max_uses": null, "uses": 3, "expires_in_seconds": 900, "created_at": "2026-01-31T12:00:00.000Z",
    "updated_at": "2026-01-31T12:00:00.000Z", "version": 1,
})))]
pub(crate) struct FormBody {
    form_id: Uuid,
    #[schema(required, schema_with = schemas::open_id)]
    coin_id: Option<String>,
    #[schema(required, schema_with = schemas::open_id)]
    network_id: Option<String>,
    #[schema(required, schema_with = schemas::open_sum)]
    amount: Option<String>,
    title: String,
    description: String,
    checkout_url: String,
    /// Whether it can be submitted.
    enabled: bool,
    #[schema(required, schema_with = schemas::max_uses)]
    max_uses: Option<i64>,
    /// Invoices that it has made.
    #[schema(minimum = 0)]
    uses: i64,
    #[schema(schema_with = schemas::expires_in_seconds)]
    expires_in_seconds: i64,
    #[schema(schema_with = schemas::time)]
    created_at: String,
    /// Time of the last change.
    #[schema(schema_with = schemas::time)]
    updated_at: String,
    /// Grows with every change.
    #[schema(minimum = 1)]
    version: i64,
}

impl From<&Form> for FormBody {
    fn from(form: &Form) -> Self {
        let fields = form.fields.clone();
        Self {
            form_id: form.form_id,
            coin_id: fields.coin_id,
            network_id: fields.network_id,
            amount: fields.amount,
            title: fields.title,
            description: fields.description,
            checkout_url: fields.checkout_url,
            enabled: fields.enabled,
            max_uses: fields.max_uses,
            uses: form.uses,
            expires_in_seconds: fields.expires_in_seconds,
            created_at: time(form.created_at),
            updated_at: time(form.updated_at),
            version: form.version,
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
    use crate::forms::tests::{blank, form};

    #[test]
    fn a_form_has_the_fields_of_the_api() {
        assert_eq!(
            serde_json::to_value(FormBody::from(&form(blank()))).unwrap(),
            json!({
                "form_id": "00000000-0000-0000-0000-000000000001", "coin_id": null, "network_id": null, "amount": null,
                "title": "Donations", "description": "", "checkout_url": "", "enabled": true, "max_uses": null, "uses": 3,
                "expires_in_seconds": 900, "created_at": "2026-01-01T00:00:00.120Z",
                "updated_at": "2026-01-01T00:00:00.120Z", "version": 5
            })
        );
    }
}
