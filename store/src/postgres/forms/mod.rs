//! Forms: invoices that their merchants leave partly blank, for buyers to fill.

mod read;
mod turn;
mod write;

pub use read::{Form, FormFields, Position};
pub use turn::Turn;
pub use write::{KeptForm, NewForm};
