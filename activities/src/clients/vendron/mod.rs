//! Vendron Cloud: unlocks smart fridges and tells what was taken out of them, over a websocket.
//!
//! Everything that it sends is read: what has no meaning here is [`Message::Unknown`], never an error.

mod error;
mod frames;
mod notifications;
mod pulse;
mod secrets;
mod socket;
#[cfg(test)]
mod soundness;
#[cfg(test)]
mod tests;
mod wire;

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use reqwest::Url;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use tokio_tungstenite::{Connector, connect_async_tls_with_config, tungstenite::protocol::WebSocketConfig};

pub use error::VendronError;
pub use frames::{Frame, Message, SoldProduct, parse};
pub use notifications::Notifications;
use secrets::Secrets;
pub use socket::Socket;
pub use wire::{Command, Order, Received};

/// The library would keep 128 KiB for every connection.
const READ_AT_ONCE: usize = 8 * 1024;

/// Bounds of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until it has to be there, with TLS and its handshake.
    pub connect: Duration,
    /// Between two pings.
    pub ping: Duration,
    /// A connection on which nothing was heard for this long, not even the answer to a ping, has failed.
    pub idle: Duration,
    /// Bytes of the largest frame that is read.
    pub frame: usize,
}

/// A client of Vendron.
#[derive(Clone)]
pub struct Vendron {
    url: Url,
    secrets: Secrets,
    limits: Limits,
    tls: Arc<ClientConfig>,
}

impl Vendron {
    /// A client of the service at `url`. Only a `ws://` URL makes it speak without TLS, and only to this machine.
    pub fn new(url: Url, token: SecretString, limits: Limits) -> Result<Self, VendronError> {
        let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        Self::trusting(roots, url, token, limits)
    }

    /// Names its crypto provider: rustls is not left to guess when there are two in the tree.
    fn trusting(roots: RootCertStore, url: Url, token: SecretString, limits: Limits) -> Result<Self, VendronError> {
        let is_open = url.username().is_empty() && url.password().is_none();
        if !(matches!(url.scheme(), "ws" | "wss") && url.has_host() && is_open) {
            return Err(VendronError::BadUrl);
        }
        if url.scheme() == "ws" && !is_this_machine(&url) {
            return Err(VendronError::InClear);
        }
        if token.expose_secret().is_empty() {
            return Err(VendronError::NoToken);
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(VendronError::NoTls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { url, secrets: Secrets::new(token), limits, tls: Arc::new(tls) })
    }

    /// The same, telling Vendron where to post how a sale goes on. Otherwise it is told of no such place.
    #[must_use]
    pub fn notified_at(self, notifications: Notifications) -> Self {
        Self { secrets: self.secrets.notified_at(notifications), ..self }
    }

    /// Makes a connection. Vendron learns who asks from each command, not from this.
    pub async fn connect(&self) -> Result<Socket, VendronError> {
        let connector = Connector::Rustls(Arc::clone(&self.tls));
        let frames = Some(self.frames());
        let connecting = connect_async_tls_with_config(self.url.as_str(), frames, true, Some(connector));
        let connected = timeout(self.limits.connect, connecting).await.map_err(|_| VendronError::TimedOut)?;
        let (stream, _handshake) = connected.map_err(VendronError::of)?;
        Ok(Socket::new(stream, self.secrets.clone(), self.limits))
    }

    /// A text of Vendron's as it may be kept, however it came: without secrets of ours.
    pub(crate) fn legible(&self, text: &str) -> String {
        self.secrets.hidden_in(text)
    }

    fn frames(&self) -> WebSocketConfig {
        let largest = Some(self.limits.frame);
        WebSocketConfig::default()
            .read_buffer_size(READ_AT_ONCE)
            .write_buffer_size(0)
            .max_message_size(largest)
            .max_frame_size(largest)
    }
}

/// Whether what is sent there does not leave this machine.
fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host == "localhost", |address| address.is_loopback())
}

impl fmt::Debug for Vendron {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Vendron");
        shown.field("url", &self.url.as_str()).field("limits", &self.limits).finish_non_exhaustive()
    }
}
