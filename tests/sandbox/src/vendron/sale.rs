//! What happens at a machine while it sells, until the sale ends in one of the ways that a sale ends.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::cloud::keep;
use super::frame;
use super::machine::{Door, Ending, Machine, Product, Sale};
use super::refusal::Refusal;
use crate::problem::Problem;
use crate::state::World;

/// Something to tell.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// As faults know it; what has no name is not hit by any.
    pub(super) operation: Option<&'static str>,
    pub(super) frame: Value,
}

impl Event {
    /// Whether the sale is over with it, and not because of an error.
    pub(super) fn is_end(&self) -> bool {
        self.operation == Some("completed")
    }
}

/// The final list, where it is another than what was taken would make it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Completion {
    pub(crate) total: Option<String>,
    pub(crate) transaction_id: Option<String>,
    /// Given and empty: a sale of nothing, where it would otherwise be none.
    pub(crate) products: Option<Vec<Product>>,
}

/// Out of an open fridge.
pub(crate) fn take(world: &mut World, uid: &str, products: Vec<Product>) -> Result<Vec<Event>, Problem> {
    change_basket(world, uid, |taken| {
        taken.extend(products);
        Ok(())
    })
}

/// Into an open fridge: one product for each number.
pub(crate) fn put_back(world: &mut World, uid: &str, vpns: &[String]) -> Result<Vec<Event>, Problem> {
    change_basket(world, uid, |taken| vpns.iter().try_for_each(|vpn| remove(taken, vpn)))
}

fn remove(taken: &mut Vec<Product>, vpn: &str) -> Result<(), Problem> {
    let position = taken.iter().position(|product| product.vpn == vpn);
    let position = position.ok_or_else(|| Problem::conflict(format!("no product {vpn} is taken")))?;
    taken.remove(position);
    Ok(())
}

fn change_basket(
    world: &mut World,
    uid: &str,
    change: impl FnOnce(&mut Vec<Product>) -> Result<(), Problem>,
) -> Result<Vec<Event>, Problem> {
    let mut machine = world.cloud.known(uid)?.clone();
    let sale = open_sale(&mut machine)?;
    change(&mut sale.taken)?;
    let event = Event { operation: Some("taken"), frame: frame::taken(sale) };
    keep(world, machine);
    Ok(vec![event])
}

/// Closes the door, and says nothing of a final list.
pub(crate) fn close(world: &mut World, uid: &str) -> Result<Vec<Event>, Problem> {
    let mut machine = world.cloud.known(uid)?.clone();
    let sale = open_sale(&mut machine)?;
    lock_door(world, uid, sale);
    let event = Event { operation: Some("closed"), frame: frame::closed(sale) };
    keep(world, machine);
    Ok(vec![event])
}

/// Ends the sale with its final list, or as cancelled when nothing was taken. Of a sale that has ended, the end is told
/// again; of one that vanished, for the first time.
pub(crate) fn complete(
    world: &mut World,
    uid: &str,
    completion: Completion,
    now: DateTime<Utc>,
) -> Result<Vec<Event>, Problem> {
    let mut machine = world.cloud.known(uid)?.clone();
    let sale = machine.sale.as_mut().ok_or_else(no_sale)?;
    if sale.taken.is_empty() && completion.products.is_none() && sale.ending != Some(Ending::Completed) {
        return give_up(world, uid, now);
    }
    let happens = end(world, uid, sale, Ending::Completed)?;
    sale.taken = completion.products.unwrap_or_else(|| std::mem::take(&mut sale.taken));
    if happens {
        let mut detail = sale.detail(uid);
        detail["products"] = json!(sale.taken);
        detail["total"] = json!(completion.total.clone().unwrap_or_else(|| sale.total()));
        world.happened("vendron", "sale_completed", detail);
    }
    let frame = frame::completed(sale, completion.total, completion.transaction_id);
    keep(world, machine);
    Ok(vec![Event { operation: Some("completed"), frame }])
}

