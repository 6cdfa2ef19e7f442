//! Where Vendron's token, the address of Slack's webhook and the addresses that Vendron posts to must not be, nor who
//! buys: in what Temporal keeps, in logs, in tables, in metrics.

use std::fs;

use reqwest::StatusCode;
use serde_json::json;
use system_tests::{Kept, TestApp};

use super::{HASTY, assert_sold, ended, soup, soups};

fn secret(app: &TestApp, file: &str) -> String {
    fs::read_to_string(app.stack().secrets_dir().join(file)).unwrap().trim().to_owned()
}

/// A sale in the course of which everything is sent, fails, and is sent again. Who bought, and what lets Vendron post
/// about it.
async fn sell_badly(app: &TestApp, token: &str) -> ([String; 2], String) {
    let fridge = app.fridge().await;
    app.fail(("slack", "message"), "error", fridge.id(), 2).await;
    fridge.set(json!({ "refuses_with": -3 })).await;
    let refused = fridge.try_to_open("refused").await;
    assert_eq!(refused.answer.status, StatusCode::BAD_GATEWAY, "{:#?}", refused.answer);
    fridge.until_told("(-3)").await;
    fridge.set(json!({ "refuses_with": 0 })).await;
    fridge.status().await;

    fridge.set(json!({ "notifies": true })).await;
    let sale = fridge.open().await;
    let url = fridge.notification_url().await;
    let data = json!({ "public_api_token": token, "notification_url": url });
    let echo = json!({ "command": "echo", "command_data": data, "ref": token });
    fridge.emit(&[echo.to_string(), format!("no json with {token} and {url}")]).await;
    sale.until_heard("echo").await;
    let posted = json!({ "command": "posted_echo", "command_data": { "notification_url": url }, "ref": url });
    let statuses = fridge.notify(&[&posted.to_string(), &format!("no json with {url}"), &url]).await;
    assert_eq!(statuses, [200; 3]);
    sale.until_heard("posted_echo").await;
    let before = fridge.drop_connections().await;
    fridge.until_another_listens(&before).await;
    fridge.take(&[soup()]).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "badly").await;
    app.until_runs(&ended(&sale, "FridgeSale"), 1).await;
    // Three echoes, and the end.
    app.until_runs(&ended(&sale, "SaleNotification"), 4).await;
    let user = fridge.order()["user"].take();
    let buyer = ["id", "email"].map(|field| user[field].as_str().unwrap().to_owned());
    (buyer, url.rsplit('/').next().unwrap().to_owned())
}

#[tokio::test]
async fn no_token_and_no_webhook_is_anywhere_in_clear_and_no_buyer_where_he_need_not_be() {
    let app = HASTY.app();
    let (token, webhook) = (secret(&app, "vendron.token"), secret(&app, "slack.webhook"));
    assert!(token.len() > 20 && webhook.contains("/slack/"), "these are to be found nowhere");
    let (buyer, link) = sell_badly(&app, &token).await;
    assert_eq!(link.len(), 43, "nor is this");

    let (histories, logs, rows) = (app.kept_histories(), app.kept_logs(), app.kept_rows().await);
    // What is searched is what was kept: these are there.
    assert!(Kept::holds(&histories, "fridge-sale/") && Kept::holds(&logs, "api.listening"));
    assert!(Kept::holds(&rows, "***") && buyer.iter().all(|part| Kept::holds(&rows, part)));

    let secrets = [token, webhook, link, secret(&app, "notification.key")];
    let hidden: Vec<_> = secrets.into_iter().flat_map(|secret| [hex::encode(&secret), secret]).collect();
    let elsewhere = [histories, logs, vec![app.kept_metrics().await]];
    for kept in elsewhere.iter().flatten() {
        let shown = hidden.iter().chain(&buyer).find(|secret| kept.text.contains(secret.as_str()));
        assert_eq!(shown, None, "in {}", kept.name);
    }
    for kept in &rows {
        let shown = hidden.iter().find(|secret| kept.text.contains(secret.as_str()));
        assert_eq!(shown, None, "in {}", kept.name);
    }
}
