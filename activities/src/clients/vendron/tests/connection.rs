//! Against a websocket server on this machine.

use std::{future::pending, net::SocketAddr};

use futures::{FutureExt, SinkExt, StreamExt};
use reqwest::StatusCode;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, yield_now},
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message as Sent};

use super::*;
use crate::fake_system::FakeSystem;

const CLOSED: &str = r#"{"command":"smart_fridge_door_close_success"}"#;

pub(super) fn client(address: SocketAddr, limits: Limits) -> Vendron {
    let url = Url::parse(&format!("ws://{address}/publicV2")).unwrap();
    Vendron::new(url, TOKEN.into(), limits).unwrap()
}

/// A connection to a server that does this with it.
async fn serving<F, O>(limits: Limits, serve: F) -> (Socket, JoinHandle<O::Output>)
where
    F: FnOnce(WebSocketStream<TcpStream>) -> O + Send + 'static,
    O: Future + Send + 'static,
    O::Output: Send + 'static,
{
    served_to(|address| client(address, limits), serve).await
}

/// The same for the client that is made for its address.
pub(super) async fn served_to<F, O>(
    client: impl FnOnce(SocketAddr) -> Vendron,
    serve: F,
) -> (Socket, JoinHandle<O::Output>)
where
    F: FnOnce(WebSocketStream<TcpStream>) -> O + Send + 'static,
    O: Future + Send + 'static,
    O::Output: Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let vendron = client(listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        serve(accept_async(stream).await.unwrap()).await
    });
    (vendron.connect().await.unwrap(), served)
}

/// Reads until something is heard for which this is true.
pub(super) async fn hear(stream: &mut WebSocketStream<TcpStream>, is_it: fn(&Sent) -> bool) -> Sent {
    loop {
        let heard = stream.next().await.unwrap().unwrap();
        if is_it(&heard) {
            return heard;
        }
    }
}

#[tokio::test]
async fn what_is_asked_arrives_and_what_is_answered_is_read() {
    let (mut socket, served) = serving(limits(), |mut stream| async move {
        let asked = hear(&mut stream, Sent::is_text).await;
        stream.send(Sent::text(CLOSED)).await.unwrap();
        stream.send(Sent::binary(vec![b'{', 0xff, 0])).await.unwrap();
        asked.into_text().unwrap().to_string()
    })
    .await;
    let command = Command::CheckMachineState { machine_uid: words("VM-0001") };
    socket.send(&command, "R").await.unwrap();
    assert_eq!(socket.next().await.unwrap(), Received { raw: words(CLOSED), frame: parse(CLOSED) });
    let binary = Received { raw: words("{\u{fffd}\u{fffd}"), frame: Frame::unreadable() };
    assert_eq!(socket.next().await.unwrap(), binary);
    assert_eq!(served.await.unwrap(), command.written("R", &TOKEN.into(), None));
}

#[tokio::test]
async fn pings_are_answered_and_sent() {
    let limits = Limits { ping: Duration::from_millis(5), ..limits() };
    let (mut socket, served) = serving(limits, |mut stream| async move {
        stream.send(Sent::Ping("there?".into())).await.unwrap();
        let answer = hear(&mut stream, Sent::is_pong).await;
        for _ in 0..3 {
            hear(&mut stream, Sent::is_ping).await;
        }
        stream.send(Sent::text(CLOSED)).await.unwrap();
        answer
    })
    .await;
    assert_eq!(socket.next().await.unwrap().raw, CLOSED);
    assert_eq!(served.await.unwrap(), Sent::Pong("there?".into()));
}

#[tokio::test]
async fn silence_ends_the_connection() {
    let limits = Limits { ping: Duration::from_millis(5), idle: Duration::from_millis(25), ..limits() };
    let (mut socket, served) = serving(limits, |stream| async move {
        // It answers no ping, as nobody reads.
        pending::<()>().await;
        drop(stream);
    })
    .await;
    assert!(matches!(socket.next().await, Err(VendronError::Idle)));
    assert!(matches!(socket.next().await, Err(VendronError::Idle)));
    served.abort();
}

