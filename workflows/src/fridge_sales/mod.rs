//! The fridge sale: a buyer opens a smart fridge, takes products, closes the door, and the list of what was taken is
//! kept.
//!
//! Source: `003`. The real flow of messages is that of Vendron Cloud, whose session lives on one websocket.

mod alerts;
mod journal;
mod machine_check;
mod notification;
mod policy;
#[cfg(test)]
mod samples;
mod standing;
mod status;
pub mod transition;
mod workflow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use alerts::AlertSubject;
pub use machine_check::MachineCheckWorkflow;
pub use notification::SaleNotificationWorkflow;
pub use policy::{CheckPolicy, SalePolicy};
pub use status::{DoorStatus, MachineStatus, SaleStatus};
pub use workflow::FridgeSaleWorkflow;

use crate::domain::Money;

/// The task queue of this process.
pub const TASK_QUEUE: &str = "fridge-sales";

/// The workflow id of a sale.
pub fn workflow_id(sale_ref: Uuid) -> String {
    format!("fridge-sale/{sale_ref}")
}

/// The workflow id of the question how a machine is: one at a time.
pub fn check_workflow_id(machine_id: &str) -> String {
    format!("machine-check/{machine_id}")
}

/// The workflow id of what Vendron posted.
pub fn notification_workflow_id(notification_id: Uuid) -> String {
    format!("fridge-notification/{notification_id}")
}

/// The id of what Vendron posted about a sale: the same body again is the same notification.
pub fn notification_id(sale_ref: Uuid, body: &str) -> Uuid {
    Uuid::new_v5(&sale_ref, format!("notification/{body}").as_bytes())
}

/// The transaction of a sale. It follows from `ref`, so that a caller knows it before there is a row.
pub fn transaction_id(sale_ref: Uuid) -> Uuid {
    Uuid::new_v5(&sale_ref, b"transaction")
}

/// What the frontend asked for, checked by the API.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaleRequest {
    /// Derived from principal, route and idempotency key; part of the workflow id, and sent to Vendron as `ref`.
    pub sale_ref: Uuid,
    /// The machine, as the frontend names it.
    pub machine_id: String,
    /// The machine, as Vendron names it.
    pub machine_uid: String,
    /// The frontend that asks, as its principal is written.
    pub frontend: String,
    /// Who buys.
    pub buyer: Buyer,
    /// The object `stripe` of the request, as it was sent: JSON text of at most 4 KiB.
    pub stripe: String,
    /// What Stripe has authorised.
    pub authorised: Money,
    /// HMAC of the request's body, in hexadecimal.
    pub fingerprint: String,
}

/// The user of a frontend who buys.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Buyer {
    /// His id at the frontend.
    pub id: String,
    /// His e-mail address.
    pub email: String,
    /// The object `user` of the request, as it was sent: JSON text of at most 4 KiB.
    pub sent: String,
}

/// Input of the workflow.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaleInput {
    /// What to sell, and to whom.
    pub request: SaleRequest,
    /// Every duration and threshold.
    pub policy: SalePolicy,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaleOutcome {
    /// Nobody asked in time: nothing happened.
    NeverAsked,
    /// The sale ended with this status.
    Ended(SaleStatus),
}

/// Answer of the update `open`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReply {
    /// Fingerprint of the first request under this key.
    pub fingerprint: String,
    /// Where the sale stands: at the earliest open, or ended.
    pub standing: Standing,
}

/// Where a sale stands, as its workflow needs to know it. Products stay in the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Its status.
    pub status: SaleStatus,
    /// What is known of the door.
    pub door: DoorStatus,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What the buyer owes, once that is known.
    pub total: Option<Money>,
    /// The products and the total that Vendron sent contradict each other.
    pub is_disputed: bool,
}

/// Argument of the update `report`, by which the activity that holds the websocket tells the run what happened. Its update
/// id is `<ref>/<event>`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaleReport {
    /// What happened.
    pub event: ReportedEvent,
    /// Where that leaves the sale.
    pub standing: Standing,
}

/// The few events that a run is told of while its websocket is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportedEvent {
    /// The door is unlocked.
    Opened,
    /// The door is closed again.
    Closed,
}

impl ReportedEvent {
    /// As it is written in update ids.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Closed => "closed",
        }
    }
}

/// Why a sale failed: the door did not open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// Another sale has the machine, by our rows or by Vendron's error -5.
    MachineBusy,
    /// Vendron's error -4.
    MachineOffline,
    /// Vendron refused the request or the unlocking for another reason.
    Refused {
        /// Vendron's code; none where it sent none that can be read.
        code: Option<i64>,
        /// Vendron's words.
        message: String,
    },
    /// Vendron could not be reached, or did not answer in time, before the door was asked to open.
    Unanswered,
    /// The connection was lost before the door was asked to open.
    Interrupted,
}

/// Everything that is known of a sale: what its row holds, and what [`transition`](transition::transition) works on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleState {
    /// Its status.
    pub status: SaleStatus,
    /// What is known of the door.
    pub door: DoorStatus,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Vendron's session, which the unlocking needs.
    pub session: Option<String>,
    /// `smart_fridge_request` may have been sent.
    pub was_requested: bool,
    /// Since when `smart_fridge_door_open` may have been sent.
    pub unlock_sent_at: Option<DateTime<Utc>>,
    /// What is taken so far; the last snapshot wins, and the final list over all of them.
    pub products: Vec<Product>,
    /// The total as Vendron sent it.
    pub reported_total: Option<Money>,
    /// When the door was reported open for the first time.
    pub opened_at: Option<DateTime<Utc>>,
    /// When the door was reported closed for the first time.
    pub closed_at: Option<DateTime<Utc>>,
}

/// Products of one kind and price.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Product {
    /// Vendron's number of the product; empty where it sent none.
    pub vpn: String,
    /// Its name.
    pub name: String,
    /// Price of one in the minor unit of the sale's currency; none where it cannot be read.
    pub unit_price: Option<i64>,
    /// How many.
    pub quantity: u32,
}

/// Input of the workflow that asks how a machine is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckInput {
    /// The machine, as the frontend names it.
    pub machine_id: String,
    /// The machine, as Vendron names it.
    pub machine_uid: String,
    /// Every duration.
    pub policy: CheckPolicy,
}

/// Argument of the update `check`: each question is recorded, also where several share one answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckRequest {
    /// Id of the recorded question.
    pub event_id: Uuid,
    /// The frontend that asks, as its principal is written.
    pub frontend: String,
    /// For which of its users, if it says so.
    pub user_id: Option<String>,
}

/// How a machine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineState {
    /// In one word.
    pub status: MachineStatus,
    /// Vendron's code, where it sent one.
    pub code: Option<i64>,
    /// Vendron's words, or ours.
    pub message: String,
    /// The frames that were heard, one a line, without our token; the first 4 KiB of them.
    #[serde(default)]
    pub heard: String,
    /// When the answer came.
    pub checked_at: DateTime<Utc>,
}

/// Something that Vendron posted about a sale, at the `notification_url` that it was given for it. The payload is not
/// documented: whatever it is, it is kept, and read as a frame of the sale.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notification {
    /// [`notification_id`].
    pub notification_id: Uuid,
    /// The sale that the URL names.
    pub sale_ref: Uuid,
    /// As it came, of at most 64 KiB, without what makes its URL secret.
    pub body: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
}

/// Input of the workflow that takes what Vendron posted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NotificationInput {
    /// What it posted.
    pub notification: Notification,
    /// Every duration.
    pub policy: SalePolicy,
}
