//! What a sale makes of the facts that arrive about it, as pure functions: in any order, more than once, and with gaps.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{DoorStatus, Failure, Product, SaleState, SaleStatus, Standing};
use crate::domain::{Currency, Money};

/// Vendron: the machine is not online.
const OFFLINE: i64 = -4;
/// Vendron: somebody has the machine.
const BUSY: i64 = -5;
/// Vendron: ended with nothing bought.
const CANCELLED: i64 = -10;

/// Something that is known of a sale from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// `smart_fridge_request` may go out: the intent is committed.
    RequestSent,
    /// The machine has begun.
    Begun {
        /// What the unlocking needs; none where Vendron sent none.
        session: Option<String>,
    },
    /// Vendron refused the request, at once or later.
    RequestRefused {
        /// Its code, where it can be read.
        code: Option<i64>,
        /// Its words.
        message: String,
    },
    /// `smart_fridge_door_open` may go out: the intent is committed.
    UnlockSent,
    /// The door is unlocked.
    Unlocked,
    /// Vendron refused to unlock the door.
    UnlockRefused {
        /// Its code, where it can be read.
        code: Option<i64>,
        /// Its words.
        message: String,
    },
    /// Everything that is taken so far, [`grouped`].
    Taken(Vec<Product>),
    /// The door is closed and locked.
    DoorClosed,
    /// The sale has ended with this list.
    Completed {
        /// Everything that was taken, [`grouped`].
        products: Vec<Product>,
        /// The total as Vendron sent it, where it can be read.
        total: Option<Money>,
    },
    /// Vendron's error -10: the sale has ended with nothing bought.
    Cancelled,
    /// No connection, or no answer, before the door was asked to open.
    Unanswered,
    /// The connection was lost before the door was asked to open, and what it began cannot be gone on with.
    Interrupted,
    /// The machine is free again, and the end of the sale was not heard.
    Vanished,
    /// Nobody could say for too long how the sale ended, whether the machine is free or not.
    Overdue,
}

/// What a buyer owes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The amount; none where neither the prices nor Vendron's total give one.
    pub due: Option<Money>,
    /// Prices and total do not both say so.
    pub is_disputed: bool,
}

/// The sale after `fact`, heard at `now`. What has ended does not change any more, except that the late end of a sale
/// that nobody saw end still counts, and that one has not failed whose door opened after all.
pub fn transition(state: &SaleState, fact: &Fact, now: DateTime<Utc>) -> SaleState {
    let mut next = state.clone();
    match state.status {
        SaleStatus::Requested | SaleStatus::Opening | SaleStatus::Open | SaleStatus::Closed => next.advance(fact, now),
        SaleStatus::Unresolved => next.end(fact, now),
        SaleStatus::Failed if state.unlock_sent_at.is_some() => next.doubt(fact, now),
        SaleStatus::Completed | SaleStatus::Empty | SaleStatus::Failed => {}
    }
    next
}

/// What is owed for `products`: the sum of their prices. Vendron's total stands in where a price is missing, and is
/// otherwise only held against the sum.
pub fn bill(products: &[Product], reported_total: Option<&Money>, currency: &Currency) -> Bill {
    let Some(minor) = sum(products) else {
        let due = reported_total.filter(|total| total.currency == *currency).cloned();
        return Bill { due, is_disputed: true };
    };
    let due = Money { minor, currency: currency.clone() };
    Bill { is_disputed: reported_total.is_some_and(|total| *total != due), due: Some(due) }
}

/// Equal products joined, in an order of their own: two lists of the same things are equal, however they arrived.
pub fn grouped(products: Vec<Product>) -> Vec<Product> {
    let mut quantities = BTreeMap::<(String, String, Option<i64>), u32>::new();
    for Product { vpn, name, unit_price, quantity } in products {
        let so_far = quantities.entry((vpn, name, unit_price)).or_default();
        *so_far = so_far.saturating_add(quantity);
    }
    let product = |((vpn, name, unit_price), quantity)| Product { vpn, name, unit_price, quantity };
    quantities.into_iter().map(product).collect()
}

fn sum(products: &[Product]) -> Option<i64> {
    products.iter().try_fold(0_i64, |sum, product| {
        let price = product.unit_price?.checked_mul(i64::from(product.quantity))?;
        sum.checked_add(price)
    })
}

fn refusal(code: Option<i64>, message: &str) -> Failure {
    match code {
        Some(BUSY) => Failure::MachineBusy,
        Some(OFFLINE) => Failure::MachineOffline,
        _ => Failure::Refused { code, message: message.to_owned() },
    }
}

impl SaleState {
    /// A sale of which nothing is known yet.
    pub const fn new() -> Self {
        Self {
            status: SaleStatus::Requested,
            door: DoorStatus::Unknown,
            failure: None,
            session: None,
            was_requested: false,
            unlock_sent_at: None,
            products: Vec::new(),
            reported_total: None,
            opened_at: None,
            closed_at: None,
        }
    }

    /// Where the sale stands, in the currency of what is `authorised`. Nothing is owed before the end.
    pub fn standing(&self, authorised: &Money) -> Standing {
        let bill = match self.status {
            SaleStatus::Completed | SaleStatus::Empty => {
                bill(&self.products, self.reported_total.as_ref(), &authorised.currency)
            }
            _ => Bill { due: None, is_disputed: false },
        };
        Standing {
            status: self.status,
            door: self.door,
            failure: self.failure.clone(),
            total: bill.due,
            is_disputed: bill.is_disputed,
        }
    }