#[tokio::test]
async fn a_dropped_connection_is_noticed() {
    let (mut socket, _served) = serving(limits(), |stream| async move { drop(stream) }).await;
    assert!(matches!(socket.next().await, Err(VendronError::Broken(_))));
    assert!(socket.next().await.is_err());
}

#[tokio::test]
async fn a_goodbye_is_heard() {
    let (mut socket, served) = serving(limits(), |mut stream| async move {
        stream.send(Sent::text(CLOSED)).await.unwrap();
        stream.close(None).await.unwrap();
        hear(&mut stream, Sent::is_close).await
    })
    .await;
    assert_eq!(socket.next().await.unwrap().raw, CLOSED);
    assert!(matches!(socket.next().await, Err(VendronError::Closed)));
    assert!(socket.next().await.is_err());
    socket.close().await;
    assert!(served.await.unwrap().is_close());
}

#[tokio::test]
async fn a_goodbye_is_said() {
    let (socket, served) = serving(limits(), |mut stream| async move { hear(&mut stream, Sent::is_close).await }).await;
    socket.close().await;
    assert!(served.await.unwrap().is_close());
}

#[tokio::test]
async fn a_frame_that_is_too_large_is_not_read() {
    let limits = Limits { frame: 1000, ..limits() };
    let (mut socket, served) = serving(limits, |mut stream| async move {
        stream.send(Sent::text("x".repeat(1000))).await.unwrap();
        stream.send(Sent::text("x".repeat(1001))).await.unwrap();
        // Without the other end it would be a connection that broke.
        let _until_it_hangs_up = stream.next().await;
    })
    .await;
    assert_eq!(socket.next().await.unwrap().raw.len(), 1000);
    assert!(matches!(socket.next().await, Err(VendronError::TooLarge)));
    assert!(socket.next().await.is_err());
    drop(socket);
    served.await.unwrap();
}

/// One byte after the other.
async fn dribble(stream: &mut (impl AsyncWriteExt + Unpin), bytes: impl Iterator<Item = u8>) {
    for byte in bytes {
        stream.write_all(&[byte]).await.unwrap();
        yield_now().await;
    }
}

#[tokio::test]
async fn whoever_stops_waiting_loses_nothing() {
    const COUNT: usize = 20;
    let (mut socket, served) = serving(limits(), |mut stream| async move {
        for count in 0..COUNT {
            let text = format!(r#"{{"command":"{count}"}}"#);
            let length = u8::try_from(text.len()).unwrap();
            dribble(stream.get_mut(), [0x81, length].into_iter().chain(text.bytes())).await;
        }
        stream
    })
    .await;
    let mut names = Vec::new();
    while names.len() < COUNT {
        match socket.next().now_or_never() {
            Some(received) => names.push(received.unwrap().frame.name),
            None => yield_now().await,
        }
    }
    assert_eq!(names, (0..COUNT).map(|count| count.to_string()).collect::<Vec<_>>());
    drop(served.await.unwrap());
}

#[tokio::test]
async fn a_handshake_that_is_refused_is_told_with_its_status() {
    for status in [503, 302, 200] {
        let system = FakeSystem::start(move |_, _| Some((status, words("<html></html>")))).await;
        let mut url = system.url();
        url.set_scheme("ws").unwrap();
        let error = Vendron::new(url, TOKEN.into(), limits()).unwrap().connect().await.unwrap_err();
        let expected = StatusCode::from_u16(status).unwrap();
        assert!(matches!(error, VendronError::Refused(status) if status == expected), "{error:?}");
    }
}

#[tokio::test]
async fn a_handshake_that_is_not_answered_ends_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limits = Limits { connect: Duration::from_millis(25), ..limits() };
    let vendron = client(listener.local_addr().unwrap(), limits);
    assert!(matches!(vendron.connect().await, Err(VendronError::TimedOut)));
}

#[tokio::test]
async fn nobody_there_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let vendron = client(listener.local_addr().unwrap(), limits());
    drop(listener);
    assert!(matches!(vendron.connect().await, Err(VendronError::Broken(_))));
}

