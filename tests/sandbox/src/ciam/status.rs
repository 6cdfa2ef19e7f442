//! `GET /ciam/otp/validations/{reference}`: what became of a validation whose answer was lost.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::bearer::Bearer;
use super::desk::Desk;
use crate::faults::{self, System};
use crate::reply::Reply;
use crate::state::Sandbox;

pub(super) async fn status(
    State(sandbox): State<Arc<Sandbox>>,
    bearer: Bearer,
    Path(reference): Path<String>,
) -> Response {
    let known = sandbox.read(|world| world.desk.validation(&reference).map(|known| known.client_id.clone()));
    let mut names = vec![reference.as_str()];
    names.extend(known.as_deref());
    let strike = sandbox.strike(System::Ciam, "status", &names);
    faults::answer(strike, &bearer.interim, move || sandbox.read(|world| find(&world.desk, &reference))).await
}

fn find(desk: &Desk, reference: &str) -> Reply {
    let Some(validation) = desk.validation(reference) else {
        return Reply::json(StatusCode::NOT_FOUND, &json!({ "code": "REFERENCE_UNKNOWN" }));
    };
    let mut body = json!(validation.verdict);
    body["reference"] = json!(reference);
    Reply::from(body)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde_json::Value;

    use super::*;
    use crate::ciam::Validation;
    use crate::ciam::desk::Verdict;

    fn found(verdict: Verdict) -> Value {
        let mut desk = Desk::default();
        desk.put_validation(Validation {
            reference: "r".to_owned(),
            client_id: "C-1".to_owned(),
            fingerprint: String::new(),
            verdict,
        });
        serde_json::from_str(&find(&desk, "r").body).unwrap()
    }

    #[test]
    fn every_verdict_is_told_with_what_belongs_to_it() {
        let until: DateTime<Utc> = "2026-05-14T10:15:00Z".parse().unwrap();
        assert_eq!(found(Verdict::Approved), json!({ "reference": "r", "status": "APPROVED" }));
        assert_eq!(
            found(Verdict::Invalid { attempts_remaining: 1 }),
            json!({ "reference": "r", "status": "INVALID", "attempts_remaining": 1 })
        );
        assert_eq!(
            found(Verdict::Locked { locked_until: until }),
            json!({ "reference": "r", "status": "LOCKED", "locked_until": "2026-05-14T10:15:00Z" })
        );
        for (verdict, status) in [
            (Verdict::Expired, "EXPIRED"),
            (Verdict::Used, "USED"),
            (Verdict::BindingMismatch, "BINDING_MISMATCH"),
            (Verdict::Unknown, "UNKNOWN"),
        ] {
            assert_eq!(found(verdict)["status"], status);
        }
        assert_eq!(find(&Desk::default(), "r").status, StatusCode::NOT_FOUND);
    }
}
