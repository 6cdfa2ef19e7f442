//! The workflows still do what they did when these histories were recorded.

use std::{fs, path::Path};

use prost::Message;
use temporal::{Codec, KeyRing, data_converter};
use temporalio_common::{WorkflowDefinition, protos::temporal::api::history::v1::History};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};
use temporalio_workflow::{WorkflowContext, WorkflowContextView, WorkflowResult, workflows::WorkflowImplementation};
use workflows::{
    fridge_sales::{
        CheckInput, CheckRequest, FridgeSaleWorkflow, MachineCheckWorkflow, MachineState, NotificationInput,
        OpenReply as SaleReply, SaleInput, SaleNotificationWorkflow, SaleOutcome, SaleReport, SaleStatus,
    },
    gifts::{
        GiftOutcome, GiftRedemptionWorkflow, GiftVoidWorkflow, RedeemReply, RedemptionInput, VoidInput, VoidReply,
    },
    invoices::{InvoiceInput, InvoiceOutcome, InvoiceWorkflow, OpenReply},
    purchase_codes::{
        IssueReply, IssueRequest, PurchaseCodeWorkflow, PurchaseInput, PurchaseOutcome, UseReply, UseRequest,
    },
};

/// What the files of a process begin with, and how many there are at least.
const INVOICES: (&str, usize) = ("invoice-", 7);
const PURCHASES: (&str, usize) = ("purchase-", 7);
const USED_GIFTS: (&str, usize) = ("gift-used", 1);
const REFUSED_GIFTS: (&str, usize) = ("gift-refused", 1);
const VOIDED_GIFTS: (&str, usize) = ("gift-voided", 1);
const FRIDGES: (&str, usize) = ("fridge-", 7);
const NOTIFICATIONS: (&str, usize) = ("notification-", 2);
const CHECKS: (&str, usize) = ("machine-check", 1);

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
async fn case_39_every_recorded_history_replays() {
    assert_all_replay::<InvoiceWorkflow>(INVOICES).await;
    assert_all_replay::<PurchaseCodeWorkflow>(PURCHASES).await;
    assert_all_replay::<GiftRedemptionWorkflow>(USED_GIFTS).await;
    assert_all_replay::<GiftRedemptionWorkflow>(REFUSED_GIFTS).await;
    assert_all_replay::<GiftVoidWorkflow>(VOIDED_GIFTS).await;
    assert_all_replay::<FridgeSaleWorkflow>(FRIDGES).await;
    assert_all_replay::<SaleNotificationWorkflow>(NOTIFICATIONS).await;
    assert_all_replay::<MachineCheckWorkflow>(CHECKS).await;
}

#[tokio::test]
async fn a_workflow_that_does_something_else_does_not_replay() {
    assert_none_replays::<Hasty>(INVOICES).await;
    assert_none_replays::<Generous>(PURCHASES).await;
    assert_none_replays::<Doubtful>(USED_GIFTS).await;
    assert_none_replays::<Doubtful>(REFUSED_GIFTS).await;
    assert_none_replays::<Forgetful>(VOIDED_GIFTS).await;
    assert_none_replays::<Shy>(FRIDGES).await;
    assert_none_replays::<Deaf>(NOTIFICATIONS).await;
    assert_none_replays::<Incurious>(CHECKS).await;
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

/// A sale as somebody might break it: it waits before it claims the machine.
#[workflow]
struct Shy {
    input: SaleInput,
}

#[workflow_methods]
impl Shy {
    #[init]
    fn new(_: &WorkflowContextView, input: SaleInput) -> Self {
        Self { input }
    }

    #[run(name = "FridgeSale")]
    async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<SaleOutcome> {
        let pause = ctx.state(|sale| sale.input.policy.first_update);
        ctx.timer(pause).await;
        Ok(SaleOutcome::NeverAsked)
    }

    #[update(name = "open")]
    async fn open(ctx: &mut WorkflowContext<Self>) -> Result<SaleReply, Box<dyn std::error::Error + Send + Sync>> {
        ctx.wait_condition(|_| false).await?;
        Err("the wait has no end".into())
    }

    #[update(name = "report")]
    async fn report(
        ctx: &mut WorkflowContext<Self>,
        _: SaleReport,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        ctx.wait_condition(|_| false).await?;
        Err("the wait has no end".into())
    }
}

/// A notification as somebody might break it: it waits before it is kept.
#[workflow]
struct Deaf {
    input: NotificationInput,
}

#[workflow_methods]
impl Deaf {
    #[init]
    fn new(_: &WorkflowContextView, input: NotificationInput) -> Self {
        Self { input }
    }

    #[run(name = "SaleNotification")]
    async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<SaleStatus> {
        let pause = ctx.state(|notification| notification.input.policy.first_update);
        ctx.timer(pause).await;
        Ok(SaleStatus::Unresolved)
    }
}

/// A question as somebody might break it: it waits before it is put.
#[workflow]
struct Incurious {
    input: CheckInput,
}

#[workflow_methods]
impl Incurious {
    #[init]
    fn new(_: &WorkflowContextView, input: CheckInput) -> Self {
        Self { input }
    }

    #[run(name = "MachineCheck")]
    async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<()> {
        let pause = ctx.state(|check| check.input.policy.first_update);
        ctx.timer(pause).await;
        Ok(())
    }

    #[update(name = "check")]
    async fn check(
        ctx: &mut WorkflowContext<Self>,
        _: CheckRequest,
    ) -> Result<MachineState, Box<dyn std::error::Error + Send + Sync>> {
        ctx.wait_condition(|_| false).await?;
        Err("the wait has no end".into())
    }
}

/// A use of a gift as somebody might break it: it waits before it asks the ledger.
#[workflow]
struct Doubtful {
    input: RedemptionInput,
}

#[workflow_methods]
impl Doubtful {
    #[init]
    fn new(_: &WorkflowContextView, input: RedemptionInput) -> Self {
        Self { input }
    }

    #[run(name = "GiftRedemption")]
    async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<GiftOutcome> {
        let pause = ctx.state(|redemption| redemption.input.policy.first_update);
        ctx.timer(pause).await;
        Ok(GiftOutcome::NeverAsked)
    }

    #[update(name = "redeem")]
    async fn redeem(ctx: &mut WorkflowContext<Self>) -> Result<RedeemReply, Box<dyn std::error::Error + Send + Sync>> {
        ctx.wait_condition(|_| false).await?;
        Err("the wait has no end".into())
    }
}

/// An undoing as somebody might break it: it waits before it asks the ledger, too.
#[workflow]
struct Forgetful {
    input: VoidInput,
}

#[workflow_methods]
impl Forgetful {
    #[init]
    fn new(_: &WorkflowContextView, input: VoidInput) -> Self {
        Self { input }
    }

    #[run(name = "GiftVoid")]
    async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<GiftOutcome> {
        let pause = ctx.state(|undoing| undoing.input.policy.first_update);
        ctx.timer(pause).await;
        Ok(GiftOutcome::NeverAsked)
    }

    #[update(name = "void")]
    async fn void(ctx: &mut WorkflowContext<Self>) -> Result<VoidReply, Box<dyn std::error::Error + Send + Sync>> {
        ctx.wait_condition(|_| false).await?;
        Err("the wait has no end".into())
    }
}
