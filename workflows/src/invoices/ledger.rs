//! The invoice's steps: each names its activity, its cause and its bounds.

use chrono::{DateTime, SecondsFormat, Utc};
use temporalio_workflow::{WorkflowContext, WorkflowResult};

use super::{CancelReply, CancelRequest, InvoiceInput, InvoiceWorkflow, OpenReply, OpenResult, Standing};
use crate::{
    attributes::BUSINESS_STATUS,
    contracts::{
        addresses::{Addresses, CreateAddress, LastLook},
        invoice_ledger::{Advance, CreateInvoice, CreateResult, CreditMerchant, InvoiceLedger},
    },
    steps::{self, StepBounds},
};

type Context = WorkflowContext<InvoiceWorkflow>;

/// The service may give an address that is another merchant's; it is asked this often before the caller hears no.
const ADDRESS_TRIES: u32 = 5;

/// Creates the invoice: on an address of the pool, else on a new one.
pub(super) async fn create(ctx: &Context) -> WorkflowResult<(OpenReply, Option<Standing>)> {
    let mut result = insert(ctx, None).await?;
    for attempt in 0..ADDRESS_TRIES {
        if let CreateResult::Answered { reply, standing } = result {
            return Ok((reply, standing));
        }
        let Some(address) = new_address(ctx, attempt).await else {
            break;
        };
        result = insert(ctx, Some(address)).await?;
    }
    if let CreateResult::Answered { reply, standing } = result {
        return Ok((reply, standing));
    }
    let fingerprint = input(ctx).request.fingerprint;
    Ok((OpenReply { fingerprint, result: OpenResult::Unavailable }, None))
}

async fn insert(ctx: &Context, address: Option<String>) -> WorkflowResult<CreateResult> {
    let InvoiceInput { request, policy, .. } = input(ctx);
    let create = CreateInvoice { request, policy, address, now: steps::now(ctx) };
    Ok(steps::on_our_store(ctx, || InvoiceLedger::create, create, bounds(ctx), "create the invoice").await?)
}

async fn new_address(ctx: &Context, attempt: u32) -> Option<String> {
    let InvoiceInput { request, policy, .. } = input(ctx);
    let create = CreateAddress {
        merchant_id: request.merchant_id,
        network_id: request.network_id,
        key: format!("{}/address/{attempt}", request.invoice_id),
    };
    let call = steps::call(policy.creation, bounds(ctx), "ask for a new address");
    steps::persistently(ctx, Addresses::create, create, call, policy.attention).await.ok()
}

/// Asks the address service once more, before a deadline acts. What it knows goes the way of every deposit; an outage
/// only costs this look.
pub(super) async fn last_look(ctx: &Context) {
    let InvoiceInput { request, policy, .. } = input(ctx);
    let look = LastLook { invoice_id: request.invoice_id };
    let call = steps::call(policy.last_look, bounds(ctx), "last look at the chain");
    let _outage = ctx.execute_activity(Addresses::last_look, look, call).await;
}

/// Counts the deposits that the relay told of.
pub(super) async fn count_deposits(ctx: &Context, revision: i64) -> WorkflowResult<Standing> {
    advance(ctx, format!("deposits/{revision}"), None, "count the deposits").await
}

/// Acts on a deadline.
pub(super) async fn meet_deadline(ctx: &Context, deadline: DateTime<Utc>) -> WorkflowResult<Standing> {
    let cause = format!("deadline/{}", deadline.to_rfc3339_opts(SecondsFormat::Millis, true));
    advance(ctx, cause, None, "act on the deadline").await
}

/// Cancels, if the state allows it.
pub(super) async fn cancel(ctx: &Context, request: &CancelRequest) -> WorkflowResult<CancelReply> {
    let standing = advance(ctx, request.cause.clone(), Some(request.clone()), "cancel the invoice").await?;
    Ok(CancelReply { fingerprint: request.fingerprint.clone(), cancelled: standing.is_cancelled_by(request), standing })
}

async fn advance(ctx: &Context, cause: String, cancel: Option<CancelRequest>, label: &str) -> WorkflowResult<Standing> {
    let invoice_id = input(ctx).request.invoice_id;
    let advance = Advance { invoice_id, cause, cancel, now: steps::now(ctx) };
    Ok(steps::on_our_store(ctx, || InvoiceLedger::advance, advance, bounds(ctx), label).await?)
}

/// Records what the merchant gets.
pub(super) async fn credit_merchant(ctx: &Context) -> WorkflowResult<Standing> {
    let credit = CreditMerchant { invoice_id: input(ctx).request.invoice_id, now: steps::now(ctx) };
    let bounds = bounds(ctx);
    Ok(steps::on_our_store(ctx, || InvoiceLedger::credit_merchant, credit, bounds, "credit the merchant").await?)
}

/// Tells operators where the invoice stands.
pub(super) fn show(ctx: &Context, standing: &Standing) {
    let status = standing.status.to_string();
    if ctx.search_attributes().get(&BUSINESS_STATUS).as_ref() != Some(&status) {
        ctx.upsert_search_attributes([BUSINESS_STATUS.value_set(status)]);
    }
    ctx.set_current_details(details(&input(ctx), standing));
}

fn details(input: &InvoiceInput, standing: &Standing) -> String {
    let request = &input.request;
    let amount =
        |units: &crate::domain::BaseUnits| format!("{} {}", units.to_decimal(request.decimals), request.coin_id);
    let next = match (standing.status, standing.wake_at) {
        (_, None) => "closed, the address cools down".to_owned(),
        (status, Some(at)) if status.is_open() => format!("deadline {}", at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        (_, Some(at)) => format!("monitored until {}", at.to_rfc3339_opts(SecondsFormat::Secs, true)),
    };
    format!(
        "**{}** ({})\n\ndue {} on {}\n\nseen {}, confirmed {}\n\n{next}",
        standing.status,
        standing.exception,
        amount(&request.amount),
        request.network_id,
        amount(&standing.seen),
        amount(&standing.confirmed),
    )
}

fn input(ctx: &Context) -> InvoiceInput {
    ctx.state(|invoice| invoice.input.clone())
}

fn bounds(ctx: &Context) -> StepBounds {
    ctx.state(|invoice| StepBounds {
        answering: invoice.input.policy.answering,
        attempt: invoice.input.policy.attempt,
        retry_at_most: invoice.input.policy.retry_at_most,
        attention: invoice.input.policy.attention,
    })
}
