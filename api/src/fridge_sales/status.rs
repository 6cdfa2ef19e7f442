//! `GET /machines/{machine_id}/status`: asks how a machine is, and records that somebody asked.

use axum::{Json, extract::State};
use serde::Serialize;
use temporalio_client::{WorkflowIdConflictPolicy, WorkflowIdReusePolicy, WorkflowUpdateWithStartOptions};
use temporalio_common::search_attributes::SearchAttributes;
use tokio::time::timeout;
use utoipa::ToSchema;
use uuid::Uuid;
use workflows::{
    attributes::{BUSINESS_KEY, MACHINE_ID},
    fridge_sales::{
        CheckInput, CheckRequest, MachineCheckWorkflow, MachineState, MachineStatus, TASK_QUEUE, check_workflow_id,
    },
};

use super::{body::time, filter::StatusQuery, path::MachinePath};
use crate::{
    auth::{Caller, OpenFridges},
    engine::EngineError,
    openapi::schemas,
    params::QueryPairs,
    problem::{Problem, kinds},
    state::Api,
};

/// How a machine is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MachineState, examples(json!({
    "machine_id": "FRIDGE-1", "status": "available", "message": "Machine is available for API Dispensing",
    "checked_at": "2026-01-31T12:00:00.000Z",
})))]
pub(crate) struct StateBody {
    #[schema(schema_with = schemas::outside_id)]
    machine_id: String,
    #[schema(schema_with = schemas::machine_status)]
    status: &'static str,
    /// The words of its cloud.
    message: String,
    /// When it answered.
    #[schema(schema_with = schemas::time)]
    checked_at: String,
}

/// Check a machine
///
/// Asks the machine's cloud how it is. Each question is recorded, those that share an answer included: one that no sale
/// follows may be worth a look.
#[utoipa::path(
    get, path = "/machines/{machine_id}/status", operation_id = "check_machine", tag = "fridge sales",
    security(("api_key" = ["fridges:open"])), params(MachinePath, StatusQuery),
    responses((status = 200, description = "How it is", body = StateBody)),
    extensions(("x-problems" = json!([kinds::MACHINE_UNREACHABLE.code, kinds::MACHINE_UNANSWERED.code]))),
)]
pub(crate) async fn status(
    State(api): State<Api>,
    caller: Caller<OpenFridges>,
    MachinePath(machine_id): MachinePath,
    pairs: QueryPairs,
) -> Result<Json<StateBody>, Problem> {
    let sales = api.fridge_sales()?;
    let StatusQuery { user_id } = StatusQuery::try_from(pairs)?;
    let machine = api.find_own_machine(&machine_id, &caller.principal).await?;
    let policy = sales.settings.check();
    let input = CheckInput { machine_id: machine_id.clone(), machine_uid: machine.machine_uid, policy };
    let question = CheckRequest { event_id: Uuid::now_v7(), frontend: caller.principal, user_id };
    let asking = sales.questions.in_turn(&machine_id, ask(&api, &input, &question));
    // Longer than one try takes, which knows by itself why it has no answer.
    let asked = timeout(2 * api.engine.deadline(), asking).await;
    let state = asked.map_err(|_elapsed| no_answer())??;
    answer(machine_id, state).map(Json)
}

async fn ask(api: &Api, input: &CheckInput, question: &CheckRequest) -> Result<MachineState, Problem> {
    let asked = match ask_with_others(api, input, question).await {
        // The run that others had asked ended before it could take this question: the next one is another.
        Err(EngineError::Closed) => ask_with_others(api, input, question).await,
        asked => asked,
    };
    asked.map_err(unasked)
}

/// Asks in the run of those who are asking already, or in a new one.
async fn ask_with_others(api: &Api, input: &CheckInput, question: &CheckRequest) -> Result<MachineState, EngineError> {
    let attributes = SearchAttributes::new([
        BUSINESS_KEY.value_set(input.machine_id.clone()),
        MACHINE_ID.value_set(input.machine_id.clone()),
    ]);
    let workflow_id = check_workflow_id(&input.machine_id);
    let options = WorkflowUpdateWithStartOptions::new(TASK_QUEUE, workflow_id, WorkflowIdConflictPolicy::UseExisting)
        .id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicate)
        .update_id(question.event_id.to_string())
        .static_summary(format!("How {} is", input.machine_id))
        .search_attributes(attributes)
        .build();
    let update = (MachineCheckWorkflow::check, question.clone());
    api.engine.start(MachineCheckWorkflow::run, input.clone(), update, options).await
}

/// There is no key to repeat a question with: whoever asks again asks another one.
fn unasked(error: EngineError) -> Problem {
    match error {
        EngineError::Pending => no_answer(),
        EngineError::NotTaken(_) | EngineError::Closed => {
            Problem::temporarily_unavailable("the question was not taken: ask again").caused_by(error)
        }
        EngineError::Failed(_) => error.into(),
    }
}

fn answer(machine_id: String, state: MachineState) -> Result<StateBody, Problem> {
    match state.status {
        MachineStatus::Unreachable => {
            Err(Problem::new(kinds::MACHINE_UNREACHABLE, "the cloud of the machine could not be reached"))
        }
        MachineStatus::Unanswered => Err(no_answer()),
        MachineStatus::Available | MachineStatus::Busy | MachineStatus::Offline | MachineStatus::Error => {
            let (status, checked_at) = (state.status.as_str(), time(state.checked_at));
            Ok(StateBody { machine_id, status, message: state.message, checked_at })
        }
    }
}

fn no_answer() -> Problem {
    Problem::new(kinds::MACHINE_UNANSWERED, "the cloud of the machine did not answer in time")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;

    fn answered(status: MachineStatus) -> Result<StateBody, Problem> {
        let checked_at = DateTime::from_timestamp_millis(1_767_225_600_120).unwrap();
        let message = "Machine is busy".to_owned();
        answer(
            "FRIDGE-1".to_owned(),
            MachineState { status, code: Some(-5), message, heard: String::new(), checked_at },
        )
    }

    #[test]
    fn a_machine_that_answered_is_shown() {
        assert_eq!(
            serde_json::to_value(answered(MachineStatus::Busy).unwrap()).unwrap(),
            json!({
                "machine_id": "FRIDGE-1", "status": "busy", "message": "Machine is busy",
                "checked_at": "2026-01-01T00:00:00.120Z"
            })
        );
        for status in [MachineStatus::Available, MachineStatus::Offline, MachineStatus::Error] {
            assert_eq!(answered(status).unwrap().status, status.as_str());
        }
    }

    #[test]
    fn one_that_did_not_is_a_problem() {
        let code = |status| answered(status).unwrap_err().code();
        assert_eq!(code(MachineStatus::Unreachable), "machine_unreachable");
        assert_eq!(code(MachineStatus::Unanswered), "machine_unanswered");
        assert_eq!(unasked(EngineError::Pending).code(), "machine_unanswered");
        assert_eq!(unasked(EngineError::Closed).code(), "temporarily_unavailable");
        assert_eq!(unasked(EngineError::NotTaken("away".into())).code(), "temporarily_unavailable");
        assert_eq!(unasked(EngineError::Failed("a bug".into())).code(), "internal");
    }
}
