//! 8.8c: what Vendron posts at the URL that it was given for a sale. It counts like a frame of the sale's own
//! websocket, whatever became of that; `crashes` has what is posted while nobody can take it.

use futures::future::{join, join_all};
use reqwest::{Body, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sqlx::query_scalar;
use system_tests::{Answer, Fridge, Frontend, Sale, TestApp, eventually};
use uuid::Uuid;

use super::{
    HASTY, assert_sold, assert_unresolved, ended,
    frames::{closed, completed, frame, kept, taken},
    losses::missed_ends,
    soup, soups, until_posted, water, waters,
};

const JSON: &str = "application/json";
/// As many bytes as are taken.
const LONGEST: usize = 64 * 1024;
/// Of which a token is made: 32 bytes in base64.
const LETTERS: usize = 43;
/// Vendron's real words for an end with nothing bought, under a reference that nobody gave.
const CANCELLED: &str = r#"{"command":"smart_fridge_request_completed","command_data":{"status":"0","error_data":{"code":"-10","message":"This VDPS transaction has been canceled & closed"},"json_data":[]},"ref":"1795341600"}"#;

/// Something that is sent to wherever.
fn posting(app: &TestApp, url: &str, media_type: &str, body: impl Into<Body>) -> RequestBuilder {
    app.http().post(url).header("Content-Type", media_type).body(body)
}

/// An open door whose sale has no websocket that hears of it: its end is posted. Somebody else has the machine at
/// Vendron from now on, so that nobody concludes from a machine that is free that the end was missed.
pub(super) async fn opened_unheard(fridge: &Fridge) -> Sale {
    fridge.set(json!({ "notifies": true, "resumes": false })).await;
    let sale = fridge.open().await;
    fridge.drop_connections().await;
    fridge.set(json!({ "busy": true })).await;
    sale
}

/// A sale whose end was missed, and nothing of what was taken is known.
pub(super) async fn missed(fridge: &Fridge) -> Sale {
    fridge.set(json!({ "resumes": false })).await;
    let sale = fridge.open().await;
    fridge.drop_connections().await;
    fridge.take(&[soup()]).await;
    fridge.close().await;
    assert_unresolved(fridge, &sale, "missed").await;
    sale
}

/// Waits until all of this is on record as heard of a sale.
async fn until_kept(app: &TestApp, sale: &Sale, bodies: &[String]) {
    let database = app.database().await;
    let raw = || async {
        let select = query_scalar("select raw from event where transaction_id = $1 and direction = 'received'");
        select.bind(sale.transaction_id()).fetch_all(&database).await.unwrap()
    };
    let has_all = |raw: &Vec<String>| bodies.iter().all(|body| raw.contains(body));
    eventually("everything that was posted to be kept", raw, has_all).await;
}

/// What is owed for what, as the frontend is shown it.
async fn bill(sale: &Sale) -> Value {
    let shown = sale.read().await.body;
    let fields = ["status", "door", "products", "total", "reported_total", "disputed", "capture"];
    fields.iter().map(|field| shown[*field].clone()).collect()
}

#[tokio::test]
async fn an_end_that_is_only_posted_ends_the_sale() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    let sale = opened_unheard(&fridge).await;
    fridge.take(&[soup()]).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "posted").await;

    fridge.set(json!({ "busy": false })).await;
    let next = fridge.open().await;
    fridge.close().await;
    next.until("empty").await;
    app.until_runs(&ended(&sale, "FridgeSale"), 1).await;
    assert_eq!(missed_ends(&fridge).await, 0, "nobody has missed anything");
    assert_eq!(kept(&app, &sale, "name = 'smart_fridge_request_completed'").await.len(), 1, "on no websocket");
}

#[tokio::test]
async fn an_end_that_is_heard_and_posted_counts_once() {
    let app = TestApp::shared();
    let frontend = &app.frontend();
    join_all(["notification", "completed"].map(|late| heard_and_posted(&app, frontend, late))).await;
}

/// One of the two comes late.
async fn heard_and_posted(app: &TestApp, frontend: &Frontend, late: &str) {
    let fridge = app.fridge_of(frontend).await;
    fridge.set(json!({ "notifies": true })).await;
    let sale = fridge.open().await;
    let held = json!({
        "system": "vendron", "operation": late, "kind": "slow", "match": fridge.uid(), "delay_ms": 60_000,
    });
    app.control("/faults", held).await;
    fridge.take(&[soup()]).await;
    fridge.act("close", json!({ "repeat": 2 })).await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", late).await;
    let sold = bill(&sale).await;

    app.mend(fridge.uid()).await;
    until_posted(&fridge, 2).await;
    for (workflow, runs) in [("SaleNotification", 1), ("FridgeSale", 1)] {
        app.until_runs(&ended(&sale, workflow), runs).await;
    }
    assert_eq!(bill(&sale).await, sold, "the {late} came late");
    assert_eq!(fridge.messages().await, Vec::<String>::new(), "the {late} came late");
}

