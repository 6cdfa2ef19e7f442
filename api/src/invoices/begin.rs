//! What all requests for an invoice have in common, once they are checked: the workflow that makes it, and what a
//! repeat gets.

use std::time::{Duration, SystemTime};

use store::postgres::{catalogue::PaymentOption, invoices::Invoice};
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

use crate::{
    engine::EngineError,
    idempotency::check_repeat,
    problem::{Problem, kinds},
    state::Api,
};

/// What identifies a request.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) invoice_id: Uuid,
    pub(crate) update_id: String,
    pub(crate) fingerprint: String,
}

/// The terms of an invoice.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) option: PaymentOption,
    pub(crate) amount: BaseUnits,
    pub(crate) expires_in: Duration,
}

/// An invoice to begin.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) merchant_id: Uuid,
    pub(crate) form_id: Option<Uuid>,
    pub(crate) terms: Terms,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) checkout_url: String,
    pub(crate) external_id: Option<String>,
}

/// Begins an invoice, or goes on where the same request stopped: the invoice as it was when it began.
pub(crate) async fn begin(api: &Api, identity: Identity, order: Order) -> Result<Invoice, Problem> {
    let input = input(api, &identity, order);
    match start(api, &identity, input.clone(), WorkflowIdReusePolicy::RejectDuplicate).await {
        Ok(reply) if reply.result == OpenResult::Unavailable => gave_up(api, identity, input, reply).await,
        Ok(reply) => answer(reply, input.request),
        Err(EngineError::Closed) => forgotten(api, &identity, input).await,
        Err(error) => Err(error.into()),
    }
}

/// The invoice that an earlier request with the same key began, as it was then.
pub(crate) async fn begun(api: &Api, identity: &Identity) -> Result<Option<Invoice>, Problem> {
    let Some(invoice) = api.database.find_invoice(identity.invoice_id).await? else {
        return Ok(None);
    };
    check_repeat(&invoice.fingerprint, &identity.fingerprint)?;
    Ok(Some(Invoice {
        status: InvoiceStatus::WaitingForDeposit,
        exception: InvoiceException::None,
        seen: BaseUnits::zero(),
        confirmed: BaseUnits::zero(),
        late: BaseUnits::zero(),
        late_accepted_at: None,
        version: 1,
        updated_at: invoice.created_at,
        ..invoice
    }))
}

fn input(api: &Api, identity: &Identity, order: Order) -> InvoiceInput {
    let Terms { option, amount, expires_in } = order.terms;
    let policy = api.invoices.policy(expires_in, &option, &amount);
    let request = InvoiceRequest {
        invoice_id: identity.invoice_id,
        merchant_id: order.merchant_id,
        form_id: order.form_id,
        coin_id: option.coin_id,
        network_id: option.network_id,
        contract: option.contract,
        amount,
        decimals: option.decimals,
        title: order.title,
        description: order.description,
        checkout_url: order.checkout_url,
        external_id: order.external_id,
        fingerprint: identity.fingerprint.clone(),
    };
    InvoiceInput { request, policy, resumed: None }
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
async fn forgotten(api: &Api, identity: &Identity, input: InvoiceInput) -> Result<Invoice, Problem> {
    if let Some(invoice) = begun(api, identity).await? {
        return Ok(invoice);
    }
    let request = input.request.clone();
    answer(start(api, identity, input, WorkflowIdReusePolicy::AllowDuplicate).await?, request)
}

/// The run that this key started found no address and has ended without a trace. The same key goes on with another run,
/// under another update: Temporal would give the first answer for ever.
async fn gave_up(api: &Api, identity: Identity, input: InvoiceInput, reply: OpenReply) -> Result<Invoice, Problem> {
    check_repeat(&reply.fingerprint, &identity.fingerprint)?;
    let identity = Identity { update_id: Uuid::now_v7().to_string(), ..identity };
    let request = input.request.clone();
    answer(start(api, &identity, input, WorkflowIdReusePolicy::AllowDuplicate).await?, request)
}

fn answer(reply: OpenReply, request: InvoiceRequest) -> Result<Invoice, Problem> {
    check_repeat(&reply.fingerprint, &request.fingerprint)?;
    match reply.result {
        OpenResult::Created(created) => Ok(new_invoice(request, created)),
        OpenResult::ExternalIdTaken { invoice_id } => {
            let detail = format!("another invoice has this external id: {invoice_id}");
            Err(Problem::new(kinds::EXTERNAL_ID_TAKEN, detail).member("invoice_id", invoice_id.to_string()))
        }
        OpenResult::Unavailable => {
            Err(Problem::temporarily_unavailable("no deposit address could be had: try again later with the same key"))
        }
    }
}

fn new_invoice(request: InvoiceRequest, created: CreatedInvoice) -> Invoice {
    Invoice {
        invoice_id: request.invoice_id,
        merchant_id: request.merchant_id,
        form_id: request.form_id,
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
        late: BaseUnits::zero(),
        late_accepted_at: None,
        version: 1,
        fingerprint: request.fingerprint,
        created_at: created.created_at,
        updated_at: created.created_at,
        expires_at: created.expires_at,
    }
}
