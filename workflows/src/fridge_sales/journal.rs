//! The steps of a sale and of a question to a machine: each names its activity and its bounds.

use temporalio_workflow::{
    ActivityCloseTimeouts, ActivityExecutionError, WorkflowCancellationToken, WorkflowContext, WorkflowResult,
};
use uuid::Uuid;

use super::{
    CheckInput, CheckPolicy, CheckRequest, FridgeSaleWorkflow, MachineCheckWorkflow, MachineState, MachineStatus,
    SaleInput, SalePolicy, SaleStatus, Standing, standing,
};
use crate::{
    contracts::{
        alerts::{Alert, AlertKind, Alerts},
        fridge_journal::{BeginResult, BeginSale, FridgeJournal, RecordCheck},
        vending::{CheckMachine, RunSale, Vending},
    },
    steps::{self, StepBounds},
};

pub(super) type Context = WorkflowContext<FridgeSaleWorkflow>;
type CheckContext = WorkflowContext<MachineCheckWorkflow>;

/// Records the sale and claims its machine.
pub(super) async fn begin(ctx: &Context) -> WorkflowResult<BeginResult> {
    let SaleInput { request, policy } = input(ctx);
    let begin = BeginSale { request, now: steps::now(ctx) };
    Ok(steps::on_our_store(ctx, || FridgeJournal::begin, begin, policy.bounds(), "claim the machine").await?)
}

/// Holds the websocket until the sale has ended. Once the door may be open nothing gives the sale up: a step that fails
/// for good is a bug, operators are told, and it is tried again, less and less often.
pub(super) async fn run_sale(ctx: &Context) -> Standing {
    let SaleInput { request, policy } = input(ctx);
    let bounds = policy.bounds();
    let run = RunSale { request, policy: policy.clone() };
    let mut pause = policy.retry_at_most;
    loop {
        let close = ActivityCloseTimeouts::StartToClose(policy.longest);
        let holding = steps::lasting(close, policy.heartbeat, bounds, "sell through the open door");
        match steps::persistently(ctx, Vending::run_sale, run.clone(), holding, policy.attention).await {
            Ok(standing) if standing.status.is_final() => return standing,
            _ => standing::show_trouble(ctx, "the sale fails in a way that no retry mends"),
        }
        steps::wait_out(ctx, steps::now(ctx) + pause, "time to mend the step that fails", |_| false).await;
        pause = pause.saturating_mul(2).min(policy.late);
    }
}

/// Listens for the end that was missed; none when it does not come.
pub(super) async fn await_late_end(ctx: &Context) -> Option<Standing> {
    let SaleInput { request, policy } = input(ctx);
    let bounds = policy.bounds();
    // It ends by itself; that nobody is there to listen does not keep the run either.
    let close = ActivityCloseTimeouts::ScheduleToClose(policy.late + policy.attempt);
    let listening = steps::lasting(close, policy.heartbeat, bounds, "listen for the late end");
    let late = ctx.execute_activity(Vending::await_late_end, RunSale { request, policy }, listening).await;
    late.ok().filter(|standing| matches!(standing.status, SaleStatus::Completed | SaleStatus::Empty))
}

/// Tells operators. One who cannot be told does not hold up the sale for good.
pub(super) async fn alert(ctx: &Context, kind: AlertKind) {
    let input = input(ctx);
    let text = ctx.state(|sale| standing::alert_text(kind, &input, &sale.standing));
    let SaleInput { request, policy } = input;
    let alert = Alert {
        alert_id: alert_id(request.sale_ref, kind),
        kind,
        subject: request.machine_id,
        text,
        window: policy.alert_window,
        now: steps::now(ctx),
    };
    let mut call = steps::call(policy.alert_patience, policy.bounds(), kind.as_str());
    call.cancellation_token = Some(WorkflowCancellationToken::new());
    let _untold = ctx.execute_activity(Alerts::tell, alert, call).await;
}

/// Asks how the machine is. A question that nobody could put is not answered.
pub(super) async fn check_machine(ctx: &CheckContext) -> MachineState {
    let CheckInput { machine_uid, policy, .. } = ctx.state(|check| check.input.clone());
    let within = 2 * policy.acknowledgement + policy.answering;
    let ask = CheckMachine { machine_uid, acknowledgement: policy.acknowledgement };
    let call = steps::call(within, policy.bounds(), "ask the machine");
    let asked = ctx.execute_activity(Vending::check_machine, ask, call).await;
    asked.unwrap_or_else(|_unasked| MachineState {
        status: MachineStatus::Unanswered,
        code: None,
        message: "the machine was not asked in time".to_owned(),
        checked_at: steps::now(ctx),
    })
}

/// Records that somebody asked, and what the answer was.
pub(super) async fn record_check(
    ctx: &CheckContext,
    request: CheckRequest,
    state: MachineState,
) -> Result<(), ActivityExecutionError> {
    let CheckInput { machine_id, policy, .. } = ctx.state(|check| check.input.clone());
    let record = RecordCheck { machine_id, request, state };
    steps::on_our_store(ctx, || FridgeJournal::record_check, record, policy.bounds(), "record the question").await
}

/// The same for every attempt at an alert, and another one for every kind.
fn alert_id(sale_ref: Uuid, kind: AlertKind) -> Uuid {
    Uuid::new_v5(&sale_ref, format!("alert/{}", kind.as_str()).as_bytes())
}

fn input(ctx: &Context) -> SaleInput {
    ctx.state(|sale| sale.input.clone())
}

impl SalePolicy {
    const fn bounds(&self) -> StepBounds {
        StepBounds {
            answering: self.answering,
            attempt: self.attempt,
            retry_at_most: self.retry_at_most,
            attention: self.attention,
        }
    }
}

impl CheckPolicy {
    const fn bounds(&self) -> StepBounds {
        StepBounds {
            answering: self.answering,
            attempt: self.attempt,
            retry_at_most: self.retry_at_most,
            attention: self.attention,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An alert is told once by its id: a release that computes another one would tell it again.
    #[test]
    fn alert_ids_never_change() {
        let sale_ref: Uuid = "3f2b8c1e-6d4a-5e7f-9a0b-1c2d3e4f5a6b".parse().unwrap();
        let ids = [AlertKind::DoorLeftOpen, AlertKind::LateEnd].map(|kind| alert_id(sale_ref, kind).to_string());
        assert_eq!(ids, ["52154d2c-a2c4-5419-8915-d4e3143ec4f0", "5847a740-87cd-5860-ac60-082e15aecf8e"]);
    }
}
