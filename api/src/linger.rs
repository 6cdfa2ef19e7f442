//! A client that is answered in the middle of its body hears the answer: a connection that is closed with unread bytes
//! is reset, and the answer lost with it. What still comes is read for a moment and thrown away.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Error,
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::header,
};
use hyper::body::{Frame, SizeHint};
use tokio::{runtime::Handle, time::timeout};

use crate::json::ReadTimeout;

/// Enough for any client that did not know the limit; whoever sends more is cut off.
const MOST: usize = 16 * 1024 * 1024;

/// Lets the body be read to its end when nobody wants it any more.
pub(crate) async fn linger(request: Request) -> Request {
    if request.headers().contains_key(header::EXPECT) {
        // This client waits for the answer before it sends its body.
        return request;
    }
    let ReadTimeout(longest) = request.extensions().get().copied().unwrap_or_default();
    request.map(|body| Body::new(Lingering { body: Some(body), longest }))
}

struct Lingering {
    /// Nothing once it was read to its end.
    body: Option<Body>,
    longest: Duration,
}

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| !body.is_end_stream());
        if let (Some(rest), Ok(runtime)) = (rest, Handle::try_current()) {
            // Whether it ended or took too long: dropping it lets the connection go.
            runtime.spawn(timeout(self.longest, throw_away(rest)));
        }
    }
}

async fn throw_away(mut body: Body) {
    let mut read = 0;
    while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > MOST {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use axum::body::to_bytes;
    use tokio::task::yield_now;

    use super::*;

    /// A body without an end that counts how much of it was read.
    struct Endless(Arc<AtomicUsize>);

    impl HttpBody for Endless {
        type Data = Bytes;
        type Error = Error;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![0; 65536])))))
        }
    }

    impl Drop for Endless {
        fn drop(&mut self) {
            self.0.fetch_add(1_000_000, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn an_unwanted_body_is_read_up_to_a_limit() {
        let read = Arc::new(AtomicUsize::new(0));
        let request = Request::new(Body::new(Endless(Arc::clone(&read))));
        drop(linger(request).await);
        while read.load(Ordering::Relaxed) < 1_000_000 {
            yield_now().await;
        }
        assert_eq!(read.load(Ordering::Relaxed), 1_000_000 + MOST / 65536 + 1);
    }

    #[tokio::test]
    async fn a_client_that_waits_for_the_answer_is_not_made_to_send() {
        let read = Arc::new(AtomicUsize::new(0));
        let mut request = Request::new(Body::new(Endless(Arc::clone(&read))));
        request.headers_mut().insert(header::EXPECT, "100-continue".parse().unwrap());
        drop(linger(request).await);
        assert_eq!(read.load(Ordering::Relaxed), 1_000_000);
    }

    #[tokio::test]
    async fn a_body_that_is_wanted_is_itself() {
        let request = linger(Request::new(Body::from("all of it"))).await;
        assert_eq!(request.body().size_hint().exact(), Some(9));
        assert_eq!(to_bytes(request.into_body(), 100).await.unwrap(), "all of it");
    }
}
