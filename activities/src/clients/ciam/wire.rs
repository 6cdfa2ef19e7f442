//! CIAM's JSON.

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CiamError, Verdict};
use crate::clients::{NoAnswer, http::Answer};

/// A one-time password to check. It does not print.
#[derive(Serialize)]
pub struct Validation<'a> {
    /// Whose it is.
    pub client_id: &'a str,
    /// What was typed.
    pub otp: &'a str,
    /// What CIAM remembers this validation by.
    pub reference: Uuid,
    /// What is confirmed, hashed.
    pub binding: &'a str,
}

/// A verdict, or an error that is one.
#[derive(Deserialize)]
struct VerdictBody {
    status: Option<String>,
    code: Option<String>,
    reference: Option<Uuid>,
    attempts_remaining: Option<u32>,
    locked_until: Option<DateTime<Utc>>,
}

const ERROR: &str = "OTP_";

/// The verdict on `reference` in an answer to `operation`.
pub(super) fn verdict(operation: &'static str, answer: &Answer, reference: Uuid) -> Result<Verdict, CiamError> {
    let unknown = CiamError::unknown(operation);
    if answer.is_passing() {
        return Err(unknown(NoAnswer::Status(answer.status)));
    }
    let body = match answer.json::<VerdictBody>() {
        Ok(body) => body,
        Err(_) if is_about_us(answer.status) => return Err(CiamError::Refused { operation, status: answer.status }),
        Err(error) => return Err(unknown(error)),
    };
    if body.reference.is_some_and(|theirs| theirs != reference) {
        return Err(unknown(NoAnswer::Senseless("it is about another validation")));
    }
    if answer.status.is_success() {
        return decided(&body).ok_or_else(|| unknown(NoAnswer::Senseless("it is no verdict")));
    }
    refused(&body).ok_or(CiamError::Refused { operation, status: answer.status })
}

/// Only a success approves.
fn decided(body: &VerdictBody) -> Option<Verdict> {
    let word = body.status.as_deref()?;
    if word == "APPROVED" { Some(Verdict::Approved) } else { refusal(word, body) }
}

fn refused(body: &VerdictBody) -> Option<Verdict> {
    refusal(body.code.as_deref()?.strip_prefix(ERROR)?, body)
}

fn refusal(word: &str, body: &VerdictBody) -> Option<Verdict> {
    match word {
        "INVALID" => Some(Verdict::Invalid { attempts_left: body.attempts_remaining }),
        "EXPIRED" => Some(Verdict::Expired),
        "USED" | "ALREADY_USED" => Some(Verdict::AlreadyUsed),
        "BINDING_MISMATCH" => Some(Verdict::OtherBinding),
        "LOCKED" => body.locked_until.map(|until| Verdict::Locked { until }),
        "UNKNOWN" => Some(Verdict::NoneOutstanding),
        _ => None,
    }
}

fn is_about_us(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}
