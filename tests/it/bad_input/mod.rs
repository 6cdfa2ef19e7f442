//! Bodies, headers, paths and queries that are wrong in every way that a person would think of: each is refused for the
//! right reason, named where it is wrong, and leaves nothing behind.

mod bodies;
mod cancellations;
mod codec;
mod deposits;
mod fridge_questions;
mod fridge_sales;
mod gifts;
mod heads;
mod invoices;

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use system_tests::Answer;

/// How a request has to be refused: the status and the code, and the field that has to be named.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    status: u16,
    code: &'static str,
    field: Option<&'static str>,
}

const NO_JSON: Refusal = Refusal { status: 400, code: "invalid_json", field: None };
const NO_OBJECT: Refusal = Refusal { status: 400, code: "invalid_body", field: None };
const NOT_FOUND: Refusal = Refusal { status: 404, code: "not_found", field: None };
const OTHER_METHOD: Refusal = Refusal { status: 405, code: "method_not_allowed", field: None };
const TOO_LARGE: Refusal = Refusal { status: 413, code: "body_too_large", field: None };
const NOT_OUR_TYPE: Refusal = Refusal { status: 415, code: "unsupported_media_type", field: None };

/// Not of the form of the route: a field that is missing, unknown, given twice or of another type.
const fn misshapen(field: &'static str) -> Refusal {
    Refusal { status: 400, code: "invalid_body", field: Some(field) }
}

/// Understood, and not acceptable.
const fn unacceptable(field: &'static str) -> Refusal {
    Refusal { status: 422, code: "unacceptable", field: Some(field) }
}

/// Sends the request, which has to be refused like this; the answer, for whoever wants to know more of it.
async fn assert_refused(what: &str, request: RequestBuilder, refusal: Refusal) -> Answer {
    let answer = Answer::to(request).await;
    assert_eq!(answer.status, refusal.status, "{what}: {answer:#?}");
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{what}");
    assert_eq!(answer.body["code"], refusal.code, "{what}: {answer:#?}");
    assert_eq!(answer.body["status"], refusal.status, "{what}");
    let errors = answer.body["errors"].as_array().unwrap_or_else(|| panic!("{what}: no errors in {answer:#?}"));
    assert!(errors.iter().all(|error| error["detail"].is_string()), "{what}: {errors:?}");
    if let Some(field) = refusal.field {
        assert!(errors.iter().any(|error| error["field"] == field), "{what}: {field} is not named in {errors:?}");
    }
    answer
}

/// The object with one field set to something else.
fn with(object: &Value, field: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[field] = value;
    object
}

/// The object without one field.
fn without(object: &Value, field: &str) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove(field);
    object
}

/// Values that are no text.
fn no_texts() -> Vec<Value> {
    vec![json!(null), json!(7), json!(12.5), json!(true), json!(["x"]), json!({ "x": "y" })]
}

/// Values that are no whole number.
fn no_integers() -> Vec<Value> {
    vec![json!(null), json!("900"), json!(1.5), json!(1e300), json!(u64::MAX), json!(true), json!([900]), json!({})]
}
