//! Where Vendron's token and the address of Slack's webhook must not be, nor who buys: in what Temporal keeps, in logs,
//! in tables, in metrics.

use std::fs;

use reqwest::StatusCode;
use serde_json::json;
use system_tests::{Kept, TestApp};

use super::{HASTY, assert_sold, soup, soups};

fn secret(app: &TestApp, file: &str) -> String {
    fs::read_to_string(app.stack().secrets_dir().join(file)).unwrap().trim().to_owned()
}

/// A sale in the course of which everything is sent, fails, and is sent again.
async fn sell_badly(app: &TestApp, token: &str) -> [String; 2] {
    let fridge = app.fridge().await;
    app.fail(("slack", "message"), "error", fridge.id(), 2).await;
    fridge.set(json!({ "refuses_with": -2 })).await;
    let refused = fridge.try_to_open("refused").await;
    assert_eq!(refused.answer.status, StatusCode::BAD_GATEWAY, "{:#?}", refused.answer);
    fridge.until_told("(-2)").await;
    fridge.set(json!({ "refuses_with": 0 })).await;
    fridge.status().await;

    let sale = fridge.open().await;
    let echo = json!({ "command": "echo", "command_data": { "public_api_token": token }, "ref": token });
    fridge.emit(&[echo.to_string(), format!("no json with {token}")]).await;
    sale.until_heard("echo").await;
    let before = fridge.drop_connections().await;
    fridge.until_another_listens(&before).await;
    fridge.take(&[soup()]).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "badly").await;
    sale.until_closed().await;
    let user = fridge.order()["user"].take();
    ["id", "email"].map(|field| user[field].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn no_token_and_no_webhook_is_anywhere_in_clear_and_no_buyer_where_he_need_not_be() {
    let app = HASTY.app();
    let (token, webhook) = (secret(&app, "vendron.token"), secret(&app, "slack.webhook"));
    assert!(token.len() > 20 && webhook.contains("/slack/"), "these are to be found nowhere");
    let buyer = sell_badly(&app, &token).await;

    let (histories, logs, rows) = (app.kept_histories(), app.kept_logs(), app.kept_rows().await);
    // What is searched is what was kept: these are there.
    assert!(Kept::holds(&histories, "fridge-sale/") && Kept::holds(&logs, "api.listening"));
    assert!(Kept::holds(&rows, "***") && buyer.iter().all(|part| Kept::holds(&rows, part)));

    let hidden = [token.clone(), hex::encode(&token), webhook.clone(), hex::encode(&webhook)];
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
