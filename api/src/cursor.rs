//! Where a list goes on: the last item that was given out, as text that callers do not read.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The microseconds that are times to us: what both sides of the database's driver can write, and a whole number of bits.
const MICROSECONDS: std::ops::Range<i64> = 0..1 << 58;
/// What [`decode`] takes: 24 bytes, of which the first six bits are zero.
pub(crate) const PATTERN: &str = "^A[A-Za-z0-9_-]{31}$";

/// The cursor that goes on after the item with this beginning and id.
pub(crate) fn encode(created_at: DateTime<Utc>, id: Uuid) -> String {
    let time = created_at.timestamp_micros().to_be_bytes();
    BASE64_URL_SAFE_NO_PAD.encode([time.as_slice(), id.as_bytes()].concat())
}

/// The beginning and the id that a cursor stands for, if it is one of ours.
pub(crate) fn decode(cursor: &str) -> Option<(DateTime<Utc>, Uuid)> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (time, id) = bytes.split_first_chunk()?;
    let microseconds = Some(i64::from_be_bytes(*time)).filter(|time| MICROSECONDS.contains(time))?;
    Some((DateTime::from_timestamp_micros(microseconds)?, Uuid::from_slice(id).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_round_trip() {
        let created_at = DateTime::from_timestamp_micros(1_767_225_600_123_456).unwrap();
        let id = Uuid::from_u128(0x1234);
        assert_eq!(decode(&encode(created_at, id)), Some((created_at, id)));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let far = [i64::MAX.to_be_bytes().as_slice(), &[0; 16]].concat();
        for cursor in ["", "x", "AAAA", "!!!!", &BASE64_URL_SAFE_NO_PAD.encode(far), &"A".repeat(33)] {
            assert_eq!(decode(cursor), None, "{cursor:?}");
        }
    }
}
