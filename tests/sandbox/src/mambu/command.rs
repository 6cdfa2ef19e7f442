//! A request that may change something: who sends it, under which Idempotency-Key, and what becomes of a repeat.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, FixedOffset};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::bank::Call;
use super::caller::{Caller, header};
use super::keys::KeptReply;
use super::refusal::Refusal;
use super::wire;
use crate::faults::{self, Strike, System};
use crate::ledger;
use crate::reply::Reply;
use crate::state::{Record, Sandbox, World};

const KEY: &str = "Idempotency-Key";

/// A command as it arrived.
pub(crate) struct Command {
    pub(super) caller: Caller,
    key: Option<Uuid>,
    path: String,
    pub(super) body: Bytes,
}

impl Command {
    fn read(parts: &Parts, caller: Caller, body: Bytes) -> Result<Self, Refusal> {
        let is_json = header(&parts.headers, "content-type").is_some_and(|kind| kind.starts_with("application/json"));
        if !is_json {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Refusal::with_status(status, "INVALID_PARAMETERS").at("Content-Type"));
        }
        let key = match parts.headers.get(KEY) {
            Some(value) => Some(read_key(value.as_bytes())?),
            None => None,
        };
        Ok(Self { caller, key, path: parts.uri.path().to_owned(), body })
    }

    fn body_hash(&self) -> String {
        hex::encode(Sha256::digest(&self.body))
    }

    /// What a request under the same key must be to be the same request.
    fn fingerprint(&self) -> String {
        hex::encode(Sha256::digest(format!("{}\n{}", self.path, self.body_hash())))
    }
}

fn read_key(value: &[u8]) -> Result<Uuid, Refusal> {
    // The reason is not published.
    Uuid::try_parse_ascii(value).map_err(|_| Refusal::of("INVALID_PARAMETERS").at(KEY))
}

impl FromRequest<Arc<Sandbox>> for Command {
    type Rejection = Refusal;

    async fn from_request(request: Request, sandbox: &Arc<Sandbox>) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, sandbox).await?;
        let request = Request::from_parts(parts.clone(), body);
        let body = Bytes::from_request(request, sandbox).await;
        let body = body.map_err(|rejection| Refusal::with_status(rejection.status(), "INVALID_PARAMETERS"))?;
        Self::read(&parts, caller, body)
    }
}

/// Runs a command that changes something: once for its key, and as the faults want it.
pub(super) async fn execute(
    sandbox: Arc<Sandbox>,
    command: Command,
    operation: &'static str,
    names: Vec<String>,
    act: impl FnOnce(&mut World, &[u8], DateTime<FixedOffset>) -> Result<Reply, Refusal> + Send + 'static,
) -> Response {
    if let Err(refusal) = command.caller.check_may_change() {
        return refusal.into_response();
    }
    note(&sandbox, &command, operation);
    let finished = command.key.and_then(|key| sandbox.read(|world| world.bank.keys.in_flight(key)));
    if let Some(finished) = finished {
        return faults::in_progress(&command.caller.interim, finished).await;
    }
    let strike = strike(&sandbox, operation, &names);
    let held = command.key.zip(strike.as_ref()).filter(|(_, strike)| strike.kind.is_processing());
    let in_flight = held.map(|(key, _)| InFlight::begin(&sandbox, key));
    let interim = command.caller.interim.clone();
    let effect = move || {
        let reply = once(&sandbox, &command, act);
        drop(in_flight);
        reply
    };
    faults::answer(strike, &interim, effect).await
}

/// Answers a request that only looks, as the faults want it.
pub(super) async fn look(
    sandbox: Arc<Sandbox>,
    caller: Caller,
    operation: &'static str,
    names: Vec<String>,
    act: impl FnOnce(&World) -> Result<Reply, Refusal> + Send + 'static,
) -> Response {
    let strike = strike(&sandbox, operation, &names);
    let effect = move || sandbox.read(act).unwrap_or_else(Reply::from);
    faults::answer(strike, &caller.interim, effect).await
}

fn strike(sandbox: &Sandbox, operation: &str, names: &[String]) -> Option<Strike> {
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    sandbox.strike(System::Mambu, operation, &names)
}

