//! The invoice's state machine: a pure function from a state, a fact and the time to a new state and its effects.

use chrono::{DateTime, Utc};

use super::{InvoiceException, InvoiceStatus, InvoiceTerms, LateRefusal, Sums};

/// What changes in the life of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Status in the words of the source.
    pub status: InvoiceStatus,
    /// What is unusual about its money.
    pub exception: InvoiceException,
    /// When it expired, was cancelled or finished: its monitoring counts from here.
    pub ended_at: Option<DateTime<Utc>>,
    /// Whether the monitoring is over and the address was given back.
    pub released: bool,
}

impl State {
    /// A new invoice.
    pub const fn new() -> Self {
        Self {
            status: InvoiceStatus::WaitingForDeposit,
            exception: InvoiceException::None,
            ended_at: None,
            released: false,
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The money or the time changed. Once the address was given back, the status stays.
    Look,
    /// The merchant cancels; only while nothing was seen.
    CancelByMerchant,
    /// An operator cancels after a know-your-customer check; until the payment is accepted.
    CancelByOperator,
    /// The merchant accepts what came late until now, and the terms and the sums say so already. Also once the address
    /// was given back: then whoever asks for it sees to what follows.
    AcceptLate,
    /// The merchant's credit is recorded.
    Credited,
    /// The workflow has ended and money still moves: it is recorded, and nothing else follows.
    LookAfterClose,
}

/// What the caller has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Record the merchant's credit.
    Credit,
    /// Look again at this time.
    Wake(DateTime<Utc>),
    /// Give the address back, to cool down.
    Release,
}

/// Applies `fact` to `state`. `sums` is the money as it stands now.
///
/// A cancellation that may not happen leaves the status as it is.
pub fn transition(
    state: &State,
    terms: &InvoiceTerms,
    sums: &Sums,
    fact: Fact,
    now: DateTime<Utc>,
) -> (State, Vec<Effect>) {
    let status = match fact {
        Fact::Look if !state.released => status_by_money(state.status, terms, sums, now),
        Fact::AcceptLate if state.status == InvoiceStatus::Expired => status_by_money(state.status, terms, sums, now),
        Fact::CancelByMerchant if may_merchant_cancel(state.status, sums) => InvoiceStatus::Cancelled,
        Fact::CancelByOperator if may_operator_cancel(state.status) => InvoiceStatus::Cancelled,
        Fact::Credited if state.status == InvoiceStatus::PaymentAccepted => InvoiceStatus::Finished,
        _ => state.status,
    };
    let ended_at = match status {
        _ if status.is_open() => None,
        // What was accepted is not enough yet: the rest has all the time that it had after the first deadline.
        InvoiceStatus::Expired if fact == Fact::AcceptLate => Some(now),
        _ if status == state.status => state.ended_at,
        _ => Some(now),
    };
    let mut next = State { status, exception: exception(status, terms, sums), ended_at, released: state.released };
    if fact == Fact::LookAfterClose || next.released {
        return (next, Vec::new());
    }
    let effects = effects(&mut next, terms, sums, now);
    (next, effects)
}

/// Whether what came late may be accepted. `sums` is the money before that, `uncredited` says that a confirmed output
/// of the right asset has no credit.
pub fn may_accept_late(state: &State, sums: &Sums, uncredited: bool) -> Result<(), LateRefusal> {
    let came_late = !sums.late.is_zero();
    match state.status {
        InvoiceStatus::Expired if came_late => Ok(()),
        // It came in time, and was confirmed when nobody counted any more.
        InvoiceStatus::Expired if state.released && uncredited => Ok(()),
        // What came in its place may be what the payer sent again: a person has to decide.
        InvoiceStatus::Finished if sums.taken_back => Err(LateRefusal::NotConfirmed),
        InvoiceStatus::Finished if uncredited => Ok(()),
        InvoiceStatus::Finished if came_late => Err(LateRefusal::NotConfirmed),
        InvoiceStatus::Expired | InvoiceStatus::Finished => Err(LateRefusal::NothingLate),
        InvoiceStatus::Cancelled => Err(LateRefusal::Cancelled),
        _ => Err(LateRefusal::NotOver),
    }
}

fn effects(next: &mut State, terms: &InvoiceTerms, sums: &Sums, now: DateTime<Utc>) -> Vec<Effect> {
    if next.status == InvoiceStatus::PaymentAccepted {
        return vec![Effect::Credit];
    }
    let wake_at = match next.ended_at {
        Some(ended_at) => ended_at + terms.monitoring,
        None => deadline(next.status, terms, sums),
    };
    if next.ended_at.is_some() && now >= wake_at {
        next.released = true;
        return vec![Effect::Release];
    }
    vec![Effect::Wake(wake_at)]
}

/// The status that the money alone would give, held against the deadlines.
fn status_by_money(current: InvoiceStatus, terms: &InvoiceTerms, sums: &Sums, now: DateTime<Utc>) -> InvoiceStatus {
    if current.is_final() {
        return current;
    }
    let paid = if terms.covers(&sums.confirmed) {
        InvoiceStatus::PaymentAccepted
    } else if terms.covers(&sums.seen) {
        InvoiceStatus::PaymentConfirmation
    } else if !sums.confirmed.is_zero() {
        InvoiceStatus::PartiallyPaid
    } else {
        InvoiceStatus::WaitingForDeposit
    };
    let in_time = paid == InvoiceStatus::PaymentAccepted || now < deadline(paid, terms, sums);
    match (current, paid) {
        _ if !in_time => expire(current, paid),
        (InvoiceStatus::Expired, InvoiceStatus::WaitingForDeposit) => InvoiceStatus::Expired,
        _ => paid,
    }
}

/// Accepted money that a reorganisation took away after the deadline has no edge to `expired`: it goes back first, and
/// expires at the next look.
fn expire(current: InvoiceStatus, paid: InvoiceStatus) -> InvoiceStatus {
    if current == InvoiceStatus::PaymentAccepted { paid } else { InvoiceStatus::Expired }
}

/// When an invoice in `status` expires if nothing more comes.
fn deadline(status: InvoiceStatus, terms: &InvoiceTerms, sums: &Sums) -> DateTime<Utc> {
    match status {
        InvoiceStatus::PaymentConfirmation => terms.confirm_by.max(terms.in_time_until()),
        _ if !sums.seen.is_zero() => terms.complete_by.max(terms.in_time_until()),
        _ => terms.in_time_until(),
    }
}

fn may_merchant_cancel(status: InvoiceStatus, sums: &Sums) -> bool {
    status == InvoiceStatus::WaitingForDeposit && sums.seen.is_zero() && sums.late.is_zero() && !sums.wrong_asset
}

fn may_operator_cancel(status: InvoiceStatus) -> bool {
    status.is_open() && status != InvoiceStatus::PaymentAccepted
}

fn exception(status: InvoiceStatus, terms: &InvoiceTerms, sums: &Sums) -> InvoiceException {
    let any_money = !sums.seen.is_zero() || !sums.late.is_zero();
    let accepted = matches!(status, InvoiceStatus::PaymentAccepted | InvoiceStatus::Finished);
    match status {
        InvoiceStatus::Cancelled if any_money => InvoiceException::PaidAfterCancel,
        InvoiceStatus::Finished if sums.taken_back || !terms.covers(&sums.confirmed) => InvoiceException::Reorged,
        // Nobody counted any more when the chain confirmed it.
        InvoiceStatus::Expired if terms.covers(&sums.confirmed) => InvoiceException::PaidLate,
        _ if !sums.late.is_zero() => InvoiceException::PaidLate,
        _ if terms.exceeds(&sums.confirmed) => InvoiceException::PaidOver,
        _ if !accepted && any_money && !terms.covers(&sums.seen) => InvoiceException::PaidPartial,
        _ if sums.wrong_asset => InvoiceException::WrongAsset,
        _ => InvoiceException::None,
    }
}

#[cfg(test)]
mod tests;
