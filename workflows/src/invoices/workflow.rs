#![expect(missing_docs, reason = "the workflow macros generate undocumented constants")]

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{
    ContinueAsNewOptions, SyncWorkflowContext, WorkflowContext, WorkflowContextView, WorkflowResult,
};

use super::{
    AcceptLateReply, AcceptLateRequest, CancelReply, CancelRequest, DepositsChanged, InvoiceInput, InvoiceOutcome,
    InvoiceStatus, OpenReply, Resumed, Standing, ledger,
};
use crate::{contracts::invoice_ledger::FoundInvoice, steps};

/// One invoice, from its creation to the end of its monitoring.
#[workflow]
pub struct InvoiceWorkflow {
    pub(super) input: InvoiceInput,
    asked: bool,
    opened: Option<OpenReply>,
    deposit_revision: i64,
    /// What callers wait for, in the order of arrival.
    requests: VecDeque<Event>,
    /// Their answers, by their causes.
    cancelled: BTreeMap<String, CancelReply>,
    accepted_late: BTreeMap<String, AcceptLateReply>,
}

/// What ends a wait.
enum Event {
    Deposits(i64),
    Cancellation(CancelRequest),
    AcceptLate(AcceptLateRequest),
    Deadline(DateTime<Utc>),
}

#[workflow_methods]
impl InvoiceWorkflow {
    /// Begins with what the API sent.
    #[init]
    pub fn new(_: &WorkflowContextView, input: InvoiceInput) -> Self {
        let opened = input.resumed.as_ref().map(|resumed| resumed.opened.clone());
        Self {
            asked: opened.is_some(),
            opened,
            input,
            deposit_revision: 0,
            requests: VecDeque::new(),
            cancelled: BTreeMap::new(),
            accepted_late: BTreeMap::new(),
        }
    }

    /// The invoice's life.
    #[run(name = "Invoice")]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<InvoiceOutcome> {
        let Some(mut standing) = open(ctx).await? else {
            if !ctx.state(|invoice| invoice.asked) {
                return Ok(InvoiceOutcome::NeverAsked);
            }
            ctx.wait_condition(|_| ctx.all_handlers_finished()).await?;
            return Ok(InvoiceOutcome::NotCreated);
        };
        while let Some(event) = next_event(ctx, &standing).await? {
            standing = match event {
                Event::Deposits(revision) => ledger::count_deposits(ctx, revision).await?,
                Event::Cancellation(request) => cancel(ctx, request).await?,
                Event::AcceptLate(request) => accept_late(ctx, request).await?,
                Event::Deadline(at) => {
                    ledger::last_look(ctx).await;
                    ledger::meet_deadline(ctx, at).await?
                }
            };
            if standing.credit_due {
                standing = ledger::credit_merchant(ctx).await?;
            }
            ledger::show(ctx, &standing);
            continue_if_long(ctx, &standing).await?;
        }
        Ok(InvoiceOutcome::Closed { status: standing.status, exception: standing.exception })
    }

    /// Asks for the invoice and waits until there is an answer.
    #[update(name = "open")]
    pub async fn open(ctx: &mut WorkflowContext<Self>) -> Result<OpenReply, Box<dyn std::error::Error + Send + Sync>> {
        ctx.state_mut(|invoice| invoice.asked = true);
        ctx.wait_condition(|invoice| invoice.opened.is_some()).await?;
        ctx.state(|invoice| invoice.opened.clone()).ok_or_else(|| "the invoice has no answer".into())
    }

    /// Says that the deposits changed; the money itself is in the rows.
    #[update(name = "deposits_changed")]
    pub fn deposits_changed(&mut self, _: &mut SyncWorkflowContext<Self>, changed: DepositsChanged) {
        self.deposit_revision = self.deposit_revision.max(changed.revision);
    }

    /// Cancels the invoice if its state allows it.
    #[update(name = "cancel")]
    pub async fn cancel(
        ctx: &mut WorkflowContext<Self>,
        request: CancelRequest,
    ) -> Result<CancelReply, Box<dyn std::error::Error + Send + Sync>> {
        let cause = request.cause.clone();
        ctx.state_mut(|invoice| invoice.requests.push_back(Event::Cancellation(request)));
        ctx.wait_condition(|invoice| invoice.cancelled.contains_key(&cause)).await?;
        let reply = ctx.state(|invoice| invoice.cancelled.get(&cause).cloned());
        reply.ok_or_else(|| "the cancellation has no answer".into())
    }

    /// Lets what came late until now count as in time, if the invoice is over.
    #[update(name = "accept_late")]
    pub async fn accept_late(
        ctx: &mut WorkflowContext<Self>,
        request: AcceptLateRequest,
    ) -> Result<AcceptLateReply, Box<dyn std::error::Error + Send + Sync>> {
        let cause = request.cause.clone();
        ctx.state_mut(|invoice| invoice.requests.push_back(Event::AcceptLate(request)));
        ctx.wait_condition(|invoice| invoice.accepted_late.contains_key(&cause)).await?;
        let reply = ctx.state(|invoice| invoice.accepted_late.get(&cause).cloned());
        reply.ok_or_else(|| "the acceptance has no answer".into())
    }
}

