use prost::Message;
use temporalio_client::{Client, UntypedWorkflow, WorkflowFetchHistoryOptions};
use temporalio_common::protos::temporal::api::{
    enums::v1::EventType,
    history::v1::{History as HistoryProto, HistoryEvent, history_event::Attributes},
};

/// The history of one workflow run, as the server keeps it.
#[derive(Debug, Clone)]
pub struct History {
    events: Vec<HistoryEvent>,
}

impl History {
    /// Reads the history of a workflow's latest run.
    ///
    /// # Panics
    /// When there is none.
    pub async fn fetch(client: &Client, workflow_id: &str) -> Self {
        let handle = client.get_workflow_handle::<UntypedWorkflow>(workflow_id);
        let history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
        Self { events: history.into_events().await.expect("a history") }
    }

    /// The run that it is of: the first event of a run names it.
    pub fn run_id(&self) -> Option<&str> {
        self.events.iter().find_map(|event| match event.attributes.as_ref()? {
            Attributes::WorkflowExecutionStartedEventAttributes(started) => {
                Some(started.original_execution_run_id.as_str())
            }
            _ => None,
        })
    }

    /// How many events it has.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// How many events of one type it has.
    pub fn count(&self, event_type: EventType) -> usize {
        self.events.iter().filter(|event| event.event_type() == event_type).count()
    }

    /// The id of the first event of one type.
    pub fn first(&self, event_type: EventType) -> Option<i64> {
        self.events.iter().find(|event| event.event_type() == event_type).map(|event| event.event_id)
    }

    /// Whether the run is closed.
    pub fn is_closed(&self) -> bool {
        self.count(EventType::WorkflowExecutionCompleted) == 1
    }

    /// The names of its events, one a line, for people.
    pub fn outline(&self) -> String {
        let line = |event: &HistoryEvent| format!("{:>3} {}\n", event.event_id, event.event_type().as_str_name());
        self.events.iter().map(line).collect()
    }

    /// Protobuf bytes, as they are kept in `tests/histories`.
    pub fn to_bytes(&self) -> Vec<u8> {
        HistoryProto { events: self.events.clone() }.encode_to_vec()
    }
}
