//! The way to Temporal that the API and the workers share: the connection and the codec that encrypts every payload.

mod codec;
mod keys;
mod settings;

pub use codec::{Codec, CodecError, data_converter};
pub use keys::{KeyRing, KeyRingError};
pub use settings::{ConnectError, TemporalSettings};