impl InvoiceWorkflow {
    fn has_event(&self, counted: i64) -> bool {
        !self.requests.is_empty() || self.deposit_revision > counted
    }

    fn take_event(&mut self, counted: i64) -> Option<Event> {
        let deposits = (self.deposit_revision > counted).then_some(Event::Deposits(self.deposit_revision));
        self.requests.pop_front().or(deposits)
    }
}

/// Update-with-start brings both at once, and a run whose update was lost ends by itself. That it is told of anything else
/// means that the invoice is there.
async fn is_asked_for(ctx: &WorkflowContext<InvoiceWorkflow>) -> WorkflowResult<bool> {
    let until = steps::now(ctx) + ctx.state(|invoice| invoice.input.policy.first_update);
    let is_told = |invoice: &InvoiceWorkflow| invoice.asked || invoice.has_event(0);
    steps::wait_until(ctx, until, "nobody asked for this invoice", is_told).await?;
    Ok(ctx.state(|invoice| invoice.asked))
}

/// Creates the invoice and answers the caller. With a task that created it the update may be lost: then the caller was, or
/// will be, answered from the row, and the run goes on with the invoice that it finds.
async fn open(ctx: &WorkflowContext<InvoiceWorkflow>) -> WorkflowResult<Option<Standing>> {
    if let Some(resumed) = ctx.state(|invoice| invoice.input.resumed.clone()) {
        return Ok(Some(resumed.standing));
    }
    let found = if is_asked_for(ctx).await? { None } else { ledger::find(ctx).await? };
    let (reply, standing) = match found {
        Some(FoundInvoice { reply, standing }) => (reply, Some(standing)),
        None if ctx.state(|invoice| invoice.asked) => ledger::create(ctx).await?,
        None => return Ok(None),
    };
    ctx.state_mut(|invoice| invoice.opened = Some(reply));
    Ok(standing)
}

/// What comes next. Once the monitoring is over, only what came during the last step: whoever is told that the run took
/// something relies on it. Nothing when that is done, too.
async fn next_event(ctx: &WorkflowContext<InvoiceWorkflow>, standing: &Standing) -> WorkflowResult<Option<Event>> {
    let counted = standing.deposit_revision;
    let Some(wake_at) = standing.wake_at else {
        ctx.wait_condition(|invoice| invoice.has_event(counted) || ctx.all_handlers_finished()).await?;
        return Ok(ctx.state_mut(|invoice| invoice.take_event(counted)));
    };
    let label = what_is_waited_for(standing.status);
    if !steps::wait_until(ctx, wake_at, label, |invoice: &InvoiceWorkflow| invoice.has_event(counted)).await? {
        return Ok(Some(Event::Deadline(wake_at)));
    }
    Ok(ctx.state_mut(|invoice| invoice.take_event(counted)))
}

