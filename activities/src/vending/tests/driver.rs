//! Whole attempts against a websocket server on this machine.

use std::time::Duration;

use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::yield_now,
    time::Instant,
};
use workflows::{
    contracts::vending::RunSale,
    fridge_sales::{Failure, ReportedEvent, SalePolicy, SaleReport, SaleState, SaleStatus, transition::Fact},
};

use super::{
    SALE,
    fake_vendron::{
        Act, Asked, CHECK, FakeVendron, REQUEST, UNLOCK, acknowledged, available, begun, closed, completed, not_taken,
        refused, taken, unlocked,
    },
    memory::Memory,
    patience, sale,
};
use crate::vending::{
    VendingError,
    attempt::go_through,
    holder::{Purpose, Sale},
    journal::{Journal, Unwritten},
};

const SOON: Duration = Duration::from_millis(25);

fn requested() -> Vec<Fact> {
    vec![Fact::RequestSent]
}

fn unlocking() -> Vec<Fact> {
    vec![Fact::RequestSent, Fact::Begun { session: Some("S-1".to_owned()) }, Fact::UnlockSent]
}

/// A machine whose sale goes well, up to where `after_unlock` says.
pub(super) fn machine(
    after_unlock: impl Fn() -> Vec<Act> + Send + Sync + 'static,
) -> impl Fn(&Asked) -> Vec<Act> + Send + Sync + 'static {
    move |asked| match asked.command.as_str() {
        REQUEST => vec![acknowledged(REQUEST), begun()],
        UNLOCK => after_unlock(),
        _ => vec![acknowledged(CHECK), refused(CHECK, -5)],
    }
}

fn whole_sale() -> Vec<Act> {
    vec![acknowledged(UNLOCK), unlocked(), taken(), closed(), completed()]
}

pub(super) struct Attempt {
    journal: Journal<Memory>,
    unwritten: Unwritten,
    reports: UnboundedSender<SaleReport>,
    reported: UnboundedReceiver<SaleReport>,
}

impl Attempt {
    pub(super) fn new(memory: &Memory) -> Self {
        Self::after(memory, Unwritten::default())
    }

    fn after(memory: &Memory, unwritten: Unwritten) -> Self {
        let (reports, reported) = unbounded_channel();
        Self { journal: Journal::new(memory.clone(), unwritten.clone()), unwritten, reports, reported }
    }

    pub(super) async fn run(&mut self, vendron: &FakeVendron, run: &RunSale) -> Result<SaleState, VendingError> {
        self.run_for(Purpose::End { asked: Instant::now() }, vendron, run).await
    }

    async fn run_for(
        &mut self,
        purpose: Purpose,
        vendron: &FakeVendron,
        run: &RunSale,
    ) -> Result<SaleState, VendingError> {
        let mut socket = None;
        let sale = Sale { run, purpose };
        go_through(sale, &vendron.client(), &mut self.journal, &mut socket, &self.reports).await
    }

    fn reported(&mut self) -> Vec<ReportedEvent> {
        std::iter::from_fn(|| self.reported.try_recv().ok()).map(|report| report.event).collect()
    }
}

#[tokio::test]
async fn a_sale_goes_from_the_request_to_the_final_list() {
    let (memory, vendron) = (Memory::of(&[]), FakeVendron::start(machine(whole_sale)).await);
    let mut attempt = Attempt::new(&memory);
    let state = attempt.run(&vendron, &sale(patience())).await.unwrap();
    assert_eq!((state.status, state.products.len(), state.products[0].quantity), (SaleStatus::Completed, 1, 2));
    assert_eq!(attempt.reported(), [ReportedEvent::Opened, ReportedEvent::Closed]);
    let asked = vendron.asked();
    let commands: Vec<_> = asked.iter().map(|asked| asked.command.as_str()).collect();
    assert_eq!(commands, [REQUEST, UNLOCK]);
    let order = &asked[1].frame["command_data"];
    let transaction_id = workflows::fridge_sales::transaction_id(SALE);
    assert_eq!(order["payment_detail"], format!("user:bubble-1_transaction:{transaction_id}"));
    assert_eq!((&order["session"], &order["total_amount"]), (&"S-1".into(), &"20.00".into()));
    let names = memory.names();
    let expected = [REQUEST, REQUEST, "smart_fridge_request_begun", UNLOCK, UNLOCK, "smart_fridge_door_open_success"];
    assert_eq!(names[..6], expected);
    assert_eq!(names.len(), 9, "{names:?}");
}

