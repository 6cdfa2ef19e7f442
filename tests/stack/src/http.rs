//! As much of HTTP as starting a stack needs.

use std::io;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const ANSWER: Duration = Duration::from_secs(10);
const LONGEST: u64 = 64 * 1024;

/// The status of a `GET` on the loopback.
pub(crate) async fn get(port: u16, path: &str) -> Result<u16> {
    let answer = timeout(ANSWER, exchange(port, (&format!("GET {path}"), ""), "")).await;
    let answer = answer.with_context(|| format!("no answer to GET {path}"))??;
    status(&answer).with_context(|| format!("the answer to GET {path} is no HTTP"))
}

/// A `POST` of JSON on the loopback that has to succeed.
pub(crate) async fn post(port: u16, path: &str, body: &Value) -> Result<()> {
    post_with(port, path, &[], body).await.map(drop)
}

/// The same with headers of its own: the body of the answer.
pub(crate) async fn post_with(port: u16, path: &str, headers: &[(&str, &str)], body: &Value) -> Result<String> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| format!("\r\n{name}: {value}")).collect();
    let (line, headers) = (format!("POST {path}"), headers.concat());
    let answer = timeout(ANSWER, exchange(port, (&line, &headers), &body.to_string())).await;
    let answer = answer.with_context(|| format!("no answer to POST {path}"))??;
    match (status(&answer), answer.split_once("\r\n\r\n")) {
        (Some(200..=299), Some((_, body))) => Ok(body.to_owned()),
        _ => bail!("POST {path} failed: {answer}"),
    }
}

/// The whole answer to a request.
async fn exchange(port: u16, (line, headers): (&str, &str), body: &str) -> io::Result<String> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await?;
    let head = format!("{line} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close{headers}\r\n");
    let about = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    let about = if body.is_empty() { String::new() } else { about };
    connection.write_all(format!("{head}{about}\r\n{body}").as_bytes()).await?;
    let mut answer = Vec::new();
    connection.take(LONGEST).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn status(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ")?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_read_from_the_first_line() {
        assert_eq!(status("HTTP/1.1 404 Not Found\r\n\r\n"), Some(404));
        assert_eq!(status("HTTP/1.1 201\r\n"), Some(201));
        for broken in ["", "HTTP/1.1 ", "HTTP/1.1 x", "SSH-2.0"] {
            assert_eq!(status(broken), None, "{broken}");
        }
    }
}
