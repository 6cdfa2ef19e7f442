use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{BaseUnits, millis},
    steps::StepBounds,
};

/// Every duration and threshold of an invoice, fixed when it is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoicePolicy {
    /// Time to pay, from the creation.
    #[serde(with = "millis")]
    pub expires_in: Duration,
    /// How long after the deadline unconfirmed money that covers the invoice may still be confirmed.
    #[serde(with = "millis")]
    pub confirmation_window: Duration,
    /// How long after the deadline a partial payment may still be completed.
    #[serde(with = "millis")]
    pub partial_grace: Duration,
    /// How long the address stays watched and reserved after the invoice ended.
    #[serde(with = "millis")]
    pub monitoring: Duration,
    /// How long the address rests after that before it may serve another invoice.
    #[serde(with = "millis")]
    pub cool_down: Duration,
    /// Confirmations that make a deposit count as confirmed.
    pub confirmations: u32,
    /// How much less than the amount is still enough, in base units.
    pub tolerance: BaseUnits,
    /// Bound of one last look at the address service.
    #[serde(with = "millis")]
    pub last_look: Duration,
    /// A run whose first update does not come ends after this.
    #[serde(with = "millis")]
    pub first_update: Duration,
    /// How long the creation may wait for an address.
    #[serde(with = "millis")]
    pub creation: Duration,
    /// How long each step may take.
    #[serde(flatten)]
    pub bounds: StepBounds,
}

/// What the transition function needs to know of an invoice that never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceTerms {
    /// Amount due.
    pub due: BaseUnits,
    /// How much less is still enough.
    pub tolerance: BaseUnits,
    /// End of the time to pay.
    pub expires_at: DateTime<Utc>,
    /// End of the confirmation window.
    pub confirm_by: DateTime<Utc>,
    /// End of the grace of a partial payment.
    pub complete_by: DateTime<Utc>,
    /// Length of the monitoring.
    pub monitoring: Duration,
    /// Confirmations that make a deposit count as confirmed.
    pub confirmations: u32,
    /// When the merchant accepted what had come late until then, if he did: the deadlines count anew from here.
    pub late_accepted_at: Option<DateTime<Utc>>,
}

impl InvoiceTerms {
    /// The terms of an invoice over `due` that expires at `expires_at`.
    pub fn new(due: BaseUnits, expires_at: DateTime<Utc>, policy: &InvoicePolicy) -> Self {
        Self {
            due,
            tolerance: policy.tolerance.clone(),
            expires_at,
            confirm_by: expires_at + policy.confirmation_window,
            complete_by: expires_at + policy.partial_grace,
            monitoring: policy.monitoring,
            confirmations: policy.confirmations,
            late_accepted_at: None,
        }
    }

    /// The same terms once the merchant accepted at `at` what had come late until then.
    #[must_use]
    pub fn with_late_accepted(self, at: Option<DateTime<Utc>>, policy: &InvoicePolicy) -> Self {
        let Some(at) = at else { return self };
        Self {
            confirm_by: self.confirm_by.max(at + policy.confirmation_window),
            complete_by: self.complete_by.max(at + policy.partial_grace),
            late_accepted_at: Some(at),
            ..self
        }
    }

    /// Money that was first seen before this is in time, whatever else there is.
    pub fn in_time_until(&self) -> DateTime<Utc> {
        self.late_accepted_at.map_or(self.expires_at, |at| at.max(self.expires_at))
    }

    /// Whether `amount` pays the invoice.
    pub fn covers(&self, amount: &BaseUnits) -> bool {
        amount + &self.tolerance >= self.due
    }

    /// Whether `amount` is more than the invoice asks for: one unit more is rounding, not overpayment.
    pub fn exceeds(&self, amount: &BaseUnits) -> bool {
        let dust = self.tolerance.clone().max(BaseUnits::from(1));
        *amount > &self.due + &dust
    }
}
