//! A system of somebody else for unit tests: answers over HTTP as a closure says, and keeps what it was asked.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

type Asked = Arc<Mutex<Vec<String>>>;

/// The system.
pub(crate) struct FakeSystem {
    url: Url,
    asked: Asked,
}

impl FakeSystem {
    /// `answer` gets the whole request and how many came before it; `None` hangs up without a word.
    pub(crate) async fn start<F>(answer: F) -> Self
    where
        F: Fn(&str, usize) -> Option<(u16, String)> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let asked = Asked::default();
        tokio::spawn(serve(listener, Arc::clone(&asked), Arc::new(answer)));
        Self { url, asked }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> Url {
        self.url.clone()
    }

    /// Every request so far, as it was sent.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve<F>(listener: TcpListener, asked: Asked, answer: Arc<F>)
where
    F: Fn(&str, usize) -> Option<(u16, String)> + Send + Sync + 'static,
{
    while let Ok((mut stream, _)) = listener.accept().await {
        let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
        tokio::spawn(async move {
            let request = read(&mut stream).await;
            let before = {
                let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
                asked.push(request.clone());
                asked.len() - 1
            };
            if let Some((status, body)) = answer(&request, before) {
                let head = format!("HTTP/1.1 {status} Word\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
                let location = "location: /elsewhere\r\n\r\n";
                // The other side may hang up early.
                let _written = stream.write_all(format!("{head}{location}{body}").as_bytes()).await;
            }
        });
    }
}

async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
        bytes.extend_from_slice(&chunk[..read]);
        if is_whole(&String::from_utf8_lossy(&bytes)) {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else {
        return false;
    };
    let length = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok();
    body.len() >= head.lines().find_map(length).unwrap_or(0)
}