/// Ends the sale as one of nothing, whatever was taken.
pub(crate) fn give_up(world: &mut World, uid: &str, now: DateTime<Utc>) -> Result<Vec<Event>, Problem> {
    let mut machine = world.cloud.known(uid)?.clone();
    let sale = machine.sale.as_mut().ok_or_else(no_sale)?;
    if end(world, uid, sale, Ending::Cancelled)? {
        world.happened("vendron", "sale_cancelled", sale.detail(uid));
    }
    keep(world, machine);
    Ok(vec![Event { operation: Some("completed"), frame: frame::cancelled(now) }])
}

/// Says that the sale failed, which ends it unless told otherwise.
pub(crate) fn fail(
    world: &mut World,
    uid: &str,
    code: i64,
    message: Option<String>,
    ends: bool,
) -> Result<Vec<Event>, Problem> {
    let mut machine = world.cloud.known(uid)?.clone();
    let sale = machine.sale.as_mut().ok_or_else(no_sale)?;
    if ends && sale.is_running() && end(world, uid, sale, Ending::Failed)? {
        let mut detail = sale.detail(uid);
        detail["code"] = json!(code);
        world.happened("vendron", "sale_failed", detail);
    }
    let message = message.unwrap_or_else(|| Refusal(code).message().to_owned());
    let frame = frame::failure("smart_fridge_request_error", code, &message, &sale.reference);
    keep(world, machine);
    Ok(vec![Event { operation: None, frame }])
}

/// Ends the sale that runs, if one does, and tells nobody.
pub(crate) fn vanish(world: &mut World, uid: &str) -> Result<(), Problem> {
    let mut machine = world.cloud.known(uid)?.clone();
    let Some(sale) = machine.running_mut() else {
        return Ok(());
    };
    end(world, uid, sale, Ending::Vanished)?;
    keep(world, machine);
    Ok(())
}

/// Returns whether it ends now: a sale ends once, and one that vanished can still end otherwise.
fn end(world: &mut World, uid: &str, sale: &mut Sale, ending: Ending) -> Result<bool, Problem> {
    match sale.ending {
        None | Some(Ending::Vanished) => {}
        Some(known) if known == ending => return Ok(false),
        Some(known) => return Err(Problem::conflict(format!("the sale is not {ending:?}, it is {known:?}"))),
    }
    if sale.door == Door::Unlocked {
        lock_door(world, uid, sale);
    }
    sale.ending = Some(ending);
    Ok(true)
}

fn lock_door(world: &mut World, uid: &str, sale: &mut Sale) {
    sale.door = Door::Locked;
    world.happened("vendron", "door_closed", sale.detail(uid));
}

fn open_sale(machine: &mut Machine) -> Result<&mut Sale, Problem> {
    let sale = machine.running_mut().ok_or_else(|| Problem::conflict("no sale runs on the machine"))?;
    if sale.door == Door::Locked {
        return Err(Problem::conflict("the door is locked"));
    }
    Ok(sale)
}

