//! What Vendron's frames say. It needs nothing else of this crate, so that the fuzzer builds in a few seconds.

mod json;
mod parser;

pub use parser::parse;

/// Characters of a name, and of a reference; Vendron's are far shorter.
pub(super) const LONGEST_NAME: usize = 200;
/// Characters of its words.
pub(super) const LONGEST_TEXT: usize = 300;
/// Bytes of a session, which has to be sent back whole.
pub(super) const LONGEST_SESSION: usize = 1000;
/// No fridge holds as many.
pub(super) const MOST_PRODUCTS: usize = 2000;
/// More digits after the point come of a sum of floats, such as 4.800000000000001.
pub(super) const MOST_DECIMALS: u32 = 8;

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

impl Frame {
    /// One that has no name.
    pub(super) fn unreadable() -> Self {
        Self { name: "unreadable".to_owned(), reference: None, session: None, message: Message::Unknown }
    }
}
