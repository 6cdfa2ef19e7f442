//! Slack's incoming webhooks: `POST /slack/…` with `{"text": …}`. What arrives is kept in the ledger.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::connection::Interim;
use crate::faults::{self, System};
use crate::reply::Reply;
use crate::state::Sandbox;

/// Whoever knows the address may post: it is the secret, so any is taken.
pub(crate) async fn receive(
    State(sandbox): State<Arc<Sandbox>>,
    Path(hook): Path<String>,
    interim: Interim,
    body: Bytes,
) -> Response {
    let text = match read(&body) {
        Ok(text) => text,
        Err(reason) => return plain(StatusCode::BAD_REQUEST, reason).into_response(),
    };
    let strike = sandbox.strike(System::Slack, "message", &[&text]);
    let effect = move || {
        let kept = sandbox.change(|world| {
            world.happened("slack", "message", json!({ "text": text, "hook": hook }));
            Ok(())
        });
        kept.map_or_else(Reply::from, |()| plain(StatusCode::OK, "ok"))
    };
    faults::answer(strike, &interim, effect).await
}

fn read(body: &[u8]) -> Result<String, &'static str> {
    let message: Value = serde_json::from_slice(body).map_err(|_| "invalid_payload")?;
    let text = message["text"].as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or("no_text")
}

fn plain(status: StatusCode, text: &str) -> Reply {
    Reply { status, content_type: "text/html; charset=utf-8", retry_after: None, body: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::post;
    use tower::ServiceExt;

    use super::*;
    use crate::mambu::samples;

    async fn posted(sandbox: &Arc<Sandbox>, body: &str) -> (u16, String) {
        let router: Router = Router::new().route("/slack/{*hook}", post(receive)).with_state(Arc::clone(sandbox));
        let request = Request::post("/slack/T0/B0/secret").body(Body::from(body.to_owned())).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn texts(sandbox: &Sandbox) -> Vec<Value> {
        sandbox.read(|world| world.entries().map(|entry| entry.detail["text"].clone()).collect())
    }

    #[tokio::test]
    async fn a_message_is_kept_and_what_is_none_is_refused() {
        let sandbox = samples::sandbox();
        assert_eq!(posted(&sandbox, r#"{"text":"The door is open"}"#).await, (200, "ok".to_owned()));
        assert_eq!(posted(&sandbox, "text=hello").await, (400, "invalid_payload".to_owned()));
        for bad in ["{}", r#"{"text":""}"#, r#"{"text":1}"#, "[]"] {
            assert_eq!(posted(&sandbox, bad).await, (400, "no_text".to_owned()), "{bad}");
        }
        assert_eq!(texts(&sandbox), ["The door is open"]);
    }

    #[tokio::test]
    async fn a_fault_finds_a_message_by_its_text() {
        let sandbox = samples::sandbox();
        let fault = r#"{"system":"slack","operation":"message","kind":"rate_limited","times":1,"match":"FRIDGE-1"}"#;
        let fault = serde_json::from_str(fault).unwrap();
        sandbox.change_quietly(|world| world.faults.list.push(fault));
        assert_eq!(posted(&sandbox, r#"{"text":"FRIDGE-2 is open"}"#).await.0, 200);
        assert_eq!(posted(&sandbox, r#"{"text":"FRIDGE-1 is open"}"#).await.0, 429);
        assert_eq!(posted(&sandbox, r#"{"text":"FRIDGE-1 is open"}"#).await.0, 200);
        assert_eq!(texts(&sandbox), ["FRIDGE-2 is open", "FRIDGE-1 is open"]);
    }
}
