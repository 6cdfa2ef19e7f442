//! `POST /ciam/otp/validate`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::bearer::Bearer;
use super::desk::{self, Attempt, Verdict};
use crate::faults::{self, System};
use crate::ledger;
use crate::problem::{Body, Problem};
use crate::reply::Reply;
use crate::state::{Sandbox, World};

/// Longer than any name of a validation.
const LONGEST_REFERENCE: usize = 128;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    client_id: String,
    otp: String,
    reference: String,
    binding: String,
}

pub(super) async fn validate(
    State(sandbox): State<Arc<Sandbox>>,
    bearer: Bearer,
    Body(request): Body<Request>,
) -> Response {
    if request.reference.is_empty() || request.reference.len() > LONGEST_REFERENCE {
        let reason = format!("a reference has 1 to {LONGEST_REFERENCE} characters");
        return Problem::unprocessable(reason).into_response();
    }
    let attempt = attempt(request);
    let strike = sandbox.strike(System::Ciam, "validate", &[&attempt.client_id, &attempt.reference]);
    let effect = move || {
        let reply = sandbox.change(|world| Ok(answer(world, &attempt, ledger::now())));
        reply.unwrap_or_else(Reply::from)
    };
    faults::answer(strike, &bearer.interim, effect).await
}

fn attempt(request: Request) -> Attempt {
    let Request { client_id, otp, reference, binding } = request;
    let parts = json!([client_id, otp, binding]).to_string();
    let fingerprint = hex::encode(Sha256::digest(parts));
    Attempt { client_id, otp, reference, binding, fingerprint }
}

fn answer(world: &mut World, attempt: &Attempt, now: DateTime<Utc>) -> Reply {
    let known = world.desk.validation(&attempt.reference).cloned();
    let verdict = match known {
        Some(known) if known.fingerprint == attempt.fingerprint => known.verdict,
        Some(_) => return Reply::json(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "code": "REFERENCE_REUSED" })),
        None => desk::decide(world, attempt, now),
    };
    reply(&verdict, &attempt.reference, now)
}

fn reply(verdict: &Verdict, reference: &str, now: DateTime<Utc>) -> Reply {
    let code = |status, code: &str| Reply::json(status, &json!({ "code": code }));
    match verdict {
        Verdict::Approved => Reply::from(json!({ "status": "APPROVED", "reference": reference })),
        Verdict::Invalid { attempts_remaining } => {
            let body = json!({ "code": "OTP_INVALID", "attempts_remaining": attempts_remaining });
            Reply::json(StatusCode::BAD_REQUEST, &body)
        }
        Verdict::Expired => code(StatusCode::GONE, "OTP_EXPIRED"),
        Verdict::Used => code(StatusCode::CONFLICT, "OTP_ALREADY_USED"),
        Verdict::BindingMismatch => code(StatusCode::FORBIDDEN, "OTP_BINDING_MISMATCH"),
        Verdict::Unknown => code(StatusCode::NOT_FOUND, "OTP_UNKNOWN"),
        Verdict::Locked { locked_until } => locked(*locked_until, now),
    }
}

fn locked(until: DateTime<Utc>, now: DateTime<Utc>) -> Reply {
    let body: Value = json!({ "code": "OTP_LOCKED", "locked_until": until });
    let seconds = u64::try_from((until - now).num_seconds()).unwrap_or_default();
    Reply { retry_after: Some(seconds.max(1)), ..Reply::json(StatusCode::LOCKED, &body) }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::ciam::Otp;

    fn world() -> (World, DateTime<Utc>) {
        let (mut world, now) = (World::new(), ledger::now());
        let expires_at = now + TimeDelta::minutes(5);
        let otp = Otp { text: "123456".to_owned(), expires_at, binding: None, is_spent: false };
        desk::issue(&mut world, "C-1", otp);
        (world, now)
    }

    fn ask(world: &mut World, otp: &str, reference: &str, now: DateTime<Utc>) -> Reply {
        let request = Request {
            client_id: "C-1".to_owned(),
            otp: otp.to_owned(),
            reference: reference.to_owned(),
            binding: "b".to_owned(),
        };
        answer(world, &attempt(request), now)
    }

    fn code(reply: &Reply) -> String {
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        body["code"].as_str().or(body["status"].as_str()).unwrap().to_owned()
    }

    #[test]
    fn a_reference_is_answered_the_same_every_time_and_counts_once() {
        let (mut world, now) = world();
        for _ in 0..5 {
            let wrong = ask(&mut world, "000000", "r-1", now);
            assert_eq!(
                (wrong.status, wrong.body.contains(r#""attempts_remaining":2"#)),
                (StatusCode::BAD_REQUEST, true)
            );
        }
        for _ in 0..2 {
            assert_eq!(code(&ask(&mut world, "123456", "r-2", now)), "APPROVED");
        }
        assert_eq!(ask(&mut world, "123456", "r-1", now).status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(code(&ask(&mut world, "123456", "r-3", now)), "OTP_ALREADY_USED");
    }

    #[test]
    fn a_locked_client_hears_until_when() {
        let (mut world, now) = world();
        for reference in ["r-1", "r-2", "r-3"] {
            ask(&mut world, "000000", reference, now);
        }
        let locked = ask(&mut world, "123456", "r-4", now);
        assert_eq!((locked.status, locked.retry_after), (StatusCode::LOCKED, Some(900)));
        assert_eq!(code(&locked), "OTP_LOCKED");
        let later = ask(&mut world, "123456", "r-4", now + TimeDelta::hours(1));
        assert_eq!((later.status, later.retry_after), (StatusCode::LOCKED, Some(1)), "it was decided then");
        assert_eq!(ask(&mut world, "123456", "r-5", now + TimeDelta::minutes(16)).status, StatusCode::GONE);
    }
}
