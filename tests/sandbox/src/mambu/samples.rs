//! What the tests of this folder begin with.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use chrono::{DateTime, FixedOffset};
use serde_json::Value;
use tower::ServiceExt;

use super::{Amount, Loan, LoanState, ScheduleSettings, Terms};
use crate::access::Access;
use crate::state::{Record, Sandbox, Setup};

/// Late in the evening, when it is tomorrow in Greenwich.
pub(crate) fn now() -> DateTime<FixedOffset> {
    "2026-05-14T23:30:00-06:00".parse().unwrap()
}

pub(crate) fn terms() -> Terms {
    Terms {
        amount: Amount::parse("1250.00").unwrap(),
        currency: "MXN".to_owned(),
        client_id: "C-1".to_owned(),
        credit_line_id: "CL-1".to_owned(),
        schedule: ScheduleSettings::default(),
    }
}

/// Approved, and not disbursed.
pub(crate) fn loan(id: &str) -> Loan {
    Loan::new(id, terms(), LoanState::Approved, now())
}

/// A sandbox whose Mambu has the loan `LN-1`.
pub(crate) fn sandbox() -> Arc<Sandbox> {
    let setup = Setup { reporter: None, access: Access::default(), offset: *now().offset() };
    let sandbox = Arc::new(Sandbox::open(None, setup).unwrap());
    sandbox.change_quietly(|world| {
        let loan = loan("LN-1");
        world.bank.put_loan(loan.clone());
        world.save(Record::Loan(Box::new(loan)));
    });
    sandbox
}

/// A request as the API's callers send it.
pub(crate) fn request(method: &str, path: &str, body: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("apiKey", "key")
        .header("accept", "application/vnd.mambu.v2+json")
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

/// The same under an Idempotency-Key.
pub(crate) fn keyed(method: &str, path: &str, body: &str, key: &str) -> Request<Body> {
    let mut request = request(method, path, body);
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    request
}

/// Status and text of what is answered.
pub(crate) async fn ask(sandbox: &Arc<Sandbox>, request: Request<Body>) -> (StatusCode, String) {
    let router: Router = super::routes().with_state(Arc::clone(sandbox));
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

pub(crate) async fn ask_json(sandbox: &Arc<Sandbox>, request: Request<Body>) -> (u16, Value) {
    let (status, text) = ask(sandbox, request).await;
    (status.as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The `errorReason` of a refusal.
pub(crate) fn reason(body: &Value) -> &str {
    body["errors"][0]["errorReason"].as_str().unwrap()
}

/// How often an effect is in the ledger.
pub(crate) fn effects(sandbox: &Sandbox, effect: &str) -> usize {
    sandbox.read(|world| world.entries().filter(|entry| entry.effect == effect).count())
}
