//! Does to an HTTP request what the fault says.

use std::io;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde_json::Value;

use super::{Kind, Strike};
use crate::problem::Problem;

/// Answers with what `effect` says, or as the fault wants it; `effect` runs at most once.
pub(crate) async fn answer(strike: Option<Strike>, effect: impl FnOnce() -> Result<Value, Problem> + Send) -> Response {
    let Some(mut strike) = strike else {
        return respond(effect());
    };
    match strike.kind {
        Kind::Error => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "a fault was asked for").into_response(),
        Kind::Slow => {
            strike.wait().await;
            respond(effect())
        }
        Kind::Timeout => {
            strike.wait().await;
            hang_up()
        }
        Kind::ExecuteThenTimeout => {
            let _unheard = effect();
            strike.wait().await;
            hang_up()
        }
        Kind::Malformed => effect().map_or_else(IntoResponse::into_response, |value| cut_off(&value)),
    }
}

fn respond(result: Result<Value, Problem>) -> Response {
    result.map(Json).into_response()
}

/// A 200 whose body stops in the middle.
fn cut_off(value: &Value) -> Response {
    let text: String = value.to_string();
    let half = text.chars().take(text.chars().count() / 2).collect::<String>();
    ([(CONTENT_TYPE, "application/json")], half).into_response()
}

/// Closes the connection without a status line: a body that fails before its first byte takes the head with it.
fn hang_up() -> Response {
    let failure = io::Error::new(io::ErrorKind::ConnectionAborted, "a fault was asked for");
    Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(failure)])))
}
