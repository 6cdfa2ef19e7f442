//! How a machine talks: what it leaves out, and what it says otherwise than expected.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json};

use super::frame;

/// An oddity that was seen, or that nobody promised not to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Quirk {
    /// Doors are `OPENED` and `CLOSED`, not `UNLOCKED` and `LOCKED`.
    Opened,
    /// Every number is a text.
    NumbersAsStrings,
    /// Prices and totals are numbers.
    PricesAsNumbers,
    /// The final list is called `product_data`.
    ProductData,
    /// There are objects in the place of arrays, and arrays in the place of objects.
    Swapped,
    /// The reference is the time, in seconds.
    SecondsRef,
    /// A result is sent ahead of its acknowledgement.
    ResultFirst,
    /// The final list is sent ahead of the closing.
    CompletedFirst,
    /// Commands are not accepted: no effect, no result.
    Nack,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Style {
    /// Fields that are left out wherever they are.
    pub(crate) omit: BTreeSet<String>,
    pub(crate) quirks: BTreeSet<Quirk>,
}

impl Style {
    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// With more of both.
    pub(super) fn and(mut self, omit: &BTreeSet<String>, quirks: &BTreeSet<Quirk>) -> Self {
        self.omit.extend(omit.iter().cloned());
        self.quirks.extend(quirks);
        self
    }

    /// The frame as it is sent.
    pub(super) fn dress(&self, mut frame: Value, now: DateTime<Utc>) -> String {
        for quirk in &self.quirks {
            quirk.change(&mut frame, now);
        }
        omit(&mut frame, &self.omit);
        frame.to_string()
    }
}

impl Quirk {
    fn change(self, frame: &mut Value, now: DateTime<Utc>) {
        match self {
            Self::Opened => each(frame, &use_other_words),
            Self::NumbersAsStrings => each(frame, &write_number),
            Self::PricesAsNumbers => each(frame, &read_price),
            Self::ProductData => rename_products(frame),
            Self::Swapped => each(frame, &swap),
            Self::SecondsRef => frame["ref"] = json!(frame::seconds(now)),
            // These are about what is sent, not about how it looks.
            Self::ResultFirst | Self::CompletedFirst | Self::Nack => {}
        }
    }
}

/// Changes all fields by name, the outer ones first.
fn each(value: &mut Value, change: &impl Fn(&str, &mut Value)) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                change(name, field);
                each(field, change);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, change)),
        _ => {}
    }
}

fn omit(value: &mut Value, names: &BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !names.contains(name));
            fields.values_mut().for_each(|field| omit(field, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| omit(item, names)),
        _ => {}
    }
}

fn use_other_words(_: &str, field: &mut Value) {
    let other = match field.as_str() {
        Some("UNLOCKED") => "OPENED",
        Some("LOCKED") => "CLOSED",
        Some("Door is succesfully unlocked") => "Smart Fridge Door is unlocked",
        _ => return,
    };
    *field = json!(other);
}

fn write_number(_: &str, field: &mut Value) {
    if field.is_number() {
        *field = json!(field.to_string());
    }
}

fn read_price(name: &str, field: &mut Value) {
    if !matches!(name, "unit_price" | "transaction_total") {
        return;
    }
    let number = field.as_str().and_then(|text| serde_json::from_str::<Number>(text).ok());
    if let Some(number) = number {
        *field = Value::Number(number);
    }
}

fn rename_products(frame: &mut Value) {
    let data = frame.pointer_mut("/command_data/json_data/data").and_then(Value::as_object_mut);
    let Some(data) = data else { return };
    if let Some(products) = data.remove("transaction_product") {
        data.insert("product_data".to_owned(), products);
    }
}

fn swap(name: &str, field: &mut Value) {
    let is_empty = *field == json!([]) || *field == json!({});
    if name != "data" && !(is_empty && matches!(name, "error_data" | "json_data")) {
        return;
    }
    *field = match field.take() {
        Value::Array(items) => items.into_iter().next().unwrap_or_else(|| json!({})),
        Value::Object(fields) if fields.is_empty() => json!([]),
        other => json!([other]),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn dressed(style: &str, frame: Value) -> Value {
        let style: Style = serde_json::from_str(style).unwrap();
        serde_json::from_str(&style.dress(frame, now())).unwrap()
    }

    fn quirky(quirk: &str, frame: Value) -> Value {
        dressed(&format!(r#"{{"omit":[],"quirks":["{quirk}"]}}"#), frame)
    }

    fn completed() -> Value {
        let product = json!({ "vpn": "1", "unit_price": "1.60" });
        let data = json!({ "transaction_status": 1, "transaction_total": "1.60", "transaction_product": [product] });
        frame::success("c", &json!({ "code": 1, "data": data }), "r")
    }

    #[test]
    fn numbers_and_texts_change_places() {
        let numbers = &quirky("numbers_as_strings", completed())["command_data"];
        assert_eq!((&numbers["status"], &numbers["json_data"]["code"]), (&json!("1"), &json!("1")));
        let prices = &quirky("prices_as_numbers", completed())["command_data"]["json_data"]["data"];
        assert!(prices["transaction_total"].is_number());
        assert!(prices["transaction_product"][0]["unit_price"].is_number());
        assert!(prices["transaction_product"][0]["vpn"].is_string());
    }

    #[test]
    fn arrays_and_objects_change_places() {
        let unlocked = frame::success("u", &frame::unlocked(), "r");
        let unlocked = &quirky("swapped", unlocked)["command_data"];
        assert_eq!(unlocked["error_data"], json!({}));
        assert_eq!(unlocked["json_data"]["data"], json!({ "door_status": "UNLOCKED" }));
        let refused = &quirky("swapped", frame::failure("f", -5, "busy", "r"))["command_data"];
        assert_eq!((&refused["error_data"]["code"], &refused["json_data"]), (&json!(-5), &json!({})));
        let completed = &quirky("swapped", completed())["command_data"]["json_data"];
        assert_eq!((&completed["code"], &completed["data"][0]["transaction_status"]), (&json!(1), &json!(1)));
    }

    #[test]
    fn words_names_and_references_are_others() {
        let unlocked = frame::success("u", &frame::unlocked(), "r");
        let opened = &quirky("opened", unlocked)["command_data"]["json_data"];
        assert_eq!(opened["data"][0]["door_status"], "OPENED");
        assert_eq!(opened["message"], "Smart Fridge Door is unlocked");
        let data = &quirky("product_data", completed())["command_data"]["json_data"]["data"];
        assert_eq!((&data["product_data"][0]["vpn"], data.get("transaction_product")), (&json!("1"), None));
        assert_eq!(quirky("seconds_ref", completed())["ref"], "1795341600");
    }

    #[test]
    fn what_is_left_out_is_nowhere() {
        let frame = dressed(r#"{"omit":["ref","unit_price"],"quirks":[]}"#, completed());
        assert!(frame.get("ref").is_none() && !frame.to_string().contains("unit_price"), "{frame}");
        assert_eq!(dressed(r#"{"omit":[],"quirks":[]}"#, completed()), completed());
    }
}
