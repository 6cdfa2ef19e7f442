//! Whatever Vendron sends is read: without a panic, and into something that can be kept.
#![no_main]

use activities::clients::vendron::{Message, SoldProduct, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let frame = parse(&String::from_utf8_lossy(bytes));
    assert!(!frame.name.is_empty());
    let words = [Some(&frame.name), frame.reference.as_ref(), frame.session.as_ref()].into_iter().flatten();
    for word in words {
        assert!(!word.contains('\0'), "Postgres takes no NUL in a text: {word:?}");
    }
    match &frame.message {
        Message::Taken { products, .. } => check(products, None),
        Message::Completed { products, total, .. } => check(products, total.as_deref()),
        _ => {}
    }
});

fn check(products: &[SoldProduct], total: Option<&str>) {
    for product in products {
        assert!(!product.vpn.contains('\0') && !product.name.contains('\0'), "{product:?}");
    }
    for amount in products.iter().filter_map(|product| product.unit_price.as_deref()).chain(total) {
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, "0"));
        let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        assert!(is_plain(whole) && is_plain(fraction), "{amount}");
    }
}
