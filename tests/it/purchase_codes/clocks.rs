//! Machines whose clocks are wrong.

use chrono::{DateTime, SubsecRound, Utc};
use reqwest::StatusCode;
use stack::{Part, Settings};
use system_tests::{PROVIDER, TestApp, with_wrong_clock};

use super::{assert_disbursed_once, assert_reversed_once, brief, hasty, until_closed};

const HOUR: i64 = 3600;

/// A stack whose worker is an hour ahead, and then one whose worker is an hour behind.
async fn on_workers_with_wrong_clocks(settings: fn() -> Settings, test: impl AsyncFn(TestApp)) {
    for wrong_by in [HOUR, -HOUR] {
        test(TestApp::isolated(with_wrong_clock(settings(), Part::Worker, wrong_by)).await).await;
    }
}

#[tokio::test]
async fn case_27_a_code_begins_by_temporals_clock_whatever_the_workers_says() {
    on_workers_with_wrong_clocks(hasty, async |app| {
        let loan = app.open_loan().await;
        let before = Utc::now().trunc_subsecs(3);
        let purchase = app.frontend().issue(&loan).await;
        let created_at: DateTime<Utc> = purchase.details["created_at"].as_str().unwrap().parse().unwrap();
        assert!((before..=Utc::now()).contains(&created_at), "{:#}", purchase.details);
        assert_disbursed_once(&app, &loan, "a wrong clock").await;
        assert_eq!(app.till(PROVIDER).try_to_use(&purchase).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn case_27_a_code_ends_by_temporals_clock_and_is_reversed_once() {
    on_workers_with_wrong_clocks(brief, async |app| {
        let purchase = app.frontend().issue(&app.open_loan().await).await;
        until_closed(&app, purchase.id).await;
        assert!(Utc::now() >= purchase.expires_at(), "it ended before its time");
        assert_reversed_once(&app, &app.aws(), &purchase, "a wrong clock").await;
    })
    .await;
}
