//! What Vendron sends, before any quirk touched it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::machine::Sale;
use super::opaque_id;
use super::refusal::Refusal;

/// A command was accepted, which says nothing of its success; without a code it was not.
pub(super) fn acknowledgement(name: &str, code: Option<&str>, reference: &str) -> Value {
    // That of a refusal is not published.
    let (status, code) = code.map_or((0, "PUBLIC000"), |code| (1, code));
    json!({ "respond": name, "respond_data": { "ack_status": status, "ack_code": code }, "ref": reference })
}

pub(super) fn success(name: &str, json_data: &Value, reference: &str) -> Value {
    let data = json!({ "status": 1, "error_data": [], "json_data": json_data });
    json!({ "command": name, "command_data": data, "ref": reference })
}

pub(super) fn failure(name: &str, code: i64, message: &str, reference: &str) -> Value {
    let data = json!({ "status": 0, "error_data": { "code": code, "message": message }, "json_data": [] });
    json!({ "command": name, "command_data": data, "ref": reference })
}

pub(super) fn available() -> Value {
    json!({ "code": 1, "message": "Machine is available for API Dispensing" })
}

pub(super) fn begun(sale: &Sale) -> Value {
    let data = json!({
        "session": sale.session,
        "trade_vdps_id": opaque_id("trade", &sale.session),
        "payment_name": sale.order.payment_name,
        "currency": sale.order.currency,
        "total_amount": sale.order.total_amount,
    });
    json!({ "code": 1, "message": "Smart Fridge Public API successfully inited.", "data": data })
}

/// An array, unlike what is said of the closing.
pub(super) fn unlocked() -> Value {
    json!({ "code": 1, "message": "Door is succesfully unlocked", "data": [{ "door_status": "UNLOCKED" }] })
}

/// Everything that is out by now.
pub(super) fn taken(sale: &Sale) -> Value {
    let data = json!({ "code": 1, "message": "Product taken list is updated", "list": sale.taken });
    success("smart_fridge_product_taken", &data, &sale.reference)
}

/// An object, unlike what is said of the opening.
pub(super) fn closed(sale: &Sale) -> Value {
    let data = json!({ "code": 1, "message": "Door is succesfully locked", "data": { "door_status": "LOCKED" } });
    success("smart_fridge_door_close_success", &data, &sale.reference)
}

pub(super) fn completed(sale: &Sale, total: Option<String>, transaction_id: Option<String>) -> Value {
    let data = json!({
        "transaction_id": transaction_id.unwrap_or_else(|| opaque_id("transaction", &sale.session)),
        "transaction_status": 1,
        "transaction_total": total.unwrap_or_else(|| sale.total()),
        "transaction_product": sale.taken,
    });
    let message = "This Smart Fridge request has been completed & closed";
    success("smart_fridge_request_completed", &json!({ "code": 1, "message": message, "data": data }), &sale.reference)
}

/// Nothing was bought. The texts where numbers are expected, and the reference that nobody gave, were seen like this.
pub(super) fn cancelled(now: DateTime<Utc>) -> Value {
    let Refusal(code) = Refusal::CANCELLED;
    let error = json!({ "code": code.to_string(), "message": Refusal::CANCELLED.message() });
    json!({
        "command": "smart_fridge_request_completed",
        "command_data": { "status": "0", "error_data": error, "json_data": [] },
        "ref": seconds(now),
    })
}

/// What stands in for references at times.
pub(super) fn seconds(now: DateTime<Utc>) -> String {
    now.timestamp().to_string()
}
