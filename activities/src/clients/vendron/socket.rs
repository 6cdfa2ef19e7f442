use std::{fmt, future::pending};

use futures::{SinkExt, StreamExt};
use tokio::{
    net::TcpStream,
    select,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Bytes, Error, Message},
};
use uuid::Uuid;

use super::{Command, Frame, Limits, Received, VendronError, parse, pulse::Pulse, secrets::Secrets};

/// A connection to Vendron. Once one of its methods has failed, it is of no more use.
pub struct Socket {
    id: Uuid,
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    secrets: Secrets,
    limits: Limits,
    pulse: Pulse,
}

impl Socket {
    pub(super) fn new(stream: WebSocketStream<MaybeTlsStream<TcpStream>>, secrets: Secrets, limits: Limits) -> Self {
        let pulse = Pulse::new(&limits, Instant::now());
        Self { id: Uuid::now_v7(), stream, secrets, limits, pulse }
    }

    /// Its id: Vendron gives connections none.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Sends a command under this reference: that of the sale, if there is to be a notification of it. After a failure it
    /// may have arrived or not.
    pub async fn send(&mut self, command: &Command, reference: &str) -> Result<(), VendronError> {
        let notified_at = self.secrets.url(reference);
        let text = command.written(reference, self.secrets.token(), notified_at.as_ref());
        self.write(Message::text(text)).await
    }

    /// The next frame. Pings are answered and sent in here, so somebody has to wait in it most of the time.
    ///
    /// Cancel-safe: whoever stops waiting loses no frame.
    pub async fn next(&mut self) -> Result<Received, VendronError> {
        loop {
            select! {
                biased; // what has arrived counts, however late it is read
                heard = self.stream.next() => {
                    if let Some(received) = self.hear(heard)? {
                        return Ok(received);
                    }
                }
                () = until(self.pulse.given_up_at()) => return Err(VendronError::Idle),
                () = until(self.pulse.ping_at()) => self.ping().await?,
            }
        }
    }

    /// Says goodbye, as far as it is heard, and hangs up.
    pub async fn close(mut self) {
        let _unheard = timeout(self.limits.connect, self.stream.close(None)).await;
    }

    fn hear(&mut self, heard: Option<Result<Message, Error>>) -> Result<Option<Received>, VendronError> {
        let message = heard.ok_or(VendronError::Closed)?.map_err(VendronError::of)?;
        self.pulse.heard(Instant::now());
        match message {
            Message::Text(text) => {
                let raw = self.legible(text.as_str());
                Ok(Some(Received { frame: parse(&raw), raw }))
            }
            Message::Binary(bytes) => {
                let raw = self.legible(&String::from_utf8_lossy(&bytes));
                Ok(Some(Received { raw, frame: Frame::unreadable() }))
            }
            Message::Close(_) => Err(VendronError::Closed),
            // The stream answers a ping when it is asked for the next message.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(None),
        }
    }

    /// What was heard as it may be kept: without secrets of ours, and Postgres takes no NUL in a text.
    fn legible(&self, text: &str) -> String {
        self.secrets.hidden_in(&text.replace('\0', "\u{fffd}"))
    }

    async fn ping(&mut self) -> Result<(), VendronError> {
        // First, so that it is counted also when nobody waits until it is sent.
        self.pulse.asked(Instant::now());
        self.write(Message::Ping(Bytes::new())).await
    }

    async fn write(&mut self, message: Message) -> Result<(), VendronError> {
        let written = timeout(self.limits.idle, self.stream.send(message)).await;
        written.map_err(|_| VendronError::Idle)?.map_err(VendronError::of)
    }
}

impl fmt::Debug for Socket {
    /// Without its stream: what is still to be sent there has secrets in it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Socket").field("id", &self.id).field("limits", &self.limits).finish_non_exhaustive()
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
