//! What the tests of the machines begin with.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use chrono::FixedOffset;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

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
        self.begin_notified_at("")
    }

    /// The same where its end is to be posted to an address.
    pub(crate) fn begin_notified_at(&mut self, url: &str) -> Value {
        let mut order = order();
        order["notification_url"] = json!(url);
        let heard = self.ask("smart_fridge_request", order);
        heard[1]["command_data"]["json_data"]["data"]["session"].clone()
    }

    /// The same as `begin`, and has the door unlocked.
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

/// Somebody who is notified over HTTP.
pub(crate) struct PostBox {
    pub(crate) url: String,
    posts: UnboundedReceiver<Post>,
}

/// The content type and the body of what was posted.
pub(crate) type Post = (String, String);

/// Longer than it takes until something is posted again.
const A_WHILE: Duration = Duration::from_millis(500);

impl PostBox {
    /// Answers with these statuses one after the other, and with the last of them ever after.
    pub(crate) async fn answering(statuses: &[u16]) -> Self {
        let (sender, posts) = unbounded_channel();
        let statuses: Vec<_> = statuses.iter().map(|status| StatusCode::from_u16(*status).unwrap()).collect();
        let count = Arc::new(AtomicUsize::new(0));
        let answer = move |headers: HeaderMap, body: String| {
            let index = count.fetch_add(1, Ordering::SeqCst).min(statuses.len() - 1);
            // Whoever looks no more does not mind.
            let _ = sender.send((headers[CONTENT_TYPE].to_str().unwrap().to_owned(), body));
            std::future::ready(statuses[index])
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/end", listener.local_addr().unwrap());
        let router: Router = Router::new().fallback(answer);
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { url, posts }
    }

    /// The address of one that is there no more.
    pub(crate) async fn gone() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/end", listener.local_addr().unwrap())
    }

    /// What arrives next, whenever it does.
    pub(crate) async fn next(&mut self) -> Post {
        self.posts.recv().await.unwrap()
    }

    /// Whether nothing arrives for a while.
    pub(crate) async fn stays_empty(&mut self) -> bool {
        tokio::time::timeout(A_WHILE, self.posts.recv()).await.is_err()
    }
}
