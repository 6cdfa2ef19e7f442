//! Whatever Vendron sends is read: without a panic, into what can be kept, and the same however it is wrapped.
#![no_main]

#[path = "../../activities/src/clients/vendron/frames/mod.rs"]
mod frames;
#[path = "../../activities/src/clients/vendron/soundness.rs"]
mod soundness;

use std::borrow::Cow;

use frames::{Frame, MOST_PRODUCTS, Message, SoldProduct, parse};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use soundness::{COMMANDS, MOST_DIGITS, assert_sound, is_amount};

/// Bytes of what is put in thousands into one frame: no others, as that takes its time.
const SHORT: usize = 4;

/// A frame, as far as its content is needed.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    command_data: &'a RawValue,
}

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let frame = parse(&text);
    check(&frame);
    assert_eq!(parse(&text), frame, "it is not read the same twice");
    assert_eq!(parse(&format!(" \u{feff}\r\n{text}\t\n")), frame, "white space around it matters");
    for wrapped in wrapped(&text) {
        assert_eq!(parse(&wrapped), frame, "{wrapped}");
    }
    let content = content(&text);
    // One of them for each text: to try all takes so long that less is found in the same time.
    let pick = bytes.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()));
    check_command(COMMANDS[pick % COMMANDS.len()], &content);
    check_acknowledgement(&content);
    check_sale(&content);
    check_error(&content);
    if content.len() <= SHORT {
        check_crowd(&content);
    }
});

/// JSON to put into frames, so that every part of the parser is a step away: what is in the frame, if the text is one,
/// else the text, as a JSON text where it is nothing else.
fn content(text: &str) -> Cow<'_, str> {
    if let Ok(Envelope { command_data }) = serde_json::from_str(text) {
        return command_data.get().into();
    }
    let json: Result<&RawValue, _> = serde_json::from_str(text);
    json.map_or_else(|_| Value::from(text).to_string().into(), |json| json.get().into())
}

/// The other ways in which Vendron may write the same object, or the same list.
fn wrapped(text: &str) -> Vec<String> {
    let json: Result<&RawValue, _> = serde_json::from_str(text);
    let Ok(json) = json.map(RawValue::get) else {
        return Vec::new();
    };
    let list = json.starts_with('{').then(|| format!("[{json}]"));
    let quoted = json.starts_with(['{', '[']).then(|| Value::from(json).to_string());
    list.into_iter().chain(quoted).collect()
}