#[tokio::test]
async fn a_refusal_is_an_end() {
    let vendron = FakeVendron::start(|_| vec![acknowledged(REQUEST), refused(REQUEST, -5)]).await;
    let state = Attempt::new(&Memory::of(&[])).run(&vendron, &sale(patience())).await.unwrap();
    assert_eq!((state.status, state.failure), (SaleStatus::Failed, Some(Failure::MachineBusy)));
    assert_eq!(vendron.times(UNLOCK), 0);
}

#[tokio::test]
async fn a_request_that_is_not_taken_is_refused_at_once() {
    let vendron = FakeVendron::start(|_| vec![not_taken(REQUEST)]).await;
    let memory = Memory::of(&[]);
    let state = Attempt::new(&memory).run(&vendron, &sale(patience())).await.unwrap();
    let message = format!("{REQUEST} was not taken PUBLIC012");
    assert_eq!(state.failure, Some(Failure::Refused { code: None, message }));
    assert_eq!(commands(&vendron), [REQUEST]);
}

/// The door may be open all the same: its machine is asked at once, and a person if that is free.
#[tokio::test]
async fn an_unlocking_that_is_not_taken_is_no_refusal() {
    let vendron = FakeVendron::start(|asked| match asked.command.as_str() {
        REQUEST => vec![acknowledged(REQUEST), begun()],
        UNLOCK => vec![not_taken(UNLOCK)],
        _ => vec![acknowledged(CHECK), available()],
    })
    .await;
    let run = sale(SalePolicy { settle: Duration::ZERO, ..patience() });
    let state = Attempt::new(&Memory::of(&[])).run(&vendron, &run).await.unwrap();
    assert_eq!((state.status, state.failure), (SaleStatus::Unresolved, None));
    assert_eq!(commands(&vendron), [REQUEST, UNLOCK, CHECK]);
}

fn commands(vendron: &FakeVendron) -> Vec<String> {
    vendron.asked().into_iter().map(|asked| asked.command).collect()
}

/// A sale that began as these facts have it, so long ago that its end is missed.
async fn overdue(vendron: &FakeVendron, facts: &[Fact]) -> (SaleStatus, Option<String>, bool) {
    let (memory, run) =
        (Memory::of(facts), sale(SalePolicy { overdue: Duration::ZERO, settle: Duration::ZERO, ..patience() }));
    let ended = Attempt::new(&memory).run(vendron, &run).await;
    (memory.now().status, memory.names().pop(), ended.is_ok())
}

#[tokio::test]
async fn a_sale_that_is_overdue_ends_also_without_a_websocket() {
    let closed = [unlocking(), vec![Fact::Unlocked, Fact::DoorClosed]].concat();
    let busy = FakeVendron::start(|_| vec![acknowledged(CHECK), refused(CHECK, -5)]).await;
    for vendron in [FakeVendron::gone().await, busy] {
        for facts in [unlocking(), closed.clone()] {
            let missed = (SaleStatus::Unresolved, Some("overdue".to_owned()), true);
            assert_eq!(overdue(&vendron, &facts).await, missed, "{facts:?}");
        }
    }
}

