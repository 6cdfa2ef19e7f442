//! Text from outside that Postgres cannot keep as it came: a frame may carry a NUL, or be as long as it likes.

use serde_json::Value;

/// Frames are kept up to this many bytes.
const LONGEST_FRAME: usize = 64 * 1024;
/// Stands for a character that could not be kept.
const REPLACEMENT: &str = "\u{fffd}";

/// The text with every NUL replaced.
pub(super) fn without_nul(text: &str) -> String {
    text.replace('\0', REPLACEMENT)
}

/// The document with every NUL in its values replaced.
pub(super) fn scrub(document: &mut Value) {
    match document {
        Value::String(text) => *text = without_nul(text),
        Value::Array(items) => items.iter_mut().for_each(scrub),
        Value::Object(fields) => fields.values_mut().for_each(scrub),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// As much of a frame as is kept.
pub(super) fn kept_of_frame(raw: &str) -> String {
    without_nul(&raw[..raw.floor_char_boundary(LONGEST_FRAME)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_nul_is_replaced_wherever_it_stands() {
        let mut document = json!({ "taken": [{ "name": "a\0b", "vpn": "1", "unit_price": 160 }] });
        scrub(&mut document);
        assert_eq!(document, json!({ "taken": [{ "name": "a\u{fffd}b", "vpn": "1", "unit_price": 160 }] }));
        assert_eq!(without_nul("\0"), "\u{fffd}");
        assert_eq!(without_nul("é"), "é");
    }

    #[test]
    fn a_long_frame_is_cut_between_characters() {
        let frame = format!("{}é", "a".repeat(LONGEST_FRAME - 1));
        assert_eq!(kept_of_frame(&frame).len(), LONGEST_FRAME - 1);
        assert_eq!(kept_of_frame("short"), "short");
    }
}
