//! What to do next, from what the journal says and what this attempt did and heard. Nothing here touches the world.

mod heed;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use workflows::fridge_sales::{SalePolicy, SaleState, SaleStatus, transition::Fact};

pub(super) use heed::to_send;

use crate::clients::vendron::{Frame, Message};

/// Vendron: somebody has the machine.
const BUSY: i64 = -5;

/// A command that must never be sent twice: its intent is committed first, and an attempt that finds it does not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    /// To request the machine.
    Request,
    /// To unlock its door.
    Unlock,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Commit the intent; whoever commits it first sends the command.
    Commit(Intent),
    /// Ask how the machine is.
    Ask,
    /// Write down what follows from what did not happen.
    Note(Fact),
    /// Nothing before then, unless something is heard.
    Wait(Instant),
    /// Nothing any more.
    End,
}

/// How the machine is, as far as the sale has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// Its session runs.
    Busy,
    /// No session runs.
    Available,
    /// It is not online, or cannot say.
    Unable,
}

/// What one attempt did and heard on its websocket, by its own clock.
#[derive(Debug, Clone)]
pub(super) struct Course {
    /// When the buyer asked.
    began: Instant,
    /// The last sign of this sale; at first the buyer's request.
    heard: Instant,
    requested: Option<Instant>,
    acknowledged: Option<Instant>,
    unlocked: Option<Instant>,
    closed: Option<Instant>,
    asked: Option<Instant>,
    asked_first: Option<Instant>,
    answer: Option<(Answer, Instant)>,
    overdue: Option<Instant>,
    has_concluded: bool,
}

impl Intent {
    /// The command, by its name.
    pub(super) const fn command(self) -> &'static str {
        match self {
            Self::Request => "smart_fridge_request",
            Self::Unlock => "smart_fridge_door_open",
        }
    }

    /// The one whose command has this name, as Vendron writes it.
    pub(super) fn named(command: &str) -> Option<Self> {
        [Self::Request, Self::Unlock].into_iter().find(|intent| intent.command().eq_ignore_ascii_case(command))
    }

    /// The fact that it is committed as.
    pub(super) const fn fact(self) -> Fact {
        match self {
            Self::Request => Fact::RequestSent,
            Self::Unlock => Fact::UnlockSent,
        }
    }

    /// The intent that a fact is, if it is one.
    pub(super) const fn of(fact: &Fact) -> Option<Self> {
        match fact {
            Fact::RequestSent => Some(Self::Request),
            Fact::UnlockSent => Some(Self::Unlock),
            _ => None,
        }
    }
}

impl Course {
    /// Begins with the buyer's request.
    pub(super) const fn new(began: Instant) -> Self {
        Self {
            began,
            heard: began,
            requested: None,
            acknowledged: None,
            unlocked: None,
            closed: None,
            asked: None,
            asked_first: None,
            answer: None,
            overdue: None,
            has_concluded: false,
        }
    }

    /// A command went out on this attempt's websocket.
    pub(super) const fn sent(&mut self, intent: Intent, now: Instant) {
        match intent {
            Intent::Request => self.requested = Some(now),
            Intent::Unlock => self.unlocked = Some(now),
        }
        // What is still to be answered was asked about another state.
        self.asked = None;
        self.answer = None;
    }

    /// The question how the machine is went out.
    pub(super) fn asked(&mut self, now: Instant) {
        self.asked = Some(now);
        self.asked_first.get_or_insert(now);
        self.answer = None;
    }

    /// A conclusion was noted. When it did not end the sale, this course had it wrong, and only listens from now on.
    pub(super) const fn concluded(&mut self) {
        self.has_concluded = true;
    }

    /// A frame of this sale came in.
    pub(super) fn hear(&mut self, frame: &Frame, now: Instant) {
        self.heard = now;
        match &frame.message {
            Message::Ack { accepted, .. } => self.acknowledge(Intent::named(&frame.name), *accepted, now),
            Message::MachineAvailable { .. } => self.answered(Answer::Available, now),
            Message::MachineError { code, .. } => {
                self.answered(if *code == Some(BUSY) { Answer::Busy } else { Answer::Unable }, now);
            }
            Message::Unknown => {}
            // Whatever the machine answered before: its session lives.
            _ => self.answer = None,
        }
    }

    /// A command was taken or not. Vendron's word that it did not take the unlocking is no proof that the door stays shut:
    /// the machine is asked at once.
    fn acknowledge(&mut self, command: Option<Intent>, is_taken: bool, now: Instant) {
        match command {
            Some(Intent::Request) if is_taken => self.acknowledged = self.acknowledged.or(Some(now)),
            Some(Intent::Unlock) if !is_taken => self.unlocked = None,
            _ => {}
        }
    }

    /// The journal has this state now, when the clock shows `clock`.
    pub(super) fn know(&mut self, state: &SaleState, policy: &SalePolicy, now: Instant, clock: DateTime<Utc>) {
        if state.status == SaleStatus::Closed {
            self.closed.get_or_insert(now);
        }
        let left = overdue_at(state, policy).map(|due| (due - clock).to_std().unwrap_or_default());
        self.overdue = left.and_then(|left| now.checked_add(left));
    }

    /// Whether a command may still go out. A door does not open long after its buyer has asked, only because the database
    /// was away in between, or every worker.
    pub(super) fn is_fresh(&self, policy: &SalePolicy, now: Instant) -> bool {
        let patience = policy.acknowledgement + policy.unlock;
        now <= self.heard + patience && now <= self.began + 2 * patience
    }

