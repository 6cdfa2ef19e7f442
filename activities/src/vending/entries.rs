//! The entries that the holder of a websocket makes in the journal.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use store::postgres::fridges::{Direction, Entry};
use uuid::Uuid;
use workflows::fridge_sales::transition::Fact;

use super::{course::Intent, holder::Lost};
use crate::clients::vendron::{Message, Received};

const QUESTION: &str = "check_machine_state";
const DISCONNECTED: &str = "disconnected";
/// Frames are evidence; what is longer is none that anybody reads, and the journal does not keep it.
const LONGEST_RAW: usize = 64 << 10;

/// Makes the entries of one sale on one websocket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entries {
    sale_ref: Uuid,
    socket_id: Uuid,
}

/// A frame that was received and is not in the journal yet, as heartbeats carry it to the next attempt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Carried {
    event_id: Uuid,
    socket_id: Uuid,
    name: String,
    status: Option<String>,
    message: String,
    raw: String,
    fact: Fact,
    at: DateTime<Utc>,
}

impl Entries {
    pub(super) const fn new(sale_ref: Uuid, socket_id: Uuid) -> Self {
        Self { sale_ref, socket_id }
    }

    /// Of a command that goes out when this is committed. Its id follows from the sale: a second attempt finds it.
    pub(super) fn intent(self, intent: Intent) -> Entry {
        let event_id = Uuid::new_v5(&self.sale_ref, intent.command().as_bytes());
        Entry { event_id, fact: Some(intent.fact()), ..self.entry(Direction::Sent, intent.command()) }
    }

    /// Of the question how the machine is.
    pub(super) fn question(self) -> Entry {
        self.entry(Direction::Sent, QUESTION)
    }

    /// Of a frame, with the fact that it is.
    pub(super) fn received(self, received: &Received, fact: Option<Fact>) -> Entry {
        let (status, message) = described(&received.frame.message);
        let raw = &received.raw[..received.raw.floor_char_boundary(LONGEST_RAW)];
        Entry {
            status: status.map(str::to_owned),
            message,
            raw: raw.to_owned(),
            fact,
            ..self.entry(Direction::Received, &received.frame.name)
        }
    }

    /// Of what follows from what did not happen.
    pub(super) fn noted(self, fact: Fact) -> Entry {
        let (name, message) = match fact {
            Fact::Unanswered => ("unanswered", "Vendron did not answer before the door was asked to open"),
            Fact::Interrupted => ("interrupted", "the connection was lost before the door was asked to open"),
            Fact::Overdue => ("overdue", "nobody could say for too long how the sale ended"),
            _ => ("vanished", "the machine is free again and the end of the sale was not heard"),
        };
        Entry { message: message.to_owned(), fact: Some(fact), ..self.entry(Direction::Noted, name) }
    }

    /// Of the end of the websocket.
    pub(super) fn lost(self, error: &Lost) -> Entry {
        Entry { message: error.to_string(), ..self.entry(Direction::Noted, DISCONNECTED) }
    }

    fn entry(self, direction: Direction, name: &str) -> Entry {
        Entry {
            event_id: Uuid::now_v7(),
            sale_ref: self.sale_ref,
            socket_id: self.socket_id,
            direction,
            name: name.to_owned(),
            status: None,
            message: String::new(),
            raw: String::new(),
            fact: None,
            at: Utc::now(),
        }
    }
}

impl Carried {
    /// What has to reach the journal, whatever becomes of this attempt: facts that were received.
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        let fact = entry.fact.clone().filter(|_| matches!(entry.direction, Direction::Received))?;
        Some(Self {
            event_id: entry.event_id,
            socket_id: entry.socket_id,
            name: entry.name.clone(),
            status: entry.status.clone(),
            message: entry.message.clone(),
            raw: entry.raw.clone(),
            fact,
            at: entry.at,
        })
    }

    /// The entry again, of the same sale.
    pub(super) fn entry(self, sale_ref: Uuid) -> Entry {
        Entry {
            event_id: self.event_id,
            sale_ref,
            socket_id: self.socket_id,
            direction: Direction::Received,
            name: self.name,
            status: self.status,
            message: self.message,
            raw: self.raw,
            fact: Some(self.fact),
            at: self.at,
        }
    }
}

