//! How a workflow takes a step: who may wait for it, how long, and what happens while it keeps failing.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use temporalio_common::ActivityDefinition;
use temporalio_workflow::{
    ActivityCloseTimeouts, ActivityExecutionError, ActivityOptions, LocalActivityOptions, RetryPolicy, TimerOptions,
    WaitConditionOptions, WorkflowCancellationError, WorkflowCancellationToken, WorkflowContext, workflows,
};

use crate::{attributes::NEEDS_ATTENTION, domain::millis};

/// The bounds of a step, in the policy of every process: there its fields stand among the policy's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepBounds {
    /// A step that fails for this long sets `NeedsAttention`.
    #[serde(with = "millis")]
    pub attention: Duration,
    /// Bound of a step on our own store while a caller waits.
    #[serde(with = "millis")]
    pub answering: Duration,
    /// Bound of one attempt at a step.
    #[serde(with = "millis")]
    pub attempt: Duration,
    /// Longest pause between two attempts.
    #[serde(with = "millis")]
    pub retry_at_most: Duration,
}

const FIRST_PAUSE_SHARE: u32 = 100;
/// Of a step inside the workflow task. Without this the SDK tries it there for ever when each attempt fails before its
/// time is over.
const ATTEMPTS_INSIDE: u32 = 4;
const WITHOUT_END: u32 = 0;

/// A step on our own store, with no end to its retries: first inside the workflow task, which answers a waiting caller
/// soonest, and when that fails as an activity of its own.
///
/// An operator's cancellation of the run does not interrupt it.
pub(crate) async fn on_our_store<W, A>(
    ctx: &WorkflowContext<W>,
    activity: fn() -> A,
    input: A::Input,
    bounds: StepBounds,
    summary: &str,
) -> Result<A::Output, ActivityExecutionError>
where
    W: 'static,
    A: ActivityDefinition,
    A::Input: Clone,
{
    let options = LocalActivityOptions::builder()
        .schedule_to_close_timeout(bounds.answering)
        .retry_policy(retry(bounds, bounds.answering, ATTEMPTS_INSIDE))
        .cancellation_token(WorkflowCancellationToken::new())
        .summary(summary.to_owned())
        .build();
    if let Ok(output) = ctx.execute_local_activity(activity(), input.clone(), options).await {
        return Ok(output);
    }
    until_answered(ctx, activity(), input, bounds, summary).await
}

/// A step that is repeated until it is answered, or fails in a way that no retry mends.
///
/// An operator's cancellation of the run does not interrupt it.
pub(crate) async fn until_answered<W: 'static, A: ActivityDefinition>(
    ctx: &WorkflowContext<W>,
    activity: A,
    input: A::Input,
    bounds: StepBounds,
    summary: &str,
) -> Result<A::Output, ActivityExecutionError> {
    let options = ActivityOptions::with_start_to_close_timeout(bounds.attempt)
        .retry_policy(retry(bounds, bounds.retry_at_most, WITHOUT_END))
        .cancellation_token(WorkflowCancellationToken::new())
        .summary(summary.to_owned())
        .build();
    persistently(ctx, activity, input, options, bounds.attention).await
}

/// The options of a step at somebody else's system, repeated until it is answered or `within` is over.
pub(crate) fn call(within: Duration, bounds: StepBounds, summary: &str) -> ActivityOptions {
    ActivityOptions::with_close_timeouts(ActivityCloseTimeouts::ScheduleAndStartToClose {
        schedule_to_close: within,
        start_to_close: bounds.attempt.min(within),
    })
    .retry_policy(retry(bounds, bounds.retry_at_most, WITHOUT_END))
    .summary(summary.to_owned())
    .build()
}

/// The options of a step that lasts as long as what it waits for and shows meanwhile that it lives. One that does not, or
/// that fails, is repeated within what `close` allows.
///
/// An operator's cancellation of the run does not interrupt it.
pub(crate) fn lasting(
    close: ActivityCloseTimeouts,
    heartbeat: Duration,
    bounds: StepBounds,
    summary: &str,
) -> ActivityOptions {
    ActivityOptions::with_close_timeouts(close)
        .heartbeat_timeout(heartbeat)
        .retry_policy(retry(bounds, bounds.retry_at_most, WITHOUT_END))
        .cancellation_token(WorkflowCancellationToken::new())
        .summary(summary.to_owned())
        .build()
}

