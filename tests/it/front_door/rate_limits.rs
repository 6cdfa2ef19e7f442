//! Who sends too much hears when to come back; nobody else is concerned.

use futures::future::join_all;
use reqwest::RequestBuilder;
use stack::{Part, Settings};
use system_tests::{Answer, TestApp};
use uuid::Uuid;

/// Accounts of five requests, which fill up so slowly that no test sees it.
async fn strict(proxies: Option<&str>) -> TestApp {
    let limits = [("KEY_RATE", "1"), ("KEY_BURST", "5"), ("ADDRESS_RATE", "1"), ("ADDRESS_BURST", "5")];
    let mut settings = Settings::isolated();
    for (name, value) in limits {
        settings = settings.env(Part::Api, format!("PERDURA_{name}"), value);
    }
    if let Some(proxies) = proxies {
        settings = settings.env(Part::Api, "PERDURA_TRUSTED_PROXIES", proxies);
    }
    TestApp::isolated(settings).await
}

/// Sends thirty requests at once: the answers that are no refusal of the limit, and the refusals.
async fn storm(request: impl Fn() -> RequestBuilder) -> (Vec<Answer>, Vec<Answer>) {
    let answers = join_all((0..30).map(|_| Answer::to(request()))).await;
    answers.into_iter().partition(|answer| answer.status != 429)
}

fn assert_says_when(refused: &[Answer]) {
    assert!(!refused.is_empty(), "nobody was refused");
    for answer in refused {
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.body["code"], "rate_limited", "{answer:#?}");
        let seconds: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=5).contains(&seconds), "{seconds}");
    }
}

#[tokio::test]
async fn each_key_and_each_stranger_has_an_account() {
    let app = strict(None).await;
    let (one, other) = (app.merchant(), app.merchant());
    // From now on the two keys are known.
    assert_eq!(one.get("/invoices").await.status, 200);
    assert_eq!(other.get("/invoices").await.status, 200);

    let (taken, refused) = storm(|| one.request(reqwest::Method::GET, "/invoices")).await;
    assert!((5..20).contains(&taken.len()), "{} of 30 were taken", taken.len());
    assert!(taken.iter().all(|answer| answer.status == 200), "{taken:#?}");
    assert_says_when(&refused);

    let guess = format!("pk_{}", "A".repeat(43));
    let (taken, refused) = storm(|| app.http().get(app.api("/invoices")).bearer_auth(&guess)).await;
    assert!(taken.iter().all(|answer| answer.status == 401), "{taken:#?}");
    assert_says_when(&refused);
    let told =
        |last: u8| app.http().get(app.api("/payment-options")).header("X-Forwarded-For", format!("192.0.2.{last}"));
    let elsewhere = join_all((0..30).map(|last| Answer::to(told(last)))).await;
    assert!(elsewhere.iter().any(|answer| answer.status == 429), "a stranger is not believed");

    let invoice = other.get(&format!("/invoices/{}", Uuid::now_v7())).await;
    assert_eq!(invoice.status, 404, "another key of the same address is not concerned: {invoice:#?}");
    let (well, _) = storm(|| app.http().get(app.api("/livez"))).await;
    assert_eq!(well.len(), 30, "health is not limited");
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_an_account() {
    let app = strict(Some("127.0.0.0/8,10.0.0.0/8")).await;
    let from = |client: &str| {
        app.http().get(app.api("/payment-options")).header("X-Forwarded-For", format!("1.2.3.4, {client}, 10.0.0.1"))
    };
    let (taken, refused) = storm(|| from("192.0.2.1")).await;
    assert!((5..20).contains(&taken.len()), "{} of 30 were taken", taken.len());
    assert_says_when(&refused);
    assert_eq!(Answer::to(from("192.0.2.2")).await.status, 200, "another client is not concerned");
}