#[tokio::test]
async fn the_token_is_in_commands_and_nowhere_else() {
    // The library logs what it sends as traces: they are compiled out.
    assert_eq!(log::STATIC_MAX_LEVEL, log::LevelFilter::Debug);
    let (mut socket, _served) = serving(limits(), |mut stream| async move {
        let asked = hear(&mut stream, Sent::is_text).await;
        assert!(asked.to_text().unwrap().contains(TOKEN));
        stream.send(asked).await.unwrap();
    })
    .await;
    socket.send(&Command::Request(order()), "R").await.unwrap();
    let received = socket.next().await.unwrap();
    assert!(received.raw.contains(r#""public_api_token":"***""#), "{}", received.raw);
    let failed = socket.next().await.unwrap_err();
    let vendron = client(SocketAddr::from(([127, 0, 0, 1], 1)), limits());
    let text = format!("{vendron:?} {socket:?} {received:?} {failed:?} {failed} {:?}", Command::Request(order()));
    assert!(!text.contains(TOKEN), "{text}");
}

#[tokio::test]
async fn a_token_with_a_slash_is_hidden_however_it_is_written() {
    let token = "a/very/secret/token";
    let php = |text: &str| text.replace('\\', r"\\").replace('"', r#"\""#).replace('/', r"\/");
    let packed = php(&format!(r#"{{"message":"{}"}}"#, php(token)));
    let texts = [
        format!(r#"{{"command":"{token}","ref":"{token}"}}"#),
        format!(r#"{{"command":"{}","ref":"{}"}}"#, php(token), php(token)),
        format!(r#"{{"command":"check_machine_state_error","command_data":{{"json_data":"{packed}"}}}}"#),
    ];
    let count = texts.len();
    let (mut socket, _served) = served_to(
        |address| Vendron::new(Url::parse(&format!("ws://{address}/")).unwrap(), token.into(), limits()).unwrap(),
        |mut stream| async move {
            for text in texts {
                stream.send(Sent::text(text)).await.unwrap();
            }
            stream
        },
    )
    .await;
    for _ in 0..count {
        let received = socket.next().await.unwrap();
        assert!(received.raw.contains("***") && !received.raw.contains("secret"), "{}", received.raw);
        let read = format!("{:?}", received.frame);
        assert!(read.contains("***") && !read.contains("secret"), "{read}");
    }
}

#[test]
fn nothing_goes_over_a_network_without_tls() {
    for host in ["127.0.0.1:1", "127.8.9.10", "127.1", "[::1]:1", "localhost", "LOCALHOST:1"] {
        for scheme in ["ws", "wss"] {
            let url = Url::parse(&format!("{scheme}://{host}/publicV2")).unwrap();
            assert!(Vendron::new(url, TOKEN.into(), limits()).is_ok(), "{scheme}://{host}");
        }
    }
    for host in
        ["vendron.example", "10.0.0.1", "128.0.0.1", "0.0.0.0", "[::2]:1", "localhost.example", "127.0.0.1.example"]
    {
        let url = |scheme: &str| Url::parse(&format!("{scheme}://{host}/publicV2")).unwrap();
        let error = Vendron::new(url("ws"), TOKEN.into(), limits()).unwrap_err();
        assert!(matches!(error, VendronError::InClear) && error.to_string().contains("only to this machine"), "{host}");
        assert!(Vendron::new(url("wss"), TOKEN.into(), limits()).is_ok(), "{host}");
    }
}

#[test]
fn only_the_address_of_a_websocket_will_do() {
    for url in
        ["http://127.0.0.1/", "https://127.0.0.1/", "file:///publicV2", "ws://us@127.0.0.1/", "wss://:pw@127.0.0.1/"]
    {
        let made = Vendron::new(Url::parse(url).unwrap(), TOKEN.into(), limits());
        assert!(matches!(made, Err(VendronError::BadUrl)), "{url}");
    }
    let url = Url::parse("wss://127.0.0.1/publicV2").unwrap();
    assert!(matches!(Vendron::new(url, String::new().into(), limits()), Err(VendronError::NoToken)));
}