/// Awaits an activity, and marks the run for the operators while that takes longer than `attention`.
pub(crate) async fn persistently<W: 'static, A: ActivityDefinition>(
    ctx: &WorkflowContext<W>,
    activity: A,
    input: A::Input,
    options: ActivityOptions,
    attention: Duration,
) -> Result<A::Output, ActivityExecutionError> {
    let mut step = ctx.execute_activity(activity, input, options);
    let patience = WorkflowCancellationToken::new();
    let alarm = TimerOptions::builder(attention)
        .summary("patience with this step".to_owned())
        .cancellation_token(patience.clone())
        .build();
    let mut alarm = ctx.timer(alarm);
    workflows::select! {
        done = step => {
            patience.cancel();
            return done;
        }
        _ = alarm => ctx.upsert_search_attributes([NEEDS_ATTENTION.value_set(true)]),
    }
    let done = step.await;
    ctx.upsert_search_attributes([NEEDS_ATTENTION.value_set(false)]);
    done
}

/// Waits for what is bound to come. An operator's cancellation of the run does not interrupt it.
pub(crate) async fn wait_for<W: 'static>(ctx: &WorkflowContext<W>, condition: impl FnMut(&W) -> bool) {
    let options = WaitConditionOptions::builder().cancellation_token(WorkflowCancellationToken::new()).build();
    let _never_cancelled = ctx.wait_condition_with_options(condition, options).await;
}

/// `Ok(true)`: the condition came true. `Ok(false)`: `until` came first. The timer ends when it loses.
pub(crate) async fn wait_until<W: 'static>(
    ctx: &WorkflowContext<W>,
    until: DateTime<Utc>,
    summary: &str,
    condition: impl FnMut(&W) -> bool,
) -> Result<bool, WorkflowCancellationError> {
    wait(ctx, &ctx.cancellation_token(), until, summary, condition).await
}

/// Whether the condition came true before `until`. An operator's cancellation of the run does not interrupt it.
pub(crate) async fn wait_out<W: 'static>(
    ctx: &WorkflowContext<W>,
    until: DateTime<Utc>,
    summary: &str,
    condition: impl FnMut(&W) -> bool,
) -> bool {
    wait(ctx, &WorkflowCancellationToken::new(), until, summary, condition).await.unwrap_or_default()
}

async fn wait<W: 'static>(
    ctx: &WorkflowContext<W>,
    cancellation: &WorkflowCancellationToken,
    until: DateTime<Utc>,
    summary: &str,
    mut condition: impl FnMut(&W) -> bool,
) -> Result<bool, WorkflowCancellationError> {
    if ctx.state(&mut condition) {
        return Ok(true);
    }
    let Ok(left) = (until - now(ctx)).to_std() else {
        return Ok(false);
    };
    let token = cancellation.child_token();
    let timer = TimerOptions::builder(left).summary(summary.to_owned()).cancellation_token(token.clone()).build();
    let options = WaitConditionOptions::builder().cancellation_token(cancellation.clone()).build();
    let came_true = workflows::select! {
        waited = ctx.wait_condition_with_options(condition, options) => { waited?; true }
        _ = ctx.timer(timer) => false,
    };
    if came_true {
        token.cancel();
    }
    Ok(came_true)
}

/// The workflow's time, to the millisecond: that is what the database keeps and what a history shows.
pub(crate) fn now<W: 'static>(ctx: &WorkflowContext<W>) -> DateTime<Utc> {
    let time = ctx.workflow_time().map(DateTime::<Utc>::from).unwrap_or_default();
    time - TimeDelta::nanoseconds(i64::from(time.timestamp_subsec_nanos() % 1_000_000))
}

fn retry(bounds: StepBounds, at_most: Duration, attempts: u32) -> RetryPolicy {
    RetryPolicy::builder()
        .initial_interval(bounds.retry_at_most.min(bounds.answering) / FIRST_PAUSE_SHARE)
        .backoff_coefficient(2.0)
        .maximum_interval(at_most)
        .maximum_attempts(attempts)
        .build()
}
