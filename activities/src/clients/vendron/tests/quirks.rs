//! What the real cloud does, or may do, and what nobody should do.

use super::*;

fn message(name: &str, data: &str) -> Message {
    parse(&format!(r#"{{"command":"{name}","command_data":{data}}}"#)).message
}

/// Of a completed sale of one bottle of water.
fn completed(total: Option<&str>) -> Message {
    let products = vec![sold("V-1", "Water", "1.60")];
    Message::Completed { products, total: total.map(words), text: String::new() }
}

#[test]
fn nothing_taken_is_told_in_many_ways() {
    for data in [
        r#"{"status":"0","error_data":{"code":"-10"},"json_data":[]}"#,
        r#"{"status":0,"error_data":[],"json_data":[]}"#,
        r#"{"status":false,"error_data":{"code":-10},"json_data":{}}"#,
        r#"{"status":1,"error_data":{"code":-10.0}}"#,
        r#"{"error_data":[{"code":" -10 "}]}"#,
        r#"{"error_data":"-10"}"#,
        r#"{"status":"1","json_data":{"code":"-10"}}"#,
        r#"{"status":0,"json_data":{"data":{"transaction_total":"0.00","transaction_product":[]}}}"#,
        r#"{"status":"0"}"#,
    ] {
        let message = message("smart_fridge_request_completed", data);
        assert!(matches!(message, Message::Cancelled { .. }), "{data}: {message:?}");
    }
    let (products, total, text) = (Vec::new(), Some(words("0.00")), String::new());
    let free = message("smart_fridge_request_completed", r#"{"status":1,"json_data":{"transaction_total":"0.00"}}"#);
    assert_eq!(free, Message::Completed { products, total, text });
    let error = message("smart_fridge_request_error", r#"{"status":0,"error_data":{"code":"-10","message":"Closed"}}"#);
    assert_eq!(error, Message::Cancelled { text: words("Closed") });
}

#[test]
fn the_final_list_is_found_wherever_it_is() {
    for data in [
        r#"{"json_data":{"data":{"transaction_product":[{"vpn":"V-1","name":"Water","unit_price":"1.60"}]}}}"#,
        r#"{"json_data":{"data":{"product_data":[{"vpn":"V-1","name":"Water","unit_price":1.60}]}}}"#,
        r#"{"json_data":{"data":[{"vpn":"V-1","name":"Water","unit_price":"1.60"}]}}"#,
        r#"{"json_data":{"data":[{"product_data":{"vpn":"V-1","name":"Water","unit_price":"1.60"}}]}}"#,
        r#"{"json_data":{"list":{"0":{"vpn":"V-1","name":"Water","unit_price":"1.60"}}}}"#,
        r#"{"json_data":[{"vpn":"V-1","name":"Water","unit_price":"1.60"}]}"#,
        r#"{"json_data":{"transaction_product":[[{"vpn":" V-1 ","name":" Water","unit_price":" 1.60"}],null]}}"#,
        r#"[{"status":"1","transaction_product":[{"vpn":"V-1","name":"Water","unit_price":"1.60"}]}]"#,
        r#"{"json_data":"{\"data\":{\"product_data\":[{\"vpn\":\"V-1\",\"name\":\"Water\",\"unit_price\":\"1.60\"}]}}"}"#,
        r#"{"json_data":{"data":{"product_data":null,"list":[{"vpn":"V-1","name":"Water","unit_price":"1.60"}]}}}"#,
    ] {
        assert_eq!(message("smart_fridge_request_completed", data), completed(None), "{data}");
        let taken = message("smart_fridge_product_taken", data);
        assert_eq!(
            taken,
            Message::Taken { products: vec![sold("V-1", "Water", "1.60")], text: String::new() },
            "{data}"
        );
    }
}

#[test]
fn the_total_is_kept_as_it_is_told() {
    for (total, read) in [
        (r#""1.60""#, Some("1.60")),
        ("1.6", Some("1.6")),
        ("11.200000000000001", Some("11.2")),
        (r#""9.99""#, Some("9.99")),
        (r#""""#, None),
        ("-1.60", None),
        ("null", None),
        ("{}", None),
        ("1e400", None),
    ] {
        let data = format!(
            r#"{{"status":1,"json_data":{{"data":{{"transaction_total":{total},
            "transaction_product":[{{"vpn":"V-1","name":"Water","unit_price":"1.60"}}]}}}}}}"#
        );
        assert_eq!(message("smart_fridge_request_completed", &data), completed(read), "{total}");
    }
}

#[test]
fn a_piece_is_never_lost_for_what_is_wrong_about_it() {
    let data =
        r#"{"json_data":{"list":[{"vpn":"V-1"},{"name":"Water","unit_price":"free"},"Cola",7,{},[],true,null]}}"#;
    let Message::Taken { products, .. } = message("smart_fridge_product_taken", data) else {
        panic!("the list is not understood");
    };
    let names: Vec<_> = products.iter().map(|product| (product.vpn.as_str(), product.name.as_str())).collect();
    assert_eq!(names, [("V-1", ""), ("", "Water"), ("", "Cola"), ("", "7"), ("", ""), ("", "true")]);
    assert!(products.iter().all(|product| product.unit_price.is_none()));
    let many = vec![r#"{"vpn":"V-1","name":"Water","unit_price":"1.60"}"#; 200].join(",");
    let data = format!(r#"{{"json_data":{{"list":[{many}]}}}}"#);
    let Message::Taken { products, .. } = message("smart_fridge_product_taken", &data) else {
        panic!("the list is not understood");
    };
    assert_eq!(products.len(), 200);
}

#[test]
fn what_contradicts_itself_or_is_not_there_says_nothing() {
    let list = r#""transaction_product":[{"vpn":"V-1","name":"Water","unit_price":"1.60"}]"#;
    for (name, data) in [
        // Cancelled, and yet something was sold.
        ("smart_fridge_request_completed", format!(r#"{{"status":0,"json_data":{{"data":{{{list}}}}}}}"#)),
        ("smart_fridge_request_completed", words(r#"{"status":0,"json_data":{"transaction_total":"1.60"}}"#)),
        // No list: not the same as nothing taken.
        ("smart_fridge_request_completed", words(r#"{"status":1,"error_data":[],"json_data":[]}"#)),
        ("smart_fridge_request_completed", words(r#"{"status":1,"json_data":{"data":{"transaction_id":"T-1"}}}"#)),
        ("smart_fridge_request_completed", words(r#"{"transaction_product":"none"}"#)),
        ("smart_fridge_request_completed", words(r#"{"status":1,"json_data":{"transaction_total":"1.60"}}"#)),
        ("smart_fridge_request_completed", words("null")),
        // Not the same as everything put back.
        ("smart_fridge_product_taken", words(r#"{"status":1,"json_data":{"code":1}}"#)),
        ("smart_fridge_product_taken", words(r#"{"status":1,"json_data":{"list":null}}"#)),
        ("smart_fridge_product_taken", words(r#"{"status":0,"json_data":{"list":[]}}"#)),
        ("smart_fridge_product_taken", format!(r#"{{"json_data":{{"list":[{}0]}}}}"#, "0,".repeat(2000))),
        ("smart_fridge_door_close_success", words(r#"{"json_data":{"data":[{"door_status":"unlocked"}]}}"#)),
        ("smart_fridge_door_close_success", words(r#"{"status":"0"}"#)),
        ("smart_fridge_restocked", words(r#"{"status":1}"#)),
    ] {
        assert_eq!(message(name, &data), Message::Unknown, "{name} {data}");
    }
}

#[test]
fn a_door_is_told_by_the_name_of_the_frame() {
    for data in [
        r#"{"status":1,"json_data":{"data":{"door_status":"UNLOCKED"}}}"#,
        r#"{"status":"1","json_data":{"data":[{"door_status":"opened"}]}}"#,
        r#"{"status":1,"json_data":[]}"#,
        "[]",
    ] {
        let opened = message("smart_fridge_door_open_success", data);
        assert_eq!(opened, Message::Unlocked { text: String::new() }, "{data}");
    }
    for data in [r#"{"json_data":{"data":{"door_status":"CLOSED"}}}"#, r#"{"json_data":{"data":["LOCKED"]}}"#, "{}"] {
        let closed = message("smart_fridge_door_close_success", data);
        assert_eq!(closed, Message::DoorClosed { text: String::new() }, "{data}");
    }
}

#[test]
fn a_success_that_is_denied_is_an_error() {
    let data = r#"{"status":"0","error_data":[{"code":"-5","message":"Busy"}]}"#;
    let (code, text) = (Some(-5), words("Busy"));
    for (name, expected) in [
        ("check_machine_state_success", Message::MachineError { code, text: text.clone() }),
        ("smart_fridge_request_begun", Message::RequestError { code, text: text.clone() }),
        ("smart_fridge_door_open_success", Message::UnlockError { code, text }),
    ] {
        assert_eq!(message(name, data), expected);
    }
    let error = message("check_machine_state_error", r#"{"error_data":"Machine is gone"}"#);
    assert_eq!(error, Message::MachineError { code: None, text: words("Machine is gone") });
    let error = message("check_machine_state_error", r#"{"error_data":{"code":99999999999999999999}}"#);
    assert_eq!(error, Message::MachineError { code: None, text: String::new() });
}

#[test]
fn sessions_and_references_are_words() {
    for (session, read) in [
        (r#""S-81""#, Some("S-81")),
        ("81", Some("81")),
        ("98765432109876543210987654321098765432109", Some("98765432109876543210987654321098765432109")),
        (r#"" ""#, None),
        ("null", None),
        ("{}", None),
        (r#"["S-81"]"#, None),
    ] {
        let text = format!(
            r#"{{"command":"smart_fridge_request_begun","ref":{session},"command_data":{{"json_data":{{"data":{{"session":{session}}}}}}}}}"#
        );
        let frame = parse(&text);
        assert_eq!((frame.session.as_deref(), frame.reference.as_deref()), (read, read), "{session}");
        assert_eq!(frame.message, Message::Begun { session: read.map(words), text: String::new() });
    }
    assert_eq!(parse(r#"{"command":"smart_fridge_restocked"}"#).reference, None);
    let late = parse(r#"{"command":"smart_fridge_restocked","command_data":{"session":81}}"#);
    assert_eq!(late.session.as_deref(), Some("81"));
}

#[test]
fn an_acknowledgement_refuses_only_when_it_says_so() {
    for (data, accepted) in [
        (r#"{"ack_status":1}"#, true),
        (r#"{"ack_status":"1"}"#, true),
        (r#"{"ack_status":true}"#, true),
        (r#"[{"ack_status":1}]"#, true),
        ("[]", true),
        (r#"{"ack_status":0}"#, false),
        (r#"{"ack_status":"0"}"#, false),
        (r#"{"ack_status":false}"#, false),
    ] {
        let frame = parse(&format!(r#"{{"respond":"smart_fridge_request","respond_data":{data}}}"#));
        assert_eq!(frame.message, Message::Ack { accepted, code: String::new() }, "{data}");
        assert_eq!(frame.name, "smart_fridge_request");
    }
}

#[test]
fn what_has_no_name_is_unreadable() {
    for text in [
        "",
        " ",
        "null",
        "7",
        "\"command\"",
        "[]",
        "{}",
        "{",
        "<html></html>",
        r#"{"command":"check_machine_state_success""#,
        r#"{"command":null}"#,
        r#"{"command":{"check_machine_state_success":1}}"#,
        r#"{"command":"\ud800"}"#,
        r#"{"respond":""}"#,
        "{\"command\":\"a\"} {\"command\":\"b\"}",
    ] {
        assert_eq!(parse(text), Frame::unreadable(), "{text}");
    }
    let (name, reference) = (words("unreadable"), Some(words("R")));
    assert_eq!(parse(r#"{"ref":"R"}"#), Frame { name, reference, session: None, message: Message::Unknown });
}

#[test]
fn what_is_around_a_frame_does_not_matter() {
    let bare = r#"{"command":"smart_fridge_door_close_success","command_data":{"json_data":{"message":"Closed"}}}"#;
    let closed = Message::DoorClosed { text: words("Closed") };
    for around in ["\r\n", "\u{feff}", " \u{feff}\r\n", "\u{feff}\u{feff}\t", "\u{a0}", "\u{2028}"] {
        let frame = parse(&format!("{around}{bare}{around}"));
        assert_eq!(frame.message, closed, "{around:?}");
        let data = serde_json::Value::from(format!("{around}{{\"message\":\"Closed\"}}{around}"));
        let packed = message("smart_fridge_door_close_success", &format!(r#"{{"json_data":{data}}}"#));
        assert_eq!(packed, closed, "{around:?}");
    }
}

#[test]
fn what_is_cut_ends_where_a_word_ends() {
    let long = format!("{} y", "x".repeat(198));
    let frame = parse(&format!(r#"{{"command":"{long}z","ref":"{long}z","command_data":{{}}}}"#));
    assert_eq!((frame.name.as_str(), frame.reference.as_deref()), (long.as_str(), Some(long.as_str())));
    let short = "x".repeat(199);
    let frame = parse(&format!(r#"{{"command":"{short}\u00a0z","ref":"{short} \tz","command_data":{{}}}}"#));
    assert_eq!((frame.name.as_str(), frame.reference.as_deref()), (short.as_str(), Some(short.as_str())));
}

#[test]
fn what_is_kept_fits_where_it_is_kept() {
    let long = "x".repeat(5000);
    let frame = parse(&format!(
        r#"{{"command":"a\u0000b{long}","ref":"\u0000{long}","command_data":{{"message":"{long}","session":"{long}"}}}}"#
    ));
    assert!(frame.name.starts_with("a\u{fffd}b") && frame.name.chars().count() == 200, "{}", frame.name);
    assert_eq!(frame.reference.map(|reference| reference.chars().count()), Some(200));
    assert_eq!(frame.session, None);
    let error = message("check_machine_state_error", &format!(r#"{{"message":"\u0000{long}"}}"#));
    assert!(matches!(error, Message::MachineError { text, .. } if text.len() == 302 && !text.contains('\0')));
}

#[test]
fn names_are_read_in_any_case_and_kept_as_they_came() {
    let frame = parse("\u{feff}[{\"command\":\" Smart_Fridge_Door_Open_Success \",\"command_data\":[]}]");
    assert_eq!(frame.name, "Smart_Fridge_Door_Open_Success");
    assert_eq!(frame.message, Message::Unlocked { text: String::new() });
}