fn no_sale() -> Problem {
    Problem::conflict("there was no sale on the machine yet")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger;
    use crate::vendron::samples::{self, Client, UID, machine};

    fn soup() -> Product {
        product("1", "4.50")
    }

    fn product(vpn: &str, price: &str) -> Product {
        Product { vpn: vpn.to_owned(), name: "Soupe".to_owned(), unit_price: Some(price.to_owned()) }
    }

    /// A world in which the door of the machine is open.
    fn opened() -> World {
        let sandbox = samples::sandbox();
        Client::connect(&sandbox).open();
        let machine = machine(&sandbox);
        let mut world = World::new();
        keep(&mut world, machine);
        world
    }

    fn data(events: &[Event]) -> &Value {
        &events[0].frame["command_data"]["json_data"]
    }

    fn effects(world: &World) -> Vec<&str> {
        world.entries().map(|entry| entry.effect.as_str()).collect()
    }

    fn completed(world: &mut World, completion: &str) -> Vec<Event> {
        complete(world, UID, serde_json::from_str(completion).unwrap(), ledger::now()).unwrap()
    }

    #[test]
    fn every_list_is_of_all_that_is_out() {
        let mut world = opened();
        take(&mut world, UID, vec![soup(), product("2", "1.60")]).unwrap();
        let events = take(&mut world, UID, vec![soup()]).unwrap();
        assert_eq!(data(&events)["list"].as_array().unwrap().len(), 3);
        let events = put_back(&mut world, UID, &["1".to_owned()]).unwrap();
        let left = json!([product("2", "1.60"), soup()]);
        assert_eq!(data(&events)["list"], left);
        assert!(put_back(&mut world, UID, &["1".to_owned(), "1".to_owned()]).is_err());
        assert_eq!(json!(world.cloud.known(UID).unwrap().running().unwrap().taken), left, "all or nothing");
    }

    #[test]
    fn a_closed_sale_ends_with_what_was_taken() {
        let mut world = opened();
        take(&mut world, UID, vec![soup(), product("2", "1.60")]).unwrap();
        let closed = close(&mut world, UID).unwrap();
        assert_eq!(data(&closed)["data"], json!({ "door_status": "LOCKED" }));
        assert!(close(&mut world, UID).is_err() && take(&mut world, UID, vec![soup()]).is_err());

        let events = completed(&mut world, "{}");
        assert_eq!(data(&events)["data"]["transaction_total"], "6.10");
        assert_eq!(data(&events)["data"]["transaction_product"], json!([soup(), product("2", "1.60")]));
        assert!(world.cloud.known(UID).unwrap().running().is_none());
        assert_eq!(effects(&world), ["door_closed", "sale_completed"]);

        let again = completed(&mut world, r#"{"total":"9.99","transaction_id":""}"#);
        assert_eq!(data(&again)["data"]["transaction_total"], "9.99");
        assert_eq!(data(&again)["data"]["transaction_id"], "");
        assert!(give_up(&mut world, UID, ledger::now()).is_err());
        assert_eq!(effects(&world), ["door_closed", "sale_completed"], "it ended once");
    }

    #[test]
    fn a_sale_of_nothing_is_cancelled_in_the_words_that_were_seen() {
        let mut world = opened();
        let now = "2026-11-22T10:00:00.123Z".parse().unwrap();
        let events = complete(&mut world, UID, Completion::default(), now).unwrap();
        let message = "This VDPS transaction has been canceled & closed";
        let expected = json!({
            "command": "smart_fridge_request_completed",
            "command_data": {
                "status": "0", "error_data": { "code": "-10", "message": message }, "json_data": [],
            },
            "ref": "1795341600",
        });
        assert_eq!(events[0].frame, expected);
        assert_eq!(effects(&world), ["door_closed", "sale_cancelled"]);
    }

    #[test]
    fn an_empty_list_that_is_asked_for_completes() {
        let mut world = opened();
        let events = completed(&mut world, r#"{"products":[]}"#);
        assert_eq!(data(&events)["data"]["transaction_product"], json!([]));
        assert_eq!(data(&events)["data"]["transaction_total"], "0");
        assert_eq!(completed(&mut world, "{}").len(), 1);
        assert_eq!(effects(&world), ["door_closed", "sale_completed"]);
    }

    #[test]
    fn a_sale_that_vanished_can_end_late() {
        let mut world = opened();
        take(&mut world, UID, vec![soup()]).unwrap();
        vanish(&mut world, UID).unwrap();
        assert!(world.cloud.known(UID).unwrap().running().is_none());
        assert_eq!(effects(&world), ["door_closed"]);
        assert_eq!(data(&completed(&mut world, "{}"))["data"]["transaction_total"], "4.50");
        assert_eq!(effects(&world), ["door_closed", "sale_completed"]);
        vanish(&mut world, UID).unwrap();
        assert_eq!(world.cloud.known(UID).unwrap().sale.as_ref().unwrap().ending, Some(Ending::Completed));
    }

    #[test]
    fn an_error_ends_the_sale_or_only_says_so() {
        let mut world = opened();
        let warned = fail(&mut world, UID, -4, Some("gone".to_owned()), false).unwrap();
        assert_eq!(warned[0].frame["command_data"]["error_data"], json!({ "code": -4, "message": "gone" }));
        assert!(world.cloud.known(UID).unwrap().running().is_some());
        let failed = fail(&mut world, UID, -11, None, true).unwrap();
        assert_eq!(failed[0].frame["command"], "smart_fridge_request_error");
        assert_eq!(failed[0].frame["command_data"]["error_data"]["message"], "Subscription expired");
        assert_eq!(effects(&world), ["door_closed", "sale_failed"]);
    }
}