/// What operators read on the timer.
const fn what_is_waited_for(status: InvoiceStatus) -> &'static str {
    match status {
        InvoiceStatus::WaitingForDeposit => "time to pay",
        InvoiceStatus::PaymentConfirmation => "time to confirm the payment",
        InvoiceStatus::PartiallyPaid => "time to complete the payment",
        InvoiceStatus::PaymentAccepted => "credit of the merchant",
        InvoiceStatus::Finished | InvoiceStatus::Expired | InvoiceStatus::Cancelled => "monitoring of the address",
    }
}

async fn cancel(ctx: &WorkflowContext<InvoiceWorkflow>, request: CancelRequest) -> WorkflowResult<Standing> {
    let reply = ledger::cancel(ctx, &request).await?;
    let standing = reply.standing.clone();
    ctx.state_mut(|invoice| invoice.cancelled.insert(request.cause, reply));
    Ok(standing)
}

async fn accept_late(ctx: &WorkflowContext<InvoiceWorkflow>, request: AcceptLateRequest) -> WorkflowResult<Standing> {
    let cause = request.cause.clone();
    let reply = ledger::accept_late(ctx, request).await?;
    let standing = reply.standing.clone();
    ctx.state_mut(|invoice| invoice.accepted_late.insert(cause, reply));
    Ok(standing)
}

/// Many small deposits make a long history: the same invoice goes on in a new run.
async fn continue_if_long(ctx: &WorkflowContext<InvoiceWorkflow>, standing: &Standing) -> WorkflowResult<()> {
    if !ctx.continue_as_new_suggested() {
        return Ok(());
    }
    let counted = standing.deposit_revision;
    ctx.wait_condition(|invoice| invoice.has_event(counted) || ctx.all_handlers_finished()).await?;
    if ctx.state(|invoice| invoice.has_event(counted)) {
        // Nobody would tell the new run what this one was told.
        return Ok(());
    }
    let mut input = ctx.state(|invoice| invoice.input.clone());
    input.resumed =
        ctx.state(|invoice| invoice.opened.clone()).map(|opened| Resumed { opened, standing: standing.clone() });
    match ctx.continue_as_new(input, ContinueAsNewOptions::builder().build())? {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invoices::{CancelReason, samples::input};

    fn cancellation() -> Event {
        Event::Cancellation(CancelRequest {
            cause: "cancel/1".to_owned(),
            actor: "merchant:his".to_owned(),
            reason: CancelReason::RequestedByMerchant,
            note: String::new(),
            fingerprint: "print-of-body".to_owned(),
        })
    }

    fn acceptance() -> Event {
        Event::AcceptLate(AcceptLateRequest {
            cause: "accept-late/1".to_owned(),
            actor: "merchant:his".to_owned(),
            note: String::new(),
            fingerprint: "print-of-body".to_owned(),
        })
    }

    #[test]
    fn requests_come_in_the_order_of_arrival_and_before_deposits() {
        let mut invoice = InvoiceWorkflow {
            input: input(),
            asked: true,
            opened: None,
            deposit_revision: 2,
            requests: VecDeque::from([acceptance(), cancellation()]),
            cancelled: BTreeMap::new(),
            accepted_late: BTreeMap::new(),
        };
        assert!(matches!(invoice.take_event(1), Some(Event::AcceptLate(_))));
        assert!(matches!(invoice.take_event(1), Some(Event::Cancellation(_))));
        assert!(matches!(invoice.take_event(1), Some(Event::Deposits(2))));
        assert!(!invoice.has_event(2) && invoice.take_event(2).is_none(), "what was counted is no news");
    }
}
