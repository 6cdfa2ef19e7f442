use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use workflows::purchase_codes::{CodeStatus, Purchase};

use super::qr;
use crate::{openapi::schemas, problem::Problem, qr::Symbol};

/// A purchase as its frontend and its provider see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Purchase, examples(json!({
    "code": "7K3M9QX2VD4T8B5N1RWZA", "credit_id": "CL-1", "loan_account_id": "LN-1", "provider": "P-1",
    "amount": "1250.00", "currency": "MXN", "state": "GENERADO", "expiration_date": "2026-02-03T12:00:00.000Z",
    "first_payment_date": "2026-02-28", "created_at": "2026-01-31T12:00:00.000Z", "updated_at": "2026-01-31T12:00:00.000Z",
    "qr": {"content": "HTTPS://CODES.EXAMPLE/C/7K3M9QX2VD4T8B5N1RWZA", "image": "data:image/png;base64,iVBORw0KGgo="},
})))]
pub(crate) struct PurchaseBody {
    #[schema(schema_with = schemas::purchase_code)]
    code: String,
    /// The credit line.
    #[schema(schema_with = schemas::outside_id)]
    credit_id: String,
    #[schema(schema_with = schemas::outside_id)]
    loan_account_id: String,
    /// Who may scan the code.
    #[schema(schema_with = schemas::outside_id)]
    provider: String,
    /// What was disbursed.
    #[schema(schema_with = schemas::money_answered)]
    amount: String,
    #[schema(schema_with = schemas::currency)]
    currency: String,
    #[schema(schema_with = schemas::code_status)]
    state: &'static str,
    /// End of the time to scan.
    #[schema(schema_with = schemas::time)]
    expiration_date: String,
    /// When the first repayment is due.
    #[schema(schema_with = schemas::date)]
    first_payment_date: String,
    #[schema(schema_with = schemas::time)]
    created_at: String,
    /// Time of the last change.
    #[schema(schema_with = schemas::time)]
    updated_at: String,
    qr: Qr,
}

/// The code for a scanner.
#[derive(Serialize, ToSchema)]
#[schema(as = PurchaseQr)]
struct Qr {
    /// What the symbol holds.
    #[schema(pattern = "^HTTPS://[0-9A-Z.:-]+/C/[0-9A-Z]{21}$")]
    content: String,
    /// The symbol as a data URI with a PNG.
    #[schema(pattern = "^data:image/png;base64,[A-Za-z0-9+/]+={0,2}$")]
    image: String,
}

impl PurchaseBody {
    /// The purchase, where its code stands at `state`.
    pub(super) fn new(purchase: &Purchase, state: CodeStatus, host: &str) -> Result<Self, Problem> {
        Ok(Self {
            code: purchase.code.expose().to_owned(),
            credit_id: purchase.credit_line_id.clone(),
            loan_account_id: purchase.loan_account_id.clone(),
            provider: purchase.provider.clone(),
            amount: purchase.amount.to_decimal(),
            currency: purchase.amount.currency.code().to_owned(),
            state: state.as_str(),
            expiration_date: time(purchase.expires_at),
            first_payment_date: purchase.first_payment_date.to_string(),
            created_at: time(purchase.created_at),
            updated_at: time(purchase.updated_at),
            qr: Qr::new(qr::content(host, purchase.code.expose()))?,
        })
    }
}

impl Qr {
    fn new(content: String) -> Result<Self, Problem> {
        let symbol = Symbol::encode(&content).map_err(Problem::unforeseen)?;
        let png = symbol.png().map_err(Problem::unforeseen)?;
        Ok(Self { content, image: format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png)) })
    }
}

/// A moment as answers have it.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::purchase_codes::tests::{CODE, purchase};

    #[test]
    fn a_purchase_has_the_fields_of_the_api() {
        let body = PurchaseBody::new(&purchase(), CodeStatus::Usado, "codes.example").unwrap();
        let mut body = serde_json::to_value(body).unwrap();
        let image = body["qr"]["image"].take();
        assert!(image.as_str().unwrap().starts_with("data:image/png;base64,iVBORw0KGgo"), "{image}");
        assert_eq!(
            body,
            json!({
                "code": CODE, "credit_id": "CL-1", "loan_account_id": "LN-1", "provider": "P-1", "amount": "1250.00",
                "currency": "MXN", "state": "USADO", "expiration_date": "2026-01-04T00:00:00.120Z",
                "first_payment_date": "2026-01-31", "created_at": "2026-01-01T00:00:00.120Z",
                "updated_at": "2026-01-01T00:00:00.120Z",
                "qr": {"content": format!("HTTPS://CODES.EXAMPLE/C/{CODE}"), "image": null}
            })
        );
    }
}
