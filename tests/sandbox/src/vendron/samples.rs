//! What the tests of the machines begin with.

use std::sync::Arc;

use chrono::FixedOffset;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::ask::Ask;
use super::hear;
use super::sockets::{SocketId, Speech};
use super::{Machine, keep};
use crate::access::Access;
use crate::state::{Sandbox, Setup};

pub(crate) const UID: &str = "VM-1";

/// A sandbox that has the machine [`UID`].
pub(crate) fn sandbox() -> Arc<Sandbox> {
    let offset = FixedOffset::east_opt(0).unwrap();
    let setup = Setup { reporter: None, access: Access::default(), offset };
    let sandbox = Arc::new(Sandbox::open(None, setup).unwrap());
    sandbox.change_quietly(|world| keep(world, Machine::new(UID)));
    sandbox
}

pub(crate) fn machine(sandbox: &Sandbox) -> Machine {
    sandbox.read(|world| world.cloud.machine(UID).cloned().unwrap())
}

pub(crate) fn change(sandbox: &Sandbox, change: impl FnOnce(&mut Machine)) {
    let mut machine = machine(sandbox);
    change(&mut machine);
    sandbox.change_quietly(|world| keep(world, machine));
}

/// Hits once whatever goes by this name.
pub(crate) fn fault(sandbox: &Sandbox, operation: &str, kind: &str, name: &str) {
    let fault = json!({ "system": "vendron", "operation": operation, "kind": kind, "times": 1, "match": name });
    let fault: crate::faults::Fault = serde_json::from_value(fault).unwrap();
    fault.check().unwrap();
    sandbox.change_quietly(|world| world.faults.list.push(fault));
}

/// The effects in the ledger, oldest first.
pub(crate) fn effects(sandbox: &Sandbox) -> Vec<String> {
    sandbox.read(|world| world.entries().map(|entry| entry.effect.clone()).collect())
}

/// What every command says.
pub(crate) fn named() -> Value {
    json!({ "public_api_token": "token", "machine_uid": UID })
}

/// What a request says.
pub(crate) fn order() -> Value {
    json!({
        "public_api_token": "token", "machine_uid": UID, "payment_name": "STRIPE", "currency": "EUR",
        "total_amount": "30.00", "payment_detail": "user:1_transaction:2", "notification_url": "",
    })
}

/// What an unlocking says.
pub(crate) fn unlocking(session: &Value) -> Value {
    let mut order = order();
    order["session"] = session.clone();
    order
}

pub(super) fn parsed(command: &str, data: &Value) -> Ask {
    Ask::parse(&json!({ "command": command, "command_data": data, "ref": "r-1" }).to_string()).unwrap()
}

/// The code of the error among an acknowledgement and a result.
pub(crate) fn code(frames: &[Value]) -> Option<i64> {
    frames.get(1)?["command_data"]["error_data"]["code"].as_i64()
}

/// Somebody at the other end of a websocket.
pub(crate) struct Client {
    pub(crate) id: SocketId,
    sandbox: Arc<Sandbox>,
    ear: UnboundedReceiver<Speech>,
}

impl Client {
    pub(crate) fn connect(sandbox: &Arc<Sandbox>) -> Self {
        let (id, ear) = sandbox.change_quietly(|world| world.cloud.sockets.connect());
        Self { id, sandbox: Arc::clone(sandbox), ear }
    }

    pub(crate) fn leave(self) {
        self.sandbox.change_quietly(|world| world.cloud.sockets.disconnect(self.id));
    }

    /// Says something under the reference `r-1`; returns what is said to that, and not what was said before.
    #[expect(clippy::needless_pass_by_value, reason = "callers write the object where they ask")]
    pub(crate) fn ask(&mut self, command: &str, data: Value) -> Vec<Value> {
        self.heard();
        let frame = json!({ "command": command, "command_data": data, "ref": "r-1" });
        hear::hear(&self.sandbox, self.id, &frame.to_string());
        self.heard()
    }

    /// Begins a sale; returns its session.
    pub(crate) fn begin(&mut self) -> Value {
        let heard = self.ask("smart_fridge_request", order());
        heard[1]["command_data"]["json_data"]["data"]["session"].clone()
    }

    /// The same, and has the door unlocked.
    pub(crate) fn open(&mut self) -> Value {
        let session = self.begin();
        self.ask("smart_fridge_door_open", unlocking(&session));
        session
    }

    /// What was said since it listened last, as far as it can be read.
    pub(crate) fn heard(&mut self) -> Vec<Value> {
        let speeches = std::iter::from_fn(|| self.ear.try_recv().ok());
        speeches.filter_map(|speech| read(&speech)).collect()
    }

    /// The next frame, whenever it comes.
    pub(crate) async fn wait(&mut self) -> Value {
        read(&self.ear.recv().await.unwrap()).unwrap()
    }
}

fn read(speech: &Speech) -> Option<Value> {
    let Speech::Text(text) = speech else { return None };
    serde_json::from_str(text).ok()
}
