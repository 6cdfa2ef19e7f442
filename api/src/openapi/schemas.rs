//! Schemas of the words that many bodies share. Each says what the code checks, no more and no less: the tests of the
//! whole API try both sides of it.

use serde_json::Value;
use utoipa::openapi::{
    KnownFormat, Object, ObjectBuilder, SchemaFormat,
    schema::{SchemaType, Type},
};
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

/// A plain decimal without zeros that say nothing.
const PLAIN: &str = r"^(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$";

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
    let plain = text().pattern(Some(PLAIN));
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

/// Which deposits operators look at.
pub(crate) fn deposit_result() -> Object {
    words(
        ["unmatched", "ambiguous"],
        "`unmatched`: money without an invoice; `ambiguous`: money that an earlier invoice may be about as well",
    )
}

/// A reason for a cancellation.
pub(crate) fn cancel_reason() -> Object {
    let reasons = [CancelReason::RequestedByMerchant, CancelReason::Kyc, CancelReason::Other];
    let words = reasons.iter().filter_map(|reason| serde_json::to_value(reason).ok());
    text().enum_values(Some(words)).description(Some("`kyc` is for operators, the others are for merchants")).build()
}

/// What a buyer reads above his invoice.
pub(crate) fn title() -> Object {
    let line = text().pattern(Some(ONE_LINE)).max_length(Some(200));
    line.description(Some("Shown to the buyer; one line")).build()
}

/// What a buyer reads of his invoice.
pub(crate) fn description() -> Object {
    let lines = text().pattern(Some(r"^[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*$"));
    lines.max_length(Some(2000)).description(Some("Shown to the buyer; may have lines")).build()
}

/// Where a buyer is sent.
pub(crate) fn checkout_url() -> Object {
    let of_the_web = r"^(https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?([/?#][!#-;=?-\[\]_a-z~]*)?)?$";
    let meaning = "Where the buyer goes after paying: an absolute http or https URL without credentials, or nothing";
    text().pattern(Some(of_the_web)).max_length(Some(2000)).description(Some(meaning)).build()
}

/// The time that the invoices of a form have.
pub(crate) fn expires_in_seconds() -> Object {
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(2_592_000));
    seconds.description(Some("Time to pay of each invoice")).build()
}

/// How often a form may be used.
pub(crate) fn max_uses() -> Object {
    let number = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Integer, Type::Null]));
    let number = number.minimum(Some(1)).maximum(Some(1_000_000_000));
    number.description(Some("How many invoices the form may make; null for any number")).build()
}

/// The coin or the network of a form.
pub(crate) fn open_id() -> Object {
    let id = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    id.description(Some("As in `GET /payment-options`; null leaves it to the buyer")).build()
}

/// The amount of a form.
pub(crate) fn open_amount() -> Object {
    let amount = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    let amount = amount.pattern(Some(POSITIVE)).max_length(Some(80)).examples(["12.50"]);
    amount.description(Some("Plain decimal of whatever coin it is; null leaves it to the buyer")).build()
}

/// The amount of a form as answers have it.
pub(crate) fn open_sum() -> Object {
    let sum = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    let sum = sum.pattern(Some(PLAIN)).examples(["12.5"]);
    sum.description(Some("Plain decimal without trailing zeros; null leaves it to the buyer")).build()
}

/// What a buyer says of a field of a form.
pub(crate) fn said_by_buyer() -> Object {
    let anything = ObjectBuilder::new().schema_type(SchemaType::AnyValue);
    let meaning = "A text where the form leaves the field open; whatever is sent for a field that it fixes is ignored";
    anything.description(Some(meaning)).build()
}

/// Which version of a form a buyer was shown.
pub(crate) fn form_version() -> Object {
    let number = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Integer, Type::Null]));
    let meaning = "`version` of the form as the buyer was shown it: another one is refused";
    number.minimum(Some(1)).description(Some(meaning)).build()
}

/// Whose value a field of a form has.
pub(crate) fn form_source() -> Object {
    words(["form", "buyer"], "`form`: the merchant fixed it; `buyer`: the form left it open")
}

/// What lets a buyer see his invoice.
pub(crate) fn view_token() -> Object {
    text().pattern(Some("^[A-Za-z0-9_-]{43}$")).description(Some("Shows this one invoice to whoever has it")).build()
}

/// What an export is made of.
pub(crate) fn export_format() -> Object {
    words(["csv", "json"], "`csv`: for spreadsheets; `json`: an array of what the list shows")
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
