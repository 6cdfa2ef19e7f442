#![expect(missing_docs, reason = "the workflow macros generate undocumented constants")]

use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{SyncWorkflowContext, WorkflowContext, WorkflowContextView, WorkflowResult, workflows};

use super::{
    Failure, OpenReply, SaleInput, SaleOutcome, SaleReport, SaleState, SaleStatus, Standing,
    journal::{self, Context},
    standing,
};
use crate::{
    contracts::{alerts::AlertKind, fridge_journal::BeginResult, vending::Sold},
    steps,
};

/// One sale, from the request to the final list.
#[workflow]
pub struct FridgeSaleWorkflow {
    pub(super) input: SaleInput,
    pub(super) standing: Standing,
    pub(super) trouble: Option<String>,
    asked: bool,
    reply: Option<OpenReply>,
}

#[workflow_methods]
impl FridgeSaleWorkflow {
    /// Begins with what the API sent.
    #[init]
    pub fn new(_: &WorkflowContextView, input: SaleInput) -> Self {
        let standing = SaleState::new().standing(&input.request.authorised);
        Self { input, standing, trouble: None, asked: false, reply: None }
    }

    /// The sale's life.
    #[run(name = "FridgeSale")]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<SaleOutcome> {
        if !is_asked_for(ctx).await? && !journal::has_begun(ctx).await? {
            return Ok(SaleOutcome::NeverAsked);
        }
        standing::show(ctx);
        match journal::begin(ctx).await? {
            BeginResult::Ended(reply) => repeat(ctx, reply),
            BeginResult::Begun => {
                workflows::join!(sell(ctx), show_reports(ctx));
            }
        }
        steps::wait_for(ctx, |_| ctx.all_handlers_finished()).await;
        Ok(SaleOutcome::Ended(ctx.state(|sale| sale.standing.status)))
    }

    /// Asks for the sale and waits until the door is open, or will not be.
    #[update(name = "open")]
    pub async fn open(ctx: &mut WorkflowContext<Self>) -> Result<OpenReply, Box<dyn std::error::Error + Send + Sync>> {
        ctx.state_mut(|sale| sale.asked = true);
        steps::wait_for(ctx, |sale| sale.reply.is_some()).await;
        ctx.state(|sale| sale.reply.clone()).ok_or_else(|| "the sale has no answer".into())
    }

    /// Takes what the holder of the websocket reports.
    #[update(name = "report")]
    pub fn report(&mut self, _: &mut SyncWorkflowContext<Self>, report: SaleReport) {
        self.hear_of_progress(report.standing);
    }
}

impl FridgeSaleWorkflow {
    /// The caller hears of the open door, or of an end without one.
    fn hear(&mut self, standing: Standing) {
        if self.reply.is_none() && standing.status > SaleStatus::Opening {
            let fingerprint = self.input.request.fingerprint.clone();
            self.reply = Some(OpenReply { fingerprint, standing: standing.clone() });
        }
        self.standing = standing;
        self.trouble = None;
    }

    /// A report that comes late, or again, is no news.
    fn hear_of_progress(&mut self, standing: Standing) {
        if !self.has_ended() && standing.status > self.standing.status {
            self.hear(standing);
        }
    }

    const fn has_ended(&self) -> bool {
        self.standing.status.is_final()
    }
}

/// Update-with-start brings both at once; a run whose update was lost ends by itself, unless it was lost with a task that had
/// claimed the machine: others want it.
async fn is_asked_for(ctx: &Context) -> WorkflowResult<bool> {
    let until = steps::now(ctx) + ctx.state(|sale| sale.input.policy.first_update);
    Ok(steps::wait_until(ctx, until, "nobody asked for this sale", |sale| sale.asked).await?)
}

/// The row knows how the sale ended: operators were told then.
fn repeat(ctx: &Context, reply: OpenReply) {
    ctx.state_mut(|sale| {
        sale.standing = reply.standing.clone();
        sale.reply = Some(reply);
    });
    standing::show(ctx);
}