/// In one word, and in Vendron's.
fn described(message: &Message) -> (Option<&'static str>, String) {
    match message {
        Message::Ack { accepted: true, code } => (Some("acknowledged"), code.clone()),
        Message::Ack { accepted: false, code } => (Some("rejected"), code.clone()),
        Message::RequestError { code, text }
        | Message::UnlockError { code, text }
        | Message::MachineError { code, text } => (Some("error"), with_code(*code, text)),
        Message::MachineAvailable { text }
        | Message::Begun { text, .. }
        | Message::Unlocked { text }
        | Message::Taken { text, .. }
        | Message::DoorClosed { text }
        | Message::Completed { text, .. }
        | Message::Cancelled { text } => (Some("success"), text.clone()),
        Message::Unknown => (None, String::new()),
    }
}

fn with_code(code: Option<i64>, text: &str) -> String {
    code.map_or_else(|| text.to_owned(), |code| format!("{code}: {text}"))
}

#[cfg(test)]
mod tests {
    use workflows::domain::{Currency, Money};

    use super::*;
    use crate::clients::vendron::{Command, Order, parse};

    fn entries(socket: u128) -> Entries {
        Entries::new(Uuid::from_u128(7), Uuid::from_u128(socket))
    }

    #[test]
    fn an_intent_is_the_same_entry_on_every_websocket() {
        for intent in [Intent::Request, Intent::Unlock] {
            let (one, other) = (entries(1).intent(intent), entries(2).intent(intent));
            assert_eq!((one.event_id, one.fact), (other.event_id, Some(intent.fact())));
        }
        assert_ne!(entries(1).intent(Intent::Request).event_id, entries(1).intent(Intent::Unlock).event_id);
    }

    #[test]
    fn conclusions_have_names_of_their_own() {
        let conclusions = [Fact::Unanswered, Fact::Interrupted, Fact::Overdue, Fact::Vanished];
        let names = conclusions.map(|fact| entries(1).noted(fact).name);
        assert_eq!(names, ["unanswered", "interrupted", "overdue", "vanished"]);
    }

    #[test]
    fn commands_have_vendrons_names() {
        let order = Order {
            machine_uid: String::new(),
            payment_detail: String::new(),
            amount: Money { minor: 0, currency: Currency::parse("EUR").unwrap() },
        };
        let unlock = Command::DoorOpen { order: order.clone(), session: String::new() };
        assert_eq!(Command::Request(order).name(), Intent::Request.command());
        assert_eq!(unlock.name(), Intent::Unlock.command());
        assert_eq!(Command::CheckMachineState { machine_uid: String::new() }.name(), QUESTION);
    }

    #[test]
    fn a_long_frame_is_kept_in_part() {
        let raw = format!("{}é", "x".repeat(LONGEST_RAW - 1));
        let entry = entries(1).received(&Received { frame: parse(&raw), raw }, None);
        assert_eq!(entry.raw.len(), LONGEST_RAW - 1);
    }

    #[test]
    fn only_facts_that_were_heard_are_carried_and_nothing_of_them_is_lost() {
        let raw = r#"{"command":"smart_fridge_door_close_success","command_data":{"status":1}}"#.to_owned();
        let heard = entries(1).received(&Received { frame: parse(&raw), raw }, Some(Fact::DoorClosed));
        let carried = serde_json::to_string(&Carried::of(&heard).unwrap()).unwrap();
        let again = serde_json::from_str::<Carried>(&carried).unwrap().entry(heard.sale_ref);
        assert_eq!(format!("{again:?}"), format!("{heard:?}"));
        for entry in [entries(1).intent(Intent::Unlock), entries(1).question(), entries(1).noted(Fact::Vanished)] {
            assert!(Carried::of(&entry).is_none(), "{entry:?}");
        }
    }
}
