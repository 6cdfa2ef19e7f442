//! What happened at the machines is what the sales say: no door was opened twice, and nothing that was taken is missing
//! or made up.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::super::{FridgeSales, memory::Known, outside::effects};

/// What is found where a door was opened again.
pub(crate) const OPENED_AGAIN: &str = "had its door opened";

/// Pieces by number, name and price.
type Basket = BTreeMap<[String; 3], u64>;
type Effects = BTreeMap<Uuid, Vec<Value>>;

pub(super) async fn check(
    sales: &FridgeSales,
    known: &BTreeMap<Uuid, Known>,
    shown: &BTreeMap<Uuid, Value>,
) -> Vec<String> {
    let (begun, opened) = (effects(sales, "session_begun").await, effects(sales, "door_opened").await);
    let (completed, cancelled) = (effects(sales, "sale_completed").await, effects(sales, "sale_cancelled").await);
    let mut sentences = Vec::new();
    for (what, effects) in [("was requested", &begun), (OPENED_AGAIN, &opened)] {
        let often = effects.iter().filter(|(_, times)| times.len() > 1);
        sentences.extend(often.map(|(sale, times)| format!("sale {sale} {what} {} times", times.len())));
    }
    let strangers = begun.keys().filter(|sale| !known.contains_key(sale));
    sentences.extend(strangers.map(|sale| format!("sale {sale} was begun, and nobody was told of it")));
    for (sale, shown) in shown {
        let is = |effects: &Effects| effects.contains_key(sale);
        let sold = completed.get(sale).map(Vec::as_slice).unwrap_or_default();
        if let Some(flaw) = flaw(shown, sold.first(), is(&opened), is(&cancelled)) {
            sentences.push(format!("sale {sale} {flaw}: it is {shown} and was {sold:?}"));
        }
    }
    if !shown.values().any(|shown| shown["status"] == "completed") {
        sentences.push("nothing was sold: this proves nothing".to_owned());
    }
    sentences
}

/// An unresolved sale may have ended in any way: nobody says how.
fn flaw(shown: &Value, sold: Option<&Value>, was_open: bool, was_cancelled: bool) -> Option<&'static str> {
    let listed = basket(&shown["products"]);
    match shown["status"].as_str() {
        Some("completed") => match sold {
            Some(sold) if basket(&sold["products"]) != listed => Some("has another list than what was taken"),
            Some(sold) if shown["total"] != sold["total"] => Some("has another total than what was taken costs"),
            Some(_) => None,
            None => Some("is completed, and the machine never said so"),
        },
        Some("empty") => {
            let was_empty = was_cancelled || sold.is_some_and(|sold| basket(&sold["products"]).is_empty());
            (!was_empty || !listed.is_empty()).then_some("is empty, and the machine never said so")
        }
        Some("failed") => was_open.then_some("failed, and its door was opened"),
        _ => None,
    }
}

/// Vendron lists pieces, we list kinds.
fn basket(products: &Value) -> Basket {
    let mut basket = Basket::new();
    for product in products.as_array().into_iter().flatten() {
        let word = |field: &str| product[field].as_str().unwrap_or_default().to_owned();
        let pieces = product["quantity"].as_u64().unwrap_or(1);
        *basket.entry(["vpn", "name", "unit_price"].map(word)).or_default() += pieces;
    }
    basket
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn soups(pieces: usize) -> Value {
        json!(vec![json!({ "vpn": "1", "name": "Soupe", "unit_price": "4.50" }); pieces])
    }

    fn shown(status: &str, quantity: u64) -> Value {
        let products = json!([{ "vpn": "1", "name": "Soupe", "unit_price": "4.50", "quantity": quantity }]);
        json!({ "status": status, "products": products, "total": "9.00" })
    }

    #[test]
    fn a_list_that_is_not_what_was_taken_is_found() {
        let sold = json!({ "products": soups(2), "total": "9.00" });
        assert_eq!(flaw(&shown("completed", 2), Some(&sold), true, false), None);
        assert!(flaw(&shown("completed", 3), Some(&sold), true, false).is_some());
        assert!(flaw(&shown("completed", 2), None, true, false).is_some());
        let cheaper = json!({ "products": soups(2), "total": "4.50" });
        assert!(flaw(&shown("completed", 2), Some(&cheaper), true, false).is_some());
    }

    #[test]
    fn an_end_that_was_another_is_found() {
        let empty = json!({ "status": "empty", "products": [] });
        assert_eq!(flaw(&empty, None, true, true), None);
        assert!(flaw(&empty, None, true, false).is_some());
        assert!(flaw(&empty, Some(&json!({ "products": soups(1) })), true, false).is_some());
        let failed = json!({ "status": "failed", "products": [] });
        assert_eq!(flaw(&failed, None, false, false), None);
        assert!(flaw(&failed, None, true, false).is_some());
        assert_eq!(flaw(&json!({ "status": "unresolved" }), None, true, false), None);
    }
}
