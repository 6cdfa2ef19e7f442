//! The frames that are documented, or were seen.

use super::*;

/// Each with what it says.
pub(super) fn frames() -> Vec<(&'static str, Message)> {
    [acknowledgements(), checks(), openings(), ends()].concat()
}

fn acknowledgements() -> Vec<(&'static str, Message)> {
    let ack = |accepted, code: &str| Message::Ack { accepted, code: words(code) };
    vec![
        (
            r#"{"respond":"check_machine_state","respond_data":{"ack_status":1,"ack_code":"PUBLIC007"},"ref":"R"}"#,
            ack(true, "PUBLIC007"),
        ),
        (
            r#"{"respond":"smart_fridge_request","respond_data":{"ack_status":0,"ack_code":"PUBLIC012"},"ref":"R"}"#,
            ack(false, "PUBLIC012"),
        ),
    ]
}

fn checks() -> Vec<(&'static str, Message)> {
    vec![
        (
            r#"{"command":"check_machine_state_success","command_data":{"status":1,"error_data":[],
               "json_data":{"code":1,"message":"Machine is available for API Dispensing"}},"ref":"R"}"#,
            Message::MachineAvailable { text: words("Machine is available for API Dispensing") },
        ),
        (
            r#"{"command":"check_machine_state_error","command_data":{"status":0,
               "error_data":{"code":-5,"message":"Machine is currently busy"},"json_data":[]},"ref":"R"}"#,
            Message::MachineError { code: Some(-5), text: words("Machine is currently busy") },
        ),
    ]
}

fn openings() -> Vec<(&'static str, Message)> {
    let begun = words("Smart Fridge Public API successfully inited.");
    vec![
        (
            r#"{"command":"smart_fridge_request_begun","command_data":{"status":1,"error_data":[],"json_data":{"code":1,
               "message":"Smart Fridge Public API successfully inited.","data":{"session":"S-81","trade_vdps_id":4711,
               "payment_name":"STRIPE","currency":"EUR","total_amount":"50.00"}}},"ref":"R"}"#,
            Message::Begun { session: Some(words("S-81")), text: begun },
        ),
        (
            r#"{"command":"smart_fridge_request_error","command_data":{"status":0,
               "error_data":{"code":-11,"message":"Subscription expired"},"json_data":[]},"ref":"R"}"#,
            Message::RequestError { code: Some(-11), text: words("Subscription expired") },
        ),
        (
            r#"{"command":"smart_fridge_door_open_success","command_data":{"status":1,"error_data":[],"json_data":{"code":1,
               "message":"Door is succesfully unlocked","data":[{"door_status":"UNLOCKED"}]}},"ref":"R"}"#,
            Message::Unlocked { text: words("Door is succesfully unlocked") },
        ),
        (
            r#"{"command":"smart_fridge_door_open_success","command_data":{"status":1,"error_data":[],"json_data":{"code":1,
               "message":"Smart Fridge Door is unlocked","data":[{"door_status":"OPENED"}]}},"ref":"R"}"#,
            Message::Unlocked { text: words("Smart Fridge Door is unlocked") },
        ),
        (
            r#"{"command":"smart_fridge_door_open_error","command_data":{"status":0,
               "error_data":{"code":-4,"message":"Machine is not online"},"json_data":[]},"ref":"R"}"#,
            Message::UnlockError { code: Some(-4), text: words("Machine is not online") },
        ),
    ]
}

