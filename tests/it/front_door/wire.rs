//! A connection of bare bytes, to do what no HTTP client does.

use std::{io, time::Duration};

use system_tests::TestApp;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::{interval, timeout},
};

/// Only a failing test waits this long.
const DEADLINE: Duration = Duration::from_mins(3);
/// Between two bytes of a client that is slow, and yet never silent.
const DRIP: Duration = Duration::from_millis(20);

/// A connection to the API.
pub(super) struct Wire {
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
}

impl Wire {
    pub(super) async fn open(app: &TestApp) -> Self {
        let address = app.stack().api_url().strip_prefix("http://").unwrap();
        let (read, write) = TcpStream::connect(address).await.unwrap().into_split();
        Self { read, write }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write.write_all(bytes).await
    }

    /// What the API says until it closes the connection.
    pub(super) async fn until_closed(mut self) -> String {
        // The other half stays open: it is the API that has to end this.
        listen(&mut self.read).await
    }

    /// The same while the client goes on to send something, one byte after the other, and listens.
    pub(super) async fn dripping(mut self) -> String {
        let drip = async {
            let mut ticks = interval(DRIP);
            ticks.tick().await;
            while self.write.write_all(b"x").await.is_ok() {
                ticks.tick().await;
            }
        };
        tokio::join!(listen(&mut self.read), drip).0
    }

    /// The same while the client pours out `chunk` again and again, `times` times or until nobody takes it.
    pub(super) async fn pouring(mut self, chunk: &[u8], times: usize) -> String {
        let pour = async {
            let mut left = times;
            while left > 0 && self.write.write_all(chunk).await.is_ok() {
                left -= 1;
            }
        };
        tokio::join!(listen(&mut self.read), pour).0
    }
}

/// A connection that is reset has said what it said before.
async fn listen(read: &mut OwnedReadHalf) -> String {
    let mut said = Vec::new();
    let ended = timeout(DEADLINE, read.read_to_end(&mut said)).await;
    assert!(ended.is_ok(), "the API did not close the connection; it said {:?}", String::from_utf8_lossy(&said));
    String::from_utf8_lossy(&said).into_owned()
}
