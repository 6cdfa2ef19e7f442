use std::sync::Arc;

use futures::future::BoxFuture;
use reqwest::{RequestBuilder, StatusCode};

type MakeRequest = dyn Fn(u64) -> RequestBuilder + Send + Sync;
type Settle = dyn Fn(u64) -> BoxFuture<'static, ()> + Send + Sync;

/// Where requests go, and which answer counts.
#[derive(Clone)]
pub(crate) struct Target {
    request: Arc<MakeRequest>,
    expected: StatusCode,
    settle: Option<Arc<Settle>>,
}

impl Target {
    /// `request` makes the n-th request.
    pub(crate) fn new(expected: StatusCode, request: impl Fn(u64) -> RequestBuilder + Send + Sync + 'static) -> Self {
        Self { request: Arc::new(request), expected, settle: None }
    }

    /// What has to be done after the n-th request, however it was answered. It is not timed.
    pub(crate) fn settling(self, settle: impl Fn(u64) -> BoxFuture<'static, ()> + Send + Sync + 'static) -> Self {
        Self { settle: Some(Arc::new(settle)), ..self }
    }

    /// Sends one request and reads the answer to its end; true when it was the one that counts.
    pub(crate) async fn send(&self, number: u64) -> bool {
        let Ok(response) = (self.request)(number).send().await else { return false };
        let expected = response.status() == self.expected;
        response.bytes().await.is_ok() && expected
    }

    /// Does what has to be done after a request.
    pub(crate) async fn settle(&self, number: u64) {
        if let Some(settle) = &self.settle {
            settle(number).await;
        }
    }
}

/// The `number`-th of so many, over and over again.
pub(crate) fn in_turn(addresses: &[String], number: u64) -> &str {
    let index = usize::try_from(number).unwrap_or_default() % addresses.len();
    &addresses[index]
}
