//! What Vendron posted, and was told to be taken, is in the journal of its sale and settles it, whatever became of the
//! websocket.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sqlx::query_as;
use uuid::Uuid;

use super::{
    super::{FridgeSales, memory::Known, outside::effects},
    runs::listed,
};

/// The sales whose end was posted and acknowledged.
pub(super) async fn acknowledged(sales: &FridgeSales) -> BTreeSet<Uuid> {
    let posts = effects(sales, "notified").await.into_iter();
    let taken = posts.filter(|(_, posts)| posts.iter().any(|post| post["status"] == 200));
    taken.map(|(sale, _)| sale).collect()
}

/// The ids of everything that was posted: its workflows have them in their own.
pub(super) async fn posted(sales: &FridgeSales) -> Vec<Uuid> {
    let runs = listed(&sales.app.temporal().await, "SaleNotification").await;
    runs.keys().filter_map(|workflow_id| workflow_id.rsplit_once('/')?.1.parse().ok()).collect()
}

pub(super) async fn check(sales: &FridgeSales, acknowledged: &BTreeSet<Uuid>, posted: &[Uuid]) -> Vec<String> {
    let received = "select event_id, sale_ref from event join transaction using (transaction_id)
                    where event_id = any($1) and direction = 'received'";
    let received = query_as::<_, (Uuid, Uuid)>(received).bind(posted).fetch_all(&sales.database).await;
    let received: BTreeMap<_, _> = received.expect("what was posted").into_iter().collect();
    let told: BTreeSet<_> = received.values().copied().collect();
    let lost = posted.iter().filter(|id| !received.contains_key(id));
    let mut sentences: Vec<_> = lost.map(|id| format!("what was posted as {id} is in no journal")).collect();
    let untold = acknowledged.difference(&told);
    sentences.extend(untold.map(|sale| format!("the end of sale {sale} was acknowledged, and nothing of it is kept")));
    if acknowledged.is_empty() {
        sentences.push("no end was posted: this proves nothing".to_owned());
    }
    sentences
}

/// An end that is posted whole is known for good, also where nobody was left to hear it.
pub(super) fn unsettled(
    acknowledged: &BTreeSet<Uuid>,
    known: &BTreeMap<Uuid, Known>,
    shown: &BTreeMap<Uuid, Value>,
) -> Vec<String> {
    let is_unresolved = |sale: &&Uuid| shown.get(sale).is_some_and(|shown| shown["status"] == "unresolved");
    let in_vain = |sale: &Uuid| known.get(sale).is_some_and(|known| known.course.may_be_posted_in_vain());
    let unsettled = acknowledged.iter().filter(is_unresolved).filter(|sale| !in_vain(sale));
    unsettled.map(|sale| format!("sale {sale} is unresolved, and its end was acknowledged")).collect()
}