#[tokio::test]
async fn one_body_twenty_times_at_once_is_one_event() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    let url = fridge.notification_url().await;
    let body = taken(&[soup()], &sale.sale_ref.to_string());
    let request = || posting(&app, &url, JSON, body.clone());
    let post = || Answer::patiently(request);
    let mut answers = join_all((0..20).map(|_| post())).await;
    sale.until_heard("smart_fridge_product_taken").await;
    app.until_runs(&ended(&sale, "SaleNotification"), 1).await;
    answers.push(post().await);
    for answer in answers {
        assert_eq!((answer.status, &answer.body), (StatusCode::OK, &json!({ "ref": sale.sale_ref })));
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
    }
    let raw = kept(&app, &sale, "name = 'smart_fridge_product_taken'").await;
    assert_eq!(raw, [body]);

    fridge.take(&[water()]).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([waters(1)]), "1.60", "the last snapshot counts").await;
}

#[tokio::test]
async fn a_sale_whose_run_is_long_over_is_settled_once() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    let sale = missed(&fridge).await;
    app.until_runs(&ended(&sale, "FridgeSale"), 1).await;
    let own = sale.sale_ref.to_string();
    let (list, other) = (completed(&[soup()], "4.50", &own), completed(&[water()], "1.60", &own));
    assert_eq!(fridge.notify(&[&list]).await, [200]);
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "long over").await;
    fridge.until_told("whose end was missed is completed: 4.50 EUR owed").await;
    let settled = bill(&sale).await;

    assert_eq!(fridge.notify(&[&other, &list, CANCELLED]).await, [200; 3]);
    until_kept(&app, &sale, &[list, other, CANCELLED.to_owned()]).await;
    app.until_runs(&ended(&sale, "SaleNotification"), 3).await;
    assert_eq!(bill(&sale).await, settled, "it settles once");
    assert_eq!(missed_ends(&fridge).await, 2, "missed, and found");
}

/// Two runs want to tell of it at once: that which takes what is posted, and that of the sale, which still listens.
#[tokio::test]
async fn a_sale_that_still_awaits_its_late_end_is_settled_and_told_once() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    let sale = missed(&fridge).await;
    app.fail(("slack", "message"), "slow", fridge.id(), 1).await;
    assert_eq!(fridge.notify(&[CANCELLED]).await, [200]);
    let empty = sale.until("empty").await;
    assert_eq!((empty.text("total"), &empty.body["products"]), ("0.00", &json!([])), "{empty:#?}");
    fridge.until_told("whose end was missed is empty: 0.00 EUR owed").await;
    app.until_runs(&ended(&sale, "SaleNotification"), 1).await;
    app.until_runs(&format!("{} AND NeedsAttention = false", ended(&sale, "FridgeSale")), 1).await;
    assert_eq!(missed_ends(&fridge).await, 2, "missed, and found");
}

/// 8.11
#[tokio::test]
async fn what_is_posted_about_other_sales_changes_nothing() {
    let app = HASTY.app();
    let one = app.fridge().await;
    let other = app.fridge_of(one.frontend()).await;
    let (first, second) = join(opened_unheard(&one), opened_unheard(&other)).await;
    let (own, elsewhere) = (first.sale_ref.to_string(), second.sale_ref.to_string());
    let session = other.view().await["session"].take();
    let listed = json!({ "code": 1, "session": session, "list": [water()] });
    let data = json!({ "transaction_total": "1.60", "transaction_product": [water()] });
    let foreign = [
        taken(&[water()], &elsewhere),
        closed(&elsewhere),
        completed(&[water()], "1.60", &elsewhere),
        frame("smart_fridge_product_taken", &listed, &own),
        frame("smart_fridge_request_completed", &json!({ "code": 1, "session": session, "data": data }), &own),
    ];
    assert_eq!(one.notify(&foreign.each_ref().map(String::as_str)).await, [200; 5]);
    until_kept(&app, &first, &foreign).await;
    let facts = kept(&app, &first, "fact is not null").await;
    assert!(facts.iter().all(|raw| !foreign.contains(raw)), "{facts:#?}");
    let shown = first.read().await;
    assert_eq!((shown.text("status"), &shown.body["products"]), ("open", &json!([])), "{shown:#?}");

    // Their own ends, in turns.
    one.take(&[soup()]).await;
    other.take(&[water()]).await;
    join(other.close(), one.close()).await;
    assert_sold(&one, &first, &json!([soups(1)]), "4.50", "one").await;
    assert_sold(&other, &second, &json!([waters(1)]), "1.60", "the other").await;
}

