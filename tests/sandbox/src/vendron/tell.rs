//! Telling what happens at a machine: to whom, how, and how often.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;

use super::cloud::keep;
use super::notify::{self, Notification};
use super::sale::Event;
use super::sockets::Speech;
use super::style::{Quirk, Style};
use crate::faults::{Hit, Kind, Strike, System};
use crate::ledger;
use crate::problem::Problem;
use crate::state::{Sandbox, World};

/// More than any client has to bear.
const MOST_TIMES: u32 = 1000;

/// How one event is told, besides what its machine always does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Telling {
    #[serde(default)]
    omit: BTreeSet<String>,
    #[serde(default)]
    quirks: BTreeSet<Quirk>,
    /// Stands in the place of the sale's.
    #[serde(default, rename = "ref")]
    reference: Option<String>,
    /// How often each frame is sent.
    #[serde(default = "once")]
    repeat: u32,
}

fn once() -> u32 {
    1
}

/// What became of some events.
#[derive(Default)]
struct Told {
    /// Frames that somebody was told.
    count: usize,
    late: Vec<Late>,
    notifications: Vec<Notification>,
}

/// A frame that a fault holds back.
struct Late {
    hit: Hit,
    text: String,
}

/// Lets something happen at a machine and tells it; returns how many frames somebody was told at once.
pub(crate) fn play(
    sandbox: &Arc<Sandbox>,
    uid: &str,
    telling: &Telling,
    act: impl FnOnce(&mut World) -> Result<Vec<Event>, Problem>,
) -> Result<usize, Problem> {
    if !(1..=MOST_TIMES).contains(&telling.repeat) {
        return Err(Problem::unprocessable(format!("repeat must be between 1 and {MOST_TIMES}")));
    }
    let told = sandbox.change(|world| {
        let events = act(world)?;
        Ok(tell(world, uid, events, telling))
    })?;
    for late in told.late {
        tell_late(sandbox, uid, late);
    }
    for notification in told.notifications {
        notify::start(sandbox, notification);
    }
    Ok(told.count)
}

fn tell_late(sandbox: &Arc<Sandbox>, uid: &str, late: Late) {
    let mut strike = Strike::new(late.hit, sandbox.subscribe_to_release());
    let (sandbox, uid) = (Arc::clone(sandbox), uid.to_owned());
    tokio::spawn(async move {
        strike.wait().await;
        sandbox.change_quietly(|world| say(world, &uid, late.text));
    });
}

fn tell(world: &mut World, uid: &str, mut events: Vec<Event>, telling: &Telling) -> Told {
    let usual = world.cloud.machine(uid).map(|machine| machine.style.clone()).unwrap_or_default();
    let style = usual.and(&telling.omit, &telling.quirks);
    if style.has(Quirk::CompletedFirst) {
        events.reverse();
    }
    let mut told = Told::default();
    for event in events {
        let text = dressed(&event, &style, telling.reference.as_deref());
        for _ in 0..telling.repeat {
            send(world, uid, &event, &text, &mut told);
            told.notifications.extend(notify::of(world, uid, &event, &text));
        }
    }
    told
}

fn dressed(event: &Event, style: &Style, reference: Option<&str>) -> String {
    let mut frame = event.frame.clone();
    if let Some(reference) = reference {
        frame["ref"] = reference.into();
    }
    style.dress(frame, ledger::now())
}

fn send(world: &mut World, uid: &str, event: &Event, text: &str, told: &mut Told) {
    let hit = event.operation.and_then(|operation| strike(world, uid, operation));
    let was_told = match hit.map(|hit| (hit.kind, hit)) {
        None => say(world, uid, text.to_owned()),
        Some((Kind::Malformed, _)) => say(world, uid, half(text)),
        Some((Kind::Slow, hit)) => {
            told.late.push(Late { hit, text: text.to_owned() });
            false
        }
        Some(_) => false,
    };
    told.count += usize::from(was_told);
}

/// Whether a fault hits what is told of the sale, over a websocket or otherwise.
pub(super) fn strike(world: &mut World, uid: &str, operation: &str) -> Option<Hit> {
    let sale = world.cloud.machine(uid)?.sale.clone()?;
    let hit = world.strike(System::Vendron, operation, &[uid, &sale.reference, &sale.session])?;
    tracing::info!(system = ?System::Vendron, operation, kind = ?hit.kind, "fault.hit");
    Some(hit)
}

