#![expect(missing_docs, reason = "the workflow macros generate undocumented constants")]

use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{WorkflowContext, WorkflowContextView, WorkflowResult};

use super::{CheckInput, CheckRequest, MachineState, journal};
use crate::steps;

/// The question how a machine is, which everybody shares who asks while it is under way.
#[workflow]
pub struct MachineCheckWorkflow {
    pub(super) input: CheckInput,
    asked: u64,
    answered: u64,
    state: Option<MachineState>,
}

#[workflow_methods]
impl MachineCheckWorkflow {
    /// Begins with what the API sent.
    #[init]
    pub fn new(_: &WorkflowContextView, input: CheckInput) -> Self {
        Self { input, asked: 0, answered: 0, state: None }
    }

    /// Asks the machine, once more only for those who came after its answer.
    #[run(name = "MachineCheck")]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<()> {
        let until = steps::now(ctx) + ctx.state(|check| check.input.policy.first_update);
        steps::wait_until(ctx, until, "nobody asked how this machine is", Self::is_asked).await?;
        while ctx.state(Self::is_asked) {
            let state = journal::check_machine(ctx).await;
            ctx.state_mut(|check| check.answer(state));
            steps::wait_for(ctx, |check| check.is_asked() || ctx.all_handlers_finished()).await;
        }
        Ok(())
    }

    /// Asks how the machine is, waits for the answer, and records both.
    #[update(name = "check")]
    pub async fn check(
        ctx: &mut WorkflowContext<Self>,
        request: CheckRequest,
    ) -> Result<MachineState, Box<dyn std::error::Error + Send + Sync>> {
        let question = ctx.state_mut(Self::ask);
        steps::wait_for(ctx, |check| check.answered >= question).await;
        let state = ctx.state(|check| check.state.clone()).ok_or("the question has no answer")?;
        journal::record_check(ctx, request, state.clone()).await.map_err(|error| error.to_string())?;
        Ok(state)
    }
}

impl MachineCheckWorkflow {
    /// The number of this question.
    const fn ask(&mut self) -> u64 {
        self.asked += 1;
        self.asked
    }

    const fn is_asked(&self) -> bool {
        self.asked > self.answered
    }

    /// Answers every question so far.
    fn answer(&mut self, state: MachineState) {
        self.answered = self.asked;
        self.state = Some(state);
    }
}
