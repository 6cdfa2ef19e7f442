//! What a frame says about a sale: whether it is about this one at all, and which fact it is.

use uuid::Uuid;
use workflows::{
    domain::{Currency, Money},
    fridge_sales::{
        Product,
        transition::{Fact, grouped},
    },
};

use super::course::Intent;
use crate::clients::vendron::{Frame, Message, SoldProduct};

/// Whose frames come in on a websocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hearing {
    /// Those of one sale: what names no other is about this one.
    OneSale,
    /// Those of whoever has the machine by now: what does not name this sale is not about it.
    Anybody,
}

/// Whether a frame is about the sale: by its session, else by its reference, else by the websocket that it came on.
/// Vendron is known to answer with references that nobody sent.
pub(super) fn is_ours(frame: &Frame, sale_ref: Uuid, session: Option<&str>, hearing: Hearing) -> bool {
    if let (Some(theirs), Some(ours)) = (frame.session.as_deref(), session) {
        return theirs == ours;
    }
    let reference = frame.reference.as_deref().and_then(|reference| Uuid::try_parse(reference).ok());
    reference.map_or(hearing == Hearing::OneSale, |reference| reference == sale_ref)
}

/// The fact that a frame about the sale is. Acknowledgements and answers about the machine are none; a request that is
/// not taken is refused.
pub(super) fn fact(frame: &Frame, currency: &Currency) -> Option<Fact> {
    Some(match &frame.message {
        Message::Begun { session, .. } => {
            let session = session.as_ref().or(frame.session.as_ref());
            Fact::Begun { session: session.filter(|session| !session.is_empty()).cloned() }
        }
        Message::RequestError { code, text } => Fact::RequestRefused { code: *code, message: text.clone() },
        Message::Unlocked { .. } => Fact::Unlocked,
        Message::UnlockError { code, text } => Fact::UnlockRefused { code: *code, message: text.clone() },
        Message::Taken { products, .. } => Fact::Taken(listed(products, currency)),
        Message::DoorClosed { .. } => Fact::DoorClosed,
        Message::Completed { products, total, .. } => Fact::Completed {
            products: listed(products, currency),
            total: total.as_deref().and_then(|total| Money::parse(total, currency.clone()).ok()),
        },
        Message::Cancelled { .. } => Fact::Cancelled,
        Message::Ack { accepted: false, code } => return rejection(&frame.name, code),
        Message::Ack { .. } | Message::MachineAvailable { .. } | Message::MachineError { .. } | Message::Unknown => {
            return None;
        }
    })
}

/// A request that Vendron did not take: its code is none of its errors, but a word. That it did not take the unlocking
/// proves nothing of the door.
fn rejection(command: &str, code: &str) -> Option<Fact> {
    let message = format!("{command} was not taken {code}").trim_end().to_owned();
    let is_request = Intent::named(command)? == Intent::Request;
    is_request.then_some(Fact::RequestRefused { code: None, message })
}

/// One of each, joined. A price that cannot be read is none: it must not make a product vanish.
fn listed(products: &[SoldProduct], currency: &Currency) -> Vec<Product> {
    let product = |sold: &SoldProduct| Product {
        vpn: sold.vpn.clone(),
        name: sold.name.clone(),
        unit_price: sold.unit_price.as_deref().and_then(|price| minor(price, currency)),
        quantity: 1,
    };
    grouped(products.iter().map(product).collect())
}

