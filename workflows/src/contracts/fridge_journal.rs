//! The sales of the fridges in our own database.

use std::convert::Infallible;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use temporalio_macros::activity_definitions;
use uuid::Uuid;

use super::alerts::AlertKind;
use crate::fridge_sales::{CheckRequest, MachineState, Notification, OpenReply, SaleRequest, Standing};

/// The database does not answer.
pub const UNAVAILABLE: &str = "fridge_journal.unavailable";
/// The rows contradict the request: a bug.
pub const CORRUPT: &str = "fridge_journal.corrupt";

/// Records a sale and claims its machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BeginSale {
    /// What to sell, and to whom.
    pub request: SaleRequest,
    /// The workflow's time.
    pub now: DateTime<Utc>,
}

/// What became of a beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BeginResult {
    /// The machine is this sale's, from now or from an earlier run: go on.
    Begun,
    /// The sale has ended, now because the machine is taken, or in an earlier run.
    Ended(OpenReply),
}

/// Records that somebody asked how a machine is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordCheck {
    /// Which machine.
    pub machine_id: String,
    /// Who asked.
    pub request: CheckRequest,
    /// What the answer was.
    pub state: MachineState,
}

/// A sale that Vendron posted something about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifiedSale {
    /// Its machine, as the frontend names it.
    pub machine_id: String,
    /// Where it stands now.
    pub standing: Standing,
    /// What operators have to be told of it, unless they were.
    pub to_tell: Vec<AlertKind>,
}

/// The sales in our own database.
pub struct FridgeJournal;

#[activity_definitions]
impl FridgeJournal {
    /// Finds or creates the user, records the transaction and claims the machine; again, it finds them.
    #[activity(name = "fridge_journal.begin")]
    pub fn begin(_: BeginSale) -> Result<BeginResult, Infallible> {
        unimplemented!()
    }

    /// Whether the sale was begun, by a step whose run may have lost that.
    #[activity(name = "fridge_journal.has_begun")]
    pub fn has_begun(_: Uuid) -> Result<bool, Infallible> {
        unimplemented!()
    }

    /// Records a question; again, it finds it.
    #[activity(name = "fridge_journal.record_check")]
    pub fn record_check(_: RecordCheck) -> Result<(), Infallible> {
        unimplemented!()
    }

    /// Keeps what Vendron posted about a sale, and brings the sale up to what it says; again, it finds it.
    #[activity(name = "fridge_journal.take_notification")]
    pub fn take_notification(_: Notification) -> Result<NotifiedSale, Infallible> {
        unimplemented!()
    }
}

pub use fridge_journal::{
    Begin as BeginActivity, HasBegun as HasBegunActivity, RecordCheck as RecordCheckActivity,
    TakeNotification as TakeNotificationActivity,
};
