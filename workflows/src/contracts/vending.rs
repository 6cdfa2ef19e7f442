//! The smart fridges, which are Vendron Cloud's.

use std::{convert::Infallible, time::Duration};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use temporalio_macros::activity_definitions;

use crate::{
    contracts::alerts::AlertKind,
    domain::millis,
    fridge_sales::{MachineState, SalePolicy, SaleRequest, Standing},
};

/// Our own journal does not answer.
pub const JOURNAL_UNAVAILABLE: &str = "vending.journal_unavailable";
/// The journal contradicts itself: a bug.
pub const JOURNAL_CORRUPT: &str = "vending.journal_corrupt";
/// The websocket was lost, or could not be had: another attempt takes over.
pub const DISCONNECTED: &str = "vending.disconnected";
/// This worker ends: another one takes over.
pub const STOPPING: &str = "vending.stopping";

/// Holds the websocket of one sale, from the request to the final list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunSale {
    /// What to sell, and to whom.
    pub request: SaleRequest,
    /// Every duration.
    pub policy: SalePolicy,
    /// When the buyer asked, by Temporal's clock: his door does not open long after.
    pub asked_at: DateTime<Utc>,
}

/// A sale that has ended, as far as anybody knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sold {
    /// Where it stands.
    pub standing: Standing,
    /// What operators should have been told of it by now, and could not be.
    pub untold: Vec<AlertKind>,
}

/// Asks how a machine is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckMachine {
    /// The machine, as Vendron names it.
    pub machine_uid: String,
    /// Until Vendron has to acknowledge the question, and until it has to answer.
    #[serde(with = "millis")]
    pub acknowledgement: Duration,
}

/// The smart fridges.
pub struct Vending;

#[activity_definitions]
impl Vending {
    /// Runs a sale to its end, whichever attempt sees that. Reports what the run has to know on the way. A refusal is an
    /// end like any other: `failed`. Tells operators of a door that stays open.
    #[activity(name = "vending.run_sale")]
    pub fn run_sale(_: RunSale) -> Result<Sold, Infallible> {
        unimplemented!()
    }

    /// Listens for the late end of an unresolved sale, as long as its policy says, and tells operators of it; where it
    /// stands then.
    #[activity(name = "vending.await_late_end")]
    pub fn await_late_end(_: RunSale) -> Result<Sold, Infallible> {
        unimplemented!()
    }

    /// Asks how a machine is. No answer is an answer, too.
    #[activity(name = "vending.check_machine")]
    pub fn check_machine(_: CheckMachine) -> Result<MachineState, Infallible> {
        unimplemented!()
    }
}

pub use vending::{
    AwaitLateEnd as AwaitLateEndActivity, CheckMachine as CheckMachineActivity, RunSale as RunSaleActivity,
};