/// Writes down that the command arrived.
fn note(sandbox: &Sandbox, command: &Command, operation: &str) {
    let call = Call {
        at: ledger::now(),
        operation: operation.to_owned(),
        path: command.path.clone(),
        idempotency_key: command.key,
        body_sha256: command.body_hash(),
    };
    sandbox.change_quietly(|world| {
        world.save(Record::MambuCall(call.clone()));
        world.bank.put_call(call);
    });
}

/// What was answered under the key before, or what the command comes to now.
fn once(
    sandbox: &Sandbox,
    command: &Command,
    act: impl FnOnce(&mut World, &[u8], DateTime<FixedOffset>) -> Result<Reply, Refusal>,
) -> Reply {
    let now = sandbox.organisation_time();
    let decided = sandbox.change(|world| {
        if let Some(repeated) = command.key.and_then(|key| repeat(world, command, key)) {
            return Ok(repeated);
        }
        let reply = act(world, &command.body, now).unwrap_or_else(Reply::from);
        if let Some(key) = command.key.filter(|_| reply.status.is_success()) {
            keep(world, command, key, &reply);
        }
        Ok(reply)
    });
    decided.unwrap_or_else(Reply::from)
}

fn repeat(world: &World, command: &Command, key: Uuid) -> Option<Reply> {
    let kept = world.bank.keys.find(key, ledger::now())?;
    if kept.fingerprint != command.fingerprint() {
        // The reason is not published.
        return Some(Refusal::of("INVALID_PARAMETERS").at(KEY).into());
    }
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    Some(Reply { status, content_type: wire::CONTENT_TYPE, retry_after: None, body: kept.body.clone() })
}

/// Refusals are not kept: the same key may be tried again with what is right.
fn keep(world: &mut World, command: &Command, key: Uuid, reply: &Reply) {
    let (status, body) = (reply.status.as_u16(), reply.body.clone());
    let kept = KeptReply { key, fingerprint: command.fingerprint(), status, body, at: ledger::now() };
    world.save(Record::MambuReply(kept.clone()));
    world.bank.keys.put(kept);
}

/// A command that is being worked on, for as long as this lives.
struct InFlight {
    sandbox: Arc<Sandbox>,
    key: Uuid,
}