#[tokio::test]
async fn a_sale_that_is_not_overdue_waits_for_a_websocket() {
    let gone = FakeVendron::gone().await;
    let open = [unlocking(), vec![Fact::Unlocked]].concat();
    for (facts, status) in [(requested(), SaleStatus::Requested), (open, SaleStatus::Open)] {
        let (stands, _, has_ended) = overdue(&gone, &facts).await;
        assert_eq!((stands, has_ended), (status, false), "{facts:?}");
    }
    let memory = Memory::of(&unlocking());
    let lost = Attempt::new(&memory).run(&gone, &sale(patience())).await.unwrap_err();
    assert!(matches!(lost, VendingError::Disconnected { was_heard: false, .. }), "{lost:?}");
    assert_eq!(memory.now().status, SaleStatus::Opening);
}

#[tokio::test]
async fn a_machine_that_nobody_answers_for_is_not_opened() {
    let hasty = SalePolicy { acknowledgement: SOON, ..patience() };
    for vendron in [FakeVendron::gone().await, FakeVendron::start(|_| vec![]).await] {
        let state = Attempt::new(&Memory::of(&[])).run(&vendron, &sale(hasty.clone())).await.unwrap();
        assert_eq!((state.status, state.failure), (SaleStatus::Failed, Some(Failure::Unanswered)));
        assert_eq!(vendron.times(UNLOCK), 0);
    }
}

#[tokio::test]
async fn a_lost_websocket_is_taken_over_and_nothing_is_sent_twice() {
    let memory = Memory::of(&[]);
    let vendron = FakeVendron::start(|asked| match asked.command.as_str() {
        REQUEST => vec![acknowledged(REQUEST), begun()],
        UNLOCK => vec![unlocked(), taken(), Act::HangUp],
        _ => vec![acknowledged(CHECK), refused(CHECK, -5), closed(), completed()],
    })
    .await;
    let run = sale(patience());
    let lost = Attempt::new(&memory).run(&vendron, &run).await.unwrap_err();
    assert!(matches!(lost, VendingError::Disconnected { was_heard: true, .. }), "{lost:?}");
    assert_eq!((memory.now().status, memory.now().products.len()), (SaleStatus::Open, 2));
    let mut next = Attempt::new(&memory);
    assert_eq!(next.run(&vendron, &run).await.unwrap().status, SaleStatus::Completed);
    assert_eq!(next.reported(), [ReportedEvent::Opened, ReportedEvent::Closed], "told again");
    assert_eq!((vendron.times(REQUEST), vendron.times(UNLOCK), vendron.times(CHECK)), (1, 1, 1));
    assert_eq!(vendron.asked().last().unwrap().connection, 1);
}

#[tokio::test]
async fn a_command_that_may_have_been_sent_is_not_sent_again() {
    let interrupted = (SaleStatus::Failed, Some(Failure::Interrupted));
    for (facts, end) in [(requested(), interrupted), (unlocking(), (SaleStatus::Unresolved, None))] {
        let memory = Memory::of(&facts);
        let vendron = FakeVendron::start(|_| vec![acknowledged(CHECK), available()]).await;
        let run = sale(SalePolicy { settle: SOON, ..patience() });
        let state = Attempt::new(&memory).run(&vendron, &run).await.unwrap();
        assert_eq!((state.status, state.failure), end, "{facts:?}");
        let asked: Vec<_> = vendron.asked().into_iter().map(|asked| asked.command).collect();
        assert_eq!(asked, [CHECK], "{facts:?}");
    }
}

#[tokio::test]
async fn a_session_that_was_begun_is_gone_on_with() {
    let memory = Memory::of(&unlocking()[..2]);
    let vendron = FakeVendron::start(machine(whole_sale)).await;
    let state = Attempt::new(&memory).run(&vendron, &sale(patience())).await.unwrap();
    assert_eq!(state.status, SaleStatus::Completed);
    let asked: Vec<_> = vendron.asked().into_iter().map(|asked| asked.command).collect();
    assert_eq!(asked, [CHECK, UNLOCK]);
}

