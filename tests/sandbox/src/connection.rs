//! Connections that can be written to past the HTTP server: an interim answer (1xx) is nothing that a handler can give.

use std::convert::Infallible;
use std::future::{poll_fn, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::extract::FromRequestParts;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::http::request::Parts;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

const PROCESSING: &[u8] = b"HTTP/1.1 102 Processing\r\n\r\n";

type Writer = Arc<Mutex<OwnedWriteHalf>>;

/// Accepts connections whose requests can be given interim answers.
pub(crate) struct Connections(pub(crate) TcpListener);

/// A connection that the server and an interim answer can both write to.
pub(crate) struct Connection {
    reader: OwnedReadHalf,
    writer: Writer,
}

/// Where the interim answers of a request go; nowhere, where a route is called without a connection.
#[derive(Clone, Default)]
pub(crate) struct Interim(Option<Writer>);

impl Interim {
    pub(crate) fn of(parts: &Parts) -> Self {
        parts.extensions.get::<ConnectInfo<Self>>().map(|info| info.0.clone()).unwrap_or_default()
    }

    /// Writes `102 Processing` ahead of whatever the request is answered with. The server writes nothing meanwhile: as
    /// clients do not pipeline, this request is the only one on its connection, and it is not answered yet.
    pub(crate) async fn processing(&self) {
        let Some(writer) = &self.0 else { return };
        let written = poll_fn(|context| Pin::new(&mut *lock(writer)).poll_write(context, PROCESSING)).await;
        if let Err(error) = written {
            tracing::debug!(error = %error, "interim.unheard");
        }
    }
}

fn lock(writer: &Writer) -> MutexGuard<'_, OwnedWriteHalf> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = <TcpListener as Listener>::accept(&mut self.0).await;
        // Frames that follow each other would otherwise wait until the one before is acknowledged.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %error, "connection.delayed");
        }
        let (reader, writer) = stream.into_split();
        (Connection { reader, writer: Arc::new(Mutex::new(writer)) }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Connections>> for Interim {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        Self(Some(Arc::clone(&stream.io().writer)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Interim {
    type Rejection = Infallible;

    fn from_request_parts(parts: &mut Parts, _state: &S) -> impl Future<Output = Result<Self, Self::Rejection>> + Send {
        ready(Ok(Self::of(parts)))
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().reader).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *lock(&self.writer)).poll_write(context, buffer)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *lock(&self.writer)).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *lock(&self.writer)).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn answer(interim: Interim) -> &'static str {
        interim.processing().await;
        "done"
    }

    #[tokio::test]
    async fn an_interim_answer_goes_ahead_of_the_final_one() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(answer));
        let service = router.into_make_service_with_connect_info::<Interim>();
        let server = tokio::spawn(axum::serve(Connections(listener), service).into_future());

        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut heard = String::new();
        client.read_to_string(&mut heard).await.unwrap();
        let (interim, last) = heard.split_once("\r\n\r\n").unwrap();
        assert_eq!(interim, "HTTP/1.1 102 Processing");
        assert!(last.starts_with("HTTP/1.1 200 OK") && last.ends_with("done"), "{last}");
        server.abort();
    }
}
