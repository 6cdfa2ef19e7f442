//! Schemas of the words that many bodies share. Each says what the code checks, no more and no less: the tests of the
//! whole API try both sides of it.

use serde_json::Value;
use utoipa::openapi::{KnownFormat, Object, ObjectBuilder, SchemaFormat, schema::Type};
use workflows::invoices::{CancelReason, InvoiceException, InvoiceStatus};

/// A text without control characters.
pub(crate) const ONE_LINE: &str = r"^[^\u0000-\u001F\u007F-\u009F]*$";

/// The amount of an invoice: a plain positive decimal.
pub(crate) fn amount() -> Object {
    let plain = text().pattern(Some(r"^(0*[1-9][0-9]*(\.[0-9]+)?|0+\.[0-9]*[1-9][0-9]*)$"));
    let described = plain.description(Some("Plain decimal, with no more decimals than the coin has on this network"));
    described.max_length(Some(80)).examples(["12.50"]).build()
}

/// A sum as answers have it.
pub(crate) fn sum() -> Object {
    let plain = text().pattern(Some(r"^(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$"));
    plain.description(Some("Plain decimal without trailing zeros")).examples(["12.5"]).build()
}

/// A moment.
pub(crate) fn time() -> Object {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).examples(["2026-01-31T12:00:00.000Z"]).build()
}

/// A status of invoices.
pub(crate) fn invoice_status() -> Object {
    words(InvoiceStatus::ALL.map(InvoiceStatus::as_str), "What became of the invoice")
}

/// An exception of invoices.
pub(crate) fn invoice_exception() -> Object {
    words(InvoiceException::ALL.map(InvoiceException::as_str), "What is unusual about its money, beside its status")
}

/// A reason for a cancellation.
pub(crate) fn cancel_reason() -> Object {
    let reasons = [CancelReason::RequestedByMerchant, CancelReason::Kyc, CancelReason::Other];
    let words = reasons.iter().filter_map(|reason| serde_json::to_value(reason).ok());
    text().enum_values(Some(words)).description(Some("`kyc` is for operators, the others are for merchants")).build()
}

pub(super) fn words<const COUNT: usize>(words: [&str; COUNT], description: &str) -> Object {
    text().enum_values(Some(words.map(Value::from))).description(Some(description)).build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
