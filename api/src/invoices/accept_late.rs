//! `POST /invoices/{id}/accept-late`: the merchant lets money count that came after its time.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use store::postgres::invoices::Invoice;
use utoipa::ToSchema;
use workflows::invoices::{AcceptLateReply, AcceptLateRequest, InvoiceWorkflow, LateRefusal, workflow_id};

use super::{
    body::InvoiceBody,
    change::{Pending, at_event, at_standing, check_note, pending},
    find, respond,
};
use crate::{
    auth::{Caller, WriteInvoices},
    engine::EngineError,
    idempotency::{IdempotencyKey, check_repeat},
    json::Json,
    params::PathId,
    problem::{Problem, kinds},
    state::Api,
};

/// Part of every acceptance's id: it can never change.
const ROUTE: &str = "POST /invoices/{id}/accept-late";

/// Why late money is accepted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"note": "the exchange was slow"})))]
pub(crate) struct AcceptLateMoney {
    /// For people; may have lines.
    #[serde(default)]
    #[schema(max_length = 500, pattern = r"^[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*$")]
    note: String,
}

/// Accept late money
///
/// All that came until now counts as in time. An expired invoice goes on with it, and its deadlines count anew; once
/// nobody waits for it any more, only confirmed money that covers the invoice is accepted. A finished invoice stays
/// finished, and its merchant is credited for what was confirmed since.
#[utoipa::path(
    post, path = "/invoices/{id}/accept-late", operation_id = "accept_late_money", tag = "invoices",
    security(("api_key" = ["invoices:write"])),
    params(PathId, IdempotencyKey), request_body = AcceptLateMoney,
    responses(
        (status = 200, description = "The invoice, as it was right after", body = InvoiceBody,
         headers(("ETag" = String, description = "The invoice's version"))),
        Pending,
    ),
    extensions(("x-problems" = json!([kinds::LATE_MONEY_NOT_ACCEPTABLE.code, kinds::UNACCEPTABLE.code]))),
)]
pub(crate) async fn accept_late(
    State(api): State<Api>,
    caller: Caller<WriteInvoices>,
    PathId(invoice_id): PathId,
    key: IdempotencyKey,
    body: Json<AcceptLateMoney>,
) -> Result<Response, Problem> {
    check_note(&body.value.note)?;
    let invoice = find(&api, invoice_id, Some(caller.who)).await?;
    let request = AcceptLateRequest {
        cause: format!("accept-late/{}", key.update_id(&caller.principal, ROUTE)),
        actor: caller.principal,
        note: body.value.note,
        fingerprint: api.fingerprint_key.fingerprint(&body.raw)?,
    };
    let update = InvoiceWorkflow::accept_late;
    let update_id = request.cause.clone();
    match api.engine.update(workflow_id(invoice_id), update, request.clone(), update_id).await {
        Ok(reply) => answer(invoice, reply, &request),
        Err(EngineError::Pending) => pending(&invoice),
        Err(EngineError::Closed) => after_close(&api, invoice, &request).await,
        Err(error) => Err(error.into()),
    }
}

fn answer(invoice: Invoice, reply: AcceptLateReply, request: &AcceptLateRequest) -> Result<Response, Problem> {
    check_repeat(&reply.fingerprint, &request.fingerprint)?;
    match reply.refusal {
        Some(refusal) => Err(not_acceptable(refusal)),
        None => Ok(respond(StatusCode::OK, &at_standing(invoice, reply.standing))),
    }
}

/// The run has ended. If the log of the invoice does not know this request, it is done here.
async fn after_close(api: &Api, invoice: Invoice, request: &AcceptLateRequest) -> Result<Response, Problem> {
    if let Some(response) = from_log(api, &invoice, request).await? {
        return Ok(response);
    }
    let reply = api.database.accept_late_after_close(invoice.invoice_id, request).await?;
    check_repeat(&reply.fingerprint, &request.fingerprint)?;
    if let Some(refusal) = reply.refusal {
        return Err(not_acceptable(refusal));
    }
    // As every repeat will be answered: more than one event may have followed.
    let response = from_log(api, &invoice, request).await?;
    response.ok_or_else(|| Problem::unforeseen(format!("invoice {} has no event of it", invoice.invoice_id)))
}

/// The answer to a request that the invoice's log knows.
async fn from_log(api: &Api, invoice: &Invoice, request: &AcceptLateRequest) -> Result<Option<Response>, Problem> {
    let Some(event) = api.database.find_invoice_event(invoice.invoice_id, &request.cause).await? else {
        return Ok(None);
    };
    check_repeat(event.fingerprint.as_deref().unwrap_or_default(), &request.fingerprint)?;
    Ok(Some(respond(StatusCode::OK, &at_event(invoice.clone(), event))))
}

fn not_acceptable(refusal: LateRefusal) -> Problem {
    let (reason, detail) = match refusal {
        LateRefusal::NotOver => ("not_over", "the invoice still awaits its money"),
        LateRefusal::Cancelled => ("cancelled", "the invoice was cancelled"),
        LateRefusal::NothingLate => ("nothing_late", "no money came late, or all of it is accepted"),
        LateRefusal::NotConfirmed => ("not_confirmed", "what came late is not confirmed: try again when it is"),
        LateRefusal::TooLittle => ("too_little", "what came is less than is due, and nobody waits for the rest"),
    };
    Problem::new(kinds::LATE_MONEY_NOT_ACCEPTABLE, detail).member("reason", reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn a_note_can_be_left_out() {
        assert_eq!(json::parse::<AcceptLateMoney>(b"{}").unwrap().note, "");
        assert!(json::parse::<AcceptLateMoney>(br#"{"note":null}"#).is_err());
        assert!(json::parse::<AcceptLateMoney>(br#"{"reason":"x"}"#).is_err());
    }

    #[test]
    fn a_refusal_says_why() {
        for refusal in [
            LateRefusal::NotOver,
            LateRefusal::Cancelled,
            LateRefusal::NothingLate,
            LateRefusal::NotConfirmed,
            LateRefusal::TooLittle,
        ] {
            let word = serde_json::to_value(refusal).unwrap();
            let shown = format!("{:?}", not_acceptable(refusal));
            assert!(shown.contains(&format!("\"reason\": {word:?}")), "{shown}");
        }
    }
}