fn command(name: &str, content: &str) -> Frame {
    parse(&format!(r#"{{"command":"{name}","command_data":{content},"ref":"R"}}"#))
}

/// A command with any content says what this command can say, and that does not depend on how it is written.
fn check_command(name: &str, content: &str) {
    let frame = command(name, content);
    check(&frame);
    assert_eq!((frame.name.as_str(), frame.reference.as_deref()), (name, Some("R")));
    assert!(may_say(name, &frame.message), "{frame:?}");
    for wrapped in wrapped(content) {
        assert_eq!(command(name, &wrapped), frame, "{wrapped}");
    }
    let loud = command(&name.to_ascii_uppercase(), content);
    assert_eq!((loud.message, loud.session), (frame.message, frame.session));
    let denied = command(name, &format!(r#"{{"status":"0","error_data":{{"code":-5}},"json_data":{content}}}"#));
    assert!(!is_success(&denied.message), "{denied:?}");
}

fn is_success(message: &Message) -> bool {
    use Message as M;
    matches!(
        message,
        M::MachineAvailable { .. }
            | M::Begun { .. }
            | M::Unlocked { .. }
            | M::Taken { .. }
            | M::DoorClosed { .. }
            | M::Completed { .. }
    )
}

fn may_say(name: &str, message: &Message) -> bool {
    use Message as M;
    match name {
        "check_machine_state_success" => matches!(message, M::MachineAvailable { .. } | M::MachineError { .. }),
        "check_machine_state_error" => matches!(message, M::MachineError { .. }),
        "smart_fridge_request_begun" => matches!(message, M::Begun { .. } | M::RequestError { .. }),
        "smart_fridge_request_error" => matches!(message, M::RequestError { .. } | M::Cancelled { .. }),
        "smart_fridge_door_open_success" => matches!(message, M::Unlocked { .. } | M::UnlockError { .. }),
        "smart_fridge_door_open_error" => matches!(message, M::UnlockError { .. }),
        "smart_fridge_product_taken" => matches!(message, M::Taken { .. } | M::Unknown),
        "smart_fridge_door_close_success" => matches!(message, M::DoorClosed { .. } | M::Unknown),
        "smart_fridge_request_completed" => {
            matches!(message, M::Completed { .. } | M::Cancelled { .. } | M::Unknown)
        }
        _ => matches!(message, M::Unknown),
    }
}

/// With any content it is one.
fn check_acknowledgement(content: &str) {
    let frame = parse(&format!(r#"{{"respond":"smart_fridge_request","respond_data":{content}}}"#));
    check(&frame);
    assert!(matches!(frame.message, Message::Ack { .. }), "{frame:?}");
}

/// Nothing that is wrong about one piece, or around the list, loses another piece.
fn check_sale(any: &str) {
    let frame = parse(&format!(
        r#"{{"machine_temperature":{any},"command":"smart_fridge_request_completed","ref":{any},"command_data":{{
        "status":1,"json_data":{{"code":1,"message":{any},"data":{{"id":{any},"session":{any},
        "transaction_total":{any},"transaction_product":[{{"vpn":"V-1","name":"Water","unit_price":"1.60"}},
        {{"vpn":{any},"name":{any},"unit_price":{any},"weight":{any}}}]}}}}}}}}"#
    ));
    check(&frame);
    let Message::Completed { products, total, .. } = &frame.message else {
        panic!("it is not understood: {frame:?}");
    };
    let (vpn, name, unit_price) = ("V-1".to_owned(), "Water".to_owned(), Some("1.60".to_owned()));
    assert_eq!(products.first(), Some(&SoldProduct { vpn, name, unit_price }));
    assert_eq!(products.len(), 2, "{products:?}");
    assert_eq!(products[1].unit_price.as_ref(), total.as_ref());
    check_total(any, total.as_deref());
}

/// A number is read as what it is, and not at all where it is less than nothing.
fn check_total(written: &str, read: Option<&str>) {
    if is_amount(written) && written.len() < MOST_DIGITS {
        assert_eq!(read, Some(written));
    }
    let (Ok(number), Some(read)) = (written.parse::<f64>(), read) else {
        return;
    };
    assert!(!written.starts_with('-'), "{written} is {read}");
    let difference = read.parse::<f64>().map(|read| (read - number).abs());
    assert!(difference.is_ok_and(|difference| difference <= 1e-6 + number * 1e-12), "{written} is {read}");
}

/// More pieces than any fridge holds are none.
fn check_crowd(any: &str) {
    let crowd = vec![any; MOST_PRODUCTS + 1].join(",");
    check(&command("smart_fridge_product_taken", &format!(r#"{{"json_data":{{"list":[{crowd}]}}}}"#)));
}

fn check_error(any: &str) {
    let frame = parse(&format!(
        r#"{{"command":"check_machine_state_error","command_data":{{"status":{any},
        "error_data":{{"code":{any},"message":"No"}},"json_data":{any}}}}}"#
    ));
    check(&frame);
    let Message::MachineError { code, text } = &frame.message else {
        panic!("it is not understood: {frame:?}");
    };
    assert_eq!(text, "No");
    if let Ok(number) = any.parse() {
        assert_eq!(*code, Some(number));
    }
}

/// What was understood can be kept, and said again.
fn check(frame: &Frame) {
    assert_sound(frame);
    if let Some(again) = again(frame) {
        assert_eq!(&parse(&again.to_string()), frame, "{again}");
    }
}

/// The documented frame that says the same; none where nothing was understood.
fn again(frame: &Frame) -> Option<Value> {
    let session = &frame.session;
    let success = |text: &str, data: Value| json!({"status": 1, "error_data": [], "session": session, "json_data": {"code": 1, "message": text, "data": data}});
    let error = |code: Option<i64>, text: &str| json!({"status": 0, "session": session, "error_data": {"code": code, "message": text}, "json_data": []});
    let data = match &frame.message {
        Message::Unknown => return None,
        Message::Ack { accepted, code } => return Some(acknowledged(frame, *accepted, code)),
        Message::MachineError { code, text }
        | Message::RequestError { code, text }
        | Message::UnlockError { code, text } => error(*code, text),
        Message::Cancelled { text } => error(Some(-10), text),
        Message::MachineAvailable { text } | Message::Unlocked { text } | Message::DoorClosed { text } => {
            success(text, json!([]))
        }
        Message::Begun { session, text } => success(text, json!({"session": session})),
        Message::Taken { products, text } => success(text, json!({"list": written(products)})),
        Message::Completed { products, total, text } => {
            success(text, json!({"transaction_total": total, "transaction_product": written(products)}))
        }
    };
    Some(json!({"command": frame.name, "command_data": data, "ref": frame.reference}))
}

fn acknowledged(frame: &Frame, accepted: bool, code: &str) -> Value {
    let data = json!({"ack_status": accepted, "ack_code": code, "session": frame.session});
    json!({"respond": frame.name, "respond_data": data, "ref": frame.reference})
}

fn written(products: &[SoldProduct]) -> Vec<Value> {
    let product =
        |product: &SoldProduct| json!({"vpn": product.vpn, "name": product.name, "unit_price": product.unit_price});
    products.iter().map(product).collect()
}
