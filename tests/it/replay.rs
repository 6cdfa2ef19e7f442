//! The workflows still do what they did when these histories were recorded.

use std::{fs, path::Path};

use prost::Message;
use temporal::{Codec, KeyRing, data_converter};
use temporalio_common::{WorkflowDefinition, protos::temporal::api::history::v1::History};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};
use temporalio_workflow::{WorkflowContext, WorkflowContextView, WorkflowResult, workflows::WorkflowImplementation};
use workflows::{
    invoices::{InvoiceInput, InvoiceOutcome, InvoiceWorkflow, OpenReply},
    purchase_codes::{
        IssueReply, IssueRequest, PurchaseCodeWorkflow, PurchaseInput, PurchaseOutcome, UseReply, UseRequest,
    },
};

/// What the files of a process begin with, and how many there are at least.
const INVOICES: (&str, usize) = ("invoice-", 5);
const PURCHASES: (&str, usize) = ("purchase-", 5);

fn histories((process, at_least): (&str, usize)) -> Vec<(String, History)> {
    let histories: Vec<_> = recorded().into_iter().filter(|(name, _)| name.starts_with(process)).collect();
    assert!(histories.len() >= at_least, "there are too few histories of {process}: {}", histories.len());
    histories
}

fn recorded() -> Vec<(String, History)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|extension| extension == "pb"))
        .map(|file| {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            (name, History::decode(fs::read(&file).unwrap().as_slice()).unwrap())
        })
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

async fn assert_all_replay<W>(process: (&str, usize))
where
    W: WorkflowImplementation,
    <W::Run as WorkflowDefinition>::Input: Send,
{
    for (file, history) in histories(process) {
        let outcome = replayer::<W>().replay_workflow(history.into()).await;
        outcome.unwrap_or_else(|error| panic!("{file}: {error:?}"));
    }
}

async fn assert_none_replays<W>(process: (&str, usize))
where
    W: WorkflowImplementation,
    <W::Run as WorkflowDefinition>::Input: Send,
{
    for (file, history) in histories(process) {
        let outcome = replayer::<W>().replay_workflow(history.into()).await;
        assert!(outcome.is_err(), "{file} replayed in a workflow that does not do what it tells");
    }
}

#[tokio::test]
async fn every_recorded_history_replays() {
    assert_all_replay::<InvoiceWorkflow>(INVOICES).await;
    assert_all_replay::<PurchaseCodeWorkflow>(PURCHASES).await;
}

#[tokio::test]
async fn a_workflow_that_does_something_else_does_not_replay() {
    assert_none_replays::<Hasty>(INVOICES).await;
    assert_none_replays::<Generous>(PURCHASES).await;
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

/// A purchase as somebody might break it: it waits before it claims the loan.
#[workflow]
struct Generous {
    input: PurchaseInput,
}

#[workflow_methods]
impl Generous {
    #[init]
    fn new(_: &WorkflowContextView, input: PurchaseInput) -> Self {
        Self { input }
    }

    #[run(name = "PurchaseCode")]
    async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<PurchaseOutcome> {
        let pause = ctx.state(|purchase| purchase.input.policy.first_update);
        ctx.timer(pause).await;
        Ok(PurchaseOutcome::NeverAsked)
    }

    #[update(name = "issue")]
    async fn issue(
        ctx: &mut WorkflowContext<Self>,
        _: IssueRequest,
    ) -> Result<IssueReply, Box<dyn std::error::Error + Send + Sync>> {
        ctx.wait_condition(|_| false).await?;
        Err("the wait has no end".into())
    }

    #[update(name = "use")]
    async fn use_code(
        ctx: &mut WorkflowContext<Self>,
        _: UseRequest,
    ) -> Result<UseReply, Box<dyn std::error::Error + Send + Sync>> {
        ctx.wait_condition(|_| false).await?;
        Err("the wait has no end".into())
    }
}