/// To whoever listens; returns whether somebody does. What nobody hears is lost, or kept where the machine does that.
fn say(world: &mut World, uid: &str, text: String) -> bool {
    if let Some(socket) = world.cloud.listener(uid) {
        world.cloud.sockets.say(socket, Speech::Text(text));
        return true;
    }
    let keeper = world.cloud.machine(uid).filter(|machine| machine.reporting.keeps_events).cloned();
    if let Some(mut machine) = keeper {
        machine.kept.push(text);
        keep(world, machine);
    }
    false
}

/// Says what was kept, if somebody listens by now.
pub(super) fn catch_up(world: &mut World, uid: &str) {
    let waiting = world.cloud.machine(uid).filter(|machine| !machine.kept.is_empty()).cloned();
    let Some((mut machine, socket)) = waiting.zip(world.cloud.listener(uid)) else {
        return;
    };
    for text in machine.kept.drain(..) {
        world.cloud.sockets.say(socket, Speech::Text(text));
    }
    keep(world, machine);
}

/// Sends frames as they are: to whoever the sale's events go to, or else to everybody who named the machine. Returns how
/// many hear them.
pub(crate) fn emit(world: &mut World, uid: &str, frames: &[String], is_binary: bool) -> Result<usize, Problem> {
    let is_running = world.cloud.known(uid)?.running().is_some();
    let listener = world.cloud.listener(uid).filter(|_| is_running);
    let sockets = listener.map_or_else(|| world.cloud.sockets.asked_for(uid), |socket| vec![socket]);
    for socket in &sockets {
        for frame in frames {
            world.cloud.sockets.say(*socket, speech(frame, is_binary));
        }
    }
    Ok(sockets.len())
}

fn speech(frame: &str, is_binary: bool) -> Speech {
    if is_binary { Speech::Binary(frame.as_bytes().to_vec()) } else { Speech::Text(frame.to_owned()) }
}

