//! What is sent to Vendron, and what is heard of it.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use workflows::domain::Money;

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
    /// As it came; with bytes that are no text, and our token, replaced.
    pub raw: String,
    /// As it was understood.
    pub frame: Frame,
}

/// A frame as it was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its `command` or `respond`; `unreadable` where it has neither.
    pub name: String,
    /// Its `ref`, which need not be any that was sent.
    pub reference: Option<String>,
    /// Vendron's session.
    pub session: Option<String>,
    /// What it says.
    pub message: Message,
}

/// What a frame says. `text` is Vendron's words, as far as they are of a sensible length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A command was taken or not. That it was taken does not make it a success.
    Ack {
        /// It was taken.
        accepted: bool,
        /// Vendron's code, such as `PUBLIC007`; empty where there is none.
        code: String,
    },
    /// The machine can be opened.
    MachineAvailable {
        /// Vendron's words.
        text: String,
    },
    /// It cannot.
    MachineError {
        /// Vendron's code.
        code: Option<i64>,
        /// Vendron's words.
        text: String,
    },
    /// The sale has begun.
    Begun {
        /// The session that unlocking needs.
        session: Option<String>,
        /// Vendron's words.
        text: String,
    },
    /// It has not, or is over: this may come at any time.
    RequestError {
        /// Vendron's code.
        code: Option<i64>,
        /// Vendron's words.
        text: String,
    },
    /// The door is unlocked.
    Unlocked {
        /// Vendron's words.
        text: String,
    },
    /// It is not.
    UnlockError {
        /// Vendron's code.
        code: Option<i64>,
        /// Vendron's words.
        text: String,
    },
    /// Everything that is taken so far: what was put back is not in it any more.
    Taken {
        /// One for each piece.
        products: Vec<SoldProduct>,
        /// Vendron's words.
        text: String,
    },
    /// The door is closed.
    DoorClosed {
        /// Vendron's words.
        text: String,
    },
    /// The sale is over, and this was taken.
    Completed {
        /// One for each piece.
        products: Vec<SoldProduct>,
        /// Plain decimal text.
        total: Option<String>,
        /// Vendron's words.
        text: String,
    },
    /// The sale is over, and nothing was taken.
    Cancelled {
        /// Vendron's words.
        text: String,
    },
    /// Nothing that is understood here.
    Unknown,
}

/// A piece that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldProduct {
    /// Vendron's number of the product; empty where there is none.
    pub vpn: String,
    /// Its name; empty where there is none.
    pub name: String,
    /// Plain decimal text; none where it cannot be read.
    pub unit_price: Option<String>,
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

    /// The frame that asks for it. It has the token in it.
    pub(super) fn written(&self, reference: &str, token: &SecretString) -> String {
        let mut data = self.data();
        data["public_api_token"] = token.expose_secret().into();
        json!({"command": self.name(), "command_data": data, "ref": reference}).to_string()
    }

    fn data(&self) -> Value {
        match self {
            Self::CheckMachineState { machine_uid } => json!({"machine_uid": machine_uid}),
            Self::Request(order) => order.data(),
            Self::DoorOpen { order, session } => {
                let mut data = order.data();
                data["session"] = session.as_str().into();
                data
            }
        }
    }
}

impl Order {
    fn data(&self) -> Value {
        json!({
            "machine_uid": self.machine_uid,
            "payment_name": PAYMENT_NAME,
            "payment_detail": self.payment_detail,
            "currency": self.amount.currency.code(),
            "total_amount": self.amount.to_decimal(),
            "notification_url": "",
        })
    }
}

impl Frame {
    /// One that has no name.
    pub(super) fn unreadable() -> Self {
        Self { name: "unreadable".to_owned(), reference: None, session: None, message: Message::Unknown }
    }
}
