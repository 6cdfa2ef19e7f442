//! One websocket, from the handshake to its end.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use tokio::sync::mpsc::UnboundedReceiver;

use super::hear;
use super::sockets::{SocketId, Speech};
use crate::state::Sandbox;

/// Longer than any client waits for a sign of life.
const SILENT: Duration = Duration::from_mins(2);

/// The end of a websocket as its client meets it.
struct Line {
    websocket: WebSocket,
    ear: UnboundedReceiver<Speech>,
    id: SocketId,
    sandbox: Arc<Sandbox>,
}

pub(super) async fn serve(websocket: WebSocket, sandbox: Arc<Sandbox>) {
    let (id, ear) = sandbox.change_quietly(|world| world.cloud.sockets.connect());
    tracing::debug!(socket = id, "vendron.connected");
    let mut line = Line { websocket, ear, id, sandbox };
    while line.turn().await.is_continue() {}
    line.sandbox.change_quietly(|world| world.cloud.sockets.disconnect(id));
    tracing::debug!(socket = id, "vendron.disconnected");
}

impl Line {
    async fn turn(&mut self) -> ControlFlow<()> {
        tokio::select! {
            heard = self.websocket.recv() => match heard {
                Some(Ok(message)) => self.hear(&message),
                Some(Err(_)) | None => return ControlFlow::Break(()),
            },
            speech = self.ear.recv() => return self.say(speech).await,
        }
        ControlFlow::Continue(())
    }

    /// Pings are answered and closings returned where the frames are read.
    fn hear(&self, message: &Message) {
        if let Message::Text(text) = message {
            hear::hear(&self.sandbox, self.id, text);
        }
    }

    async fn say(&mut self, speech: Option<Speech>) -> ControlFlow<()> {
        let message = match speech {
            Some(Speech::Text(text)) => Message::text(text),
            Some(Speech::Binary(bytes)) => Message::binary(bytes),
            Some(Speech::Silence) => return keep_silent(&self.sandbox).await,
            // Cut off: the connection ends without a closing handshake.
            None => return ControlFlow::Break(()),
        };
        match self.websocket.send(message).await {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

/// Nothing is read, so nothing is answered either.
async fn keep_silent(sandbox: &Sandbox) -> ControlFlow<()> {
    let mut released = sandbox.subscribe_to_release();
    // Over or let go with all: either way it ends here.
    let _ = tokio::time::timeout(SILENT, released.until_let_go(None)).await;
    ControlFlow::Break(())
}
