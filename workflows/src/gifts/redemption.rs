#![expect(missing_docs, reason = "the workflow macros generate undocumented constants")]

use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{WorkflowContext, WorkflowContextView, WorkflowResult};

use super::{
    GiftOutcome, RedeemReply, RedeemResult, RedemptionInput,
    standing::{self, Standing},
};
use crate::{
    contracts::gift_ledger::{GiftLedger, Redeem},
    steps,
};

type Context = WorkflowContext<GiftRedemptionWorkflow>;

/// One redemption, from the right PIN to its answer.
#[workflow]
pub struct GiftRedemptionWorkflow {
    input: RedemptionInput,
    asked: bool,
    reply: Option<RedeemReply>,
}

#[workflow_methods]
impl GiftRedemptionWorkflow {
    /// Begins with what the API sent.
    #[init]
    pub fn new(_: &WorkflowContextView, input: RedemptionInput) -> Self {
        Self { input, asked: false, reply: None }
    }

    /// The redemption. It is over when whoever asked has the answer.
    #[run(name = "GiftRedemption")]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<GiftOutcome> {
        if !is_asked_for(ctx).await? {
            return Ok(GiftOutcome::NeverAsked);
        }
        let outcome = redeem(ctx).await?;
        steps::wait_for(ctx, |_| ctx.all_handlers_finished()).await;
        Ok(outcome)
    }

    /// Asks for the redemption and waits until there is an answer.
    #[update(name = "redeem")]
    pub async fn redeem(
        ctx: &mut WorkflowContext<Self>,
    ) -> Result<RedeemReply, Box<dyn std::error::Error + Send + Sync>> {
        ctx.state_mut(|redemption| redemption.asked = true);
        steps::wait_for(ctx, |redemption| redemption.reply.is_some()).await;
        ctx.state(|redemption| redemption.reply.clone()).ok_or_else(|| "the redemption has no answer".into())
    }
}

/// Update-with-start brings both at once; a run whose update was lost ends by itself.
async fn is_asked_for(ctx: &Context) -> WorkflowResult<bool> {
    let until = steps::now(ctx) + ctx.state(|redemption| redemption.input.policy.first_update);
    Ok(steps::wait_until(ctx, until, "nobody asked for this redemption", |redemption| redemption.asked).await?)
}

/// The ledger uses the gift or says why not, and the caller is answered.
async fn redeem(ctx: &Context) -> WorkflowResult<GiftOutcome> {
    let RedemptionInput { request, policy } = ctx.state(|redemption| redemption.input.clone());
    let gift = format!("{} at {}", request.gift_id, request.supplier_code);
    standing::show(ctx, &gift, Standing::Deciding);
    let redeem = Redeem { request, void_window: policy.void_window };
    let reply = steps::on_our_store(ctx, || GiftLedger::redeem, redeem, policy.bounds, "use the gift").await?;
    let (outcome, standing) = match &reply.result {
        RedeemResult::Used(redemption) => (GiftOutcome::Done, Standing::Used { until: redemption.voidable_until }),
        RedeemResult::Refused(refusal) => (GiftOutcome::Refused, Standing::Refused(refusal.as_str())),
    };
    standing::show(ctx, &gift, standing);
    ctx.state_mut(|redemption| redemption.reply = Some(reply));
    Ok(outcome)
}
