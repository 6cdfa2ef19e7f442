//! `ws …/vendron/publicV2`: the handshake, which nobody has to show a token for. Each message carries one.

use std::sync::Arc;

use axum::extract::{State, WebSocketUpgrade};
use axum::http::Uri;
use axum::response::Response;
use serde_json::json;

use super::serve;
use crate::connection::Interim;
use crate::faults::{self, Kind, System};
use crate::reply::Reply;
use crate::state::Sandbox;

/// Faults know a handshake by its path and query: nothing else tells one from another.
pub(super) async fn connect(
    State(sandbox): State<Arc<Sandbox>>,
    interim: Interim,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Response {
    let strike = sandbox.strike(System::Vendron, "connect", &[&uri.to_string()]);
    if let Some(mut strike) = strike {
        if strike.kind != Kind::Slow {
            // Whatever it is answered with, it is no handshake.
            return faults::answer(Some(strike), &interim, || Reply::from(json!({ "connected": false }))).await;
        }
        strike.wait().await;
    }
    upgrade.on_upgrade(move |websocket| serve::serve(websocket, sandbox))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use serde_json::Value;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::connection::Connections;
    use crate::vendron::samples::{self, UID, machine};

    const HANDSHAKE: &str = "GET /publicV2 HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    /// Serves the sandbox, and connects to it without knowing anything of websockets.
    async fn connected(sandbox: &Arc<Sandbox>) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router: Router = crate::vendron::routes().with_state(Arc::clone(sandbox));
        let service = router.into_make_service_with_connect_info::<Interim>();
        tokio::spawn(axum::serve(Connections(listener), service).into_future());
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(HANDSHAKE.as_bytes()).await.unwrap();
        stream
    }

    async fn head(stream: &mut TcpStream) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    /// A text of 126 bytes and more, under a mask of zeros.
    async fn send(stream: &mut TcpStream, text: &str) {
        let length = u16::try_from(text.len()).unwrap().to_be_bytes();
        let frame: [&[u8]; 4] = [&[0x81, 0x80 | 0x7e], &length, &[0; 4], text.as_bytes()];
        stream.write_all(&frame.concat()).await.unwrap();
    }

    async fn receive(stream: &mut TcpStream) -> Value {
        assert_eq!(stream.read_u8().await.unwrap(), 0x81);
        let length = match stream.read_u8().await.unwrap() {
            126 => usize::from(stream.read_u16().await.unwrap()),
            short => usize::from(short),
        };
        let mut text = vec![0; length];
        stream.read_exact(&mut text).await.unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    #[tokio::test]
    async fn a_client_asks_over_its_websocket_and_is_cut_off() {
        let sandbox = samples::sandbox();
        let mut stream = connected(&sandbox).await;
        let head = head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");

        let padded = json!({ "public_api_token": "t".repeat(60), "machine_uid": UID });
        send(&mut stream, &json!({ "command": "check_machine_state", "command_data": padded, "ref": "r" }).to_string())
            .await;
        assert_eq!(receive(&mut stream).await["respond_data"]["ack_code"], "PUBLIC007");
        assert_eq!(receive(&mut stream).await["command"], "check_machine_state_success");

        assert_eq!(sandbox.change_quietly(|world| world.cloud.sockets.cut(UID, false)), 1);
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0, "the end, without a closing");
    }

    #[tokio::test]
    async fn a_handshake_can_fail() {
        let sandbox = samples::sandbox();
        samples::fault(&sandbox, "connect", "error", "publicV2");
        let mut stream = connected(&sandbox).await;
        assert!(head(&mut stream).await.starts_with("HTTP/1.1 503 "));
        assert!(machine(&sandbox).sale.is_none());
    }
}
