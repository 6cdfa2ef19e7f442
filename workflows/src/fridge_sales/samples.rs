//! A sale for the tests of this process.

use std::time::Duration;

use uuid::Uuid;

use super::{Buyer, DoorStatus, SaleInput, SalePolicy, SaleRequest, SaleStatus, Standing};
use crate::{
    domain::{Currency, Money},
    steps::StepBounds,
};

pub(super) fn money(text: &str) -> Money {
    Money::parse(text, Currency::parse("EUR").unwrap()).unwrap()
}

pub(super) fn standing(status: SaleStatus) -> Standing {
    Standing { status, door: DoorStatus::Closed, failure: None, total: None, is_disputed: false }
}

pub(super) fn input() -> SaleInput {
    SaleInput { request: request(), policy: policy() }
}

fn request() -> SaleRequest {
    SaleRequest {
        sale_ref: Uuid::nil(),
        machine_id: "FRIDGE-1".to_owned(),
        machine_uid: "VM-0001".to_owned(),
        frontend: "frontend:app".to_owned(),
        buyer: Buyer {
            id: "buyer-of-ours".to_owned(),
            email: "ada@example.org".to_owned(),
            sent: "sent-about-her".to_owned(),
        },
        stripe: "sent-by-stripe".to_owned(),
        authorised: money("20"),
        fingerprint: "print-of-body".to_owned(),
    }
}

fn policy() -> SalePolicy {
    let soon = Duration::from_secs(1);
    SalePolicy {
        acknowledgement: soon,
        unlock: soon,
        door_alarm: Duration::from_mins(1),
        door_escalation: Duration::from_millis(1500),
        closed_to_completed: soon,
        poll: soon,
        settle: soon,
        overdue: soon,
        late: soon,
        longest: soon,
        heartbeat: soon,
        alert_window: soon,
        alert_patience: soon,
        first_update: soon,
        bounds: StepBounds { attention: soon, answering: soon, attempt: soon, retry_at_most: soon },
    }
}
