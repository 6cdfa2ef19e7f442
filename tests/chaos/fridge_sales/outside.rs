//! What really happens at the machines, by the sandbox's own mouth.

use std::collections::BTreeMap;

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::Value;
use system_tests::{Fridge, eventually};
use uuid::Uuid;

use super::FridgeSales;

/// Lets something happen at a fridge. It does not when its sale has ended meanwhile.
pub(super) async fn act(sales: &FridgeSales, fridge: &Fridge, what: &str, how: &Value) {
    let url = format!("{}/_control/vendron/machines/{}/{what}", sales.app.stack().sandbox_url(), fridge.uid());
    let answer = sales.app.http().post(url).json(how).send().await.expect("the sandbox");
    let status = answer.status();
    assert!(status.is_success() || status == StatusCode::CONFLICT, "{what} {how}: {status}");
}

pub(super) async fn until_a_door_is_open(sales: &FridgeSales) {
    let doors = || async { join_all(sales.fridges.iter().map(Fridge::view)).await };
    eventually("an open door", doors, |machines| machines.iter().any(|machine| machine["door"] == "unlocked")).await;
}

/// Everything of one kind that happened, by the `ref` of its sale.
pub(super) async fn effects(sales: &FridgeSales, effect: &str) -> BTreeMap<Uuid, Vec<Value>> {
    let mut effects = BTreeMap::<_, Vec<_>>::new();
    for mut entry in sales.app.outside_effects(effect, "").await {
        let detail = entry["detail"].take();
        let sale_ref = detail["ref"].as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
        effects.entry(sale_ref).or_default().push(detail);
    }
    effects
}
