//! What is sent to Vendron, and what is heard of it.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use workflows::domain::Money;

use super::Frame;

const PAYMENT_NAME: &str = "STRIPE";

/// What can be asked of Vendron.
#[derive(Debug, Clone)]
pub enum Command {
    /// How a machine is.
    CheckMachineState {
        /// The machine, as Vendron names it.
        machine_uid: String,
    },
    /// To begin a sale.
    Request(Order),
    /// To unlock the door.
    DoorOpen {
        /// The same as was requested.
        order: Order,
        /// Vendron's session, as the begun sale has it.
        session: String,
    },
}

/// A sale to begin.
#[derive(Debug, Clone)]
pub struct Order {
    /// The machine, as Vendron names it.
    pub machine_uid: String,
    /// `user:{id}_transaction:{id}`.
    pub payment_detail: String,
    /// What may be spent.
    pub amount: Money,
}

/// Something that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// As it came; with bytes that are no text, and our secrets, replaced.
    pub raw: String,
    /// As it was understood.
    pub frame: Frame,
}

impl Command {
    /// As it is written in frames.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CheckMachineState { .. } => "check_machine_state",
            Self::Request(_) => "smart_fridge_request",
            Self::DoorOpen { .. } => "smart_fridge_door_open",
        }
    }

    /// The frame that asks for it. It has the token in it, and the URL at which Vendron notifies of the sale; where there
    /// is none, none is awaited.
    pub(super) fn written(&self, reference: &str, token: &SecretString, notified_at: Option<&SecretString>) -> String {
        let mut data = self.data(notified_at.map_or("", ExposeSecret::expose_secret));
        data["public_api_token"] = token.expose_secret().into();
        json!({"command": self.name(), "command_data": data, "ref": reference}).to_string()
    }

    fn data(&self, notified_at: &str) -> Value {
        match self {
            Self::CheckMachineState { machine_uid } => json!({"machine_uid": machine_uid}),
            Self::Request(order) => order.data(notified_at),
            Self::DoorOpen { order, session } => {
                let mut data = order.data(notified_at);
                data["session"] = session.as_str().into();
                data
            }
        }
    }
}

impl Order {
    fn data(&self, notified_at: &str) -> Value {
        json!({
            "machine_uid": self.machine_uid,
            "payment_name": PAYMENT_NAME,
            "payment_detail": self.payment_detail,
            "currency": self.amount.currency.code(),
            "total_amount": self.amount.to_decimal(),
            "notification_url": notified_at,
        })
    }
}