/// What is left of a frame that was cut off.
pub(super) fn half(text: &str) -> String {
    text.chars().take(text.chars().count() / 2).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::vendron::Product;
    use crate::vendron::sale::{self, Completion};
    use crate::vendron::samples::{self, Client, UID, machine};

    /// Takes a soup, and says so as it is told to.
    fn take(sandbox: &Arc<Sandbox>, telling: &str) -> usize {
        let soup = Product { vpn: "1".to_owned(), name: "Soupe".to_owned(), unit_price: Some("4.50".to_owned()) };
        let telling = serde_json::from_str(telling).unwrap();
        play(sandbox, UID, &telling, |world| sale::take(world, UID, vec![soup])).unwrap()
    }

    fn check(client: &mut Client) -> Vec<Value> {
        client.ask("check_machine_state", samples::named())
    }

    fn names(frames: &[Value]) -> Vec<&str> {
        frames.iter().filter_map(|frame| frame["command"].as_str()).collect()
    }

    const TAKEN: &str = "smart_fridge_product_taken";
    const BUSY: &str = "check_machine_state_error";

    #[test]
    fn a_newer_websocket_that_asks_goes_on_when_the_first_is_gone() {
        let sandbox = samples::sandbox();
        let (mut buyer, mut watcher) = (Client::connect(&sandbox), Client::connect(&sandbox));
        buyer.open();
        check(&mut watcher);
        take(&sandbox, "{}");
        assert_eq!((names(&buyer.heard()), watcher.heard().len()), (vec![TAKEN], 0));

        buyer.leave();
        assert_eq!(take(&sandbox, "{}"), 1);
        assert_eq!(names(&watcher.heard()), [TAKEN]);
        samples::change(&sandbox, |machine| machine.reporting.resumes = false);
        assert_eq!((take(&sandbox, "{}"), watcher.heard().len()), (0, 0));
    }

    #[test]
    fn the_unlocking_makes_a_websocket_the_one_that_goes_on() {
        let sandbox = samples::sandbox();
        let (mut buyer, mut successor) = (Client::connect(&sandbox), Client::connect(&sandbox));
        let session = buyer.begin();
        buyer.leave();
        successor.ask("smart_fridge_door_open", samples::unlocking(&session));
        assert_eq!(take(&sandbox, "{}"), 1);
        assert_eq!(names(&successor.heard()), [TAKEN]);
    }

    #[test]
    fn what_nobody_hears_is_lost_or_kept() {
        let sandbox = samples::sandbox();
        let mut buyer = Client::connect(&sandbox);
        buyer.open();
        buyer.leave();
        take(&sandbox, "{}");
        samples::change(&sandbox, |machine| machine.reporting.keeps_events = true);
        take(&sandbox, "{}");
        take(&sandbox, "{}");
        let mut successor = Client::connect(&sandbox);
        let heard = check(&mut successor);
        assert_eq!(names(&heard), [BUSY, TAKEN, TAKEN]);
        assert_eq!(heard[3]["command_data"]["json_data"]["list"].as_array().unwrap().len(), 3);
        assert!(machine(&sandbox).kept.is_empty());
        assert_eq!(names(&check(&mut successor)), [BUSY]);
    }

    #[test]
    fn a_frame_is_sent_more_than_once_and_otherwise() {
        let sandbox = samples::sandbox();
        let mut buyer = Client::connect(&sandbox);
        buyer.open();
        assert_eq!(take(&sandbox, r#"{"repeat":2,"ref":"other","omit":["unit_price"]}"#), 2);
        let heard = buyer.heard();
        assert_eq!((heard.len(), &heard[0]), (2, &heard[1]));
        assert_eq!(heard[0]["ref"], "other");
        assert_eq!(heard[0]["command_data"]["json_data"]["list"], json!([{ "vpn": "1", "name": "Soupe" }]));
        let none = serde_json::from_str(r#"{"repeat":0}"#).unwrap();
        assert!(play(&sandbox, UID, &none, |_| Ok(Vec::new())).is_err());
    }

    #[test]
    fn the_end_may_come_before_the_closing() {
        let sandbox = samples::sandbox();
        let mut buyer = Client::connect(&sandbox);
        buyer.open();
        let telling = serde_json::from_str(r#"{"quirks":["completed_first"]}"#).unwrap();
        let told = play(&sandbox, UID, &telling, |world| {
            let mut events = sale::close(world, UID)?;
            events.extend(sale::complete(world, UID, Completion::default(), ledger::now())?);
            Ok(events)
        });
        assert_eq!(told.unwrap(), 2);
        let expected = ["smart_fridge_request_completed", "smart_fridge_door_close_success"];
        assert_eq!(names(&buyer.heard()), expected);
    }

    #[tokio::test]
    async fn faults_lose_cut_off_and_hold_back_what_is_told() {
        let sandbox = samples::sandbox();
        let mut buyer = Client::connect(&sandbox);
        buyer.open();
        samples::fault(&sandbox, "taken", "timeout", "r-1");
        assert_eq!((take(&sandbox, "{}"), buyer.heard().len()), (0, 0));
        samples::fault(&sandbox, "taken", "malformed", UID);
        assert_eq!((take(&sandbox, "{}"), buyer.heard().len()), (1, 0), "half a frame cannot be read");
        samples::fault(&sandbox, "taken", "slow", UID);
        assert_eq!((take(&sandbox, "{}"), take(&sandbox, "{}")), (0, 1));
        assert_eq!(buyer.heard()[0]["command_data"]["json_data"]["list"].as_array().unwrap().len(), 4);
        sandbox.release_held();
        assert_eq!(buyer.wait().await["command_data"]["json_data"]["list"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn raw_frames_go_to_the_sale_or_to_everybody_who_asked() {
        let sandbox = samples::sandbox();
        let (mut buyer, mut other) = (Client::connect(&sandbox), Client::connect(&sandbox));
        let emitted = |is_binary| {
            let frames = [r#"{"command":"unheard_of"}"#.to_owned()];
            sandbox.change_quietly(|world| emit(world, UID, &frames, is_binary).unwrap())
        };
        assert_eq!(emitted(false), 0);
        for client in [&mut buyer, &mut other] {
            check(client);
        }
        assert_eq!((emitted(false), buyer.heard().len(), other.heard().len()), (2, 1, 1));
        buyer.begin();
        assert_eq!((emitted(false), buyer.heard().len(), other.heard().len()), (1, 1, 0));
        assert_eq!((emitted(true), buyer.heard().len()), (1, 0), "bytes are no text");
    }
}
