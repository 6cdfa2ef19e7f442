//! The errors of an operation, from the table of all kinds: what follows from its form, and what it names itself.

use serde_json::{Value, json};

use super::OWN_PROBLEMS;
use crate::problem::kinds::{self, Kind};

/// Adds to `operation` an answer for each status that it can fail with, each with all of its codes.
pub(super) fn add(operation: &mut Value) {
    for kind in kinds_of(operation) {
        let response = &mut operation["responses"][kind.status.as_str()];
        if response["content"]["application/problem+json"].is_null() {
            begin(response, kind);
        }
        let content = &mut response["content"]["application/problem+json"];
        content["examples"][kind.code] = json!({ "$ref": format!("#/components/examples/{}", kind.code) });
        if let Some(codes) = content["schema"]["allOf"][1]["properties"]["code"]["enum"].as_array_mut() {
            codes.push(kind.code.into());
        }
    }
    if let Some(operation) = operation.as_object_mut() {
        operation.remove(OWN_PROBLEMS);
    }
}

fn kinds_of(operation: &Value) -> Vec<Kind> {
    let has = |place: &str| {
        operation["parameters"]
            .as_array()
            .is_some_and(|all| all.iter().any(|it| it["in"] == place || it["name"] == place))
    };
    let named = |kind: &Kind| operation[OWN_PROBLEMS].as_array().is_some_and(|codes| codes.contains(&kind.code.into()));
    let from_form = [
        (has("query"), &[kinds::INVALID_QUERY][..]),
        (has("path"), &[kinds::NOT_FOUND]),
        (
            has("Idempotency-Key"),
            &[kinds::IDEMPOTENCY_KEY_MISSING, kinds::IDEMPOTENCY_KEY_INVALID, kinds::IDEMPOTENCY_KEY_REUSED],
        ),
        (
            operation["requestBody"].is_object(),
            &[kinds::INVALID_BODY, kinds::REQUEST_TIMEOUT, kinds::BODY_TOO_LARGE, kinds::UNSUPPORTED_MEDIA_TYPE],
        ),
        (operation["requestBody"]["content"]["application/json"].is_object(), &[kinds::INVALID_JSON]),
        (
            operation["security"].is_array(),
            &[kinds::UNAUTHENTICATED, kinds::SCOPE_MISSING, kinds::PRINCIPAL_NOT_ALLOWED],
        ),
        (true, &[kinds::RATE_LIMITED, kinds::INTERNAL, kinds::TEMPORARILY_UNAVAILABLE]),
    ];
    let from_form: Vec<_> = from_form.iter().filter(|(holds, _)| *holds).flat_map(|(_, kinds)| *kinds).collect();
    kinds::ALL.iter().filter(|kind| from_form.contains(kind) || named(kind)).copied().collect()
}

/// The answer with this status, still without codes.
fn begin(response: &mut Value, kind: Kind) {
    if response["description"].is_null() {
        response["description"] = kind.status.canonical_reason().unwrap_or(kind.title).into();
    }
    response["content"]["application/problem+json"]["schema"] = json!({ "allOf": [
        { "$ref": "#/components/schemas/Problem" },
        { "type": "object", "properties": {
            "status": { "type": "integer", "enum": [kind.status.as_u16()] }, "code": { "type": "string", "enum": [] },
        } },
    ] });
    let header = match kind.status.as_u16() {
        401 => ("WWW-Authenticate", "string", "`Bearer`"),
        429 | 503 => ("Retry-After", "integer", "Seconds until the same request may succeed"),
        _ => return,
    };
    let (name, kind, description) = header;
    response["headers"][name] = json!({ "schema": { "type": kind }, "description": description });
}

/// An answer with this kind of problem.
pub(super) fn example(kind: Kind) -> Value {
    let mut example = json!({
        "type": format!("urn:perdura:problem:{}", kind.code), "title": kind.title, "status": kind.status.as_u16(),
        "detail": kind.title, "code": kind.code, "instance": "urn:perdura:request:0190a0b0-0000-7000-8000-000000000001",
        "errors": [],
    });
    let invoice_id = "0190a0b0-0000-7000-8000-00000000000a";
    match kind {
        kinds::INVALID_BODY | kinds::UNACCEPTABLE => {
            example["errors"] = json!([{ "field": "amount", "detail": "is zero" }]);
        }
        kinds::INVALID_QUERY => {
            example["errors"] = json!([{ "field": "limit", "detail": "is not between 1 and 100" }]);
        }
        kinds::LOAN_REFUSED => {
            example["errors"] = json!([{ "field": "amount", "detail": "is not the amount and currency of the loan" }]);
        }
        kinds::OTP_REFUSED => example["attempts_left"] = 2.into(),
        kinds::OTP_LOCKED => example["locked_until"] = "2026-01-31T12:15:00.000Z".into(),
        kinds::CODE_NOT_VALID => example["reason"] = "already_used".into(),
        kinds::DISBURSEMENT_REFUSED => example["reason"] = "INVALID_ACCOUNT_STATE".into(),
        kinds::MACHINE_BUSY
        | kinds::MACHINE_OFFLINE
        | kinds::FRIDGE_REFUSED
        | kinds::FRIDGE_UNANSWERED
        | kinds::FRIDGE_INTERRUPTED => {
            example["ref"] = "0190a0b0-0000-5000-8000-00000000000d".into();
            example["transaction_id"] = "0190a0b0-0000-5000-8000-00000000000e".into();
        }
        kinds::EXTERNAL_ID_TAKEN | kinds::DEPOSIT_ATTACHED_ALREADY => example["invoice_id"] = invoice_id.into(),
        kinds::LATE_MONEY_NOT_ACCEPTABLE => example["reason"] = "nothing_late".into(),
        kinds::FORM_CHANGED => {
            example["form"] = json!({
                "form_id": "0190a0b0-0000-5000-8000-00000000000f", "title": "Donations", "description": "", "version": 2,
                "fields": {
                    "coin_id": { "value": "usdt", "open": false }, "network_id": { "value": "tron", "open": false },
                    "amount": { "value": "12.5", "open": false },
                },
                "options": [],
            });
        }
        kinds::INVOICE_NOT_CANCELLABLE => example["invoice_status"] = "payment_accepted".into(),
        _ => {}
    }
    json!({ "summary": kind.title, "value": example })
}