    /// What a running sale needs next. Everything that was heard is in `state`.
    pub(super) fn next(&self, state: &SaleState, policy: &SalePolicy, now: Instant) -> Step {
        if state.status.is_final() {
            return Step::End;
        }
        if may_be_open(state) || self.has_concluded {
            return self.listen(state, policy, now);
        }
        if !state.was_requested {
            return self.unless_stale(Step::Commit(Intent::Request), policy, now);
        }
        if state.session.is_none() {
            return self.await_session(policy, now);
        }
        if self.requested.is_none() && self.asked.is_none() {
            // The events of another attempt's session come to whoever asks for the machine. The answer does not matter.
            return self.unless_stale(Step::Ask, policy, now);
        }
        self.unless_stale(Step::Commit(Intent::Unlock), policy, now)
    }

    fn unless_stale(&self, step: Step, policy: &SalePolicy, now: Instant) -> Step {
        if self.is_fresh(policy, now) { step } else { Step::Note(Fact::Unanswered) }
    }

    /// What the late end of an unresolved sale needs next.
    pub(super) fn next_late(&self, state: &SaleState, policy: &SalePolicy, until: Instant, now: Instant) -> Step {
        if state.status != SaleStatus::Unresolved || now >= until {
            return Step::End;
        }
        match self.asked.map(|asked| asked + policy.poll) {
            Some(due) if now < due => Step::Wait(due.min(until)),
            _ => Step::Ask,
        }
    }

    /// Requested, and no session yet.
    fn await_session(&self, policy: &SalePolicy, now: Instant) -> Step {
        if self.requested.is_none() {
            return self.recover_session(policy, now);
        }
        let due = self.acknowledged.map(|acknowledged| acknowledged + policy.unlock);
        let due = due.or_else(|| self.requested.map(|requested| requested + policy.acknowledgement));
        by(due.unwrap_or(now), Step::Note(Fact::Unanswered), now)
    }

    /// Another attempt requested. Its session may be told to whoever asks for the machine; without it nothing is lost.
    fn recover_session(&self, policy: &SalePolicy, now: Instant) -> Step {
        let Some(asked) = self.asked else {
            return Step::Ask;
        };
        let interrupted = Step::Note(Fact::Interrupted);
        match self.answer {
            Some((Answer::Available | Answer::Unable, _)) => interrupted,
            Some((Answer::Busy, _)) | None => by(asked + policy.acknowledgement, interrupted, now),
        }
    }

    /// The door may be open: only its sale's end, a machine that is free again, or that nobody can say for too long, ends
    /// this.
    fn listen(&self, state: &SaleState, policy: &SalePolicy, now: Instant) -> Step {
        let step = match self.answer {
            Some((Answer::Available, since)) => by(since + policy.settle, Step::Note(Fact::Vanished), now),
            _ => by(self.question_due(state, policy, now), Step::Ask, now),
        };
        match (step, self.given_up_at(policy)) {
            (Step::Wait(_) | Step::Ask, Some(due)) if now >= due => Step::Note(Fact::Overdue),
            (Step::Wait(until), Some(due)) => Step::Wait(until.min(due)),
            (step, _) => step,
        }
    }

    /// However long nobody was there: not before this attempt has asked, and what is told to whoever asks was heard.
    fn given_up_at(&self, policy: &SalePolicy) -> Option<Instant> {
        let (due, asked) = self.overdue.zip(self.asked_first)?;
        Some(due.max(asked + policy.settle))
    }

    fn question_due(&self, state: &SaleState, policy: &SalePolicy, now: Instant) -> Instant {
        match (self.asked, self.unlocked) {
            (None, None) => now,
            (None, Some(unlocked)) if state.status == SaleStatus::Opening => unlocked + policy.unlock,
            _ if state.status == SaleStatus::Closed => {
                let list_due = self.closed.unwrap_or(self.heard) + policy.closed_to_completed;
                self.asked.map_or(list_due, |asked| list_due.max(asked + policy.poll))
            }
            _ => self.asked.map_or(self.heard, |asked| asked.max(self.heard)) + policy.poll,
        }
    }

    /// What was not asked for is no answer, and the first of several counts.
    fn answered(&mut self, answer: Answer, now: Instant) {
        let is_known = self.answer.is_some_and(|(known, _)| known == answer);
        if self.asked.is_some() && !is_known {
            self.answer = Some((answer, now));
        }
    }
}

/// Whether the door was asked to open, or the machine says that it is, whoever asked.
fn may_be_open(state: &SaleState) -> bool {
    state.unlock_sent_at.is_some() || state.status > SaleStatus::Opening || !state.products.is_empty()
}

/// What follows for a sale of which nothing can be heard now, if anything does.
pub(super) fn without_websocket(state: &SaleState, policy: &SalePolicy, clock: DateTime<Utc>) -> Option<Fact> {
    if !state.was_requested {
        return Some(Fact::Unanswered);
    }
    overdue_at(state, policy).filter(|due| clock >= *due).map(|_| Fact::Overdue)
}

/// From when on the end of a sale is missed, whatever its machine says. A door that is known to be open may stay so for
/// as long as it likes.
fn overdue_at(state: &SaleState, policy: &SalePolicy) -> Option<DateTime<Utc>> {
    let since = match state.status {
        SaleStatus::Opening => state.unlock_sent_at,
        SaleStatus::Closed => state.closed_at,
        _ => None,
    };
    since?.checked_add_signed(TimeDelta::from_std(policy.overdue).ok()?)
}

fn by(due: Instant, step: Step, now: Instant) -> Step {
    if now < due { Step::Wait(due) } else { step }
}

#[cfg(test)]
mod tests;
