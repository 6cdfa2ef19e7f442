//! An invoice for the tests of this process.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{InvoiceException, InvoiceInput, InvoicePolicy, InvoiceRequest, InvoiceStatus, InvoiceTerms, Standing};
use crate::{domain::BaseUnits, steps::StepBounds};

pub(super) const HOUR: TimeDelta = TimeDelta::hours(1);
/// One unit of a coin with two decimals.
pub(super) const DUE: u64 = 100;

pub(super) fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

/// Expires after one hour; a partial payment has one hour more, an unconfirmed one two.
pub(super) fn terms() -> InvoiceTerms {
    InvoiceTerms::new(DUE.into(), start() + HOUR, &policy())
}

/// The same once what came late until `at` was accepted.
pub(super) fn terms_accepted(at: DateTime<Utc>) -> InvoiceTerms {
    terms().with_late_accepted(Some(at), &policy())
}

pub(super) fn input() -> InvoiceInput {
    InvoiceInput { request: request(), policy: policy(), resumed: None }
}

pub(super) fn standing(status: InvoiceStatus) -> Standing {
    Standing {
        status,
        exception: InvoiceException::None,
        seen: BaseUnits::zero(),
        confirmed: BaseUnits::zero(),
        late: BaseUnits::zero(),
        version: 1,
        updated_at: start(),
        cause: "open".to_owned(),
        deposit_revision: 0,
        credit_due: false,
        wake_at: Some(start() + HOUR),
    }
}

pub(super) fn policy() -> InvoicePolicy {
    let soon = Duration::from_secs(1);
    InvoicePolicy {
        expires_in: Duration::from_hours(1),
        confirmation_window: Duration::from_hours(2),
        partial_grace: Duration::from_hours(1),
        monitoring: Duration::from_hours(24),
        cool_down: Duration::from_hours(24),
        confirmations: 3,
        tolerance: BaseUnits::zero(),
        last_look: soon,
        first_update: soon,
        creation: soon,
        bounds: StepBounds { attention: soon, answering: soon, attempt: soon, retry_at_most: soon },
    }
}

fn request() -> InvoiceRequest {
    InvoiceRequest {
        invoice_id: Uuid::nil(),
        merchant_id: Uuid::nil(),
        form_id: None,
        coin_id: "usdt".to_owned(),
        network_id: "tron".to_owned(),
        contract: None,
        amount: DUE.into(),
        decimals: 2,
        title: "title-of-his".to_owned(),
        description: String::new(),
        checkout_url: String::new(),
        external_id: None,
        fingerprint: "print-of-body".to_owned(),
    }
}
