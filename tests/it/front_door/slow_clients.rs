//! Clients that send slowly, or nothing, are cut off, and others wait for no longer than that.

use stack::{Part, Settings};
use system_tests::{Answer, TestApp};

use super::wire::Wire;

/// The head of a request with a body of a thousand bytes.
fn head(key: &str) -> String {
    format!(
        "POST /invoices HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {key}\r\nIdempotency-Key: key\r\n\
         Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    )
}

async fn impatient() -> TestApp {
    let settings = Settings::isolated().env(Part::Api, "PERDURA_READ_TIMEOUT", "3s");
    TestApp::isolated(settings.env(Part::Api, "PERDURA_CONNECTIONS", "4")).await
}

#[tokio::test]
async fn who_sends_slowly_is_cut_off_and_others_get_their_turn() {
    let app = impatient().await;
    tokio::join!(says_nothing(&app), drips_a_head(&app), drips_a_body(&app), keeps_an_answered_connection(&app));
    takes_every_connection(&app).await;
}

async fn says_nothing(app: &TestApp) {
    assert_eq!(Wire::open(app).await.until_closed().await, "");
    let mut wire = Wire::open(app).await;
    wire.send(b"GET /livez HTTP/1.1\r\nHost: a").await.unwrap();
    assert_eq!(wire.until_closed().await, "", "half a head gets no answer");
}

async fn drips_a_head(app: &TestApp) {
    let mut wire = Wire::open(app).await;
    wire.send(b"GET /livez HTTP/1.1\r\nX-Slow: ").await.unwrap();
    assert_eq!(wire.dripping().await, "", "every byte would have bought more time");
}

async fn drips_a_body(app: &TestApp) {
    let merchant = app.merchant();
    for silent in [true, false] {
        let mut wire = Wire::open(app).await;
        wire.send(head(merchant.key()).as_bytes()).await.unwrap();
        let said = if silent { wire.until_closed().await } else { wire.dripping().await };
        assert!(said.starts_with("HTTP/1.1 408 "), "{said:?}");
        assert!(said.contains("application/problem+json") && said.contains("request_timeout"), "{said:?}");
    }
    let without_a_key = head("nobody");
    let mut wire = Wire::open(app).await;
    wire.send(without_a_key.as_bytes()).await.unwrap();
    let said = wire.dripping().await;
    assert!(said.starts_with("HTTP/1.1 401 "), "nothing is read of a stranger's body: {said:?}");
}

async fn keeps_an_answered_connection(app: &TestApp) {
    let mut wire = Wire::open(app).await;
    wire.send(b"GET /livez HTTP/1.1\r\nHost: api\r\n\r\n").await.unwrap();
    let said = wire.until_closed().await;
    assert!(said.starts_with("HTTP/1.1 200 ") && said.contains("alive"), "{said:?}");
}

/// The API takes four connections, and these are more than that.
async fn takes_every_connection(app: &TestApp) {
    let mut slow = Vec::new();
    for _ in 0..10 {
        let mut wire = Wire::open(app).await;
        wire.send(b"GET /livez HTTP/1.1\r\n").await.unwrap();
        slow.push(wire);
    }
    let alive = Answer::to(app.http().get(app.api("/livez"))).await;
    assert_eq!(alive.status, 200, "who is behind them is served in the end");
    for wire in slow {
        assert_eq!(wire.until_closed().await, "");
    }
}
