//! A body of a command, read field by field, so that a refusal can name the one that is wrong.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::refusal::Refusal;

/// The fields of a body, as they were written.
#[derive(Debug)]
pub(super) struct Fields(BTreeMap<String, Box<RawValue>>);

impl Fields {
    /// Reads an object with these fields, all of which may be left out; others only as sets of custom fields, which
    /// begin with an underscore and mean nothing here.
    pub(super) fn read(body: &[u8], known: &[&str]) -> Result<Self, Refusal> {
        let fields: BTreeMap<String, Box<RawValue>> =
            serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
        let is_known = |name: &str| name.starts_with('_') || known.contains(&name);
        if let Some(unknown) = fields.keys().find(|name| !is_known(name.as_str())) {
            return Err(Refusal::of("PARAMETER_NOT_ALLOWED").at(unknown));
        }
        Ok(Self(fields))
    }

    /// A field; `null` is as good as none.
    pub(super) fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let Some(raw) = self.0.get(name) else {
            return Ok(None);
        };
        serde_json::from_str(raw.get()).map_err(|_| Refusal::of("INVALID_PARAMETERS").at(name))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.get(name)
    }

    /// A date with a time and an offset, in the organisation's time.
    pub(super) fn time(&self, name: &str, offset: FixedOffset) -> Result<Option<DateTime<FixedOffset>>, Refusal> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let time = DateTime::parse_from_rfc3339(&text).map_err(|_| Refusal::of("INVALID_DATE_TIME_FORMAT").at(name))?;
        Ok(Some(time.with_timezone(&offset)))
    }

    /// Refuses a field that would do what is not played here.
    pub(super) fn check_empty(&self, name: &str) -> Result<(), Refusal> {
        let text = self.0.get(name).map(|raw| raw.get().split_whitespace().collect::<String>());
        match text.as_deref() {
            None | Some("null" | "[]" | "{}") => Ok(()),
            Some(_) => Err(Refusal::of("METHOD_NOT_IMPLEMENTED").at(name)),
        }
    }
}

fn unreadable(error: &serde_json::Error) -> Refusal {
    Refusal::of(if error.is_data() { "INVALID_PARAMETERS" } else { "INVALID_JSON_SYNTAX" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mambu::amount::{Amount, Number};

    const KNOWN: [&str; 3] = ["amount", "date", "fees"];

    fn read(body: &str) -> Result<Fields, Refusal> {
        Fields::read(body.as_bytes(), &KNOWN)
    }

    #[test]
    fn fields_are_read_digit_for_digit() {
        let fields = read(r#"{"amount": 12345678901234567.89, "_custom": {"a": 1.0}, "date": null}"#).unwrap();
        let amount = fields.get::<Number>("amount").unwrap().unwrap();
        assert_eq!(amount.0, Amount::parse("12345678901234567.89").unwrap());
        assert_eq!(fields.text("date").unwrap(), None);
        assert_eq!(fields.text("absent").unwrap(), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(read("{").unwrap_err().reason, "INVALID_JSON_SYNTAX");
        assert_eq!(read("").unwrap_err().reason, "INVALID_JSON_SYNTAX");
        assert_eq!(read("[]").unwrap_err().reason, "INVALID_PARAMETERS");
        let unknown = read(r#"{"ammount":1}"#).unwrap_err();
        assert_eq!((unknown.reason, unknown.source.as_deref()), ("PARAMETER_NOT_ALLOWED", Some("ammount")));
        let wrong = read(r#"{"amount":"1"}"#).unwrap().get::<Number>("amount").unwrap_err();
        assert_eq!(wrong.source.as_deref(), Some("amount"));
    }

    #[test]
    fn dates_need_an_offset_and_turn_to_the_organisations() {
        let offset: FixedOffset = "-06:00".parse().unwrap();
        let time = |text: &str| read(&format!(r#"{{"date":"{text}"}}"#)).unwrap().time("date", offset);
        assert_eq!(time("2026-05-15T05:30:00Z").unwrap().unwrap().to_rfc3339(), "2026-05-14T23:30:00-06:00");
        assert!(time("2026-05-15T05:30:00").is_err() && time("2026-05-15").is_err());
    }

    #[test]
    fn what_is_not_played_must_be_empty() {
        for good in ["{}", r#"{"fees":null}"#, r#"{"fees":[ ]}"#, r#"{"fees":{}}"#] {
            assert!(read(good).unwrap().check_empty("fees").is_ok(), "{good}");
        }
        assert!(read(r#"{"fees":[{"amount":1}]}"#).unwrap().check_empty("fees").is_err());
    }
}