fn ends() -> Vec<(&'static str, Message)> {
    let (updated, over) =
        (words("Product taken list is updated"), words("This Smart Fridge request has been completed & closed"));
    let products = vec![sold("V-1", "Water", "1.60"), sold("4011", "Banana", "0.5"), sold("V-1", "Water", "1.60")];
    vec![
        (
            r#"{"command":"smart_fridge_product_taken","command_data":{"status":1,"error_data":[],"json_data":{"code":1,
               "message":"Product taken list is updated","list":[{"vpn":"V-1","unit_price":"1.60","name":"Water"}]}},"ref":"R"}"#,
            Message::Taken { products: vec![sold("V-1", "Water", "1.60")], text: updated.clone() },
        ),
        (
            r#"{"command":"smart_fridge_product_taken","command_data":{"status":1,"error_data":[],"json_data":{"code":1,
               "message":"Product taken list is updated","list":[]}},"ref":"R"}"#,
            Message::Taken { products: Vec::new(), text: updated },
        ),
        (
            r#"{"command":"smart_fridge_door_close_success","command_data":{"status":1,"error_data":[],"json_data":{"code":1,
               "message":"Door is closed","data":{"door_status":"LOCKED"}}},"ref":"R"}"#,
            Message::DoorClosed { text: words("Door is closed") },
        ),
        (
            r#"{"command":"smart_fridge_request_completed","command_data":{"status":1,"error_data":[],"json_data":{"code":1,
               "message":"This Smart Fridge request has been completed & closed","data":{"transaction_id":"",
               "transaction_status":1,"transaction_total":3.7,"transaction_product":[
               {"vpn":"V-1","unit_price":"1.60","name":"Water"},{"vpn":4011,"unit_price":0.5,"name":"Banana"},
               {"vpn":"V-1","unit_price":"1.60","name":"Water"}]}}},"ref":"R"}"#,
            Message::Completed { products, total: Some(words("3.7")), text: over.clone() },
        ),
        (
            r#"{"command":"smart_fridge_request_completed","command_data":{"status":1,"error_data":[],"json_data":{"code":1,
               "message":"This Smart Fridge request has been completed & closed","data":{"transaction_id":"T-1",
               "transaction_total":"0.00","product_data":[]}}},"ref":"R"}"#,
            Message::Completed { products: Vec::new(), total: Some(words("0.00")), text: over },
        ),
        (
            r#"{"command":"smart_fridge_request_completed","command_data":{"status":"0","error_data":{"code":"-10",
               "message":"This VDPS transaction has been canceled & closed"},"json_data":[]},"ref":"1650452923"}"#,
            Message::Cancelled { text: words("This VDPS transaction has been canceled & closed") },
        ),
    ]
}

#[test]
fn every_documented_frame_is_understood() {
    for (text, message) in frames() {
        let frame = parse(text);
        assert_eq!(frame.message, message, "{text}");
        assert!(text.contains(&format!(r#":"{}","#, frame.name)), "{}", frame.name);
        let reference = if matches!(message, Message::Cancelled { .. }) { "1650452923" } else { "R" };
        assert_eq!(frame.reference.as_deref(), Some(reference));
        let session = matches!(message, Message::Begun { .. }).then_some("S-81");
        assert_eq!(frame.session.as_deref(), session);
    }
}

#[test]
fn every_error_has_its_code() {
    for code in [-1, -2, -3, -4, -5, -11] {
        for name in ["check_machine_state_error", "smart_fridge_request_error", "smart_fridge_door_open_error"] {
            let message = parse(&format!(
                r#"{{"command":"{name}","command_data":{{"status":0,"error_data":{{"code":{code},"message":"No"}}}}}}"#
            ))
            .message;
            let (code, text) = (Some(code), words("No"));
            let expected = match name {
                "check_machine_state_error" => Message::MachineError { code, text },
                "smart_fridge_request_error" => Message::RequestError { code, text },
                _ => Message::UnlockError { code, text },
            };
            assert_eq!(message, expected);
        }
    }
}

#[test]
fn commands_are_written_as_documented() {
    let check = Command::CheckMachineState { machine_uid: words("VM-0001") };
    let unlock = Command::DoorOpen { order: order(), session: words("S-81") };
    let data = r#""machine_uid":"VM-0001","notification_url":"","payment_detail":"user:7_transaction:8",
        "payment_name":"STRIPE","currency":"EUR","total_amount":"50.00","public_api_token":"a-very-secret-token""#;
    for (command, name, data) in [
        (check, "check_machine_state", words(r#""machine_uid":"VM-0001","public_api_token":"a-very-secret-token""#)),
        (Command::Request(order()), "smart_fridge_request", words(data)),
        (unlock, "smart_fridge_door_open", format!(r#"{data},"session":"S-81""#)),
    ] {
        let written: serde_json::Value = serde_json::from_str(&command.written("R", &TOKEN.into(), None)).unwrap();
        let expected = format!(r#"{{"command":"{name}","command_data":{{{data}}},"ref":"R"}}"#);
        assert_eq!(written, serde_json::from_str::<serde_json::Value>(&expected).unwrap());
        assert_eq!(command.name(), name);
    }
}