impl InFlight {
    fn begin(sandbox: &Arc<Sandbox>, key: Uuid) -> Self {
        sandbox.change_quietly(|world| world.bank.keys.begin(key));
        Self { sandbox: Arc::clone(sandbox), key }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let key = self.key;
        self.sandbox.change_quietly(|world| world.bank.keys.finish(key));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::mambu::samples::{self, ask, ask_json, effects, keyed, reason, request};

    const PATH: &str = "/loans/LN-1/disbursement-transactions";
    const BODY: &str = r#"{"amount":1250.00,"externalId":"pc-1"}"#;
    const ONE: &str = "6e8bc430-9c3a-11d9-9669-0800200c9a66";
    const OTHER: &str = "0b5c9c2e-2f6b-5b7e-8d2a-3d8d0d6b8a11";

    fn set_fault(sandbox: &Sandbox, fault: &str) {
        let fault = serde_json::from_str(fault).unwrap();
        sandbox.change_quietly(|world| world.faults.list.push(fault));
    }

    #[tokio::test]
    async fn a_repeat_gets_the_same_answer_and_happens_once() {
        let sandbox = samples::sandbox();
        let first = ask(&sandbox, keyed("POST", PATH, BODY, ONE)).await;
        assert_eq!(first.0, StatusCode::CREATED, "{}", first.1);
        for _ in 0..3 {
            assert_eq!(ask(&sandbox, keyed("POST", PATH, BODY, ONE)).await, first);
        }
        assert_eq!(effects(&sandbox, "disbursement"), 1);
        assert_eq!(sandbox.read(|world| world.bank.calls().count()), 4);
    }

    #[tokio::test]
    async fn a_key_is_for_one_request_and_must_be_a_uuid() {
        let sandbox = samples::sandbox();
        ask(&sandbox, keyed("POST", PATH, BODY, ONE)).await;
        let other_body = BODY.replace("1250.00", "1250.0");
        for (request, source) in [
            (keyed("POST", PATH, &other_body, ONE), Some(KEY)),
            (keyed("POST", "/loans/transactions/1:adjust", BODY, ONE), Some(KEY)),
            (keyed("POST", PATH, BODY, "not-a-uuid"), Some(KEY)),
            (keyed("POST", PATH, BODY, OTHER), None),
        ] {
            let (status, body) = ask_json(&sandbox, request).await;
            assert_eq!((status, body["errors"][0]["errorSource"].as_str()), (400, source), "{body}");
        }
        assert_eq!(effects(&sandbox, "disbursement"), 1);
    }

    #[tokio::test]
    async fn a_refusal_is_not_kept() {
        let sandbox = samples::sandbox();
        let (status, body) = ask_json(&sandbox, keyed("POST", PATH, r#"{"amount":1}"#, ONE)).await;
        assert_eq!((status, reason(&body)), (400, "INVALID_AMOUNT"));
        assert_eq!(ask(&sandbox, keyed("POST", PATH, BODY, ONE)).await.0, StatusCode::CREATED);
    }

    #[tokio::test]
    async fn after_the_keys_are_forgotten_the_external_id_still_stands() {
        let sandbox = samples::sandbox();
        ask(&sandbox, keyed("POST", PATH, BODY, ONE)).await;
        sandbox.change_quietly(|world| world.bank.keys.forget());
        let (status, body) = ask_json(&sandbox, keyed("POST", PATH, BODY, ONE)).await;
        assert_eq!((status, reason(&body)), (400, "ACCOUNT_ALREADY_DISBURSED"));
        assert_eq!(effects(&sandbox, "disbursement"), 1);
    }

    #[tokio::test]
    async fn a_lost_answer_is_repeated() {
        let sandbox = samples::sandbox();
        set_fault(
            &sandbox,
            r#"{"system":"mambu","operation":"disburse","kind":"execute_then_error","times":1,"match":"pc-1"}"#,
        );
        assert_eq!(ask(&sandbox, keyed("POST", PATH, BODY, ONE)).await.0, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(ask(&sandbox, keyed("POST", PATH, BODY, ONE)).await.0, StatusCode::CREATED);
        assert_eq!(effects(&sandbox, "disbursement"), 1);
    }

    #[tokio::test]
    async fn a_repeat_meanwhile_hears_nothing_and_afterwards_the_answer() {
        let sandbox = samples::sandbox();
        set_fault(&sandbox, r#"{"system":"mambu","operation":"disburse","kind":"slow","times":1,"delay_ms":200}"#);
        let slow = Arc::clone(&sandbox);
        let slow = tokio::spawn(async move { ask(&slow, keyed("POST", PATH, BODY, ONE)).await });
        while sandbox.read(|world| world.bank.keys.in_flight(ONE.parse().unwrap()).is_none()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let router: axum::Router = crate::mambu::routes().with_state(Arc::clone(&sandbox));
        let repeat = tower::ServiceExt::oneshot(router, keyed("POST", PATH, BODY, ONE)).await.unwrap();
        assert!(axum::body::to_bytes(repeat.into_body(), 1024).await.is_err(), "it is hung up on");
        let first = slow.await.unwrap();
        assert_eq!(first.0, StatusCode::CREATED);
        assert_eq!(ask(&sandbox, keyed("POST", PATH, BODY, ONE)).await, first);
        assert_eq!(effects(&sandbox, "disbursement"), 1);
    }

    #[tokio::test]
    async fn what_is_said_to_be_processed_happens_later() {
        let sandbox = samples::sandbox();
        set_fault(&sandbox, r#"{"system":"mambu","operation":"disburse","kind":"status_102","times":1,"delay_ms":50}"#);
        let asked = ask(&sandbox, keyed("POST", PATH, BODY, ONE));
        assert!(tokio::time::timeout(Duration::from_millis(10), asked).await.is_err());
        assert_eq!(effects(&sandbox, "disbursement"), 0);
        while effects(&sandbox, "disbursement") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn the_body_must_say_that_it_is_json() {
        let sandbox = samples::sandbox();
        let mut wrong = request("POST", PATH, BODY);
        wrong.headers_mut().insert("content-type", "text/plain".parse().unwrap());
        assert_eq!(ask(&sandbox, wrong).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        let nowhere: (u16, Value) =
            ask_json(&sandbox, request("POST", "/loans/LN-9/disbursement-transactions", "{}")).await;
        assert_eq!((nowhere.0, reason(&nowhere.1)), (404, "INVALID_LOAN_ACCOUNT_ID"));
    }
}
