//! Where a list goes on: the last invoice that was given out, as text that callers do not read.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::DateTime;
use store::postgres::invoices::Position;
use uuid::Uuid;

/// The microseconds that are times to us: what both sides of the database's driver can write, and a whole number of bits.
const MICROSECONDS: std::ops::Range<i64> = 0..1 << 58;
/// What [`decode`] takes: 24 bytes, of which the first six bits are zero.
pub(super) const PATTERN: &str = "^A[A-Za-z0-9_-]{31}$";

/// The cursor that goes on after `position`.
pub(super) fn encode(position: &Position) -> String {
    let time = position.created_at.timestamp_micros().to_be_bytes();
    BASE64_URL_SAFE_NO_PAD.encode([time.as_slice(), position.invoice_id.as_bytes()].concat())
}

/// The position that a cursor stands for, if it is one of ours.
pub(super) fn decode(cursor: &str) -> Option<Position> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (time, id) = bytes.split_first_chunk()?;
    let microseconds = Some(i64::from_be_bytes(*time)).filter(|time| MICROSECONDS.contains(time))?;
    let created_at = DateTime::from_timestamp_micros(microseconds)?;
    Some(Position { created_at, invoice_id: Uuid::from_slice(id).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_round_trip() {
        let created_at = DateTime::from_timestamp_micros(1_767_225_600_123_456).unwrap();
        let position = Position { created_at, invoice_id: Uuid::from_u128(0x1234) };
        assert_eq!(decode(&encode(&position)), Some(position));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let far = [i64::MAX.to_be_bytes().as_slice(), &[0; 16]].concat();
        for cursor in ["", "x", "AAAA", "!!!!", &BASE64_URL_SAFE_NO_PAD.encode(far), &"A".repeat(33)] {
            assert_eq!(decode(cursor), None, "{cursor:?}");
        }
    }
}
