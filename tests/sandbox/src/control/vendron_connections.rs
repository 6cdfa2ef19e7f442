//! `/_control/vendron/machines/{uid}/…`: what becomes of connections, and what is said over them without any reason.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::problem::{Body, Problem};
use crate::state::Sandbox;
use crate::vendron::{self, sale};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Loss {
    /// Those of everybody who named the machine.
    #[serde(default)]
    connections: bool,
    /// They stay open, and nothing is said or answered over them any more.
    #[serde(default)]
    silently: bool,
    /// The sale that runs: the machine is free, and nobody is told of an end.
    #[serde(default)]
    session: bool,
}

/// `…/drop`: something is lost.
pub(super) async fn cut(
    State(sandbox): State<Arc<Sandbox>>,
    Path(uid): Path<String>,
    Body(loss): Body<Loss>,
) -> Result<Json<Value>, Problem> {
    let dropped = sandbox.change(|world| {
        world.cloud.known(&uid)?;
        if loss.session {
            sale::vanish(world, &uid)?;
        }
        let sockets = &mut world.cloud.sockets;
        Ok(if loss.connections { sockets.cut(&uid, loss.silently) } else { 0 })
    })?;
    Ok(Json(json!({ "dropped": dropped })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Emission {
    /// Anything: what a client makes of it is the question.
    frames: Vec<String>,
    /// Sends the same bytes as binary frames.
    #[serde(default)]
    binary: bool,
}

/// `…/emit`: these frames are sent as they are, to whoever the events of the sale that runs go to, or else to everybody
/// who named the machine.
pub(super) async fn emit(
    State(sandbox): State<Arc<Sandbox>>,
    Path(uid): Path<String>,
    Body(request): Body<Emission>,
) -> Result<Json<Value>, Problem> {
    let sockets = sandbox.change(|world| vendron::emit(world, &uid, &request.frames, request.binary))?;
    Ok(Json(json!({ "sockets": sockets })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::vendron::tests::ask;
    use crate::vendron::samples::{self, Client, UID, effects};

    #[tokio::test]
    async fn connections_and_sessions_are_lost_apart() {
        let sandbox = samples::sandbox();
        let mut client = Client::connect(&sandbox);
        client.open();
        let path = format!("{UID}/drop");
        assert_eq!(ask(&sandbox, &path, Some(r#"{"connections":true}"#)).await, (200, json!({ "dropped": 1 })));
        let shown = ask(&sandbox, UID, None).await.1;
        assert_eq!((&shown["sockets"], shown["session"].is_string()), (&json!(0), true));

        assert_eq!(ask(&sandbox, &path, Some(r#"{"session":true}"#)).await, (200, json!({ "dropped": 0 })));
        let shown = ask(&sandbox, UID, None).await.1;
        assert_eq!((&shown["session"], &shown["ended"]["ending"]), (&json!(null), &json!("vanished")));
        assert_eq!(effects(&sandbox), ["session_begun", "door_opened", "door_closed"]);
        assert_eq!(ask(&sandbox, "VM-9/drop", Some(r#"{"connections":true}"#)).await.0, 404);
    }

    #[tokio::test]
    async fn any_frame_is_sent_as_it_is() {
        let sandbox = samples::sandbox();
        let mut client = Client::connect(&sandbox);
        client.begin();
        let body = json!({ "frames": [r#"{"command":"unheard_of"}"#, "no json", ""] }).to_string();
        let sent = ask(&sandbox, &format!("{UID}/emit"), Some(&body)).await;
        assert_eq!(sent, (200, json!({ "sockets": 1 })));
        assert_eq!(client.heard(), [json!({ "command": "unheard_of" })]);
    }
}
