//! Tells operators of a door that stays open, and once more when it still does.

use std::{
    convert::Infallible,
    future::pending,
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};
use workflows::{
    contracts::{
        alerts::{Alert, AlertKind, AlertResult},
        vending::RunSale,
    },
    fridge_sales::{AlertSubject, DoorStatus, SalePolicy, SaleState, SaleStatus, Standing},
};

use crate::alerts::{Operators, TellError};

/// Between the first two tries to tell, and between later ones.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// What is told while the sale ends may take this long to be told.
const LAST_WORDS: Duration = Duration::from_secs(1);
pub(super) const ALARMS: [AlertKind; 2] = [AlertKind::DoorLeftOpen, AlertKind::DoorStillOpen];

/// Whoever alarms are told.
pub(super) trait Listener: Clone + Send + Sync + 'static {
    /// However often it is told one alert, it hears it once.
    fn hear(&self, alert: &Alert) -> impl Future<Output = Result<AlertResult, TellError>> + Send;
}

impl Listener for Operators {
    async fn hear(&self, alert: &Alert) -> Result<AlertResult, TellError> {
        self.tell(alert).await
    }
}

/// A door that is open, or may be, as far as the journal knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenDoor {
    since: DateTime<Utc>,
    door: DoorStatus,
}

/// An alarm that is due.
#[derive(Debug, Clone, Copy)]
struct Alarm {
    kind: AlertKind,
    time: Instant,
    open: OpenDoor,
}

/// The alarms of one sale's door. Every attempt rings them anew, and each is told once by its id.
pub(super) struct DoorAlarms<'a, L = Operators> {
    run: &'a RunSale,
    operators: &'a L,
    rung: usize,
    untold: Vec<AlertKind>,
    telling: JoinSet<AlertKind>,
    is_over: Arc<AtomicBool>,
}

impl OpenDoor {
    /// That of a sale; none while nobody has to close it.
    pub(super) fn of(state: &SaleState) -> Option<Self> {
        let since = match state.status {
            SaleStatus::Open => state.opened_at,
            SaleStatus::Opening => state.unlock_sent_at,
            _ => None,
        };
        since.map(|since| Self { since, door: state.door })
    }

    const fn standing(self) -> Standing {
        Standing { status: SaleStatus::Open, door: self.door, failure: None, total: None, is_disputed: false }
    }
}

impl<'a, L: Listener> DoorAlarms<'a, L> {
    pub(super) fn new(run: &'a RunSale, operators: &'a L) -> Self {
        Self { run, operators, rung: 0, untold: Vec::new(), telling: JoinSet::new(), is_over: Arc::default() }
    }

    /// Rings as often as it is due, for as long as somebody waits for this.
    pub(super) async fn watch(&mut self, mut door: watch::Receiver<Option<OpenDoor>>) -> Infallible {
        loop {
            let open = *door.borrow_and_update();
            // What passes between the two makes an alarm late, and never early.
            let (clock, now) = (Utc::now(), Instant::now());
            let due = open.and_then(|open| self.due(open, now, clock));
            tokio::select! {
                biased; // a door that is closed by now does not ring
                changed = door.changed() => if changed.is_err() { pending::<()>().await },
                alarm = at(due) => self.ring(alarm),
                Some(Ok(told)) = self.telling.join_next() => self.untold.retain(|kind| *kind != told),
            }
        }
    }

    /// This attempt is over. What is told just now is not cut off, and what cannot be told is not tried again.
    pub(super) fn leave(mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.telling.detach_all();
    }

    /// What operators could not be told. The next attempt finds out by itself.
    pub(super) async fn untold(mut self) -> Vec<AlertKind> {
        let all = timeout(LAST_WORDS, async {
            while let Some(told) = self.telling.join_next().await {
                self.untold.retain(|kind| !told.as_ref().is_ok_and(|told| told == kind));
            }
        });
        let _some_are_left = all.await;
        let untold = mem::take(&mut self.untold);
        self.leave();
        untold
    }

    /// The next alarm of a door, when the clock shows `clock`.
    fn due(&self, open: OpenDoor, now: Instant, clock: DateTime<Utc>) -> Option<Alarm> {
        let kind = *ALARMS.get(self.rung)?;
        let open_for = (clock - open.since).to_std().unwrap_or_default();
        let time = now.checked_add(after(kind, &self.run.policy).saturating_sub(open_for))?;
        Some(Alarm { kind, time, open })
    }

    fn ring(&mut self, Alarm { kind, open, .. }: Alarm) {
        self.rung += 1;
        self.untold.push(kind);
        let RunSale { request, policy, .. } = self.run;
        let subject = AlertSubject { sale_ref: request.sale_ref, machine_id: &request.machine_id };
        let alert = subject.alert(kind, policy, &open.standing(), Utc::now());
        self.telling.spawn(tell(self.operators.clone(), alert, Arc::clone(&self.is_over)));
    }
}

