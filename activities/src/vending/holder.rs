//! Holds one websocket: writes down what comes in, and does what is due. What is due, and what a frame means, others
//! decide.

use chrono::Utc;
use tokio::{
    sync::mpsc::UnboundedSender,
    time::{Instant, sleep_until, timeout},
};
use workflows::{
    contracts::vending::RunSale,
    fridge_sales::{ReportedEvent, SaleReport, SaleState, SaleStatus, transaction_id, transition::Fact},
};

use super::{
    VendingError,
    course::{Course, Intent, Step, to_send},
    entries::Entries,
    facts::{self, Hearing},
    journal::{Journal, Rows, Written},
};
use crate::clients::vendron::{Command, Order, Received, Socket, VendronError};

/// What a websocket is held for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sale<'a> {
    /// The sale.
    pub(super) run: &'a RunSale,
    /// What of it.
    pub(super) purpose: Purpose,
}

/// What is awaited of a sale.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// Its end, whatever has to be done for that.
    End {
        /// When the buyer asked, by this machine's clock.
        asked: Instant,
    },
    /// The late end of an unresolved one.
    LateEnd {
        /// So long.
        until: Instant,
    },
}

/// Why nothing goes through a websocket any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    /// It ended, or says what no websocket may say.
    #[error(transparent)]
    Ended(#[from] VendronError),
    /// It takes nothing.
    #[error("the websocket took no command in time")]
    Stalled,
}

/// One attempt at a sale, with its websocket.
pub(super) struct Holder<'a, R> {
    sale: Sale<'a>,
    journal: &'a mut Journal<R>,
    socket: &'a mut Socket,
    reports: &'a UnboundedSender<SaleReport>,
    entries: Entries,
    state: SaleState,
    /// Known from the moment that it was heard, which is before the journal has it.
    session: Option<String>,
    course: Course,
    reported: Option<ReportedEvent>,
    was_heard: bool,
    lost: Option<Lost>,
}

impl Sale<'_> {
    /// Whether there is anything to hold a websocket for.
    pub(super) const fn is_over(self, state: &SaleState) -> bool {
        match self.purpose {
            Purpose::End { .. } => state.status.is_final(),
            Purpose::LateEnd { .. } => !matches!(state.status, SaleStatus::Unresolved),
        }
    }

    /// From when on its commands grow stale.
    fn began(self) -> Instant {
        match self.purpose {
            Purpose::End { asked } => asked,
            Purpose::LateEnd { .. } => Instant::now(),
        }
    }

    const fn hearing(self) -> Hearing {
        match self.purpose {
            Purpose::End { .. } => Hearing::OneSale,
            Purpose::LateEnd { .. } => Hearing::Anybody,
        }
    }
}

impl<'a, R: Rows> Holder<'a, R> {
    /// A holder of a websocket that was just connected, for a sale that stands at `state`.
    pub(super) fn new(
        sale: Sale<'a>,
        state: SaleState,
        journal: &'a mut Journal<R>,
        socket: &'a mut Socket,
        reports: &'a UnboundedSender<SaleReport>,
    ) -> Self {
        let mut course = Course::new(sale.began());
        course.know(&state, &sale.run.policy, Instant::now(), Utc::now());
        Self {
            entries: Entries::new(sale.run.request.sale_ref, socket.id()),
            session: state.session.clone(),
            sale,
            journal,
            socket,
            reports,
            state,
            course,
            reported: None,
            was_heard: false,
            lost: None,
        }
    }

    /// Until the end of the sale, or of the connection.
    pub(super) async fn hold(mut self) -> Result<SaleState, VendingError> {
        loop {
            self.report();
            let step = self.journal.is_idle().then(|| self.next(Instant::now()));
            if step == Some(Step::End) {
                return Ok(self.state);
            }
            if let Some(source) = self.lost.take_if(|_| step.is_some()) {
                return Err(VendingError::Disconnected { source, was_heard: self.was_heard });
            }
            let until = match step {
                Some(step) => self.take(step).await,
                None => None,
            };
            self.wait(until).await?;
        }
    }

    /// Asked only when everything that was heard is written: what waits in the queue may change it.
    fn next(&self, now: Instant) -> Step {
        let policy = &self.sale.run.policy;
        match self.sale.purpose {
            Purpose::End { .. } => self.course.next(&self.state, policy, now),
            Purpose::LateEnd { until } => self.course.next_late(&self.state, policy, until, now),
        }
    }

