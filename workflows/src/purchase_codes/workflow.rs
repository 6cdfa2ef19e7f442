#![expect(missing_docs, reason = "the workflow macros generate undocumented constants")]

use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{WorkflowContext, WorkflowContextView, WorkflowResult};

use super::{
    IssueReply, IssueRequest, IssueResult, Purchase, PurchaseInput, PurchaseOutcome, Refusal, UseRefusal, UseReply,
    UseRequest, UseResult,
    records::{self, Context},
    standing::{Standing, stand},
    turns::Turns,
};
use crate::{
    contracts::{
        core_banking::Disbursement,
        purchase_records::{BeginResult, ExpireResult},
    },
    domain::Confidential,
    steps,
};

/// One purchase, from its one-time password to the scan of its code, or to the reversal of its disbursement.
#[workflow]
pub struct PurchaseCodeWorkflow {
    pub(super) input: PurchaseInput,
    pub(super) issued: Option<IssueReply>,
    pub(super) standing: Standing,
    pub(super) alert: Option<String>,
    /// There from the first request until it is spent, or not needed any more.
    pub(super) otp: Option<Confidential>,
    asked: bool,
    turns: Turns,
    used: bool,
}

#[workflow_methods]
impl PurchaseCodeWorkflow {
    /// Begins with what the API sent, and with the turn of the decision: scans come after it.
    #[init]
    pub fn new(_: &WorkflowContextView, input: PurchaseInput) -> Self {
        Self {
            input,
            issued: None,
            standing: Standing::Deciding,
            alert: None,
            otp: None,
            asked: false,
            turns: Turns::with_mine(),
            used: false,
        }
    }

    /// The purchase's life.
    #[run(name = "PurchaseCode")]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<PurchaseOutcome> {
        if !is_asked_for(ctx).await? {
            return Ok(end(ctx, PurchaseOutcome::NeverAsked).await);
        }
        let Some(purchase) = issue(ctx).await? else {
            return Ok(end(ctx, PurchaseOutcome::Refused).await);
        };
        let is_used = is_used_in_time(ctx, &purchase).await;
        records::delete_image(ctx).await;
        if !is_used {
            records::reverse(ctx, purchase.transaction_id).await;
            records::note_reversal(ctx).await;
            stand(ctx, Standing::Reversed);
        }
        records::delete_late_image(ctx).await;
        Ok(end(ctx, if is_used { PurchaseOutcome::Used } else { PurchaseOutcome::Expired }).await)
    }

    /// Asks for the code and waits until there is an answer. The first one-time password counts.
    #[update(name = "issue")]
    pub async fn issue(
        ctx: &mut WorkflowContext<Self>,
        request: IssueRequest,
    ) -> Result<IssueReply, Box<dyn std::error::Error + Send + Sync>> {
        ctx.state_mut(|purchase| purchase.ask(request.otp));
        steps::wait_for(ctx, |purchase| purchase.issued.is_some()).await;
        ctx.state(|purchase| purchase.issued.clone()).ok_or_else(|| "the purchase has no answer".into())
    }

    /// Scans the code, in turn, and as long as the run lives: late scans are told so.
    #[update(name = "use")]
    pub async fn use_code(ctx: &mut WorkflowContext<Self>, request: UseRequest) -> UseReply {
        await_turn(ctx).await;
        let reply = if ctx.state(Self::has_code) { records::scan(ctx, request).await } else { no_code(request) };
        let is_used = matches!(reply.result, UseResult::Used(_));
        ctx.state_mut(|purchase| {
            purchase.used |= is_used;
            purchase.turns.pass();
        });
        reply
    }
}

impl PurchaseCodeWorkflow {
    fn ask(&mut self, otp: Confidential) {
        if !self.asked {
            self.asked = true;
            self.otp = Some(otp);
        }
    }

    fn has_code(&self) -> bool {
        self.issued.as_ref().is_some_and(is_issued)
    }
}

