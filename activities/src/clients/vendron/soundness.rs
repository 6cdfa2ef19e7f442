//! What is certain of every frame that was read: it can be kept. The fuzzer includes this file, as it does `frames`, and
//! demands the same: this needs nothing else.

use super::frames::{
    Frame, LONGEST_NAME, LONGEST_SESSION, LONGEST_TEXT, MOST_DECIMALS, MOST_PRODUCTS, Message, SoldProduct,
};

/// What Vendron tells by itself, and a command that has no meaning here.
pub(super) const COMMANDS: [&str; 10] = [
    "check_machine_state_success",
    "check_machine_state_error",
    "smart_fridge_request_begun",
    "smart_fridge_request_error",
    "smart_fridge_door_open_success",
    "smart_fridge_door_open_error",
    "smart_fridge_product_taken",
    "smart_fridge_door_close_success",
    "smart_fridge_request_completed",
    "smart_fridge_restocked",
];
/// Digits of the largest number that an amount is read from.
pub(super) const MOST_DIGITS: usize = 39;

/// Whatever came in, this much is certain of what comes out.
pub(super) fn assert_sound(frame: &Frame) {
    let (reference, session) = (frame.reference.as_deref(), frame.session.as_deref());
    for word in [Some(frame.name.as_str()), reference].into_iter().flatten() {
        check_word(word, LONGEST_NAME);
        assert!(!word.is_empty());
    }
    if let Some(session) = session {
        check_word(session, LONGEST_SESSION);
        assert!(!session.is_empty() && session.len() <= LONGEST_SESSION, "{session}");
    }
    check_message(&frame.message);
}

fn check_message(message: &Message) {
    match message {
        Message::Ack { code, .. } => check_word(code, LONGEST_NAME),
        Message::Taken { products, text } => check_sold(products, None, text),
        Message::Completed { products, total, text } => check_sold(products, total.as_deref(), text),
        Message::MachineAvailable { text }
        | Message::MachineError { text, .. }
        | Message::Begun { text, .. }
        | Message::RequestError { text, .. }
        | Message::Unlocked { text }
        | Message::UnlockError { text, .. }
        | Message::DoorClosed { text }
        | Message::Cancelled { text } => check_word(text, LONGEST_TEXT),
        Message::Unknown => {}
    }
}

fn check_sold(products: &[SoldProduct], total: Option<&str>, text: &str) {
    check_word(text, LONGEST_TEXT);
    assert!(products.len() <= MOST_PRODUCTS);
    for product in products {
        check_word(&product.vpn, LONGEST_NAME);
        check_word(&product.name, LONGEST_NAME);
    }
    let prices = products.iter().filter_map(|product| product.unit_price.as_deref());
    prices.chain(total).for_each(check_amount);
}

fn check_word(word: &str, longest: usize) {
    assert!(!word.contains('\0'), "Postgres takes no NUL in a text: {word:?}");
    assert_eq!(word.trim(), word);
    assert!(word.chars().count() <= longest, "{word}");
}

fn check_amount(amount: &str) {
    assert!(is_amount(amount), "{amount}");
}

/// Plain decimal text.
pub(super) fn is_amount(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = fraction.len() <= MOST_DECIMALS as usize && whole.len() <= MOST_DIGITS;
    is_plain(whole) && is_plain(fraction) && is_short && (whole == "0" || !whole.starts_with('0'))
}