    /// Takes a step. When the next one is due, if that is known.
    async fn take(&mut self, step: Step) -> Option<Instant> {
        match step {
            Step::Commit(intent) => self.journal.push(self.entries.intent(intent)),
            Step::Ask => self.ask().await,
            Step::Note(fact) => {
                self.course.concluded();
                self.journal.push(self.entries.noted(fact));
            }
            Step::Wait(until) => return Some(until),
            Step::End => {}
        }
        None
    }

    async fn wait(&mut self, until: Option<Instant>) -> Result<(), VendingError> {
        let reads = self.lost.is_none() && self.journal.has_room();
        tokio::select! {
            written = self.journal.written() => self.keep(written?).await,
            received = self.socket.next(), if reads => self.hear(received),
            () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {}
        }
        Ok(())
    }

    /// An entry is in the journal. Only who committed an intent first sends its command, and only while the sale wants
    /// it.
    async fn keep(&mut self, written: Written) {
        let now = Instant::now();
        self.state = written.state;
        self.course.know(&self.state, &self.sale.run.policy, now, Utc::now());
        let Some(intent) = to_send(written.intent, &self.state, &self.course) else {
            return;
        };
        let is_wanted = !self.state.status.is_final() && self.course.is_fresh(&self.sale.run.policy, now);
        if let Some(command) = self.command(intent).filter(|_| is_wanted && self.lost.is_none()) {
            self.course.sent(intent, now);
            self.send(&command).await;
        }
    }

    fn hear(&mut self, received: Result<Received, VendronError>) {
        let received = match received {
            Ok(received) => received,
            Err(error) => return self.lose(error.into()),
        };
        let (request, frame) = (&self.sale.run.request, &received.frame);
        let is_ours = facts::is_ours(frame, request.sale_ref, self.session.as_deref(), self.sale.hearing());
        let fact = if is_ours { facts::fact(frame, &request.authorised.currency) } else { None };
        if is_ours {
            self.was_heard = true;
            self.course.hear(frame, Instant::now());
        }
        if let Some(Fact::Begun { session: Some(session) }) = &fact {
            self.session.get_or_insert_with(|| session.clone());
        }
        self.journal.push(self.entries.received(&received, fact));
    }

    async fn ask(&mut self) {
        self.course.asked(Instant::now());
        self.journal.push(self.entries.question());
        self.send(&Command::CheckMachineState { machine_uid: self.sale.run.request.machine_uid.clone() }).await;
    }

    /// A command that cannot be sent in time is on a connection that does not carry it.
    async fn send(&mut self, command: &Command) {
        let reference = self.sale.run.request.sale_ref.to_string();
        let sending = timeout(self.sale.run.policy.acknowledgement, self.socket.send(command, &reference));
        match sending.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.lose(error.into()),
            Err(_) => self.lose(Lost::Stalled),
        }
    }

    fn lose(&mut self, error: Lost) {
        let sale_ref = self.sale.run.request.sale_ref;
        tracing::warn!(error = &error as &dyn std::error::Error, %sale_ref, "the websocket of a sale is lost");
        self.journal.push(self.entries.lost(&error));
        self.lost = Some(error);
    }

    fn command(&self, intent: Intent) -> Option<Command> {
        let request = &self.sale.run.request;
        let (user, transaction) = (&request.buyer.id, transaction_id(request.sale_ref));
        let order = Order {
            machine_uid: request.machine_uid.clone(),
            payment_detail: format!("user:{user}_transaction:{transaction}"),
            amount: request.authorised.clone(),
        };
        match intent {
            Intent::Request => Some(Command::Request(order)),
            Intent::Unlock => Some(Command::DoorOpen { order, session: self.state.session.clone()? }),
        }
    }

    /// Tells the run what it waits for. An attempt that takes over tells it again.
    fn report(&mut self) {
        let event = match self.state.status {
            SaleStatus::Open => ReportedEvent::Opened,
            SaleStatus::Closed => ReportedEvent::Closed,
            _ => return,
        };
        if self.reported != Some(event) {
            self.reported = Some(event);
            let standing = self.state.standing(&self.sale.run.request.authorised);
            // Nobody listens any more: this attempt is at its end.
            let _unheard = self.reports.send(SaleReport { event, standing });
        }
    }
}
