//! What was answered is not contradicted, and is what everybody reads.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use serde_json::Value;
use uuid::Uuid;
use workflows::fridge_sales::transaction_id;

use super::super::{FridgeSales, load, memory::Known};

const AT_ONCE: usize = 8;
const ENDS: [&str; 4] = ["completed", "empty", "failed", "unresolved"];

/// What is not as it was is noted. Every sale as its frontend reads it.
pub(super) async fn check(sales: &FridgeSales, known: &BTreeMap<Uuid, Known>) -> BTreeMap<Uuid, Value> {
    let mut reading = Vec::new();
    for (sale_ref, known) in known {
        reading.push(repeat_and_read(sales, *sale_ref, known));
    }
    stream::iter(reading).buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await
}

async fn repeat_and_read(sales: &FridgeSales, sale_ref: Uuid, known: &Known) -> Option<(Uuid, Value)> {
    load::repeat(sales, known).await;
    let path = format!("/transactions/{}", transaction_id(sale_ref));
    let shown = load::shown(sales, known.fridge, &path).await?.body;
    if let Some(flaw) = flaw(known, &shown) {
        let answer = &known.answer;
        sales.surprises.note(format!("sale {sale_ref} {flaw}: it was answered {answer:?} and is {shown}"));
    }
    Some((sale_ref, shown))
}

fn flaw(known: &Known, shown: &Value) -> Option<&'static str> {
    let status = shown["status"].as_str().unwrap_or_default();
    if !ENDS.contains(&status) {
        return Some("has no final status");
    }
    if known.answer.status.is_success() == (status == "failed") {
        return Some("ended otherwise than its frontend was told");
    }
    if status == "failed" && shown["failure"]["code"] != known.answer.body["code"] {
        return Some("failed for another reason than its frontend was told");
    }
    if known.was_opened() && shown["door"] != "closed" && status != "unresolved" {
        return Some("was open and has ended with a door that is not closed");
    }
    let ended = known.ended.as_deref().unwrap_or(status);
    (ended != status && ended != "unresolved").then_some("has ended twice")
}
