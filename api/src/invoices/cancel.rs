//! `POST /invoices/{id}/cancel`: by the merchant while nothing was seen, by an operator until the payment is accepted.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use store::postgres::invoices::Invoice;
use utoipa::ToSchema;
use workflows::invoices::{CancelReason, CancelReply, CancelRequest, InvoiceStatus, InvoiceWorkflow, workflow_id};

use super::{
    body::InvoiceBody,
    change::{Pending, at_event, at_standing, check_note, pending},
    find, respond,
};
use crate::{
    auth::{Caller, CancelInvoices, Canceller},
    engine::EngineError,
    idempotency::{IdempotencyKey, check_repeat},
    json::{self, Json},
    openapi::schemas,
    params::PathId,
    problem::{Problem, kinds},
    state::Api,
};

/// Part of every cancellation's id: it can never change.
const ROUTE: &str = "POST /invoices/{id}/cancel";

/// Why the invoice is cancelled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"reason": "requested_by_merchant", "note": "out of stock"})))]
pub(crate) struct CancelInvoice {
    #[schema(schema_with = schemas::cancel_reason)]
    #[serde(deserialize_with = "json::word")]
    reason: CancelReason,
    /// For people; may have lines.
    #[serde(default)]
    #[schema(max_length = 500, pattern = r"^[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*$")]
    note: String,
}

/// Cancel an invoice
///
/// A merchant cancels his invoice while no money was seen for it, an operator any until its payment is accepted. Money
/// that comes later does not revive it.
#[utoipa::path(
    post, path = "/invoices/{id}/cancel", operation_id = "cancel_invoice", tag = "invoices",
    security(("api_key" = ["invoices:write"]), ("api_key" = ["operator"])),
    params(PathId, IdempotencyKey), request_body = CancelInvoice,
    responses(
        (status = 200, description = "The cancelled invoice", body = InvoiceBody,
         headers(("ETag" = String, description = "The invoice's version"))),
        Pending,
    ),
    extensions(("x-problems" = json!([kinds::INVOICE_NOT_CANCELLABLE.code, kinds::UNACCEPTABLE.code]))),
)]
pub(crate) async fn cancel(
    State(api): State<Api>,
    caller: Caller<CancelInvoices>,
    PathId(invoice_id): PathId,
    key: IdempotencyKey,
    body: Json<CancelInvoice>,
) -> Result<Response, Problem> {
    check(&body.value, caller.who)?;
    let owner = match caller.who {
        Canceller::Merchant(merchant) => Some(merchant),
        Canceller::Operator => None,
    };
    let invoice = find(&api, invoice_id, owner).await?;
    let request = CancelRequest {
        cause: format!("cancel/{}", key.update_id(&caller.principal, ROUTE)),
        actor: caller.principal,
        reason: body.value.reason,
        note: body.value.note,
        fingerprint: api.fingerprint_key.fingerprint(&body.raw)?,
    };
    let update = InvoiceWorkflow::cancel;
    let update_id = request.cause.clone();
    match api.engine.update(workflow_id(invoice_id), update, request.clone(), update_id).await {
        Ok(reply) => answer(invoice, reply, &request),
        Err(EngineError::Pending) => pending(&invoice),
        Err(EngineError::Closed) => after_close(&api, invoice, &request).await,
        Err(error) => Err(error.into()),
    }
}

fn check(body: &CancelInvoice, canceller: Canceller) -> Result<(), Problem> {
    check_note(&body.note)?;
    match (canceller, body.reason) {
        (Canceller::Merchant(_), CancelReason::Kyc) => {
            Err(Problem::with_error(kinds::PRINCIPAL_NOT_ALLOWED, "reason", "kyc is for operators"))
        }
        (Canceller::Operator, CancelReason::RequestedByMerchant | CancelReason::Other) => {
            Err(Problem::with_error(kinds::UNACCEPTABLE, "reason", "an operator cancels for kyc only"))
        }
        _ => Ok(()),
    }
}

fn answer(invoice: Invoice, reply: CancelReply, request: &CancelRequest) -> Result<Response, Problem> {
    check_repeat(&reply.fingerprint, &request.fingerprint)?;
    if !reply.cancelled {
        return Err(not_cancellable(reply.standing.status));
    }
    Ok(respond(StatusCode::OK, &at_standing(invoice, reply.standing)))
}

/// The run has ended: the log of the invoice knows whether this request cancelled it.
async fn after_close(api: &Api, invoice: Invoice, request: &CancelRequest) -> Result<Response, Problem> {
    let event = api.database.find_invoice_event(invoice.invoice_id, &request.cause).await?;
    if let Some(event) = event.filter(|event| event.to == InvoiceStatus::Cancelled) {
        check_repeat(event.fingerprint.as_deref().unwrap_or_default(), &request.fingerprint)?;
        return Ok(respond(StatusCode::OK, &at_event(invoice, event)));
    }
    if invoice.status == InvoiceStatus::WaitingForDeposit {
        return Err(Problem::unforeseen(format!("invoice {} waits without a run", invoice.invoice_id)));
    }
    Err(not_cancellable(invoice.status))
}

fn not_cancellable(status: InvoiceStatus) -> Problem {
    let detail = format!("the invoice is {status}: money was seen, or it has ended");
    Problem::new(kinds::INVOICE_NOT_CANCELLABLE, detail).member("invoice_status", status.as_str())
}
