//! Frames that are nearly, or not at all, what was documented.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::Value;

use super::{
    frames::frames,
    soundness::{COMMANDS, assert_sound},
    *,
};

const MEMBERS: [&str; 22] = [
    "command",
    "respond",
    "ref",
    "command_data",
    "respond_data",
    "status",
    "ack_status",
    "ack_code",
    "error_data",
    "json_data",
    "data",
    "code",
    "message",
    "session",
    "door_status",
    "list",
    "transaction_product",
    "product_data",
    "transaction_total",
    "vpn",
    "name",
    "unit_price",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-12_i64..3).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "-?[0-9]{0,25}(\\.[0-9]{0,12})?(e-?[0-9]{1,3})?".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((select(MEMBERS.to_vec()), inner), 0..6).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

fn any_frame() -> impl Strategy<Value = Value> {
    select(frames()).prop_map(|(text, _)| serde_json::from_str::<Value>(text).unwrap())
}

fn children(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(members) => members.values_mut().collect(),
        _ => Vec::new(),
    }
}

/// Puts another value in the place of the one with this number, counted from the outside.
fn replace(value: &mut Value, left: &mut usize, other: &Value) -> bool {
    if *left == 0 {
        *value = other.clone();
        return true;
    }
    *left -= 1;
    children(value).into_iter().any(|child| replace(child, left, other))
}

/// Does this to every value, from the inside, for which the next pick is true.
fn change(value: &mut Value, picks: &mut impl Iterator<Item = bool>, how: fn(&Value) -> Option<Value>) {
    for child in children(value) {
        change(child, picks, how);
    }
    if let Some(changed) = how(value).filter(|_| picks.next().unwrap_or_default()) {
        *value = changed;
    }
}

fn as_text(value: &Value) -> Option<Value> {
    value.as_number().map(|number| Value::String(number.to_string()))
}

fn as_list(value: &Value) -> Option<Value> {
    value.is_object().then(|| Value::Array(vec![value.clone()]))
}

fn with_more(value: &Value) -> Option<Value> {
    let mut members = value.as_object()?.clone();
    members.insert("machine_temperature".to_owned(), Value::from("4.5"));
    Some(Value::Object(members))
}

/// Takes the quotes off the texts that are numbers. No frame has a quote in a text.
fn unquoted(text: &str, picks: &mut impl Iterator<Item = bool>) -> String {
    let part = |(index, part): (usize, &str)| {
        let is_number = serde_json::from_str::<f64>(part).is_ok();
        match (index % 2 == 1, is_number && picks.next().unwrap_or_default()) {
            (false, _) | (true, true) => part.to_owned(),
            (true, false) => format!("\"{part}\""),
        }
    };
    text.split('"').enumerate().map(part).collect()
}

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>(), json in any_json()) {
        assert_sound(&parse(&text));
        assert_sound(&parse(&json.to_string()));
    }

    #[test]
    fn any_content_is_read(
        name in select([COMMANDS.as_slice(), &[""]].concat()),
        kind in select(vec!["command", "respond"]),
        data in any_json(),
    ) {
        let frame = parse(&format!(r#"{{"{kind}":"{name}","{kind}_data":{data}}}"#));
        prop_assert_eq!(&frame.name, if name.is_empty() { "unreadable" } else { name });
        assert_sound(&frame);
    }

    #[test]
    fn any_part_may_be_something_else(mut frame in any_frame(), mut place in 0_usize..60, other in any_json()) {
        replace(&mut frame, &mut place, &other);
        assert_sound(&parse(&frame.to_string()));
    }

    #[test]
    fn any_frame_may_end_early(frame in any_frame(), end in any::<prop::sample::Index>()) {
        let text = frame.to_string();
        let cut = text.char_indices().map(|(index, _)| index).nth(end.index(text.chars().count())).unwrap_or_default();
        prop_assert_eq!(parse(&text[..cut]), Frame::unreadable());
    }

    #[test]
    fn how_it_is_written_does_not_change_what_it_says(
        frame in any_frame(),
        how in select(vec![as_text as fn(&Value) -> Option<Value>, as_list, with_more]),
        picks in vec(any::<bool>(), 1..16),
    ) {
        let mut changed = frame.clone();
        change(&mut changed, &mut picks.into_iter().cycle(), how);
        prop_assert_eq!(parse(&changed.to_string()), parse(&frame.to_string()), "{}", changed);
    }

    #[test]
    fn texts_that_are_numbers_may_be_numbers(frame in select(frames()), picks in vec(any::<bool>(), 1..16)) {
        let (text, message) = frame;
        let changed = unquoted(text, &mut picks.into_iter().cycle());
        prop_assert_eq!(parse(&changed).message, message, "{}", changed);
    }
}
