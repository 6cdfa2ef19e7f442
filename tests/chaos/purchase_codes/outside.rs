//! What really happened at Mambu and at CIAM, from the sandbox's own mouth.

use std::collections::BTreeMap;

use serde_json::Value;

use super::PurchaseCodes;

/// Everything of one kind that happened, by what one field of it names.
pub(super) async fn effects(purchases: &PurchaseCodes, effect: &str, field: &str) -> BTreeMap<String, Vec<Value>> {
    let mut effects = BTreeMap::<_, Vec<_>>::new();
    for mut entry in purchases.app.outside_effects(effect, "").await {
        let detail = entry["detail"].take();
        let name = detail[field].as_str().unwrap_or_default().to_owned();
        effects.entry(name).or_default().push(detail);
    }
    effects
}