#[tokio::test]
async fn two_attempts_at_once_open_one_door_once() {
    for _ in 0..3 {
        let (memory, vendron) = (Memory::of(&[]), FakeVendron::start(machine(whole_sale)).await);
        let run = sale(SalePolicy { acknowledgement: Duration::from_millis(250), poll: SOON, ..patience() });
        let (mut one, mut other) = (Attempt::new(&memory), Attempt::new(&memory));
        let (one, other) = tokio::join!(one.run(&vendron, &run), other.run(&vendron, &run));
        assert_eq!(one.unwrap(), other.unwrap());
        assert!(vendron.times(REQUEST) <= 1 && vendron.times(UNLOCK) <= 1, "{:?}", vendron.asked());
    }
}

/// Waits until this many facts wait for the database.
async fn heard(unwritten: &Unwritten, facts: usize) {
    while unwritten.to_carry().len() < facts {
        yield_now().await;
    }
}

#[tokio::test]
async fn frames_are_read_while_the_database_is_away() {
    let memory = Memory::of(&[]);
    let away = memory.clone();
    let vendron = FakeVendron::start(move |asked| {
        if asked.command == REQUEST {
            return vec![acknowledged(REQUEST), begun()];
        }
        away.leave();
        vec![unlocked(), taken(), closed(), completed(), Act::HangUp]
    })
    .await;
    let run = sale(patience());
    let mut attempt = Attempt::new(&memory);
    let unwritten = attempt.unwritten.clone();
    let returning = async {
        heard(&unwritten, 4).await;
        memory.come_back();
    };
    let (state, ()) = tokio::join!(attempt.run(&vendron, &run), returning);
    assert_eq!(state.unwrap().status, SaleStatus::Completed);
    assert_eq!(attempt.reported(), [ReportedEvent::Opened, ReportedEvent::Closed]);
}

#[tokio::test]
async fn a_list_that_was_heard_survives_its_worker_and_the_database() {
    let memory = Memory::of(&unlocking());
    let away = memory.clone();
    let vendron = FakeVendron::start(move |_| {
        away.leave();
        vec![unlocked(), closed(), completed()]
    })
    .await;
    let run = sale(patience());
    let mut dying = Attempt::new(&memory);
    let unwritten = dying.unwritten.clone();
    tokio::select! {
        ended = dying.run(&vendron, &run) => panic!("{ended:?}"),
        () = heard(&unwritten, 3) => {}
    }
    let heartbeat = unwritten.to_carry();
    drop(dying);
    memory.come_back();
    let mut next = Attempt::after(&memory, Unwritten::carried(heartbeat, SALE));
    assert_eq!(next.run(&vendron, &run).await.unwrap().status, SaleStatus::Completed);
    assert_eq!(vendron.asked().len(), 1, "the sale is over: nobody has to be asked");
}

#[tokio::test]
async fn the_late_end_of_a_sale_is_heard_if_it_names_the_sale() {
    let memory = Memory::of(&[unlocking(), vec![Fact::Vanished]].concat());
    let vendron = FakeVendron::start(|_| {
        let Act::Say(anonymous) = closed() else { unreachable!() };
        vec![Act::Say(anonymous.replace("$ref", "1768320000")), completed()]
    })
    .await;
    let purpose = Purpose::LateEnd { until: Instant::now() + Duration::from_hours(1) };
    let state = Attempt::new(&memory).run_for(purpose, &vendron, &sale(patience())).await.unwrap();
    assert_eq!(state.status, SaleStatus::Completed);
    assert_eq!(memory.names().last().unwrap(), "smart_fridge_request_completed");
}

#[tokio::test]
async fn a_late_end_that_does_not_come_leaves_the_sale_as_it_is() {
    let memory = Memory::of(&[unlocking(), vec![Fact::Vanished]].concat());
    let vendron = FakeVendron::start(|_| vec![acknowledged(CHECK), available()]).await;
    let purpose = Purpose::LateEnd { until: Instant::now() + SOON };
    let state = Attempt::new(&memory).run_for(purpose, &vendron, &sale(patience())).await.unwrap();
    assert_eq!(state.status, SaleStatus::Unresolved);
}
