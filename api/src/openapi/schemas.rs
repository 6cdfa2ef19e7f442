//! Schemas of the words that many bodies share. Each says what the code checks, no more and no less: the tests of the
//! whole API try both sides of it.

use serde_json::Value;
use utoipa::openapi::{KnownFormat, Object, ObjectBuilder, SchemaFormat, schema::Type};
use workflows::{
    fridge_sales::{DoorStatus, MachineStatus, SaleStatus},
    invoices::{CancelReason, InvoiceException, InvoiceStatus},
    purchase_codes::CodeStatus,
};

/// A text without control characters.
pub(crate) const ONE_LINE: &str = r"^[^\u0000-\u001F\u007F-\u009F]*$";

/// Something on both sides of the sign, without spaces and control characters.
const EMAIL: &str = r"^[^ @\u0000-\u001F\u007F-\u009F]+@[^ @\u0000-\u001F\u007F-\u009F]+$";

/// A plain decimal that is more than nothing.
const POSITIVE: &str = r"^(0*[1-9][0-9]*(\.[0-9]+)?|0+\.[0-9]*[1-9][0-9]*)$";

/// The amount of an invoice: a plain positive decimal.
pub(crate) fn amount() -> Object {
    let plain = text().pattern(Some(POSITIVE));
    let described = plain.description(Some("Plain decimal, with no more decimals than the coin has on this network"));
    described.max_length(Some(80)).examples(["12.50"]).build()
}

/// An amount of a currency: a plain positive decimal.
pub(crate) fn money() -> Object {
    let plain = text().pattern(Some(POSITIVE)).max_length(Some(80));
    plain.description(Some("Plain decimal, with no more decimals than the currency has")).examples(["1250.00"]).build()
}

/// An amount of a currency as answers have it.
pub(crate) fn money_answered() -> Object {
    let plain = text().pattern(Some(r"^[0-9]+(\.[0-9]+)?$"));
    plain.description(Some("Plain decimal with all decimals of the currency")).examples(["1250.00"]).build()
}

/// A currency.
pub(crate) fn currency() -> Object {
    text().pattern(Some("^[A-Z]{3}$")).description(Some("Code of ISO 4217")).examples(["MXN"]).build()
}

/// An id that an outside system gave.
pub(crate) fn outside_id() -> Object {
    let visible = text().pattern(Some(r"^[!-\-0-\[\]-~][!-.0-\[\]-~]{0,63}$"));
    visible.description(Some("1 to 64 visible ASCII characters without slashes, not beginning with a dot")).build()
}

/// A one-time password.
pub(crate) fn otp() -> Object {
    text().pattern(Some("^[0-9]{4,12}$")).description(Some("What the client typed; it is not kept")).build()
}

/// An account's PIN, as somebody types it.
pub(crate) fn pin() -> Object {
    text().description(Some("4 to 12 digits; whatever else comes is a wrong PIN. It is not kept")).build()
}

/// What can be done with a gift.
pub(crate) fn gift_status() -> Object {
    words(["active", "used"], "`active`: can be used while its time lasts; `used`: was used")
}

/// What a till scanned.
pub(crate) fn scanned() -> Object {
    let line = text().pattern(Some(ONE_LINE)).min_length(Some(1)).max_length(Some(200));
    line.description(Some("The code, in any case and with any hyphens, or all that the QR symbol holds")).build()
}

/// A purchase code as answers have it.
pub(crate) fn purchase_code() -> Object {
    text().pattern(Some("^[0-9A-Z]{21}$")).description(Some("What the client shows at the till")).build()
}

/// Where a purchase code stands.
pub(crate) fn code_status() -> Object {
    let all = [CodeStatus::Generado, CodeStatus::Usado, CodeStatus::Vencido];
    words(all.map(CodeStatus::as_str), "`GENERADO`: can be scanned; `USADO`: was scanned; `VENCIDO`: was not, in time")
}

/// A day.
pub(crate) fn date() -> Object {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))).examples(["2026-02-28"]).build()
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

/// Any text in one line, to search for.
pub(crate) fn line() -> Object {
    text().pattern(Some(ONE_LINE)).build()
}

/// An e-mail address, of which no more is asked than that it can be one.
pub(crate) fn email() -> Object {
    text().pattern(Some(EMAIL)).max_length(Some(254)).examples(["buyer@example.com"]).build()
}

/// An id that a frontend or its payment service gave.
pub(crate) fn foreign_id() -> Object {
    text().pattern(Some(ONE_LINE)).min_length(Some(1)).max_length(Some(200)).build()
}

/// A status of sales.
pub(crate) fn sale_status() -> Object {
    words(
        SaleStatus::ALL.map(SaleStatus::as_str),
        "`requested`, `opening`, `open` and `closed` on its way; then `completed` with products, `empty` without, `failed` \
         when the door did not open, `unresolved` when the end was missed and a person has to look",
    )
}

/// What is known of a door.
pub(crate) fn door_status() -> Object {
    let all = [DoorStatus::Unknown, DoorStatus::Open, DoorStatus::Closed];
    words(all.map(DoorStatus::as_str), "`unknown` until something is heard of it")
}

/// How a machine is, where it answered.
pub(crate) fn machine_status() -> Object {
    let all = [MachineStatus::Available, MachineStatus::Busy, MachineStatus::Offline, MachineStatus::Error];
    words(all.map(MachineStatus::as_str), "`available`: can be opened; `busy`: somebody has it")
}

pub(super) fn words<const COUNT: usize>(words: [&str; COUNT], description: &str) -> Object {
    text().enum_values(Some(words.map(Value::from))).description(Some(description)).build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