const fn after(kind: AlertKind, policy: &SalePolicy) -> Duration {
    match kind {
        AlertKind::DoorStillOpen => policy.door_escalation,
        _ => policy.door_alarm,
    }
}

/// Until operators are told, or cannot be, or somebody else does it.
async fn tell<L: Listener>(operators: L, alert: Alert, is_over: Arc<AtomicBool>) -> AlertKind {
    let mut pause = PAUSE;
    while let Err(error) = operators.hear(&alert).await {
        if error.is_final() || is_over.load(Ordering::Relaxed) {
            break;
        }
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            kind = alert.kind.as_str(),
            "an alarm is not told yet"
        );
        sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
    alert.kind
}

async fn at(alarm: Option<Alarm>) -> Alarm {
    match alarm {
        Some(alarm) => {
            sleep_until(alarm.time).await;
            alarm
        }
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use futures::future::join;
    use reqwest::StatusCode;
    use tokio::sync::Notify;
    use workflows::fridge_sales::transition::{Fact, transition};

    use super::*;
    use crate::{
        clients::slack::SlackError,
        vending::tests::{policy, sale},
    };

    type Answer = Result<AlertResult, TellError>;

    /// Operators as a test wants them, and what they heard.
    #[derive(Clone)]
    struct Ears<F> {
        heard: Arc<watch::Sender<Vec<Alert>>>,
        /// They answer when this lets them; without one at once.
        gate: Option<Arc<Notify>>,
        answer: F,
    }

    impl<F: Fn(&Alert) -> Answer + Clone + Send + Sync + 'static> Ears<F> {
        fn new(answer: F) -> Self {
            Self { heard: Arc::new(watch::Sender::new(Vec::new())), gate: None, answer }
        }

        fn kinds(&self) -> Vec<AlertKind> {
            self.heard.borrow().iter().map(|alert| alert.kind).collect()
        }

        /// The alarms of a sale, when this was heard so many times.
        async fn after<'a>(&'a self, times: usize, run: &'a RunSale, open: OpenDoor) -> DoorAlarms<'a, Self> {
            let door = watch::Sender::new(Some(open));
            let mut alarms = DoorAlarms::new(run, self);
            let mut heard = self.heard.subscribe();
            tokio::select! {
                never = alarms.watch(door.subscribe()) => match never {},
                _ = heard.wait_for(|heard| heard.len() >= times) => {}
            }
            alarms
        }
    }

    impl<F: Fn(&Alert) -> Answer + Clone + Send + Sync + 'static> Listener for Ears<F> {
        async fn hear(&self, alert: &Alert) -> Answer {
            self.heard.send_modify(|heard| heard.push(alert.clone()));
            if let Some(gate) = &self.gate {
                gate.notified().await;
            }
            (self.answer)(alert)
        }
    }

    /// A door that is open for so many seconds.
    fn open_for(seconds: i64) -> OpenDoor {
        OpenDoor { since: Utc::now() - TimeDelta::seconds(seconds), door: DoorStatus::Open }
    }

    #[test]
    fn a_door_is_open_since_it_opened_or_else_since_it_was_asked_to() {
        let at = |second: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let (mut state, mut known) = (SaleState::new(), Vec::new());
        for (second, fact) in (0..).zip([
            Fact::RequestSent,
            Fact::Begun { session: None },
            Fact::UnlockSent,
            Fact::Unlocked,
            Fact::Taken(Vec::new()),
            Fact::DoorClosed,
            Fact::Vanished,
        ]) {
            state = transition(&state, &fact, at(second));
            known.push(OpenDoor::of(&state));
        }
        let asked = Some(OpenDoor { since: at(2), door: DoorStatus::Unknown });
        let open = Some(OpenDoor { since: at(3), door: DoorStatus::Open });
        assert_eq!(known, [None, None, asked, open, open, None, None]);
    }

    #[test]
    fn alarms_are_due_one_after_the_other_counted_from_the_opening() {
        let (run, ears) = (sale(policy()), Ears::new(|_| Ok(AlertResult::Sent)));
        let open = OpenDoor { since: DateTime::UNIX_EPOCH, door: DoorStatus::Open };
        let mut alarms = DoorAlarms::new(&run, &ears);
        for (rung, kind, seconds) in [(0, AlertKind::DoorLeftOpen, 60), (1, AlertKind::DoorStillOpen, 180)] {
            alarms.rung = rung;
            for passed in [-5, 0, 40, seconds, 86_400] {
                let (now, clock) = (Instant::now(), open.since + TimeDelta::seconds(passed));
                let alarm = alarms.due(open, now, clock).unwrap();
                let left = TimeDelta::seconds(seconds - passed.clamp(0, seconds)).to_std().unwrap();
                assert_eq!((alarm.kind, alarm.time - now), (kind, left), "after {passed}");
            }
        }
        alarms.rung = 2;
        assert!(alarms.due(open, Instant::now(), Utc::now()).is_none());
    }

    #[tokio::test]
    async fn both_ring_while_the_door_is_open() {
        let soon = Duration::from_millis(20);
        let run = sale(SalePolicy { door_alarm: soon, door_escalation: 3 * soon, ..policy() });
        let ears = Ears::new(|_| Ok(AlertResult::Sent));
        let alarms = ears.after(2, &run, open_for(0)).await;
        assert_eq!(ears.kinds(), ALARMS);
        assert!(ears.heard.borrow()[0].text.contains("has been open for 20ms"));
        assert!(alarms.untold().await.is_empty());
    }

    #[tokio::test]
    async fn a_door_that_is_closed_in_between_rings_once() {
        let later = Duration::from_secs(2);
        let run = sale(SalePolicy { door_alarm: Duration::ZERO, door_escalation: later, ..policy() });
        let door = watch::Sender::new(Some(open_for(0)));
        let closing = door.clone();
        let ears = Ears::new(move |_| {
            closing.send_replace(None);
            Ok(AlertResult::Sent)
        });
        let mut alarms = DoorAlarms::new(&run, &ears);
        let _elapsed = timeout(2 * later, alarms.watch(door.subscribe())).await;
        assert_eq!(ears.kinds(), [AlertKind::DoorLeftOpen]);
        assert!(alarms.untold().await.is_empty());
    }

    #[tokio::test]
    async fn a_successor_rings_at_once_what_is_past() {
        let (run, ears) = (sale(policy()), Ears::new(|_| Ok(AlertResult::Recorded)));
        let open = open_for(3600);
        let mut ids = Vec::new();
        for times in [2, 4] {
            let alarms = ears.after(times, &run, open).await;
            assert!(alarms.untold().await.is_empty());
            ids.push(ears.heard.borrow()[times - 2..].iter().map(|alert| alert.alert_id).collect::<Vec<_>>());
        }
        assert_eq!(ears.kinds(), [ALARMS, ALARMS].concat());
        assert_eq!(ids[0], ids[1], "whoever rings, it is the same alert");
    }

    #[tokio::test]
    async fn what_operators_could_not_be_told_is_untold() {
        let run = sale(policy());
        let ears = Ears::new(|alert: &Alert| match alert.kind {
            AlertKind::DoorLeftOpen => Ok(AlertResult::Sent),
            _ => Err(TellError::Taken),
        });
        let alarms = ears.after(2, &run, open_for(3600)).await;
        assert_eq!(alarms.untold().await, [AlertKind::DoorStillOpen]);
    }

    #[tokio::test]
    async fn what_slack_never_shows_is_not_told_again() {
        let run = sale(policy());
        let ears = Ears::new(|_| Err(SlackError::Refused(StatusCode::FORBIDDEN).into()));
        let alarms = ears.after(2, &run, open_for(3600)).await;
        assert!(alarms.untold().await.is_empty());
        assert_eq!(ears.kinds(), ALARMS);
    }

    #[tokio::test]
    async fn an_alarm_is_told_until_it_is_heard() {
        let (run, was_told) = (sale(policy()), Arc::new(AtomicBool::new(false)));
        let ears = Ears::new(move |_| {
            let was_told = was_told.swap(true, Ordering::Relaxed);
            was_told.then_some(AlertResult::Sent).ok_or(TellError::Taken)
        });
        let alarms = ears.after(2, &run, open_for(61)).await;
        assert_eq!(ears.kinds(), [AlertKind::DoorLeftOpen; 2]);
        assert!(alarms.untold().await.is_empty());
    }

    /// What is untold of an alarm that somebody is told while its sale ends, and takes then or never.
    async fn untold_at_the_end(is_taken: bool) -> Vec<AlertKind> {
        let (run, gate) = (sale(policy()), Arc::new(Notify::new()));
        let ears = Ears { gate: Some(Arc::clone(&gate)), ..Ears::new(|_| Ok(AlertResult::Sent)) };
        let alarms = ears.after(1, &run, open_for(61)).await;
        let taken = async {
            if is_taken {
                gate.notify_one();
            }
        };
        // In this order: what is untold is asked for before it is taken.
        join(alarms.untold(), taken).await.0
    }

    #[tokio::test]
    async fn what_is_told_while_the_sale_ends_is_not_cut_off_unless_it_takes_for_ever() {
        assert!(untold_at_the_end(true).await.is_empty());
        assert_eq!(untold_at_the_end(false).await, [AlertKind::DoorLeftOpen]);
    }
}
