use std::io;

use reqwest::StatusCode;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};

/// Why there is no connection to Vendron, or none any more. None of it tells what was said there: commands carry the
/// token.
#[derive(Debug, thiserror::Error)]
pub enum VendronError {
    /// Its address is no websocket's, or has a name or a password in it.
    #[error("Vendron's URL must begin with ws:// or wss:// and have neither a user name nor a password")]
    BadUrl,
    /// At its address the token would go over a network as it is.
    #[error("Vendron's URL may begin with ws:// only to this machine: anywhere else it must begin with wss://")]
    InClear,
    /// Where it is to notify us is no address, or one that has more in it than that.
    #[error(
        "the URL for Vendron's notifications must begin with http:// or https:// and have neither a user name, a \
         password, a query nor a fragment"
    )]
    BadNotificationUrl,
    /// There is nothing to say who asks.
    #[error("Vendron's token is empty")]
    NoToken,
    /// TLS cannot be prepared.
    #[error("TLS for Vendron cannot be prepared")]
    NoTls(#[source] rustls::Error),
    /// The connection was not made in time.
    #[error("there was no connection in time")]
    TimedOut,
    /// The handshake was answered otherwise.
    #[error("the handshake was answered with {0}")]
    Refused(StatusCode),
    /// Nothing was heard, not even an answer to a ping.
    #[error("nothing was heard for too long")]
    Idle,
    /// The other side has said goodbye.
    #[error("the connection was closed")]
    Closed,
    /// A frame has more bytes than are read.
    #[error("a frame is too large")]
    TooLarge,
    /// There is no connection: it could not be made, its certificate is not trusted, or it broke.
    #[error("the connection failed")]
    Broken(#[source] io::Error),
    /// What was heard is no websocket.
    #[error("what was heard breaks the rules of websockets")]
    BadProtocol(#[source] ProtocolError),
    /// The same, in a way that has no name of its own.
    #[error("what was heard cannot be used: {0}")]
    Unusable(&'static str),
}

impl VendronError {
    /// Some of the library's errors hold what was to be sent: they end here.
    pub(super) fn of(error: Error) -> Self {
        match error {
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::SendAfterClosing | ProtocolError::ReceivedAfterClosing) => Self::Closed,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                Self::Broken(io::ErrorKind::UnexpectedEof.into())
            }
            Error::Io(error) => Self::Broken(error),
            Error::Protocol(error) => Self::BadProtocol(error),
            Error::Http(answer) => Self::Refused(answer.status()),
            Error::Capacity(_) => Self::TooLarge,
            Error::Url(_) => Self::BadUrl,
            Error::Utf8(_) => Self::Unusable("a text is no UTF-8"),
            Error::Tls(_) => Self::Unusable("TLS with this host is not possible"),
            Error::HttpFormat(_) => Self::Unusable("the handshake is no HTTP"),
            Error::AttackAttempt => Self::Unusable("the handshake has no end"),
            Error::WriteBufferFull(_) => Self::Unusable("nothing that is sent is taken"),
        }
    }
}
