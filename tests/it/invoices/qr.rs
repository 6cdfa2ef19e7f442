//! Payment URIs as pictures: what a wallet's camera reads is what the API says.

use reqwest::{Method, StatusCode, header::HeaderValue};
use serde_json::json;
use system_tests::{Answer, Buyer, Download, Merchant, Output, Picture, TestApp};
use uuid::Uuid;

/// Pixels, as a person sees an SVG that fills a part of a screen.
const DRAWN: u16 = 600;
/// Of a PNG when nobody asks for another size.
const USUAL: usize = 300;

/// How a picture is read.
type Read = fn(&Download) -> Picture;

fn uri(invoice: &Answer) -> &str {
    invoice.body["payment_uris"][0]["value"].as_str().unwrap()
}

async fn picture(merchant: &Merchant, invoice_id: Uuid, file: &str) -> Download {
    Download::of(merchant.request(Method::GET, &format!("/invoices/{invoice_id}/{file}"))).await
}

fn png(download: &Download) -> Picture {
    assert_eq!(download.status, StatusCode::OK, "{:?}", download.problem());
    assert_eq!(download.headers["content-type"], "image/png");
    Picture::of_png(&download.body)
}

fn svg(download: &Download) -> Picture {
    assert_eq!(download.status, StatusCode::OK, "{:?}", download.problem());
    assert_eq!(download.headers["content-type"], "image/svg+xml");
    Picture::of_svg(std::str::from_utf8(&download.body).unwrap(), DRAWN)
}

#[tokio::test]
async fn another_program_reads_the_payment_uri_out_of_every_picture() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    for (coin_id, network_id, amount, begins) in [
        ("usdt", "tron", "12.5", "T"),
        ("btc", "bitcoin", "0.00000001", "bitcoin:"),
        ("eth", "ethereum", "123456.123456789012345678", "ethereum:0x"),
        ("usdt", "ethereum", "12.5", "ethereum:0xdAC17F958D2ee523a2206206994597C13D831ec7@1/transfer?"),
    ] {
        let body = json!({ "coin_id": coin_id, "network_id": network_id, "amount": amount });
        let created = merchant.create(&body).await;
        let (invoice_id, uri) = (created.invoice_id(), uri(&created));
        assert!(uri.starts_with(begins), "{uri}");
        let usual = png(&picture(&merchant, invoice_id, "qr.png").await);
        assert_eq!((usual.size(), usual.qr().as_deref()), ((USUAL, USUAL), Some(uri)));
        let large = png(&picture(&merchant, invoice_id, "qr.png?size=1000").await);
        assert_eq!((large.size(), large.qr().as_deref()), ((1000, 1000), Some(uri)));
        let drawn = svg(&picture(&merchant, invoice_id, "qr.svg").await);
        assert_eq!(drawn.qr().as_deref(), Some(uri));
    }
}

#[tokio::test]
async fn the_picture_asks_for_what_remains_and_for_nothing_when_nothing_is_awaited() {
    let app = TestApp::shared();
    let (merchant, watcher) = (app.merchant(), app.watcher());
    let body = json!({ "coin_id": "btc", "network_id": "bitcoin", "amount": "0.001" });
    let created = merchant.create(&body).await;
    let invoice_id = created.invoice_id();
    let whole = picture(&merchant, invoice_id, "qr.png").await;
    let known = |tag: &HeaderValue| {
        merchant.request(Method::GET, &format!("/invoices/{invoice_id}/qr.png")).header("If-None-Match", tag)
    };
    assert_eq!(Download::of(known(&whole.headers["etag"])).await.status, StatusCode::NOT_MODIFIED);

    assert_eq!(watcher.tell(&Output::paying(&created, "0.0004").settled(1)).await, "accepted");
    let partial = merchant.until(invoice_id, "partially_paid").await;
    assert_eq!(uri(&partial), format!("bitcoin:{}?amount=0.0006", created.text("deposit_address")));
    let rest = Download::of(known(&whole.headers["etag"])).await;
    assert_eq!(png(&rest).qr().as_deref(), Some(uri(&partial)));

    assert_eq!(watcher.tell(&Output::paying(&created, "0.0006").seen(1)).await, "accepted");
    merchant.until(invoice_id, "payment_confirmation").await;
    for file in ["qr.png", "qr.svg"] {
        let refused = picture(&merchant, invoice_id, file).await;
        assert_eq!((refused.status, refused.problem()), (StatusCode::CONFLICT, json!("payment_not_awaited")), "{file}");
    }
}

#[tokio::test]
async fn a_picture_is_for_the_merchant_and_for_the_buyer_with_his_token() {
    let app = TestApp::shared();
    let (merchant, stranger) = (app.merchant(), app.merchant());
    let form = json!({ "coin_id": "usdt", "network_id": "tron", "amount": "12.5", "expires_in_seconds": 900 });
    let buyer = Buyer::at(&app, &merchant.form(&form).await);
    let (bought, other) = (buyer.buy(&json!({})).await, buyer.buy(&json!({})).await);
    let uri = bought.body["invoice"]["payment_uris"][0]["value"].as_str().unwrap();
    for (file, read) in [("qr.png", png as Read), ("qr.svg", svg as Read)] {
        let path = format!("/invoices/{}/{file}", bought.invoice_id());
        let shown = |token: &str| {
            let request = app.http().get(app.api(&path)).header("Origin", "https://shop.example");
            Download::of(request.query(&[("token", token)]))
        };
        let seen = shown(bought.text("token")).await;
        assert_eq!(read(&seen).qr().as_deref(), Some(uri));
        assert_eq!(seen.headers["access-control-allow-origin"], "*");
        assert_eq!(read(&picture(&merchant, bought.invoice_id(), file).await).qr().as_deref(), Some(uri));
        for token in ["", "x", other.text("token"), &format!("{}A", bought.text("token"))] {
            assert_eq!(shown(token).await.status, StatusCode::NOT_FOUND, "{token}");
        }
        assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(Answer::to(app.http().get(app.api(&path))).await.status, StatusCode::UNAUTHORIZED);
        let nowhere = picture(&merchant, Uuid::now_v7(), file).await;
        assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_picture_has_bounds() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let invoice_id = merchant.create(&Merchant::invoice()).await.invoice_id();
    assert_eq!(png(&picture(&merchant, invoice_id, "qr.png?size=100").await).size(), (100, 100));
    for size in ["99", "1001", "0", "-1", "x", "", "300.5", "99999999999"] {
        let refused = picture(&merchant, invoice_id, &format!("qr.png?size={size}")).await;
        assert_eq!((refused.status, refused.problem()), (StatusCode::BAD_REQUEST, json!("invalid_query")), "{size}");
    }
}
