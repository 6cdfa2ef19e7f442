//! The workflows still do what they did when these histories were recorded.

use std::{fs, path::Path};

use prost::Message;
use temporal::{Codec, KeyRing, data_converter};
use temporalio_common::{WorkflowDefinition, protos::temporal::api::history::v1::History};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};
use temporalio_workflow::{WorkflowContext, WorkflowContextView, WorkflowResult, workflows::WorkflowImplementation};
use workflows::invoices::{InvoiceInput, InvoiceOutcome, InvoiceWorkflow, OpenReply};

fn histories() -> Vec<(String, History)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|extension| extension == "pb"))
        .map(|file| (file.display().to_string(), History::decode(fs::read(&file).unwrap().as_slice()).unwrap()))
        .collect()
}

fn replayer<W>() -> WorkflowReplayer
where
    W: WorkflowImplementation,
    <W::Run as WorkflowDefinition>::Input: Send,
{
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories/codec.keys");
    let converter = data_converter(Codec::new(KeyRing::from_file(&keys).unwrap()));
    let options = WorkflowReplayerOptions::new().data_converter(converter).register_workflow::<W>().unwrap();
    WorkflowReplayer::new(options.build()).unwrap()
}

#[tokio::test]
async fn every_recorded_history_replays() {
    let histories = histories();
    assert!(histories.len() >= 5, "there are too few histories: {}", histories.len());
    for (file, history) in histories {
        let replayer = replayer::<InvoiceWorkflow>();
        replayer.replay_workflow(history.into()).await.unwrap_or_else(|error| panic!("{file}: {error:?}"));
    }
}

#[tokio::test]
async fn a_workflow_that_does_something_else_does_not_replay() {
    for (file, history) in histories() {
        let outcome = replayer::<Hasty>().replay_workflow(history.into()).await;
        assert!(outcome.is_err(), "{file} replayed in a workflow that never creates an invoice");
    }
}

/// An invoice workflow as somebody might break it: it waits before it creates the invoice.
#[workflow]
struct Hasty {
    input: InvoiceInput,
}

#[workflow_methods]
impl Hasty {
    #[init]
    fn new(_: &WorkflowContextView, input: InvoiceInput) -> Self {
        Self { input }
    }

    #[run(name = "Invoice")]
    async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<InvoiceOutcome> {
        let pause = ctx.state(|invoice| invoice.input.policy.first_update);
        ctx.timer(pause).await;
        Ok(InvoiceOutcome::NeverAsked)
    }

    #[update(name = "open")]
    async fn open(ctx: &mut WorkflowContext<Self>) -> Result<OpenReply, Box<dyn std::error::Error + Send + Sync>> {
        ctx.wait_condition(|_| false).await?;
        Err("the wait has no end".into())
    }
}