/// Sells, and tells operators of an end that is none, or that a person should look at.
async fn sell(ctx: &Context) {
    let Sold { standing: sold, untold } = journal::run_sale(ctx).await;
    hear(ctx, &sold);
    workflows::join!(tell_all(ctx, untold), tell_of_end(ctx, &sold));
}

/// What nobody could be told when it was due.
async fn tell_all(ctx: &Context, untold: Vec<AlertKind>) {
    let tell = async |kind: Option<AlertKind>| {
        if let Some(kind) = kind {
            journal::alert(ctx, kind).await;
        }
    };
    let mut untold = untold.into_iter();
    workflows::join!(tell(untold.next()), tell(untold.next()));
}

async fn tell_of_end(ctx: &Context, sold: &Standing) {
    match sold.status {
        SaleStatus::Unresolved => {
            workflows::join!(journal::alert(ctx, AlertKind::Unresolved), await_late_end(ctx));
        }
        SaleStatus::Failed if sold.failure == Some(Failure::MachineBusy) => {}
        SaleStatus::Failed => journal::alert(ctx, AlertKind::RequestError).await,
        _ => check_total(ctx, sold).await,
    }
}

/// A sale whose end was missed may still end by itself, once. If it does not, it stays for a person.
async fn await_late_end(ctx: &Context) {
    if let Some(Sold { standing: ended, untold }) = journal::await_late_end(ctx).await {
        hear(ctx, &ended);
        tell_all(ctx, untold).await;
    }
}

async fn check_total(ctx: &Context, ended: &Standing) {
    if ended.is_disputed {
        journal::alert(ctx, AlertKind::TotalMismatch).await;
    }
}

fn hear(ctx: &Context, standing: &Standing) {
    ctx.state_mut(|sale| sale.hear(standing.clone()));
    standing::show(ctx);
}

/// Shows what is reported while the sale goes on.
async fn show_reports(ctx: &Context) {
    while !ctx.state(FridgeSaleWorkflow::has_ended) {
        let shown = ctx.state(|sale| sale.standing.status);
        steps::wait_for(ctx, |sale| sale.standing.status != shown).await;
        standing::show(ctx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fridge_sales::samples::{input, standing};

    fn sale() -> FridgeSaleWorkflow {
        let standing = standing(SaleStatus::Requested);
        FridgeSaleWorkflow { input: input(), standing, trouble: None, asked: true, reply: None }
    }

    fn answer(sale: &FridgeSaleWorkflow) -> Option<SaleStatus> {
        sale.reply.as_ref().map(|reply| reply.standing.status)
    }

    #[test]
    fn the_caller_hears_once_that_the_door_is_open() {
        let mut sale = sale();
        sale.hear_of_progress(standing(SaleStatus::Opening));
        assert_eq!(answer(&sale), None);
        sale.hear_of_progress(standing(SaleStatus::Open));
        sale.hear(standing(SaleStatus::Completed));
        assert_eq!((answer(&sale), sale.standing.status), (Some(SaleStatus::Open), SaleStatus::Completed));
    }

    #[test]
    fn late_reports_are_no_news() {
        let mut sale = sale();
        for (reported, known) in [
            (SaleStatus::Closed, SaleStatus::Closed),
            (SaleStatus::Open, SaleStatus::Closed),
            (SaleStatus::Closed, SaleStatus::Closed),
        ] {
            sale.hear_of_progress(standing(reported));
            assert_eq!(sale.standing.status, known, "after {reported}");
        }
        sale.hear(standing(SaleStatus::Unresolved));
        sale.hear(standing(SaleStatus::Completed));
        for late in [SaleStatus::Closed, SaleStatus::Unresolved] {
            sale.hear_of_progress(standing(late));
            assert_eq!(sale.standing.status, SaleStatus::Completed, "after {late}");
        }
    }
}
