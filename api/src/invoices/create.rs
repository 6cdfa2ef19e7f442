//! `POST /invoices`: starts an invoice and answers with its address. Never 202: a buyer cannot pay to a promise.

use std::time::SystemTime;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::Response,
};
use store::postgres::invoices::Invoice;
use temporalio_client::{WorkflowIdConflictPolicy, WorkflowIdReusePolicy, WorkflowUpdateWithStartOptions};
use temporalio_common::search_attributes::SearchAttributes;
use uuid::Uuid;
use workflows::{
    attributes::{BUSINESS_KEY, BUSINESS_STATUS, EXPIRES_AT, MERCHANT_ID},
    domain::BaseUnits,
    invoices::{
        CreatedInvoice, InvoiceException, InvoiceInput, InvoiceRequest, InvoiceStatus, InvoiceWorkflow, OpenReply,
        OpenResult, TASK_QUEUE, workflow_id,
    },
};

use super::{
    body::InvoiceBody,
    check::{CreateInvoice, Terms},
    location, respond,
};
use crate::{
    auth::{Caller, WriteInvoices},
    engine::EngineError,
    idempotency::{IdempotencyKey, check_repeat},
    json::Json,
    problem::{Problem, kinds},
    state::Api,
};

/// Part of every invoice's id: it can never change.
const ROUTE: &str = "POST /invoices";

/// What identifies the request.
struct Identity {
    invoice_id: Uuid,
    update_id: String,
    merchant_id: Uuid,
    fingerprint: String,
}

/// Create an invoice
///
/// Starts an invoice and answers with the address to pay to.
#[utoipa::path(
    post, path = "/invoices", operation_id = "create_invoice", tag = "invoices",
    security(("api_key" = ["invoices:write"])), params(IdempotencyKey), request_body = CreateInvoice,
    responses((
        status = 201, description = "The invoice, as it was when it began", body = InvoiceBody,
        headers(
            ("ETag" = String, description = "The invoice's version"),
            ("Location" = String, description = "Where the invoice is read"),
        ),
        links(
            ("read it" = (operation_id = "get_invoice", parameters(("id" = "$response.body#/invoice_id")))),
            ("cancel it" = (operation_id = "cancel_invoice", parameters(("id" = "$response.body#/invoice_id")))),
        ),
    )),
    extensions(("x-problems" = json!([kinds::EXTERNAL_ID_TAKEN.code, kinds::UNACCEPTABLE.code]))),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<WriteInvoices>,
    key: IdempotencyKey,
    body: Json<CreateInvoice>,
) -> Result<Response, Problem> {
    let identity = Identity {
        invoice_id: key.process_id(&caller.principal, ROUTE),
        update_id: key.update_id(&caller.principal, ROUTE),
        merchant_id: caller.who,
        fingerprint: api.fingerprint_key.fingerprint(&body.raw)?,
    };
    let terms = match body.value.check(&api.catalogue.options().await?) {
        Ok(terms) => terms,
        // A repeat gets the answer of the first time, though the coin is no longer on offer.
        Err(problem) => return from_row(&api, &identity).await?.ok_or(problem),
    };
    let input = input(&api, &identity, body.value, terms);
    match start(&api, &identity, input.clone(), WorkflowIdReusePolicy::RejectDuplicate).await {
        Ok(reply) if reply.result == OpenResult::Unavailable => gave_up(&api, identity, input, reply).await,
        Ok(reply) => answer(reply, input.request),
        Err(EngineError::Closed) => forgotten(&api, &identity, input).await,
        Err(error) => Err(error.into()),
    }
}

fn input(api: &Api, identity: &Identity, body: CreateInvoice, terms: Terms) -> InvoiceInput {
    let Terms { option, amount, expires_in } = terms;
    let request = InvoiceRequest {
        invoice_id: identity.invoice_id,
        merchant_id: identity.merchant_id,
        coin_id: option.coin_id,
        network_id: option.network_id,
        contract: option.contract,
        amount,
        decimals: option.decimals,
        title: body.title,
        description: body.description,
        checkout_url: body.checkout_url,
        external_id: body.external_id,
        fingerprint: identity.fingerprint.clone(),
    };
    InvoiceInput { request, policy: api.invoices.policy(expires_in, option.confirmations), resumed: None }
}