fn minor(price: &str, currency: &Currency) -> Option<i64> {
    Money::parse(price, currency.clone()).ok().map(|money| money.minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Uuid = Uuid::from_u128(7);

    fn frame(reference: Option<&str>, session: Option<&str>, message: Message) -> Frame {
        let owned = |text: &str| text.to_owned();
        Frame { name: "name".to_owned(), reference: reference.map(owned), session: session.map(owned), message }
    }

    fn euros() -> Currency {
        Currency::parse("EUR").unwrap()
    }

    fn sold(vpn: &str, unit_price: Option<&str>) -> SoldProduct {
        SoldProduct { vpn: vpn.to_owned(), name: vpn.to_owned(), unit_price: unit_price.map(str::to_owned) }
    }

    #[test]
    fn a_frame_belongs_to_its_session_then_to_its_reference_then_to_its_websocket() {
        let (ours, other) = (OURS.to_string(), Uuid::from_u128(8).to_string());
        for (reference, session, on_our_socket, on_any_socket) in [
            (Some(ours.as_str()), Some("S-1"), true, true),
            (Some(other.as_str()), Some("S-1"), true, true),
            (Some("1768320000"), Some("S-1"), true, true),
            (Some(ours.as_str()), Some("S-2"), false, false),
            (Some(ours.as_str()), None, true, true),
            (Some(other.as_str()), None, false, false),
            (Some("1768320000"), None, true, false),
            (None, None, true, false),
        ] {
            let frame = frame(reference, session, Message::Unknown);
            for (hearing, expected) in [(Hearing::OneSale, on_our_socket), (Hearing::Anybody, on_any_socket)] {
                assert_eq!(is_ours(&frame, OURS, Some("S-1"), hearing), expected, "{frame:?} {hearing:?}");
            }
        }
        assert!(is_ours(&frame(Some(&ours), Some("S-1"), Message::Unknown), OURS, None, Hearing::OneSale));
    }

    #[test]
    fn a_session_is_found_wherever_vendron_puts_it() {
        let begun = |session: Option<&str>| Message::Begun { session: session.map(str::to_owned), text: String::new() };
        for (outer, inner, expected) in [
            (None, Some("S-1"), Some("S-1")),
            (Some("S-1"), None, Some("S-1")),
            (None, None, None),
            (None, Some(""), None),
        ] {
            let fact = fact(&frame(None, outer, begun(inner)), &euros());
            assert_eq!(fact, Some(Fact::Begun { session: expected.map(str::to_owned) }));
        }
    }

    #[test]
    fn no_product_is_lost_because_its_price_is() {
        let products = vec![sold("1", Some("1.60")), sold("2", Some("free")), sold("1", Some("1.6")), sold("2", None)];
        let message = Message::Completed { products, total: Some("3.20".to_owned()), text: String::new() };
        let product =
            |vpn: &str, unit_price| Product { vpn: vpn.to_owned(), name: vpn.to_owned(), unit_price, quantity: 2 };
        let expected = Fact::Completed {
            products: vec![product("1", Some(160)), product("2", None)],
            total: Some(Money { minor: 320, currency: euros() }),
        };
        assert_eq!(fact(&frame(None, None, message), &euros()), Some(expected));
    }

    #[test]
    fn a_request_that_is_not_taken_is_refused() {
        let rejected = |name: &str, code: &str| {
            let message = Message::Ack { accepted: false, code: code.to_owned() };
            fact(&Frame { name: name.to_owned(), ..frame(None, None, message) }, &euros())
        };
        let message = |text: &str| text.to_owned();
        assert_eq!(
            rejected("smart_fridge_request", "PUBLIC999"),
            Some(Fact::RequestRefused { code: None, message: message("smart_fridge_request was not taken PUBLIC999") })
        );
        assert_eq!(
            rejected("Smart_Fridge_Request", ""),
            Some(Fact::RequestRefused { code: None, message: message("Smart_Fridge_Request was not taken") })
        );
        for other in ["smart_fridge_door_open", "check_machine_state"] {
            assert_eq!(rejected(other, "PUBLIC999"), None);
        }
    }

    #[test]
    fn answers_about_the_machine_are_no_facts_of_the_sale() {
        for message in [
            Message::Ack { accepted: true, code: "PUBLIC011".to_owned() },
            Message::MachineAvailable { text: String::new() },
            Message::MachineError { code: Some(-5), text: String::new() },
            Message::Unknown,
        ] {
            assert_eq!(fact(&frame(None, None, message.clone()), &euros()), None, "{message:?}");
        }
    }
}
