//! The pictures: what their symbols say, and for how long they are there.

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{TimeDelta, Utc};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use system_tests::{Answer, Download, Frontend, PROVIDER, Picture, Purchase, TestApp, eventually};
use tokio::time::sleep;

use super::{BRIEF, assert_reversed_once, until_closed};

/// A picture on a small screen.
const SMALL: usize = 200;

/// The symbol of the answer itself.
fn symbol(purchase: &Purchase) -> Picture {
    let image = purchase.details["qr"]["image"].as_str().unwrap();
    let image = image.strip_prefix("data:image/png;base64,").unwrap();
    Picture::of_png(&BASE64_STANDARD.decode(image).unwrap())
}

#[tokio::test]
async fn another_program_reads_every_picture_of_a_code_also_when_it_is_small() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    for _ in 0..3 {
        let purchase = frontend.issue(&app.open_loan().await).await;
        let content = format!("HTTPS://CODES.EXAMPLE/C/{}", purchase.code());
        assert_eq!(purchase.details["qr"]["content"], content);
        let voucher = frontend.download(&purchase).await;
        assert_eq!(voucher.status, StatusCode::OK);
        assert_eq!(voucher.headers["content-type"], "image/png");
        let voucher = Picture::of_png(&voucher.body);
        assert_eq!(voucher.size(), (640, 960));
        for (what, picture) in [("symbol", symbol(&purchase)), ("voucher", voucher)] {
            assert_eq!(picture.qr().as_deref(), Some(content.as_str()), "{what}");
            assert_eq!(picture.scaled_to(SMALL).qr().as_deref(), Some(content.as_str()), "{what}, small");
        }
    }
}

#[tokio::test]
async fn ten_downloads_at_once_are_one_picture_and_one_object() {
    let app = TestApp::shared();
    let (aws, frontend) = (app.aws(), app.frontend());
    let purchase = frontend.issue(&app.open_loan().await).await;
    assert!(!aws.has_voucher(purchase.id).await, "nobody asked for it yet");
    let downloads = join_all((0..10).map(|_| frontend.download(&purchase))).await;
    for download in &downloads {
        assert_eq!(download.status, StatusCode::OK);
        assert_eq!(download.headers["etag"], downloads[0].headers["etag"]);
        assert!(download.body == downloads[0].body, "another picture");
        assert_eq!(download.headers["cache-control"], "no-store");
    }
    assert!(aws.has_voucher(purchase.id).await);
    assert_eq!(aws.purchase(purchase.id).await["image_url"], format!("vouchers/{}.png", purchase.id));

    let path = format!("{}/download", purchase.path());
    let known = frontend.request(Method::GET, &path).header("If-None-Match", &downloads[0].headers["etag"]);
    assert_eq!(Download::of(known).await.status, StatusCode::NOT_MODIFIED);
    let singular = path.replace("/credit-lines/", "/credit-line/").replace("/purchases/", "/purchase/");
    assert_eq!(frontend.get(&singular).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_picture_that_got_lost_is_drawn_again() {
    let app = TestApp::shared();
    let (aws, frontend) = (app.aws(), app.frontend());
    let purchase = frontend.issue(&app.open_loan().await).await;
    let first = frontend.download(&purchase).await;
    aws.lose_voucher(purchase.id).await;
    let again = frontend.download(&purchase).await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(again.body == first.body, "another picture");
    assert!(aws.has_voucher(purchase.id).await);
}

#[tokio::test]
async fn a_picture_is_for_the_frontend_that_asked_for_the_code() {
    let app = TestApp::shared();
    let purchase = app.frontend().issue(&app.open_loan().await).await;
    let path = format!("{}/download", purchase.path());
    assert_eq!(app.frontend().get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.till(PROVIDER).get(&path).await.status, StatusCode::FORBIDDEN);
    assert_eq!(Answer::to(app.http().get(app.api(&path))).await.status, StatusCode::UNAUTHORIZED);
    assert!(!app.aws().has_voucher(purchase.id).await, "it was drawn for somebody who may not have it");
}

#[tokio::test]
async fn the_picture_of_a_used_code_is_gone() {
    let app = TestApp::shared();
    let (aws, frontend) = (app.aws(), app.frontend());
    let purchase = frontend.issue(&app.open_loan().await).await;
    assert_eq!(frontend.download(&purchase).await.status, StatusCode::OK);
    assert_eq!(app.till(PROVIDER).try_to_use(&purchase).await.status, StatusCode::OK);
    let over = frontend.download(&purchase).await;
    assert_eq!((over.status, over.problem()), (StatusCode::GONE, "code_expired".into()));
    eventually("the voucher to be deleted", || aws.has_voucher(purchase.id), |kept| !kept).await;
    assert!(aws.purchase(purchase.id).await["image_url"].is_null());
}

/// Downloads come around the end of the time to scan, in milliseconds.
const MOMENTS: [i64; 6] = [-1000, -60, -25, -5, 0, 30];
const CODES: usize = 8;

async fn downloaded_at(frontend: &Frontend, purchase: &Purchase, moment: i64) {
    let wait = purchase.expires_at() + TimeDelta::milliseconds(moment) - Utc::now();
    sleep(wait.to_std().unwrap_or_default()).await;
    let download = frontend.download(purchase).await;
    match download.status {
        StatusCode::OK => {
            assert!(Picture::of_png(&download.body).qr().is_some());
        }
        status => assert_eq!((status, download.problem()), (StatusCode::GONE, "code_expired".into())),
    }
}

#[tokio::test]
async fn downloads_that_race_the_end_leave_nothing_behind() {
    let app = BRIEF.app();
    let (aws, frontend) = (app.aws(), app.frontend());
    let code = || async {
        let purchase = frontend.issue(&app.open_loan().await).await;
        join_all(MOMENTS.map(|moment| downloaded_at(&frontend, &purchase, moment))).await;
        purchase
    };
    for purchase in join_all((0..CODES).map(|_| code())).await {
        until_closed(&app, purchase.id).await;
        assert!(!aws.has_voucher(purchase.id).await, "the voucher of {} stays", purchase.id);
        assert_reversed_once(&app, &aws, &purchase, "raced").await;
        assert_eq!(frontend.download(&purchase).await.status, StatusCode::GONE);
    }
}

#[tokio::test]
async fn a_phones_camera_is_shown_the_same_page_for_every_code() {
    let app = TestApp::shared();
    let purchase = app.frontend().issue(&app.open_loan().await).await;
    let page = async |code: &str| Download::of(app.http().get(app.api(&format!("/C/{code}")))).await;
    let (real, none) = (page(purchase.code()).await, page("nothing").await);
    assert_eq!((real.status, none.status), (StatusCode::OK, StatusCode::OK));
    assert!(real.body == none.body && !String::from_utf8_lossy(&real.body).contains(purchase.code()));
}
