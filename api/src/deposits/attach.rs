//! `POST /deposits/{id}/attach`: an operator says for which invoice money is that nobody awaited.

use axum::{Json as Answer, extract::State};
use chrono::Utc;
use serde::{Deserialize, Deserializer, de::Error};
use store::postgres::deposits::{Attached, Attachment};
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::DepositBody;
use crate::{
    auth::{Caller, Operate},
    idempotency::{IdempotencyKey, check_repeat},
    json::Json,
    params::PathId,
    problem::{Problem, kinds},
    state::Api,
    text::{self, Lines},
};

/// Part of every attachment's id: it can never change.
const ROUTE: &str = "POST /deposits/{id}/attach";
const LONGEST_REASON: usize = 500;
/// Characters of an id with its hyphens.
const ID_LENGTH: usize = 36;

/// For which invoice the money is, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "invoice_id": "0190a0b0-0000-7000-8000-00000000000a", "reason": "paid to an old address, as the buyer shows",
})))]
pub(crate) struct AttachDeposit {
    #[serde(deserialize_with = "id")]
    invoice_id: Uuid,
    /// For people; may have lines.
    #[schema(min_length = 1, max_length = 500, pattern = r"^[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*$")]
    reason: String,
}

/// Attach a deposit
///
/// Money that was kept without an invoice belongs to this one from now on, as if it had come to its address when it was
/// seen first. What is attached stays there; who attached it and why is kept.
#[utoipa::path(
    post, path = "/deposits/{id}/attach", operation_id = "attach_deposit", tag = "operators",
    security(("api_key" = ["operator"])), params(PathId, IdempotencyKey), request_body = AttachDeposit,
    responses((status = 200, description = "The deposit", body = DepositBody)),
    extensions(("x-problems" = json!([kinds::DEPOSIT_ATTACHED_ALREADY.code, kinds::UNACCEPTABLE.code]))),
)]
pub(crate) async fn attach(
    State(api): State<Api>,
    caller: Caller<Operate>,
    PathId(deposit_id): PathId,
    key: IdempotencyKey,
    body: Json<AttachDeposit>,
) -> Result<Answer<DepositBody>, Problem> {
    if let Some(flaw) = reason_flaw(&body.value.reason) {
        return Err(Problem::with_error(kinds::UNACCEPTABLE, "reason", flaw));
    }
    let attachment = Attachment {
        deposit_id,
        invoice_id: body.value.invoice_id,
        cause: format!("attach/{}", key.update_id(&caller.principal, ROUTE)),
        actor: caller.principal,
        reason: body.value.reason,
        fingerprint: api.fingerprint_key.fingerprint(&body.raw)?,
        now: Utc::now(),
    };
    answer(api.database.attach_deposit(&attachment).await?, &attachment.fingerprint)
}

fn answer(attached: Attached, fingerprint: &str) -> Result<Answer<DepositBody>, Problem> {
    match attached {
        Attached::Done(deposit) => Ok(Answer(deposit.into())),
        Attached::Repeated { deposit, fingerprint: first } => {
            check_repeat(&first, fingerprint)?;
            Ok(Answer(deposit.into()))
        }
        Attached::NoDeposit => Err(Problem::not_found("deposit")),
        Attached::NoInvoice => Err(not_for("is no invoice")),
        Attached::OtherNetwork => Err(not_for("is on another network than the deposit")),
        Attached::NotDivisible => Err(not_for("has too few decimals for the amount of the deposit")),
        Attached::AttachedAlready(invoice_id) => {
            let detail = format!("the deposit belongs to an invoice already: {invoice_id}");
            Err(Problem::new(kinds::DEPOSIT_ATTACHED_ALREADY, detail).member("invoice_id", invoice_id.to_string()))
        }
    }
}

fn not_for(detail: &str) -> Problem {
    Problem::with_error(kinds::UNACCEPTABLE, "invoice_id", detail)
}

fn reason_flaw(reason: &str) -> Option<String> {
    if reason.is_empty() {
        return Some("is empty".to_owned());
    }
    text::flaw(reason, LONGEST_REASON, Lines::Many)
}

/// An id in the one spelling that the API gives out, in either case; the parser would take others as well.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    let text = String::deserialize(deserializer)?;
    let id = Uuid::parse_str(&text).ok().filter(|_| text.len() == ID_LENGTH);
    id.ok_or_else(|| Error::custom("is no id as in 0190a0b0-0000-7000-8000-00000000000a"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    const ID: &str = "0190a0b0-0000-7000-8000-00000000000a";

    fn parse(invoice_id: &str) -> Result<Uuid, Problem> {
        let body = format!("{{\"invoice_id\":\"{invoice_id}\",\"reason\":\"r\"}}");
        json::parse::<AttachDeposit>(body.as_bytes()).map(|body| body.invoice_id)
    }

    #[test]
    fn an_invoice_is_named_by_its_id() {
        assert_eq!(parse(ID).unwrap(), parse(&ID.to_uppercase()).unwrap());
        for text in ["", "x", &ID.replace('-', ""), &format!("{{{ID}}}"), &format!("urn:uuid:{ID}")] {
            let refused = format!("{:?}", parse(text).unwrap_err());
            assert!(refused.contains("field: \"invoice_id\""), "{text}: {refused}");
        }
    }

    #[test]
    fn a_reason_has_to_be_given() {
        assert!(json::parse::<AttachDeposit>(format!("{{\"invoice_id\":\"{ID}\"}}").as_bytes()).is_err());
        assert_eq!(reason_flaw("as the buyer\nshows"), None);
        for reason in ["", "a\0", &"r".repeat(501)] {
            assert!(reason_flaw(reason).is_some(), "{reason:?}");
        }
    }

    #[test]
    fn each_outcome_has_its_code() {
        for (attached, code) in [
            (Attached::NoDeposit, "not_found"),
            (Attached::NoInvoice, "unacceptable"),
            (Attached::OtherNetwork, "unacceptable"),
            (Attached::NotDivisible, "unacceptable"),
            (Attached::AttachedAlready(Uuid::nil()), "deposit_attached_already"),
        ] {
            assert_eq!(answer(attached, "ab").unwrap_err().code(), code);
        }
    }
}
