mod disorder;
mod driver;
mod fake_vendron;
mod machine;
mod memory;
mod queue;

use std::time::Duration;

use chrono::DateTime;
use store::postgres::StoreError;
use temporalio_sdk::activities::ActivityError;
use uuid::Uuid;
use workflows::{
    StepBounds,
    contracts::vending::{DISCONNECTED, JOURNAL_CORRUPT, RunSale, STOPPING},
    domain::{Currency, Money},
    fridge_sales::{Buyer, SalePolicy, SaleRequest},
};

use super::{VendingError, answered, holder::Lost};

const SALE: Uuid = Uuid::from_u128(7);

/// The defaults of the API.
pub(super) fn policy() -> SalePolicy {
    let seconds = Duration::from_secs;
    SalePolicy {
        acknowledgement: seconds(5),
        unlock: seconds(10),
        door_alarm: seconds(60),
        door_escalation: seconds(180),
        closed_to_completed: seconds(60),
        poll: seconds(30),
        settle: seconds(10),
        overdue: seconds(900),
        late: seconds(600),
        longest: seconds(86_400),
        heartbeat: seconds(5),
        alert_window: seconds(300),
        alert_patience: seconds(3600),
        first_update: seconds(60),
        bounds: StepBounds {
            attention: seconds(86_400),
            answering: seconds(3),
            attempt: seconds(45),
            retry_at_most: seconds(10),
        },
    }
}

/// One under which nothing is due while a test runs.
fn patience() -> SalePolicy {
    let hour = Duration::from_hours(1);
    SalePolicy {
        acknowledgement: hour,
        unlock: hour,
        closed_to_completed: hour,
        poll: hour,
        settle: hour,
        overdue: hour,
        late: hour,
        ..policy()
    }
}

pub(super) fn sale(policy: SalePolicy) -> RunSale {
    let euros = Currency::parse("EUR").unwrap();
    let request = SaleRequest {
        sale_ref: SALE,
        machine_id: "FRIDGE-1".to_owned(),
        machine_uid: "VM-0001".to_owned(),
        frontend: "frontend:demo".to_owned(),
        buyer: Buyer { id: "bubble-1".to_owned(), email: "a@b.c".to_owned(), sent: "{}".to_owned() },
        stripe: "{}".to_owned(),
        authorised: Money { minor: 2000, currency: euros },
        fingerprint: "00".to_owned(),
    };
    RunSale { request, policy, asked_at: DateTime::UNIX_EPOCH }
}

#[test]
fn whatever_ends_an_attempt_is_taken_over_unless_the_journal_contradicts_itself() {
    let lost = |was_heard| VendingError::Disconnected { source: Lost::Stalled, was_heard };
    let corrupt = StoreError::Corrupt { operation: "journalling", what: "the sale".to_owned() };
    for (error, code, is_terminal, is_soon) in [
        (VendingError::Stopping, STOPPING, false, true),
        (lost(true), DISCONNECTED, false, true),
        (lost(false), DISCONNECTED, false, false),
        (VendingError::Journal(corrupt), JOURNAL_CORRUPT, true, false),
    ] {
        let Err(ActivityError::Application(failure)) = answered::<()>(Err(error)) else {
            panic!("{code} is no failure");
        };
        let told = (failure.type_name(), failure.is_non_retryable(), failure.next_retry_delay().is_some());
        assert_eq!(told, (Some(code), is_terminal, is_soon));
    }
}
