#![expect(missing_docs, reason = "the workflow macros generate undocumented constants")]

use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{WorkflowContext, WorkflowContextView, WorkflowResult};

use super::{
    GiftOutcome, VoidInput, VoidReply, VoidResult,
    standing::{self, Standing},
};
use crate::{contracts::gift_ledger::GiftLedger, steps};

type Context = WorkflowContext<GiftVoidWorkflow>;

/// The undoing of one redemption.
#[workflow]
pub struct GiftVoidWorkflow {
    input: VoidInput,
    asked: bool,
    reply: Option<VoidReply>,
}

#[workflow_methods]
impl GiftVoidWorkflow {
    /// Begins with what the API sent.
    #[init]
    pub fn new(_: &WorkflowContextView, input: VoidInput) -> Self {
        Self { input, asked: false, reply: None }
    }

    /// The undoing. It is over when whoever asked has the answer.
    #[run(name = "GiftVoid")]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<GiftOutcome> {
        if !is_asked_for(ctx).await? {
            return Ok(GiftOutcome::NeverAsked);
        }
        let outcome = undo(ctx).await?;
        steps::wait_for(ctx, |_| ctx.all_handlers_finished()).await;
        Ok(outcome)
    }

    /// Asks for the undoing and waits until there is an answer.
    #[update(name = "void")]
    pub async fn void(ctx: &mut WorkflowContext<Self>) -> Result<VoidReply, Box<dyn std::error::Error + Send + Sync>> {
        ctx.state_mut(|undoing| undoing.asked = true);
        steps::wait_for(ctx, |undoing| undoing.reply.is_some()).await;
        ctx.state(|undoing| undoing.reply.clone()).ok_or_else(|| "the undoing has no answer".into())
    }
}

/// Update-with-start brings both at once; a run whose update was lost ends by itself.
async fn is_asked_for(ctx: &Context) -> WorkflowResult<bool> {
    let until = steps::now(ctx) + ctx.state(|undoing| undoing.input.policy.first_update);
    Ok(steps::wait_until(ctx, until, "nobody asked for this undoing", |undoing| undoing.asked).await?)
}

/// The ledger undoes the redemption or says why not, and the caller is answered.
async fn undo(ctx: &Context) -> WorkflowResult<GiftOutcome> {
    let VoidInput { request, policy } = ctx.state(|undoing| undoing.input.clone());
    let gift = format!("{} at {}", request.gift_id, request.supplier_code);
    standing::show(ctx, &gift, Standing::Deciding);
    let reply = steps::on_our_store(ctx, || GiftLedger::void, request, policy.bounds, "undo the redemption").await?;
    let (outcome, standing) = match &reply.result {
        VoidResult::Voided(_) => (GiftOutcome::Done, Standing::Voided),
        VoidResult::Refused(refusal) => (GiftOutcome::Refused, Standing::Refused(refusal.as_str())),
    };
    standing::show(ctx, &gift, standing);
    ctx.state_mut(|undoing| undoing.reply = Some(reply));
    Ok(outcome)
}