/// Update-with-start brings both at once, and a run whose update was lost ends by itself, unless the task that it was lost
/// with, or an earlier run, has begun the purchase: a code may be out. Whoever scans it is not kept waiting.
async fn is_asked_for(ctx: &Context) -> WorkflowResult<bool> {
    let until = steps::now(ctx) + ctx.state(|purchase| purchase.input.policy.first_update);
    let is_told = |purchase: &PurchaseCodeWorkflow| purchase.asked || purchase.turns.is_waited_for();
    steps::wait_out(ctx, until, "nobody asked for this code", is_told).await;
    let is_begun = !ctx.state(|purchase| purchase.asked) && records::has_begun(ctx).await?;
    let is_asked_for = is_begun || ctx.state(|purchase| purchase.asked);
    if !is_asked_for {
        ctx.state_mut(|purchase| purchase.turns.pass());
    }
    Ok(is_asked_for)
}

/// Decides the purchase and answers the caller. The purchase, if there is a code to care for.
async fn issue(ctx: &Context) -> WorkflowResult<Option<Purchase>> {
    stand(ctx, Standing::Deciding);
    let decided = match records::begin(ctx).await? {
        BeginResult::Begun => disburse(ctx).await,
        BeginResult::Resumed => resume(ctx).await,
        BeginResult::LoanTaken => Err(Refusal::PurchaseActive),
        BeginResult::Known(reply) => return Ok(answer(ctx, reply)),
    };
    let reply = match decided {
        Ok(disbursement) => records::store(ctx, disbursement).await,
        Err(refusal) => records::refuse(ctx, refusal).await?,
    };
    Ok(answer(ctx, reply))
}

/// Money moves only when the loan fits, the first payment has a date and the one-time password was right.
async fn disburse(ctx: &Context) -> Result<Disbursement, Refusal> {
    let loan = records::read_loan(ctx).await?;
    let terms = records::terms(ctx, &loan)?;
    records::spend_otp(ctx).await?;
    records::disburse(ctx, terms).await
}

/// The same after a run that ended in the middle, by an operator's hand, or after a task that was lost: what it did is not
/// done again.
async fn resume(ctx: &Context) -> Result<Disbursement, Refusal> {
    let loan = records::read_tried_loan(ctx).await?;
    let terms = records::terms(ctx, &loan)?;
    if !loan.is_disbursed_for_purchase {
        records::spend_otp(ctx).await?;
    }
    records::disburse_if_not_done(ctx, terms).await
}

/// Answers whoever asked. Scans come from now on.
fn answer(ctx: &Context, reply: IssueReply) -> Option<Purchase> {
    let standing = if is_issued(&reply) { Standing::Issued } else { Standing::Refused };
    let purchase = match &reply.result {
        IssueResult::Issued(purchase) => Some(Purchase::clone(purchase)),
        IssueResult::Refused(_) => None,
    };
    ctx.state_mut(|run| {
        run.issued = Some(reply);
        run.otp = None;
        run.turns.pass();
    });
    stand(ctx, standing);
    purchase
}

/// Waits for the scan that uses the code, else ends the code. The end takes its turn among the scans: of both at one
/// instant, one wins. An operator's cancellation of the run changes nothing: the code was given to somebody.
async fn is_used_in_time(ctx: &Context, purchase: &Purchase) -> bool {
    let label = "time to scan the code";
    if !steps::wait_out(ctx, purchase.expires_at, label, |purchase: &PurchaseCodeWorkflow| purchase.used).await {
        await_turn(ctx).await;
        // The record knows of a scan that this run may have forgotten.
        let is_used = ctx.state(|purchase| purchase.used) || records::expire(ctx).await == ExpireResult::Used;
        ctx.state_mut(|purchase| {
            purchase.used = is_used;
            purchase.turns.pass();
        });
    }
    let is_used = ctx.state(|purchase| purchase.used);
    stand(ctx, if is_used { Standing::Used } else { Standing::Expired });
    is_used
}

fn is_issued(reply: &IssueReply) -> bool {
    matches!(reply.result, IssueResult::Issued(_))
}

async fn await_turn(ctx: &Context) {
    let turn = ctx.state_mut(|purchase| purchase.turns.draw());
    steps::wait_for(ctx, |purchase| purchase.turns.is(turn)).await;
}

/// Nothing was issued, so nothing can be what was scanned.
fn no_code(request: UseRequest) -> UseReply {
    UseReply { fingerprint: request.fingerprint, result: UseResult::Refused(UseRefusal::WrongCode) }
}

/// Whoever was let in has his answer before the run ends.
async fn end(ctx: &Context, outcome: PurchaseOutcome) -> PurchaseOutcome {
    steps::wait_for(ctx, |_| ctx.all_handlers_finished()).await;
    outcome
}
