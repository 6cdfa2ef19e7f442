//! What Vendron posts about a sale, at the URL that it was given for it.

use store::postgres::fridges::{Entry, Recipient};
use uuid::Uuid;
use workflows::fridge_sales::{Notification, transition::Fact};

use super::{
    entries::Entries,
    facts::{self, Hearing},
};
use crate::clients::vendron::{Received, Vendron, parse};

/// The entry that it makes in the journal of its sale. Only that sale has the URL: what names no other is about it, as on
/// a websocket of its own.
///
/// Posts have no order, and do not drive a door: they settle sales. The products in hand, and the session that a door is
/// asked to open with, are only evidence here.
pub(crate) fn posted(notification: &Notification, recipient: &Recipient, vendron: &Vendron) -> Entry {
    let Notification { notification_id, sale_ref, body, received_at } = notification;
    let raw = vendron.legible(body);
    let received = Received { frame: parse(&raw), raw };
    let is_ours = facts::is_ours(&received.frame, *sale_ref, recipient.session.as_deref(), Hearing::OneSale);
    let fact = if is_ours { facts::fact(&received.frame, &recipient.authorised.currency) } else { None };
    let fact = fact.filter(|fact| !matches!(fact, Fact::Begun { .. } | Fact::Taken(_)));
    let entry = Entries::new(*sale_ref, way_in(*sale_ref)).received(&received, fact);
    Entry { event_id: *notification_id, at: *received_at, ..entry }
}

/// Stands where other entries have the websocket that they came on.
fn way_in(sale_ref: Uuid) -> Uuid {
    Uuid::new_v5(&sale_ref, b"notifications")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::DateTime;
    use workflows::{
        domain::{Currency, Money},
        fridge_sales::notification_id,
    };

    use super::*;
    use crate::clients::vendron::Limits;

    const SALE: Uuid = Uuid::from_u128(7);

    fn entry(body: &str) -> Entry {
        let notification = Notification {
            notification_id: notification_id(SALE, body),
            sale_ref: SALE,
            body: body.to_owned(),
            received_at: DateTime::UNIX_EPOCH,
        };
        let recipient = Recipient {
            machine_id: "FRIDGE-1".to_owned(),
            authorised: Money { minor: 2000, currency: Currency::parse("EUR").unwrap() },
            session: Some("S-1".to_owned()),
        };
        posted(&notification, &recipient, &vendron())
    }

    fn vendron() -> Vendron {
        let soon = Duration::from_secs(1);
        let limits = Limits { connect: soon, ping: soon, idle: soon, frame: 1 << 20 };
        Vendron::new("ws://127.0.0.1:1/publicV2".parse().unwrap(), "a-token-of-ours".into(), limits).unwrap()
    }

    fn cancelled(reference: &str) -> String {
        let data = r#"{"status":"0","error_data":{"code":"-10","message":"canceled"},"json_data":[]}"#;
        format!(r#"{{"command":"smart_fridge_request_completed","command_data":{data},"ref":"{reference}"}}"#)
    }

    #[test]
    fn whatever_it_names_it_is_about_the_sale_unless_it_names_another() {
        for reference in ["1768320000", &SALE.to_string()] {
            assert_eq!(entry(&cancelled(reference)).fact, Some(Fact::Cancelled), "{reference}");
        }
        assert_eq!(entry(&cancelled(&Uuid::from_u128(8).to_string())).fact, None);
        let other = r#"{"command":"smart_fridge_door_close_success","command_data":{"session":"S-2","status":1}}"#;
        assert_eq!(entry(other).fact, None);
    }

    #[test]
    fn posts_settle_sales_and_drive_none() {
        let begun =
            r#"{"command":"smart_fridge_request_begun","command_data":{"json_data":{"data":{"session":"S-1"}}}}"#;
        let list = r#"[{"vpn":"1","unit_price":"1.60","name":"Eau"}]"#;
        let taken =
            format!(r#"{{"command":"smart_fridge_product_taken","command_data":{{"json_data":{{"list":{list}}}}}}}"#);
        for evidence in [begun, &taken] {
            let entry = entry(evidence);
            assert!(entry.fact.is_none() && entry.name.starts_with("smart_fridge_") && entry.raw == evidence);
        }
    }

    #[test]
    fn our_token_is_not_kept() {
        let kept = entry(r#"{"command":"a-token-of-ours","ref":"a-token-of-ours"}"#);
        assert!(!format!("{kept:?}").contains("a-token-of-ours") && kept.raw.contains("***"), "{kept:?}");
    }

    #[test]
    fn the_same_again_is_the_same_entry_and_everything_is_kept() {
        for body in ["not a frame", "", "{}", r#"{"command":"unheard_of"}"#] {
            let kept = entry(body);
            assert_eq!((kept.event_id, kept.raw.as_str(), kept.fact.clone()), (entry(body).event_id, body, None));
            assert_eq!(kept.at, DateTime::UNIX_EPOCH);
        }
        assert_ne!(entry("one").event_id, entry("other").event_id);
        assert_eq!(entry("one").socket_id, entry("other").socket_id);
    }
}