/// 8.12
#[tokio::test]
async fn rubbish_that_is_posted_is_kept_and_does_no_harm() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    let (deep, longest) = ("[".repeat(5000), "x".repeat(LONGEST));
    let rubbish: [(&str, &[u8]); 13] = [
        (JSON, b"hello"),
        (JSON, b"{"),
        (JSON, b"null"),
        (JSON, b"{}"),
        (JSON, br#"[{"command":"smart_fridge_request_completed"}]"#),
        (JSON, br#"{"command":"unheard_of","command_data":{"status":1}}"#),
        (JSON, br#"{"command":"a\u0000b"}"#),
        (JSON, deep.as_bytes()),
        ("application/x-www-form-urlencoded", b"command=smart_fridge_request_completed&total=4.50"),
        ("text/plain", b"a\0b"),
        ("application/octet-stream", b"\xff\xfe\0{\"command\":\"in_bytes\"}\x80"),
        ("", " \u{202e}👩‍👩‍👧".as_bytes()),
        ("no type at all", longest.as_bytes()),
    ];
    let url = fridge.notification_url().await;
    for (media_type, body) in rubbish {
        let taken = Answer::patiently(|| posting(&app, &url, media_type, body.to_vec())).await;
        assert_eq!(taken.status, StatusCode::OK, "{}: {taken:#?}", String::from_utf8_lossy(body));
    }
    for (body, status) in [(vec![], StatusCode::BAD_REQUEST), (vec![b'x'; LONGEST + 1], StatusCode::PAYLOAD_TOO_LARGE)]
    {
        let refused = Answer::to(posting(&app, &url, JSON, body)).await;
        assert_eq!(refused.status, status, "{refused:#?}");
        assert_eq!(refused.headers["content-type"], "application/problem+json");
    }
    let legible = rubbish.map(|(_, body)| String::from_utf8_lossy(body).replace('\0', "\u{fffd}"));
    until_kept(&app, &sale, &legible).await;
    app.until_runs(&ended(&sale, "SaleNotification"), rubbish.len()).await;

    let shown = sale.read().await;
    assert_eq!((shown.text("status"), &shown.body["products"]), ("open", &json!([])), "{shown:#?}");
    fridge.take(&[soup()]).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "rubbish").await;
}

/// The token with its letter at `place` exchanged for another one.
fn tampered(token: &str, place: usize) -> String {
    let other = if token.as_bytes()[place] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &token[..place], &token[place + 1..])
}

#[tokio::test]
async fn only_who_was_given_the_url_of_a_sale_is_believed() {
    let app = TestApp::shared();
    let one = app.fridge().await;
    let other = app.fridge_of(one.frontend()).await;
    let (sale, elsewhere) = (one.open().await, other.open().await);
    let (url, others) = (one.notification_url().await, other.notification_url().await);
    let (address, token) = url.rsplit_once('/').unwrap();
    let (base, own) = address.rsplit_once('/').unwrap();
    assert_eq!((own, token.len()), (sale.sale_ref.to_string().as_str(), LETTERS));
    let named = |name: String| format!("{base}/{name}/{token}");
    let mut wrong = vec![
        format!("{address}/{}", others.rsplit('/').next().unwrap()),
        named(elsewhere.sale_ref.to_string()),
        named(Uuid::new_v4().to_string()),
        named(sale.transaction_id().to_string()),
        named(own.to_uppercase()),
        named(sale.sale_ref.simple().to_string()),
        format!("{address}/{}", token.to_uppercase()),
        format!("{address}/{token}="),
        url[..url.len() - 1].to_owned(),
    ];
    wrong.extend([0, LETTERS / 2, LETTERS - 1].map(|place| format!("{address}/{}", tampered(token, place))));
    let lie = completed(&[water()], "1.60", own);
    for wrong in wrong {
        let refused = Answer::to(posting(&app, &wrong, JSON, lie.clone())).await;
        assert_eq!((refused.status, refused.text("code")), (StatusCode::NOT_FOUND, "not_found"), "{wrong}");
    }

    assert_eq!(one.notify(&[&taken(&[soup()], own)]).await, [200]);
    sale.until_heard("smart_fridge_product_taken").await;
    for (sale, runs) in [(&sale, 1), (&elsewhere, 0)] {
        app.until_runs(&ended(sale, "SaleNotification"), runs).await;
        assert!(!kept(&app, sale, "true").await.contains(&lie), "a lie is kept");
        assert_eq!(sale.read().await.text("status"), "open");
    }
}

/// Vendron refused to unlock the door, as it seemed: what came through it all the same is not lost.
#[tokio::test]
async fn a_list_of_a_sale_that_was_refused_settles_it_and_operators_are_told() {
    let fridge = HASTY.app().fridge().await;
    fridge.break_down("door_open", "error").await;
    let sale = fridge.try_to_open("refused, as it seemed").await;
    assert_eq!(sale.answer.status, StatusCode::BAD_GATEWAY, "{:#?}", sale.answer);
    assert_eq!(sale.read().await.text("status"), "failed");
    let list = completed(&[soup()], "4.50", "1795341600");
    assert_eq!(fridge.notify(&[&list, &list]).await, [200; 2]);
    let settled = sale.until("completed").await;
    assert_eq!((&settled.body["products"], settled.text("total")), (&json!([soups(1)]), "4.50"));
    fridge.until_told("whose end was missed is completed: 4.50 EUR owed").await;
}
