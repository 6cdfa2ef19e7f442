//! What the commands do: whether a machine is free, the beginning of a sale, and the unlocking of its door.

use serde_json::{Value, json};

use super::ask::{Ask, Command};
use super::cloud::keep;
use super::frame;
use super::machine::{Door, Machine, Order};
use super::refusal::Refusal;
use super::sockets::SocketId;
use super::style::Quirk;
use crate::state::World;

/// What a command is answered with: at once that it arrived, and then what became of it.
pub(super) struct Answer {
    pub(super) acknowledgement: Value,
    /// None of what was not accepted.
    pub(super) result: Option<Value>,
}

impl Answer {
    /// To what is no command, or is not taken.
    pub(super) fn rejection(ask: &Ask) -> Self {
        Self { acknowledgement: frame::acknowledgement(&ask.name, None, &ask.reference), result: None }
    }

    pub(super) fn refusal(command: Command, ask: &Ask, refusal: Refusal) -> Self {
        let result = frame::failure(&command.failure(), refusal.0, refusal.message(), &ask.reference);
        Self::of(command, ask, result)
    }

    fn of(command: Command, ask: &Ask, result: Value) -> Self {
        let acknowledgement = frame::acknowledgement(&ask.name, Some(command.acknowledgement()), &ask.reference);
        Self { acknowledgement, result: Some(result) }
    }
}

/// Does what a client says, who showed the right token or did not.
pub(super) fn act(world: &mut World, socket: SocketId, ask: &Ask, knows_token: bool) -> Answer {
    let machine = ask.machine_uid().and_then(|uid| world.cloud.machine(uid));
    let is_accepted = machine.is_none_or(|machine| !machine.style.has(Quirk::Nack));
    let Some(command) = ask.command().filter(|_| is_accepted) else {
        return Answer::rejection(ask);
    };
    let decided = admit(world, ask, knows_token).and_then(|machine| {
        world.cloud.sockets.note(socket, &machine.uid, command != Command::Request);
        decide(world, socket, command, ask, machine)
    });
    match decided {
        Ok(data) => Answer::of(command, ask, frame::success(command.success(), &data, &ask.reference)),
        Err(refusal) => Answer::refusal(command, ask, refusal),
    }
}

/// The machine, for whoever may say anything to it.
fn admit(world: &World, ask: &Ask, knows_token: bool) -> Result<Machine, Refusal> {
    let uid = ask.machine_uid().filter(|_| ask.token().is_some()).ok_or(Refusal::PARAMETERS)?;
    if !knows_token {
        return Err(Refusal::TOKEN);
    }
    world.cloud.machine(uid).cloned().ok_or(Refusal::MACHINE)
}

fn decide(
    world: &mut World,
    socket: SocketId,
    command: Command,
    ask: &Ask,
    machine: Machine,
) -> Result<Value, Refusal> {
    if let Some(code) = machine.refuses_with {
        return Err(Refusal(code));
    }
    if !machine.is_online {
        return Err(Refusal::OFFLINE);
    }
    match command {
        Command::Check => check(&machine),
        Command::Request => request(world, socket, ask, machine),
        Command::DoorOpen => open_door(world, ask, machine),
    }
}

fn check(machine: &Machine) -> Result<Value, Refusal> {
    if machine.is_taken() {
        return Err(Refusal::BUSY);
    }
    Ok(frame::available())
}

fn request(world: &mut World, socket: SocketId, ask: &Ask, mut machine: Machine) -> Result<Value, Refusal> {
    let order = Order::read(ask).ok_or(Refusal::PARAMETERS)?;
    if machine.is_taken() {
        return Err(Refusal::BUSY);
    }
    let sale = machine.begin(order, &ask.reference, socket);
    let mut detail = sale.detail(ask.machine_uid().unwrap_or_default());
    detail["total_amount"] = json!(sale.order.total_amount);
    detail["currency"] = json!(sale.order.currency);
    detail["payment_detail"] = json!(sale.order.payment_detail);
    let data = frame::begun(sale);
    world.happened("vendron", "session_begun", detail);
    keep(world, machine);
    Ok(data)
}

