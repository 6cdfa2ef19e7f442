//! What is left when a task did its work and was lost, with the update that it was about: the rows, and a run that knows
//! of nothing.

use temporalio_client::{grpc::WorkflowService, tonic::IntoRequest};
use temporalio_common::protos::temporal::api::{
    common::v1::WorkflowExecution,
    enums::v1::{EventType, ResetReapplyExcludeType},
    workflowservice::v1::ResetWorkflowExecutionRequest,
};
use uuid::Uuid;

use crate::{History, TestApp};

impl TestApp {
    /// Lets the run of a workflow forget everything since its beginning, as if the worker and Temporal had died after its
    /// first task had acted and before that was recorded.
    ///
    /// # Panics
    /// When Temporal refuses.
    pub async fn lose_first_task(&self, workflow_id: String) {
        let mut temporal = self.temporal().await;
        let history = History::fetch(&temporal, &workflow_id).await;
        let reset = ResetWorkflowExecutionRequest {
            namespace: self.stack().temporal_namespace().to_owned(),
            workflow_task_finish_event_id: history.first(EventType::WorkflowTaskCompleted).expect("a task"),
            workflow_execution: Some(WorkflowExecution { workflow_id, run_id: String::new() }),
            reason: "a test lets the first task be lost".to_owned(),
            request_id: Uuid::new_v4().to_string(),
            reset_reapply_exclude_types: vec![ResetReapplyExcludeType::Update.into()],
            ..ResetWorkflowExecutionRequest::default()
        };
        WorkflowService::reset_workflow_execution(&mut temporal, reset.into_request()).await.expect("Temporal");
    }
}
