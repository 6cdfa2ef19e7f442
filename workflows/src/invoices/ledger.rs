//! The invoice's steps: each names its activity, its cause and its bounds.

use chrono::{DateTime, SecondsFormat, Utc};
use temporalio_workflow::{WorkflowContext, WorkflowResult};
use uuid::Uuid;

use super::{
    AcceptLateReply, AcceptLateRequest, CancelReply, CancelRequest, InvoiceInput, InvoiceWorkflow, OpenReply,
    OpenResult, Standing,
};
use crate::{
    attributes::{BUSINESS_STATUS, NEEDS_ATTENTION},
    contracts::{
        addresses::{Addresses, CreateAddress, LastLook},
        invoice_ledger::{
            AcceptLate, Advance, CreateInvoice, CreateResult, CreditMerchant, FindInvoice, FoundInvoice, InvoiceLedger,
        },
    },
    domain::BaseUnits,
    steps::{self, StepBounds},
};

type Context = WorkflowContext<InvoiceWorkflow>;

/// The service may give an address that is another merchant's; it is asked this often before the caller hears no.
const ADDRESS_TRIES: u32 = 5;
/// A run that met a reorganisation when operators were not told of them does not tell them when it is replayed.
const ATTENTION_TO_REORGS: &str = "attention-to-reorgs";

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

/// The invoice, if this run or one before it created it and lost that.
pub(super) async fn find(ctx: &Context) -> WorkflowResult<Option<FoundInvoice>> {
    let find = FindInvoice { invoice_id: input(ctx).request.invoice_id, now: steps::now(ctx) };
    Ok(steps::on_our_store(ctx, || InvoiceLedger::find, find, bounds(ctx), "find the invoice").await?)
}

async fn insert(ctx: &Context, address: Option<String>) -> WorkflowResult<CreateResult> {
    let InvoiceInput { request, policy, .. } = input(ctx);
    let create = CreateInvoice { request, policy, address, now: steps::now(ctx) };
    Ok(steps::on_our_store(ctx, || InvoiceLedger::create, create, bounds(ctx), "create the invoice").await?)
}

/// The first key is the invoice's, so that no run leaves an address behind that the next one would not find. When that
/// address is another merchant's it stays so: every further key is of its run alone.
fn address_key(invoice_id: Uuid, run_id: &str, attempt: u32) -> String {
    match attempt {
        0 => format!("{invoice_id}/address"),
        _ => format!("{invoice_id}/address/{run_id}/{attempt}"),
    }
}

async fn new_address(ctx: &Context, attempt: u32) -> Option<String> {
    let InvoiceInput { request, policy, .. } = input(ctx);
    let create = CreateAddress {
        merchant_id: request.merchant_id,
        network_id: request.network_id,
        key: address_key(request.invoice_id, ctx.run_id(), attempt),
    };
    let call = steps::call(policy.creation, bounds(ctx), "ask for a new address");
    steps::persistently(ctx, Addresses::create, create, call, policy.bounds.attention).await.ok()
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

/// Lets what came late count as in time, if the invoice is over.
pub(super) async fn accept_late(ctx: &Context, request: AcceptLateRequest) -> WorkflowResult<AcceptLateReply> {
    let accept = AcceptLate { invoice_id: input(ctx).request.invoice_id, request, now: steps::now(ctx) };
    Ok(steps::on_our_store(ctx, || InvoiceLedger::accept_late, accept, bounds(ctx), "accept what came late").await?)
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
    let (status, needs_attention) = (standing.status.to_string(), standing.is_reorged_after_finish());
    let shown = ctx.search_attributes();
    let mut updates = Vec::new();
    if shown.get(&BUSINESS_STATUS).as_ref() != Some(&status) {
        updates.push(BUSINESS_STATUS.value_set(status));
    }
    if shown.get(&NEEDS_ATTENTION).unwrap_or_default() != needs_attention && ctx.patched(ATTENTION_TO_REORGS) {
        updates.push(NEEDS_ATTENTION.value_set(needs_attention));
    }
    if !updates.is_empty() {
        ctx.upsert_search_attributes(updates);
    }
    ctx.set_current_details(details(&input(ctx), standing));
}

fn details(input: &InvoiceInput, standing: &Standing) -> String {
    let request = &input.request;
    let amount = |units: &BaseUnits| format!("{} {}", units.to_decimal(request.decimals), request.coin_id);
    let late = if standing.late.is_zero() { String::new() } else { format!(", late {}", amount(&standing.late)) };
    let next = match (standing.status, standing.wake_at) {
        (_, None) => "closed, the address cools down".to_owned(),
        (status, Some(at)) if status.is_open() => format!("deadline {}", at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        (_, Some(at)) => format!("monitored until {}", at.to_rfc3339_opts(SecondsFormat::Secs, true)),
    };
    format!(
        "**{}** ({})\n\ndue {} on {}\n\nseen {}, confirmed {}{late}\n\n{next}",
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
    ctx.state(|invoice| invoice.input.policy.bounds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invoices::{InvoiceException, InvoiceStatus, samples};

    #[test]
    fn four_lines_tell_where_an_invoice_stands() {
        let waiting = samples::standing(InvoiceStatus::WaitingForDeposit);
        let expected = "**waiting_for_deposit** (none)\n\ndue 1 usdt on tron\n\nseen 0 usdt, confirmed 0 usdt\n\n\
                        deadline 1970-01-01T01:00:00Z";
        assert_eq!(details(&samples::input(), &waiting), expected);
        let expired = samples::standing(InvoiceStatus::Expired);
        let late = Standing { exception: InvoiceException::PaidLate, late: 150.into(), wake_at: None, ..expired };
        let expected = "**expired** (paid_late)\n\ndue 1 usdt on tron\n\n\
                        seen 0 usdt, confirmed 0 usdt, late 1.5 usdt\n\nclosed, the address cools down";
        assert_eq!(details(&samples::input(), &late), expected);
    }

    #[test]
    fn only_credited_money_that_was_taken_back_needs_a_person() {
        for status in InvoiceStatus::ALL {
            for exception in InvoiceException::ALL {
                let standing = Standing { exception, ..samples::standing(status) };
                let expected = (status, exception) == (InvoiceStatus::Finished, InvoiceException::Reorged);
                assert_eq!(standing.is_reorged_after_finish(), expected, "{status} ({exception})");
            }
        }
    }
}