/// Unlocks the door every time it is asked to: whoever asks twice has opened it twice.
fn open_door(world: &mut World, ask: &Ask, mut machine: Machine) -> Result<Value, Refusal> {
    let session = ask.text("session").filter(|_| Order::read(ask).is_some()).ok_or(Refusal::PARAMETERS)?;
    // What is said to a session that there is not, is not published.
    let sale = machine.running_mut().filter(|sale| sale.session == session).ok_or(Refusal::PARAMETERS)?;
    sale.door = Door::Unlocked;
    let detail = sale.detail(ask.machine_uid().unwrap_or_default());
    world.happened("vendron", "door_opened", detail);
    keep(world, machine);
    Ok(frame::unlocked())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendron::samples::{self, Client, code, effects, machine, order};

    #[test]
    fn a_sale_begins_and_its_door_is_unlocked() {
        let sandbox = samples::sandbox();
        let mut client = Client::connect(&sandbox);
        let begun = client.ask("smart_fridge_request", order());
        assert_eq!(begun[0]["respond_data"], json!({ "ack_status": 1, "ack_code": "PUBLIC011" }));
        let [result] = &begun[1..] else { panic!("{begun:?}") };
        assert_eq!((&result["command"], &result["ref"]), (&json!("smart_fridge_request_begun"), &json!("r-1")));
        let session = result["command_data"]["json_data"]["data"]["session"].clone();
        assert_eq!(machine(&sandbox).running().unwrap().session, session);

        let opened = client.ask("smart_fridge_door_open", samples::unlocking(&session));
        assert_eq!(opened[1]["command_data"]["json_data"]["data"], json!([{ "door_status": "UNLOCKED" }]));
        assert_eq!(machine(&sandbox).running().unwrap().door, Door::Unlocked);
        assert_eq!(effects(&sandbox), ["session_begun", "door_opened"]);
    }

    #[test]
    fn whoever_asks_twice_has_opened_twice() {
        let sandbox = samples::sandbox();
        let mut client = Client::connect(&sandbox);
        let session = client.open();
        client.ask("smart_fridge_door_open", samples::unlocking(&session));
        assert_eq!(effects(&sandbox), ["session_begun", "door_opened", "door_opened"]);
    }

    #[test]
    fn a_session_takes_the_machine_from_everybody() {
        let sandbox = samples::sandbox();
        let (mut buyer, mut other) = (Client::connect(&sandbox), Client::connect(&sandbox));
        assert_eq!(code(&other.ask("check_machine_state", samples::named())), None);
        buyer.begin();
        for client in [&mut buyer, &mut other] {
            let refused = client.ask("check_machine_state", samples::named());
            assert_eq!(refused[1]["command"], "check_machine_state_error");
            assert_eq!(code(&refused), Some(-5));
            let refused = client.ask("smart_fridge_request", order());
            assert_eq!(refused[1]["command"], "smart_fridge_request_error");
            assert_eq!(code(&refused), Some(-5));
        }
        assert_eq!(effects(&sandbox), ["session_begun"]);
    }

    #[test]
    fn every_error_has_its_reason() {
        let sandbox = samples::sandbox();
        let mut client = Client::connect(&sandbox);
        let without = |field: &str| {
            let mut order = order();
            order.as_object_mut().unwrap().remove(field);
            order
        };
        for field in ["machine_uid", "public_api_token", "total_amount", "payment_detail", "notification_url"] {
            assert_eq!(code(&client.ask("smart_fridge_request", without(field))), Some(-1), "{field}");
        }
        let mut elsewhere = samples::named();
        elsewhere["machine_uid"] = json!("VM-9");
        assert_eq!(code(&client.ask("check_machine_state", elsewhere)), Some(-3));
        let mut refused = |change: fn(&mut Machine)| {
            samples::change(&sandbox, change);
            let checked = code(&client.ask("check_machine_state", samples::named()));
            assert_eq!(code(&client.ask("smart_fridge_request", order())), checked);
            checked
        };
        assert_eq!(refused(|machine| machine.is_busy = true), Some(-5));
        assert_eq!(refused(|machine| machine.is_online = false), Some(-4));
        assert_eq!(refused(|machine| machine.refuses_with = Some(-11)), Some(-11));
        assert!(effects(&sandbox).is_empty());
    }

    #[test]
    fn a_door_opens_to_its_session_and_a_token_that_is_right() {
        let sandbox = samples::sandbox();
        let mut client = Client::connect(&sandbox);
        assert_eq!(code(&client.ask("smart_fridge_door_open", samples::unlocking(&json!("none")))), Some(-1));
        let session = client.begin();
        assert_eq!(code(&client.ask("smart_fridge_door_open", samples::unlocking(&json!("other")))), Some(-1));
        assert_eq!(code(&client.ask("smart_fridge_door_open", order())), Some(-1));
        let ask = samples::parsed("smart_fridge_door_open", &samples::unlocking(&session));
        let answer = sandbox.change_quietly(|world| act(world, 1, &ask, false));
        assert_eq!(code(&[answer.acknowledgement, answer.result.unwrap()]), Some(-2));
        assert_eq!(effects(&sandbox), ["session_begun"]);
    }

    #[test]
    fn what_is_not_accepted_has_no_effect_and_no_result() {
        let sandbox = samples::sandbox();
        let mut client = Client::connect(&sandbox);
        let unknown = client.ask("dance", samples::named());
        samples::change(&sandbox, |machine| machine.style.quirks.extend([Quirk::Nack]));
        for answer in [unknown, client.ask("smart_fridge_request", order())] {
            assert_eq!((answer.len(), &answer[0]["respond_data"]["ack_status"]), (1, &json!(0)));
        }
        assert!(machine(&sandbox).sale.is_none());
    }
}