async fn start(
    api: &Api,
    identity: &Identity,
    input: InvoiceInput,
    reuse: WorkflowIdReusePolicy,
) -> Result<OpenReply, EngineError> {
    let InvoiceRequest { invoice_id, merchant_id, coin_id, network_id, amount, decimals, .. } = &input.request;
    let summary = format!("{} {coin_id} on {network_id}", amount.to_decimal(*decimals));
    let attributes = SearchAttributes::new([
        BUSINESS_STATUS.value_set(InvoiceStatus::WaitingForDeposit.to_string()),
        BUSINESS_KEY.value_set(invoice_id.to_string()),
        MERCHANT_ID.value_set(merchant_id.to_string()),
        EXPIRES_AT.value_set((SystemTime::now() + input.policy.expires_in).into()),
    ]);
    let workflow_id = workflow_id(*invoice_id);
    let options = WorkflowUpdateWithStartOptions::new(TASK_QUEUE, workflow_id, WorkflowIdConflictPolicy::UseExisting)
        .id_reuse_policy(reuse)
        .update_id(identity.update_id.clone())
        .static_summary(summary)
        .search_attributes(attributes)
        .build();
    api.engine.start(InvoiceWorkflow::run, input, (InvoiceWorkflow::open, ()), options).await
}

/// The run has ended and Temporal no longer knows this request. If it left no invoice it did nothing at all, and the
/// request may run again: the invoice's primary key still admits it only once.
async fn forgotten(api: &Api, identity: &Identity, input: InvoiceInput) -> Result<Response, Problem> {
    if let Some(response) = from_row(api, identity).await? {
        return Ok(response);
    }
    let request = input.request.clone();
    answer(start(api, identity, input, WorkflowIdReusePolicy::AllowDuplicate).await?, request)
}

/// The run that this key started found no address and has ended without a trace. The same key goes on with another run,
/// under another update: Temporal would give the first answer for ever.
async fn gave_up(api: &Api, identity: Identity, input: InvoiceInput, reply: OpenReply) -> Result<Response, Problem> {
    check_repeat(&reply.fingerprint, &identity.fingerprint)?;
    let identity = Identity { update_id: Uuid::now_v7().to_string(), ..identity };
    let request = input.request.clone();
    answer(start(api, &identity, input, WorkflowIdReusePolicy::AllowDuplicate).await?, request)
}

fn answer(reply: OpenReply, request: InvoiceRequest) -> Result<Response, Problem> {
    check_repeat(&reply.fingerprint, &request.fingerprint)?;
    match reply.result {
        OpenResult::Created(created) => as_created(&new_invoice(request, created)),
        OpenResult::ExternalIdTaken { invoice_id } => {
            let detail = format!("another invoice has this external id: {invoice_id}");
            Err(Problem::new(kinds::EXTERNAL_ID_TAKEN, detail).member("invoice_id", invoice_id.to_string()))
        }
        OpenResult::Unavailable => {
            Err(Problem::temporarily_unavailable("no deposit address could be had: try again later with the same key"))
        }
    }
}

/// The answer to a repeat, from what the first request left.
async fn from_row(api: &Api, identity: &Identity) -> Result<Option<Response>, Problem> {
    let Some(invoice) = api.database.find_invoice(identity.invoice_id).await? else {
        return Ok(None);
    };
    check_repeat(&invoice.fingerprint, &identity.fingerprint)?;
    as_created(&Invoice {
        status: InvoiceStatus::WaitingForDeposit,
        exception: InvoiceException::None,
        seen: BaseUnits::zero(),
        confirmed: BaseUnits::zero(),
        version: 1,
        updated_at: invoice.created_at,
        ..invoice
    })
    .map(Some)
}

fn new_invoice(request: InvoiceRequest, created: CreatedInvoice) -> Invoice {
    Invoice {
        invoice_id: request.invoice_id,
        merchant_id: request.merchant_id,
        coin_id: request.coin_id,
        network_id: request.network_id,
        deposit_address: created.deposit_address,
        amount: request.amount,
        decimals: request.decimals,
        contract: request.contract,
        title: request.title,
        description: request.description,
        checkout_url: request.checkout_url,
        external_id: request.external_id,
        status: InvoiceStatus::WaitingForDeposit,
        exception: InvoiceException::None,
        seen: BaseUnits::zero(),
        confirmed: BaseUnits::zero(),
        version: 1,
        fingerprint: request.fingerprint,
        created_at: created.created_at,
        updated_at: created.created_at,
        expires_at: created.expires_at,
    }
}

/// 201 with the invoice as it was when it began.
fn as_created(invoice: &Invoice) -> Result<Response, Problem> {
    let mut response = respond(StatusCode::CREATED, invoice);
    response.headers_mut().insert(header::LOCATION, location(invoice.invoice_id)?);
    Ok(response)
}
