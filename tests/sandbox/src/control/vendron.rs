//! `/_control/vendron/…`: what happens at the fridges, and to whoever is connected to them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequest, Request};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{vendron_connections, vendron_machines, vendron_notifications, vendron_sales};
use crate::problem::{Body, Problem};
use crate::state::Sandbox;
use crate::vendron::Telling;

/// The fields that every event takes besides its own.
const OF_TELLING: [&str; 4] = ["omit", "quirks", "ref", "repeat"];

/// What follows `/_control/vendron`.
pub(crate) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/machines/{uid}", get(vendron_machines::show).post(vendron_machines::set))
        .route("/machines/{uid}/take", post(vendron_sales::take))
        .route("/machines/{uid}/put-back", post(vendron_sales::put_back))
        .route("/machines/{uid}/close", post(vendron_sales::close))
        .route("/machines/{uid}/complete", post(vendron_sales::complete))
        .route("/machines/{uid}/give-up", post(vendron_sales::give_up))
        .route("/machines/{uid}/error", post(vendron_sales::fail))
        .route("/machines/{uid}/drop", post(vendron_connections::cut))
        .route("/machines/{uid}/emit", post(vendron_connections::emit))
        .route("/machines/{uid}/notify", post(vendron_notifications::notify))
}

/// The body of an event: what happens, and among the same fields how it is told.
pub(super) struct Told<T> {
    pub(super) what: T,
    pub(super) telling: Telling,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Told<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Body(mut what) = Body::<Map<String, Value>>::from_request(request, state).await?;
        let telling = OF_TELLING.into_iter().filter_map(|name| what.remove_entry(name)).collect();
        Ok(Self { telling: read(telling)?, what: read(what)? })
    }
}

fn read<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Problem> {
    serde_json::from_value(Value::Object(fields)).map_err(|error| Problem::unprocessable(error.to_string()))
}

#[cfg(test)]
pub(super) mod tests {
    use axum::body::Body;
    use axum::http::{Method, Request};
    use tower::ServiceExt;

    use super::*;

    /// Status and body of what is answered about a machine; without a body to send, it is only looked at.
    pub(crate) async fn ask(sandbox: &Arc<Sandbox>, path: &str, body: Option<&str>) -> (u16, Value) {
        let router: Router = routes().with_state(Arc::clone(sandbox));
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let request = Request::builder().method(method).uri(format!("/machines/{path}"));
        let request = request.body(Body::from(body.unwrap_or_default().to_owned())).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }
}
