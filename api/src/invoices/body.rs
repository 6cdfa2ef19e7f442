use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use store::postgres::invoices::Invoice;
use utoipa::ToSchema;
use uuid::Uuid;
use workflows::domain::BaseUnits;

use super::payment_uris::{PaymentUri, payment_uris};
use crate::openapi::schemas;

/// An invoice as merchants see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invoice, examples(json!({
    "invoice_id": "0190a0b0-0000-7000-8000-00000000000a", "status": "waiting_for_deposit", "exception": "none",
    "coin_id": "usdt", "network_id": "tron", "amount": "12.5", "deposit_address": "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8",
    "payment_uris": [{"kind": "address", "value": "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"}],
    "amounts": {"due": "12.5", "seen": "0", "confirmed": "0", "overpaid": "0", "remaining": "12.5", "late": "0"},
    "title": "Two coffees", "description": "", "checkout_url": "https://shop.example/done", "external_id": "order-2041",
    "form_id": null, "expires_at": "2026-01-31T12:15:00.000Z", "created_at": "2026-01-31T12:00:00.000Z",
    "updated_at": "2026-01-31T12:00:00.000Z", "version": 1,
})))]
pub(crate) struct InvoiceBody {
    invoice_id: Uuid,
    #[schema(schema_with = schemas::invoice_status)]
    status: &'static str,
    #[schema(schema_with = schemas::invoice_exception)]
    exception: &'static str,
    coin_id: String,
    network_id: String,
    #[schema(schema_with = schemas::sum)]
    amount: String,
    /// Where the buyer pays to.
    deposit_address: String,
    /// Ways to pay what remains, for wallets; none when nothing is awaited any more.
    payment_uris: Vec<PaymentUri>,
    amounts: Amounts,
    title: String,
    description: String,
    checkout_url: String,
    #[schema(required)]
    external_id: Option<String>,
    /// The form that a buyer filled; null when the merchant asked for the invoice himself.
    #[schema(required)]
    form_id: Option<Uuid>,
    /// End of the time to pay.
    #[schema(schema_with = schemas::time)]
    expires_at: String,
    #[schema(schema_with = schemas::time)]
    created_at: String,
    /// Time of the last change.
    #[schema(schema_with = schemas::time)]
    updated_at: String,
    /// Grows with every change.
    #[schema(minimum = 1)]
    version: i64,
}

/// Plain decimals of the coin, without trailing zeros.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Amounts {
    #[schema(schema_with = schemas::sum)]
    pub(super) due: String,
    /// Includes what is confirmed.
    #[schema(schema_with = schemas::sum)]
    pub(super) seen: String,
    #[schema(schema_with = schemas::sum)]
    pub(super) confirmed: String,
    #[schema(schema_with = schemas::sum)]
    pub(super) overpaid: String,
    #[schema(schema_with = schemas::sum)]
    pub(super) remaining: String,
    /// Came after its time and is not accepted; in none of the others.
    #[schema(schema_with = schemas::sum)]
    pub(super) late: String,
}

impl From<&Invoice> for InvoiceBody {
    fn from(invoice: &Invoice) -> Self {
        let remaining = invoice.amount.saturating_sub(&invoice.seen);
        Self {
            invoice_id: invoice.invoice_id,
            status: invoice.status.as_str(),
            exception: invoice.exception.as_str(),
            coin_id: invoice.coin_id.clone(),
            network_id: invoice.network_id.clone(),
            amount: invoice.amount.to_decimal(invoice.decimals),
            deposit_address: invoice.deposit_address.clone(),
            payment_uris: payment_uris(invoice, &remaining),
            amounts: Amounts::of(invoice),
            title: invoice.title.clone(),
            description: invoice.description.clone(),
            checkout_url: invoice.checkout_url.clone(),
            external_id: invoice.external_id.clone(),
            form_id: invoice.form_id,
            expires_at: time(invoice.expires_at),
            created_at: time(invoice.created_at),
            updated_at: time(invoice.updated_at),
            version: invoice.version,
        }
    }
}