    /// Of a sale that goes on.
    fn advance(&mut self, fact: &Fact, now: DateTime<Utc>) {
        match fact {
            Fact::RequestSent => self.was_requested = true,
            Fact::Begun { session } => self.begin(session.as_deref()),
            Fact::UnlockSent => {
                self.unlock_sent_at.get_or_insert(now);
                self.begin(None);
            }
            Fact::Unlocked => self.open_door(now),
            Fact::Taken(products) => self.take(products, now),
            Fact::RequestRefused { .. } if self.has_opened() => self.status = SaleStatus::Unresolved,
            // The door is open all the same: its sale still has an end to come.
            Fact::UnlockRefused { .. } if self.has_opened() => {}
            Fact::RequestRefused { code, message } | Fact::UnlockRefused { code, message } => {
                self.fail(refusal(*code, message));
            }
            // An attempt that was thought dead has asked the door to open since.
            Fact::Unanswered | Fact::Interrupted if self.may_have_opened() => {}
            Fact::Unanswered => self.fail(Failure::Unanswered),
            Fact::Interrupted => self.fail(Failure::Interrupted),
            // Its opening was heard of just in time.
            Fact::Overdue if self.status == SaleStatus::Open => {}
            Fact::Vanished | Fact::Overdue => self.status = SaleStatus::Unresolved,
            Fact::DoorClosed | Fact::Completed { .. } | Fact::Cancelled => self.end(fact, now),
        }
    }

    /// Of a sale that goes on, and of one whose end was missed.
    fn end(&mut self, fact: &Fact, now: DateTime<Utc>) {
        match fact {
            Fact::DoorClosed => self.close_door(now),
            Fact::Completed { products, total } => self.complete(products, total.as_ref(), now),
            Fact::Cancelled => self.cancel(now),
            Fact::Taken(products) => self.products.clone_from(products),
            _ => {}
        }
    }

    /// Of a sale whose door was asked to open and, as it seemed, did not. What came through it all the same is not lost.
    fn doubt(&mut self, fact: &Fact, now: DateTime<Utc>) {
        let mut doubted = Self { status: SaleStatus::Unresolved, failure: None, ..self.clone() };
        match fact {
            Fact::Unlocked => doubted.open_door(now),
            Fact::Taken(products) => doubted.take(products, now),
            Fact::Completed { products, total } => doubted.complete(products, total.as_ref(), now),
            _ => return,
        }
        if doubted.opened_at.is_some() {
            *self = Self { status: SaleStatus::Unresolved, ..doubted };
        } else if doubted.status == SaleStatus::Completed {
            *self = doubted;
        }
    }

    fn begin(&mut self, session: Option<&str>) {
        if self.session.is_none() {
            self.session = session.map(str::to_owned);
        }
        if self.status == SaleStatus::Requested {
            self.status = SaleStatus::Opening;
        }
    }

    /// Whatever was taken came through an open door.
    fn take(&mut self, products: &[Product], now: DateTime<Utc>) {
        self.products = products.to_vec();
        if !products.is_empty() {
            self.open_door(now);
        }
    }

    /// A door that was closed is not open again because its opening is heard of late.
    fn open_door(&mut self, now: DateTime<Utc>) {
        let opened_at = self.closed_at.map_or(now, |closed_at| closed_at.min(now));
        self.opened_at.get_or_insert(opened_at);
        if self.closed_at.is_none() {
            self.door = DoorStatus::Open;
            self.status = SaleStatus::Open;
        }
    }

    /// A door that nobody asked to open was not closed by this sale.
    fn close_door(&mut self, now: DateTime<Utc>) {
        if !self.may_have_opened() {
            return;
        }
        self.door = DoorStatus::Closed;
        self.closed_at.get_or_insert(now);
        if !self.status.is_final() {
            self.status = SaleStatus::Closed;
        }
    }

    fn complete(&mut self, products: &[Product], total: Option<&Money>, now: DateTime<Utc>) {
        self.close_door(now);
        let is_nothing = products.is_empty() && total.is_none_or(|total| total.minor == 0);
        self.status = if is_nothing { SaleStatus::Empty } else { SaleStatus::Completed };
        self.products = products.to_vec();
        self.reported_total = total.cloned();
    }

    /// Nothing was bought, as Vendron says. If something was taken all the same, a person has to look.
    fn cancel(&mut self, now: DateTime<Utc>) {
        self.close_door(now);
        if !self.products.is_empty() {
            self.status = SaleStatus::Unresolved;
        } else if self.may_have_opened() || self.status == SaleStatus::Unresolved {
            self.status = SaleStatus::Empty;
        } else {
            self.fail(refusal(Some(CANCELLED), "canceled & closed"));
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.status = SaleStatus::Failed;
        self.failure = Some(failure);
    }

    const fn may_have_opened(&self) -> bool {
        self.unlock_sent_at.is_some() || self.has_opened()
    }

    /// Whether the machine said so, in one way or another.
    const fn has_opened(&self) -> bool {
        self.opened_at.is_some() || self.closed_at.is_some() || !self.products.is_empty()
    }
}

impl Default for SaleState {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
