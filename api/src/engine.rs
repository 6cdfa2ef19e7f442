//! Temporal, as the endpoints use it: start a process or tell one something, and answer within the deadline.

use std::{error::Error, sync::OnceLock, time::Duration};

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use temporal::{ConnectError, TemporalSettings};
use temporalio_client::{
    Client, RpcOptions, WorkflowIdReusePolicy, WorkflowStartOptions, WorkflowStartUpdateOptions, WorkflowUpdateHandle,
    WorkflowUpdateWithStartOptions,
    errors::{WorkflowStartError, WorkflowUpdateError, WorkflowUpdateWithStartError},
    grpc::WorkflowService,
    tonic::{Code, IntoRequest, Status},
};
use temporalio_common::{
    HasWorkflowDefinition, UpdateDefinition, data_converters::TemporalDeserializable,
    protos::temporal::api::workflowservice::v1::GetSystemInfoRequest,
};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{admission::Admission, problem::Problem};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What Temporal calls the failure of an update whose run ended first.
const RUN_ENDED: &str = "AcceptedUpdateCompletedWorkflow";

type Cause = Box<dyn Error + Send + Sync>;

/// The answer of a process that a request starts, or why it has none; a problem when the rows could not be asked.
pub(crate) type Started<R> = Result<Result<R, EngineError>, Problem>;

/// The way to the running processes.
pub(crate) struct Engine {
    client: OnceLock<Client>,
    deadline: Duration,
    admission: Admission,
}

