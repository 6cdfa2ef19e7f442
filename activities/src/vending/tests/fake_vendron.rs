//! Vendron as a test wants it: answers each command as a closure says, and keeps what it was asked.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{SinkExt, StreamExt};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{accept_async, tungstenite::Message};

use crate::clients::vendron::{Limits, Vendron};

pub(super) const CHECK: &str = "check_machine_state";
pub(super) const REQUEST: &str = "smart_fridge_request";
pub(super) const UNLOCK: &str = "smart_fridge_door_open";

/// What it does when it is asked; `$ref` in a frame becomes the reference of the question.
pub(super) enum Act {
    Say(String),
    HangUp,
}

/// A command that it got.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// On which of its connections, from 0.
    pub(super) connection: usize,
    /// Its name.
    pub(super) command: String,
    /// All of it.
    pub(super) frame: Value,
}

pub(super) struct FakeVendron {
    url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl FakeVendron {
    pub(super) async fn start(answer: impl Fn(&Asked) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("ws://{}/publicV2", listener.local_addr().unwrap())).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(serve(listener, Arc::clone(&asked), Arc::new(answer)));
        Self { url, asked }
    }

    /// One where nobody listens.
    pub(super) async fn gone() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("ws://{}/publicV2", listener.local_addr().unwrap())).unwrap();
        Self { url, asked: Arc::default() }
    }

    pub(super) fn client(&self) -> Vendron {
        let minutes = |count: u64| Duration::from_secs(60 * count);
        let limits = Limits { connect: minutes(1), ping: minutes(1), idle: minutes(2), frame: 1 << 20 };
        Vendron::new(self.url.clone(), "a-very-secret-token".into(), limits).unwrap()
    }

    /// The commands so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often it was asked for this.
    pub(super) fn times(&self, command: &str) -> usize {
        self.asked().iter().filter(|asked| asked.command == command).count()
    }
}

async fn serve<F>(listener: TcpListener, asked: Arc<Mutex<Vec<Asked>>>, answer: Arc<F>)
where
    F: Fn(&Asked) -> Vec<Act> + Send + Sync + 'static,
{
    let mut connection = 0;
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(stream, connection, Arc::clone(&asked), Arc::clone(&answer)));
        connection += 1;
    }
}

async fn converse<F>(stream: TcpStream, connection: usize, all: Arc<Mutex<Vec<Asked>>>, answer: Arc<F>)
where
    F: Fn(&Asked) -> Vec<Act> + Send + Sync + 'static,
{
    let Ok(mut stream) = accept_async(stream).await else {
        return;
    };
    while let Some(Ok(heard)) = stream.next().await {
        let Message::Text(text) = heard else {
            continue;
        };
        let frame: Value = serde_json::from_str(text.as_str()).unwrap();
        let word = |name: &str| frame[name].as_str().unwrap_or_default().to_owned();
        let reference = word("ref");
        let asked = Asked { connection, command: word("command"), frame };
        all.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
        for act in answer(&asked) {
            let Act::Say(frame) = act else {
                return;
            };
            // The other side may have hung up.
            let _unheard = stream.send(Message::text(frame.replace("$ref", &reference))).await;
        }
    }
}

pub(super) fn acknowledged(command: &str) -> Act {
    let data = json!({"ack_status": 1, "ack_code": "PUBLIC011"});
    Act::Say(json!({"respond": command, "respond_data": data, "ref": "$ref"}).to_string())
}

pub(super) fn not_taken(command: &str) -> Act {
    let data = json!({"ack_status": 0, "ack_code": "PUBLIC012"});
    Act::Say(json!({"respond": command, "respond_data": data, "ref": "$ref"}).to_string())
}

pub(super) fn begun() -> Act {
    said("smart_fridge_request_begun", &json!({"data": {"session": "S-1"}}))
}

pub(super) fn unlocked() -> Act {
    said("smart_fridge_door_open_success", &json!({"data": [{"door_status": "UNLOCKED"}]}))
}

pub(super) fn taken() -> Act {
    let tea = json!({"vpn": "2", "name": "Tea", "unit_price": "2.00"});
    said("smart_fridge_product_taken", &json!({"list": [soup(), tea]}))
}

pub(super) fn put_back() -> Act {
    said("smart_fridge_product_taken", &json!({"list": []}))
}

pub(super) fn closed() -> Act {
    said("smart_fridge_door_close_success", &json!({"data": {"door_status": "LOCKED"}}))
}

pub(super) fn completed() -> Act {
    let data = json!({"transaction_total": "9.00", "transaction_product": [soup(), soup()]});
    said("smart_fridge_request_completed", &json!({"data": data}))
}

/// With a reference that nobody sent, as the real cloud was seen to do.
pub(super) fn cancelled() -> Act {
    let data = json!({"status": "0", "error_data": {"code": "-10", "message": "canceled & closed"}, "json_data": []});
    let frame = json!({"command": "smart_fridge_request_completed", "command_data": data, "ref": "1768320000"});
    Act::Say(frame.to_string())
}

pub(super) fn available() -> Act {
    said("check_machine_state_success", &json!({"message": "Machine is available for API Dispensing"}))
}

pub(super) fn refused(command: &str, code: i64) -> Act {
    let data = json!({"status": 0, "error_data": {"code": code, "message": "no"}, "json_data": []});
    Act::Say(json!({"command": format!("{command}_error"), "command_data": data, "ref": "$ref"}).to_string())
}

fn said(command: &str, json_data: &Value) -> Act {
    let data = json!({"status": 1, "error_data": [], "json_data": json_data});
    Act::Say(json!({"command": command, "command_data": data, "ref": "$ref"}).to_string())
}

fn soup() -> Value {
    json!({"vpn": "1", "name": "Soup", "unit_price": "4.50"})
}
