//! Case 16: DynamoDB has no room for now. The emulator always has, so that something in front of it says so.

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use stack::Part;
use system_tests::{PROVIDER, TestApp};
use tokio::net::TcpListener;

use super::{assert_disbursed_once, hasty};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
/// More than AWS's client asks by itself, and more than a step inside its workflow task does with it.
const MANY: usize = 14;

/// What stands between the worker and the tables.
#[derive(Default)]
struct Throttle {
    http: reqwest::Client,
    /// Unknown while the stack starts: nothing is asked then but for a sign of life.
    tables: OnceLock<String>,
    refusals: AtomicUsize,
}

impl Throttle {
    async fn start() -> (Arc<Self>, SocketAddr) {
        let throttle = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().fallback(pass).with_state(Arc::clone(&throttle));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (throttle, address)
    }

    /// Refuses so many writes from now on.
    fn refuse(&self, writes: usize) {
        self.refusals.store(writes, Ordering::SeqCst);
    }

    fn refuses(&self, target: &str) -> bool {
        let is_write = ["TransactWriteItems", "UpdateItem", "PutItem"].iter().any(|write| target.ends_with(write));
        let one_less = |left: usize| left.checked_sub(1);
        is_write && self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
    }
}

async fn pass(State(throttle): State<Arc<Throttle>>, mut headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get(TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
    let Some(tables) = throttle.tables.get() else {
        return (JSON, "{}").into_response();
    };
    if throttle.refuses(target) {
        let kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
        let refusal = serde_json::json!({ "__type": kind, "message": "The level of throughput is exceeded" });
        return (StatusCode::BAD_REQUEST, JSON, refusal.to_string()).into_response();
    }
    headers.remove(header::HOST);
    let answer = throttle.http.post(tables).headers(headers).body(body).send().await.unwrap();
    (answer.status(), JSON, answer.bytes().await.unwrap()).into_response()
}

#[tokio::test]
async fn case_16_throttled_tables_delay_a_purchase_and_change_nothing() {
    let (throttle, address) = Throttle::start().await;
    let settings = hasty().env(Part::Worker, "PERDURA_DYNAMODB_URL", format!("http://{address}"));
    let app = TestApp::isolated(settings).await;
    throttle.tables.set(app.stack().aws_url().to_owned()).unwrap();
    let (frontend, till) = (app.frontend(), app.till(PROVIDER));
    for refusals in [1, MANY] {
        throttle.refuse(refusals);
        let loan = app.open_loan().await;
        let purchase = frontend.issue(&loan).await;
        assert_eq!(throttle.refusals.load(Ordering::SeqCst), 0, "it was throttled");
        assert_disbursed_once(&app, &loan, "throttled").await;
        throttle.refuse(refusals);
        assert_eq!(till.try_to_use(&purchase).await.status, StatusCode::OK);
        assert_eq!(till.try_to_use(&purchase).await.status, StatusCode::FORBIDDEN, "once");
        assert_eq!(app.aws().purchase(purchase.id).await["status"], "USADO");
    }
}