/// Why there is no answer of a process.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// Nobody knows whether it was taken: the same key goes on from there.
    #[error("Temporal did not take the request")]
    NotTaken(#[source] Cause),
    /// It was taken and is not done.
    #[error("the process did not answer in time")]
    Pending,
    /// The run has ended, or was never there: the rows have the answer.
    #[error("the process has ended")]
    Closed,
    /// A bug or a wrong installation.
    #[error("Temporal refused the request")]
    Failed(#[source] Cause),
}

impl Engine {
    /// An engine without a connection, whose callers wait no longer than `deadline`. It starts only `at_once` runs of one
    /// process at the same moment.
    pub(crate) fn new(deadline: Duration, at_once: usize) -> Self {
        Self { client: OnceLock::new(), deadline, admission: Admission::new(at_once) }
    }

    /// How long a request waits for its process.
    pub(crate) const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Connects, however long it takes. A connection that is lost later comes back by itself.
    pub(crate) async fn connect(&self, settings: &TemporalSettings) {
        let mut pause = FIRST_PAUSE;
        loop {
            match settings.connect().await {
                Ok(client) => return self.connected(client),
                Err(error) => log_outage(&error, pause),
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn connected(&self, client: Client) {
        tracing::info!("api.temporal.connected");
        if self.client.set(client).is_err() {
            tracing::warn!("api.temporal.connected_twice");
        }
    }

    /// Whether Temporal answers.
    pub(crate) async fn ping(&self) -> Result<(), EngineError> {
        let mut client = self.client()?.clone();
        let request = GetSystemInfoRequest::default().into_request();
        WorkflowService::get_system_info(&mut client, request).await.map_err(by_code)?;
        Ok(())
    }

    /// Starts a process and waits for the answer of its first update; a repeat gets the answer of the first one.
    pub(crate) async fn start<W, U>(
        &self,
        workflow: W,
        input: W::Input,
        (update, update_input): (U, U::Input),
        options: WorkflowUpdateWithStartOptions,
    ) -> Result<U::Output, EngineError>
    where
        W: HasWorkflowDefinition + Send,
        W::Input: Send,
        U: UpdateDefinition<Workflow = W::Run> + Send,
        U::Input: Send,
    {
        let asked = Instant::now();
        let deadline = asked + self.deadline;
        let client = self.client()?;
        // Whoever had his turn at the last moment would be given up as soon as he had it.
        let turn = asked + self.deadline / 2;
        let place = timeout_at(turn, self.admission.place(&options.task_queue)).await.map_err(too_late)?;
        let started = client.start_update_with_start_workflow(workflow, input, update, update_input, options);
        let handle = timeout_at(deadline, started).await.map_err(too_late)??;
        drop(place);
        answer(&handle, deadline).await
    }

    /// Starts a process for a request that may come again, and waits for its answer. When its run has ended `recorded`
    /// knows what came of it. If it does not, the run did nothing, or was ended by hand, and the request may run again:
    /// the data of the process have to let nothing happen twice.
    pub(crate) async fn start_once<W, U, F, E>(
        &self,
        process: fn() -> (W, U),
        (input, update_input): (&W::Input, &U::Input),
        options: WorkflowUpdateWithStartOptions,
        recorded: impl FnOnce() -> F,
    ) -> Started<U::Output>
    where
        W: HasWorkflowDefinition + Send,
        W::Input: Clone + Send,
        U: UpdateDefinition<Workflow = W::Run> + Send,
        U::Input: Clone + Send,
        F: Future<Output = Result<Option<U::Output>, E>>,
        Problem: From<E>,
    {
        let start = |reuse| {
            let (workflow, update) = process();
            let mut options = options.clone();
            options.id_reuse_policy = reuse;
            self.start(workflow, input.clone(), (update, update_input.clone()), options)
        };
        match start(WorkflowIdReusePolicy::RejectDuplicate).await {
            Err(EngineError::Closed) => {}
            started => return Ok(started),
        }
        match recorded().await? {
            Some(reply) => Ok(Ok(reply)),
            None => Ok(start(WorkflowIdReusePolicy::AllowDuplicate).await),
        }
    }

    /// Starts a process and waits for nothing that it does. Where `options` let its id be used only once, one that was
    /// started before is as good.
    pub(crate) async fn begin<W>(
        &self,
        workflow: W,
        input: W::Input,
        options: WorkflowStartOptions,
    ) -> Result<(), EngineError>
    where
        W: HasWorkflowDefinition + Send,
        W::Input: Send,
    {
        let deadline = Instant::now() + self.deadline;
        let started = self.client()?.start_workflow(workflow, input, options);
        match timeout_at(deadline, started).await.map_err(too_late)?.map_err(EngineError::from) {
            Ok(_) | Err(EngineError::Closed) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Tells the process `workflow_id` something and waits for its answer.
    pub(crate) async fn update<W, U>(
        &self,
        workflow_id: String,
        update: U,
        input: U::Input,
        update_id: String,
    ) -> Result<U::Output, EngineError>
    where
        W: HasWorkflowDefinition<Run = W>,
        U: UpdateDefinition<Workflow = W>,
        U::Input: Send,
    {
        let deadline = Instant::now() + self.deadline;
        let run = self.client()?.get_workflow_handle::<W>(workflow_id);
        let options = WorkflowStartUpdateOptions::builder().update_id(update_id).build();
        let handle = timeout_at(deadline, run.start_update(update, input, options)).await.map_err(too_late)??;
        answer(&handle, deadline).await
    }

    fn client(&self) -> Result<&Client, EngineError> {
        self.client.get().ok_or_else(|| EngineError::NotTaken("there is no connection yet".into()))
    }
}

/// The answer to an update that was taken.
async fn answer<T>(handle: &WorkflowUpdateHandle<Client, T>, deadline: Instant) -> Result<T, EngineError>
where
    T: TemporalDeserializable + 'static,
{
    let answered = timeout_at(deadline, handle.get_result(RpcOptions::default())).await;
    match answered.map_err(|_elapsed| EngineError::Pending)?.map_err(EngineError::from) {
        Err(EngineError::NotTaken(_lost)) => Err(EngineError::Pending),
        answered => answered,
    }
}

/// 202 to a request that was taken and will be done; what comes of it cannot be told before.
pub(crate) fn pending(body: impl Serialize) -> Response {
    (StatusCode::ACCEPTED, [(header::RETRY_AFTER, "1")], Json(body)).into_response()
}

fn too_late(elapsed: tokio::time::error::Elapsed) -> EngineError {
    EngineError::NotTaken(elapsed.into())
}

fn log_outage(error: &ConnectError, pause: Duration) {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    tracing::warn!(%error, cause, next_try_ms = pause.as_millis(), "api.temporal.unreachable");
}

impl From<WorkflowStartError> for EngineError {
    fn from(error: WorkflowStartError) -> Self {
        match error {
            WorkflowStartError::AlreadyStarted { .. } => Self::Closed,
            WorkflowStartError::Rpc(status) => by_code(status),
            error => Self::Failed(error.into()),
        }
    }
}

impl From<WorkflowUpdateWithStartError> for EngineError {
    fn from(error: WorkflowUpdateWithStartError) -> Self {
        match error {
            WorkflowUpdateWithStartError::Start(error) => error.into(),
            WorkflowUpdateWithStartError::Rpc(status) => by_code(status),
            // The run ended between the two halves of the call: a repeat meets it closed.
            WorkflowUpdateWithStartError::Update(WorkflowUpdateError::NotFound(status)) => {
                Self::NotTaken(status.into())
            }
            WorkflowUpdateWithStartError::Update(error) => error.into(),
            error => Self::Failed(error.into()),
        }
    }
}

impl From<WorkflowUpdateError> for EngineError {
    fn from(error: WorkflowUpdateError) -> Self {
        match error {
            WorkflowUpdateError::NotFound(_) => Self::Closed,
            WorkflowUpdateError::Rpc(status) => by_code(status),
            WorkflowUpdateError::Failed(failure) if format!("{failure:?}").contains(RUN_ENDED) => Self::Closed,
            error => Self::Failed(error.into()),
        }
    }
}

/// Whether a repeat can help.
fn by_code(status: Status) -> EngineError {
    match status.code() {
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::Cancelled
        | Code::Internal
        | Code::Unknown
        // A run whose worker died several times takes nothing until its task is handed out anew.
        | Code::FailedPrecondition => EngineError::NotTaken(status.into()),
        _ => EngineError::Failed(status.into()),
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::NotTaken(_) => {
                Self::temporarily_unavailable("the request was not taken: repeat it with its key").caused_by(error)
            }
            EngineError::Pending => {
                Self::temporarily_unavailable("there is no answer yet: repeat the request with its key")
            }
            EngineError::Closed | EngineError::Failed(_) => Self::unforeseen(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_not_our_fault() {
        for code in [Code::Unavailable, Code::ResourceExhausted, Code::FailedPrecondition, Code::Unknown] {
            assert!(matches!(by_code(Status::new(code, "")), EngineError::NotTaken(_)), "{code:?}");
        }
        for code in [Code::InvalidArgument, Code::PermissionDenied, Code::Unimplemented] {
            assert!(matches!(by_code(Status::new(code, "")), EngineError::Failed(_)), "{code:?}");
        }
    }

    #[test]
    fn what_was_started_before_is_known_from_what_could_not_be_started() {
        let source = Status::new(Code::AlreadyExists, "");
        let before = WorkflowStartError::AlreadyStarted { run_id: None, source };
        assert!(matches!(EngineError::from(before), EngineError::Closed));
        let away = WorkflowStartError::Rpc(Status::new(Code::Unavailable, ""));
        assert!(matches!(EngineError::from(away), EngineError::NotTaken(_)));
    }
}
