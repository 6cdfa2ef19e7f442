//! The steps of a sale, of a notification and of a question to a machine: each names its activity and its bounds.

use chrono::{DateTime, Utc};
use temporalio_workflow::{
    ActivityCloseTimeouts, ActivityExecutionError, WorkflowCancellationToken, WorkflowContext, WorkflowResult,
};

use super::{
    AlertSubject, CheckInput, CheckRequest, FridgeSaleWorkflow, MachineCheckWorkflow, MachineState, MachineStatus,
    NotificationInput, OpenReply, SaleInput, SaleNotificationWorkflow, SalePolicy, standing,
};
use crate::{
    contracts::{
        alerts::{Alert, AlertKind, Alerts},
        fridge_journal::{BeginResult, BeginSale, FridgeJournal, NotifiedSale, RecordCheck},
        vending::{CheckMachine, RunSale, Sold, Vending},
    },
    steps,
};

pub(super) type Context = WorkflowContext<FridgeSaleWorkflow>;
type NotificationContext = WorkflowContext<SaleNotificationWorkflow>;
type CheckContext = WorkflowContext<MachineCheckWorkflow>;

/// Records the sale and claims its machine.
pub(super) async fn begin(ctx: &Context) -> WorkflowResult<BeginResult> {
    let SaleInput { request, policy } = input(ctx);
    let begin = BeginSale { request, now: steps::now(ctx) };
    Ok(steps::on_our_store(ctx, || FridgeJournal::begin, begin, policy.bounds, "claim the machine").await?)
}

/// Whether this run, or one before it, has begun the sale and lost that.
pub(super) async fn has_begun(ctx: &Context) -> WorkflowResult<bool> {
    let SaleInput { request, policy } = input(ctx);
    let asking = || FridgeJournal::has_begun;
    Ok(steps::on_our_store(ctx, asking, request.sale_ref, policy.bounds, "look for the sale").await?)
}

/// Holds the websocket until the sale has ended. Once the door may be open nothing gives the sale up: a step that fails
/// for good is a bug, operators are told, and it is tried again, less and less often.
pub(super) async fn run_sale(ctx: &Context) -> Sold {
    let SaleInput { request, policy } = input(ctx);
    let bounds = policy.bounds;
    let run = RunSale { request, policy: policy.clone(), asked_at: asked_at(ctx) };
    let mut pause = policy.bounds.retry_at_most;
    loop {
        let close = ActivityCloseTimeouts::StartToClose(policy.longest);
        let holding = steps::lasting(close, policy.heartbeat, bounds, "sell through the open door");
        match steps::persistently(ctx, Vending::run_sale, run.clone(), holding, policy.bounds.attention).await {
            Ok(sold) if sold.standing.status.is_final() => return sold,
            _ => standing::show_trouble(ctx, "the sale fails in a way that no retry mends"),
        }
        steps::wait_out(ctx, steps::now(ctx) + pause, "time to mend the step that fails", |_| false).await;
        pause = pause.saturating_mul(2).min(policy.late);
    }
}

/// Listens for the end that was missed; none when it does not come.
pub(super) async fn await_late_end(ctx: &Context) -> Option<Sold> {
    let SaleInput { request, policy } = input(ctx);
    let bounds = policy.bounds;
    // It ends by itself; that nobody is there to listen does not keep the run either.
    let close = ActivityCloseTimeouts::ScheduleToClose(policy.late + policy.bounds.attempt);
    let listening = steps::lasting(close, policy.heartbeat, bounds, "listen for the late end");
    let late = ctx
        .execute_activity(Vending::await_late_end, RunSale { request, policy, asked_at: asked_at(ctx) }, listening)
        .await;
    let late = match late {
        Ok(late) => Some(late),
        Err(_gone) => ended_unheard(ctx).await,
    };
    late.filter(|sold| sold.standing.status.is_settled())
}

/// Whoever listened is gone. The end may be on record for all that, and nobody was told of it.
async fn ended_unheard(ctx: &Context) -> Option<Sold> {
    match begin(ctx).await {
        Ok(BeginResult::Ended(OpenReply { standing, .. })) => {
            let untold = standing.alerts_of_late_end();
            Some(Sold { standing, untold })
        }
        _ => None,
    }
}

/// Tells operators. One who cannot be told does not hold up the sale for good.
pub(super) async fn alert(ctx: &Context, kind: AlertKind) {
    let SaleInput { request, policy } = input(ctx);
    let subject = AlertSubject { sale_ref: request.sale_ref, machine_id: &request.machine_id };
    let alert = ctx.state(|sale| subject.alert(kind, &policy, &sale.standing, steps::now(ctx)));
    tell(ctx, alert, &policy).await;
}

/// Keeps what Vendron posted, and brings its sale up to that.
pub(super) async fn take_notification(ctx: &NotificationContext) -> WorkflowResult<NotifiedSale> {
    let NotificationInput { notification, policy } = ctx.state(|taking| taking.input.clone());
    let taking = || FridgeJournal::take_notification;
    Ok(steps::on_our_store(ctx, taking, notification, policy.bounds, "keep what was posted").await?)
}

/// Tells operators of a sale whose own run may be over.
pub(super) async fn tell_of_notification(ctx: &NotificationContext, kind: AlertKind, told: &NotifiedSale) {
    let NotificationInput { notification, policy } = ctx.state(|taking| taking.input.clone());
    let subject = AlertSubject { sale_ref: notification.sale_ref, machine_id: &told.machine_id };
    let alert = subject.alert(kind, &policy, &told.standing, steps::now(ctx));
    tell(ctx, alert, &policy).await;
}

async fn tell<W: 'static>(ctx: &WorkflowContext<W>, alert: Alert, policy: &SalePolicy) {
    let mut call = steps::call(policy.alert_patience, policy.bounds, alert.kind.as_str());
    call.cancellation_token = Some(WorkflowCancellationToken::new());
    let _untold = ctx.execute_activity(Alerts::tell, alert, call).await;
}

/// Asks how the machine is. A question that nobody could put is not answered.
pub(super) async fn check_machine(ctx: &CheckContext) -> MachineState {
    let CheckInput { machine_uid, policy, .. } = ctx.state(|check| check.input.clone());
    let within = 2 * policy.acknowledgement + policy.bounds.answering;
    let ask = CheckMachine { machine_uid, acknowledgement: policy.acknowledgement };
    let call = steps::call(within, policy.bounds, "ask the machine");
    let asked = ctx.execute_activity(Vending::check_machine, ask, call).await;
    asked.unwrap_or_else(|_unasked| MachineState {
        status: MachineStatus::Unanswered,
        code: None,
        message: "the machine was not asked in time".to_owned(),
        heard: String::new(),
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
    steps::on_our_store(ctx, || FridgeJournal::record_check, record, policy.bounds, "record the question").await
}

/// The run began when Temporal took the buyer's request, whenever a worker was there for it.
fn asked_at(ctx: &Context) -> DateTime<Utc> {
    ctx.info().start_time().map_or_else(|| steps::now(ctx), DateTime::from)
}

fn input(ctx: &Context) -> SaleInput {
    ctx.state(|sale| sale.input.clone())
}
