//! What a client sends: `{"command":…,"command_data":{…},"ref":…}`.

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Envelope {
    command: String,
    #[serde(default)]
    command_data: Map<String, Value>,
    #[serde(default, rename = "ref")]
    reference: Value,
}

/// A command as it arrived, whatever it is.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) name: String,
    /// The client's; sent back as a text.
    pub(super) reference: String,
    data: Map<String, Value>,
}

/// The commands that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Check,
    Request,
    DoorOpen,
}

impl Ask {
    /// None where it is no command at all.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let Envelope { command: name, command_data: data, reference } = serde_json::from_str(text).ok()?;
        let reference = match reference {
            Value::String(reference) => reference,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        Some(Self { name, reference, data })
    }

    pub(super) fn command(&self) -> Option<Command> {
        [Command::Check, Command::Request, Command::DoorOpen].into_iter().find(|command| command.name() == self.name)
    }

    /// A field that has to say something.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.any_text(field).filter(|text| !text.is_empty())
    }

    /// A field that may say nothing, as long as it is there.
    pub(super) fn any_text(&self, field: &str) -> Option<&str> {
        self.data.get(field).and_then(Value::as_str)
    }

    pub(super) fn token(&self) -> Option<&str> {
        self.text("public_api_token")
    }

    pub(super) fn machine_uid(&self) -> Option<&str> {
        self.text("machine_uid")
    }
}

impl Command {
    fn name(self) -> &'static str {
        match self {
            Self::Check => "check_machine_state",
            Self::Request => "smart_fridge_request",
            Self::DoorOpen => "smart_fridge_door_open",
        }
    }

    /// As faults know it.
    pub(super) fn operation(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Request => "request",
            Self::DoorOpen => "door_open",
        }
    }

    /// That of the unlocking is not published.
    pub(super) fn acknowledgement(self) -> &'static str {
        match self {
            Self::Check => "PUBLIC007",
            Self::Request => "PUBLIC011",
            Self::DoorOpen => "PUBLIC012",
        }
    }

    /// The name of the result when it goes well.
    pub(super) fn success(self) -> &'static str {
        match self {
            Self::Check => "check_machine_state_success",
            Self::Request => "smart_fridge_request_begun",
            Self::DoorOpen => "smart_fridge_door_open_success",
        }
    }

    /// The name of the result when it does not.
    pub(super) fn failure(self) -> String {
        format!("{}_error", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_needs_a_name_and_nothing_else_to_be_read() {
        let ask = Ask::parse(r#"{"command":"check_machine_state"}"#).unwrap();
        assert_eq!((ask.command(), ask.reference.as_str(), ask.machine_uid()), (Some(Command::Check), "", None));
        let unknown = Ask::parse(r#"{"command":"dance","command_data":{"machine_uid":""},"ref":7}"#).unwrap();
        assert_eq!((unknown.command(), unknown.reference.as_str(), unknown.machine_uid()), (None, "7", None));
        for bad in ["", "hello", "[]", "{}", r#"{"command":1}"#, r#"{"command":"x","command_data":[]}"#] {
            assert!(Ask::parse(bad).is_none(), "{bad}");
        }
    }
}
