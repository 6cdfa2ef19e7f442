use std::error::Error;

use super::*;
use crate::fake_system::FakeSystem;

async fn slack(status: u16) -> (FakeSystem, Slack) {
    let system = FakeSystem::start(move |_, _| Some((status, "ok".to_owned()))).await;
    let webhook = system.url().join("services/T0/B0/a-very-secret-path").unwrap();
    let slack = Slack::new(webhook.as_str().into(), Duration::from_mins(1)).unwrap();
    (system, slack)
}

#[tokio::test]
async fn a_message_is_sent_as_text_that_calls_nobody() {
    let (system, slack) = slack(200).await;
    slack.send("FRIDGE-1: <!channel> & co").await.unwrap();
    let asked = system.asked();
    assert!(asked[0].starts_with("POST /services/T0/B0/a-very-secret-path HTTP/1.1\r\n"), "{}", asked[0]);
    assert!(asked[0].ends_with(r#"{"text":"FRIDGE-1: &lt;!channel&gt; &amp; co"}"#), "{}", asked[0]);
}

#[tokio::test]
async fn what_passes_may_be_tried_again_and_what_stays_may_not() {
    for (status, is_retryable) in
        [(429, true), (500, true), (503, true), (302, true), (400, false), (403, false), (404, false), (410, false)]
    {
        let (_system, slack) = slack(status).await;
        assert_eq!(slack.send("text").await.unwrap_err().is_retryable(), is_retryable, "{status}");
    }
}

#[tokio::test]
async fn the_webhook_is_in_no_error() {
    let system = FakeSystem::start(|_, _| None).await;
    let webhook = system.url().join("services/a-very-secret-path").unwrap();
    let slack = Slack::new(webhook.as_str().into(), Duration::from_mins(1)).unwrap();
    let error = slack.send("text").await.unwrap_err();
    assert!(error.is_retryable());
    let source = error.source().and_then(|error| error.source()).map(ToString::to_string).unwrap_or_default();
    assert!(!format!("{error} {error:?} {source} {slack:?}").contains("secret"), "{error:?}");
}

#[test]
fn what_is_no_web_address_is_refused() {
    for webhook in ["", "hooks.slack.com/services/x", "ftp://hooks.slack.com/x", "file:///etc/passwd"] {
        let refused = Slack::new(webhook.into(), Duration::from_mins(1));
        assert!(matches!(refused, Err(SlackError::BadUrl)), "{webhook}");
    }
}
