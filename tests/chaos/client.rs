//! How a client that takes idempotency seriously speaks with an API that dies all the time.

use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use system_tests::{Answer, within};
use tokio::time::sleep;

use crate::violation::Surprises;

/// Longer than any request may take.
const HANG: Duration = Duration::from_secs(45);
/// How long a client repeats a request before it gives up.
const PERSEVERANCE: Duration = Duration::from_mins(5);
/// Clients wait before they repeat; without that, those of a dead API would take the machine from everybody else.
const BREATH: Duration = Duration::from_millis(100);

/// Sends the same request until there is a final answer; `what` names it in what is noted.
pub(crate) async fn insist(what: &str, surprises: &Surprises, request: impl Fn() -> RequestBuilder) -> Option<Answer> {
    let Ok(answer) = within(PERSEVERANCE, || attempt(surprises, request()), Option::is_some).await else {
        surprises.note(format!("{what} got no final answer in {PERSEVERANCE:?}"));
        return None;
    };
    answer
}

/// One try. Nothing when the answer was not final, or was lost.
async fn attempt(surprises: &Surprises, request: RequestBuilder) -> Option<Answer> {
    match Answer::attempt(request.timeout(HANG)).await {
        Ok(answer) if is_failure(answer.status) => {
            surprises.note(format!("the API answered {}: {}", answer.status, answer.body));
        }
        Ok(answer) if answer.is_final() => return Some(answer),
        Err(error) if error.is_timeout() => surprises.note(format!("a request hung for {HANG:?}: {error}")),
        Ok(_) | Err(_) => {}
    }
    sleep(BREATH).await;
    None
}

/// Being unavailable is what an API may be whose parts die; that what is behind it refuses or does not answer, it says.
fn is_failure(status: StatusCode) -> bool {
    let outages = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::BAD_GATEWAY, StatusCode::GATEWAY_TIMEOUT];
    status.is_server_error() && !outages.contains(&status)
}
