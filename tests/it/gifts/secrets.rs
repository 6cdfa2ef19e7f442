//! Where PINs must not be: in what Temporal keeps, in logs, in tables, in metrics, in answers.

use serde_json::{Value, json};
use stack::Part;
use system_tests::{Answer, Kept, PinWork};

use super::{SHOPS, assert_refused};

/// PINs that are nowhere by chance: two that are right, one that is wrong, and four that are none at all.
const RIGHT: &str = "706152938441";
const CHANGED: &str = "706152938442";
const WRONG: &str = "706152938443";
const NUMBER: u64 = 706_152_938_444;
const MISSHAPEN: &str = "706152938445x";
const LISTED: &str = "706152938446";
const MISPLACED: &str = "706152938447";

/// Bytes are written as their hexadecimal digits in some places.
fn spellings(secret: &str) -> [String; 2] {
    [secret.to_owned(), hex::encode(secret)]
}

/// Case 13.
#[tokio::test]
async fn case_13_no_pin_is_anywhere_in_clear() {
    let app = SHOPS.app();
    let supplier = app.supplier(&[RIGHT]);
    let (shop, account, gift_id) = (supplier.device(), supplier.account(0), app.gift());
    let saying = |body: Value| Answer::to(shop.saying("key", &body));
    let body = |pin: Value| json!({ "gift_id": gift_id, "supplier_invoice_no": account.number, "pin": pin });
    let refused = app.set_pin(PinWork::Little, &account.number, MISSHAPEN).unwrap_err();
    let mut answers = vec![
        saying(body(json!(WRONG))).await,
        saying(body(json!(NUMBER))).await,
        saying(body(json!(MISSHAPEN))).await,
        saying(body(json!([LISTED]))).await,
        saying(body(json!({ LISTED: LISTED }))).await,
        saying(json!({ "gift_id": gift_id, "pin": WRONG })).await,
        saying(json!({ "gift_id": gift_id, "supplier_invoice_no": account.number, "pin": RIGHT, "PIN": MISPLACED }))
            .await,
    ];
    for (answer, code) in answers.iter().zip([
        "credentials_invalid",
        "invalid_body",
        "credentials_invalid",
        "invalid_body",
        "invalid_body",
        "invalid_body",
        "invalid_body",
    ]) {
        assert_refused(answer, 400, code);
    }
    answers.push(shop.ask_to_use("used", &gift_id, account).await);
    answers.push(shop.ask_to_use("used", &gift_id, account).await);
    app.set_pin(PinWork::Usual, &account.number, CHANGED).unwrap();
    answers.push(shop.try_to_use(&gift_id, account).await);
    answers.push(shop.try_to_use(&gift_id, &account.with_pin(CHANGED)).await);
    answers.push(shop.try_to_void(&gift_id).await);

    let (histories, logs, rows) = (app.kept_histories(), app.kept_logs(), app.kept_rows().await);
    // What is searched is what was kept: these are there.
    assert!(Kept::holds(&histories, &format!("gift-redemption/{}", shop.redemption_id("used"))));
    assert!(Kept::holds(&rows, &gift_id) && Kept::holds(&rows, "$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(Kept::holds(&logs, shop.principal()) && app.stack().log(Part::Api).contains("api.listening"));

    let number = NUMBER.to_string();
    let secrets = [RIGHT, CHANGED, WRONG, &number, &MISSHAPEN[..12], LISTED, MISPLACED];
    let secrets: Vec<_> = secrets.into_iter().flat_map(spellings).collect();
    let told = answers.iter().map(|answer| format!("{answer:?}")).chain([format!("{refused:?}")]);
    let told: Vec<_> = told.map(|text| Kept::new("an answer", text)).collect();
    for kept in [histories, logs, rows, told, vec![app.kept_metrics().await]].into_iter().flatten() {
        let shown = secrets.iter().find(|secret| kept.text.contains(secret.as_str()));
        assert_eq!(shown, None, "in {}", kept.name);
    }
}