impl Amounts {
    /// As they are now.
    pub(super) fn of(invoice: &Invoice) -> Self {
        Self::new(invoice, &invoice.seen, &invoice.confirmed, &invoice.late)
    }

    /// As they were when the invoice had this money.
    pub(super) fn new(invoice: &Invoice, seen: &BaseUnits, confirmed: &BaseUnits, late: &BaseUnits) -> Self {
        let (due, decimals) = (&invoice.amount, invoice.decimals);
        Self {
            due: due.to_decimal(decimals),
            seen: seen.to_decimal(decimals),
            confirmed: confirmed.to_decimal(decimals),
            overpaid: confirmed.saturating_sub(due).to_decimal(decimals),
            remaining: due.saturating_sub(seen).to_decimal(decimals),
            late: late.to_decimal(decimals),
        }
    }
}

/// A moment as answers have it.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};
    use workflows::invoices::{InvoiceException, InvoiceStatus};

    use super::*;

    /// 12.5 of a coin with six decimals, nothing paid.
    pub(crate) fn invoice() -> Invoice {
        let at = DateTime::from_timestamp_millis(1_767_225_600_120).unwrap();
        Invoice {
            invoice_id: Uuid::from_u128(1),
            merchant_id: Uuid::from_u128(2),
            coin_id: "usdt".to_owned(),
            network_id: "tron".to_owned(),
            deposit_address: "T1".to_owned(),
            amount: 12_500_000.into(),
            decimals: 6,
            contract: None,
            title: String::new(),
            description: String::new(),
            checkout_url: String::new(),
            external_id: None,
            form_id: None,
            status: InvoiceStatus::WaitingForDeposit,
            exception: InvoiceException::None,
            seen: 0.into(),
            confirmed: 0.into(),
            late: 0.into(),
            late_accepted_at: None,
            version: 1,
            fingerprint: String::new(),
            created_at: at,
            updated_at: at,
            expires_at: at,
        }
    }

    fn amounts(seen: u64, confirmed: u64, late: u64) -> Value {
        let invoice = Invoice { seen: seen.into(), confirmed: confirmed.into(), late: late.into(), ..invoice() };
        serde_json::to_value(InvoiceBody::from(&invoice)).unwrap()["amounts"].take()
    }

    #[test]
    fn an_invoice_has_the_fields_of_the_api() {
        let body = serde_json::to_value(InvoiceBody::from(&invoice())).unwrap();
        assert_eq!(
            body,
            json!({
                "invoice_id": "00000000-0000-0000-0000-000000000001", "status": "waiting_for_deposit", "exception": "none",
                "coin_id": "usdt", "network_id": "tron", "amount": "12.5", "deposit_address": "T1",
                "payment_uris": [{"kind": "address", "value": "T1"}],
                "amounts": {
                    "due": "12.5", "seen": "0", "confirmed": "0", "overpaid": "0", "remaining": "12.5", "late": "0"
                },
                "title": "", "description": "", "checkout_url": "", "external_id": null, "form_id": null,
                "expires_at": "2026-01-01T00:00:00.120Z", "created_at": "2026-01-01T00:00:00.120Z",
                "updated_at": "2026-01-01T00:00:00.120Z", "version": 1
            })
        );
    }

    #[test]
    fn the_amounts_add_up() {
        assert_eq!(
            amounts(5_000_000, 0, 7_500_000),
            json!({"due": "12.5", "seen": "5", "confirmed": "0", "overpaid": "0", "remaining": "7.5", "late": "7.5"})
        );
        assert_eq!(
            amounts(13_000_000, 13_000_000, 0),
            json!({"due": "12.5", "seen": "13", "confirmed": "13", "overpaid": "0.5", "remaining": "0", "late": "0"})
        );
    }
}
