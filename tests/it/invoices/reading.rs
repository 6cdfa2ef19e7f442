//! What readers are told: versions, changes as they come, the timeline, and everything at once as a file.

use std::collections::BTreeSet;

use futures::{StreamExt, future::join, stream};
use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde_json::{Value, json};
use sqlx::{PgPool, query};
use system_tests::{Answer, Download, LongPoll, Merchant, Output, TestApp, eventually};
use uuid::Uuid;

use super::deadlines::BRIEF;

/// A request for an invoice by somebody who has these versions.
fn having(merchant: &Merchant, invoice_id: Uuid, tags: &str) -> RequestBuilder {
    let request = merchant.request(Method::GET, &format!("/invoices/{invoice_id}"));
    request.header(header::IF_NONE_MATCH, tags)
}

fn reading(merchant: &Merchant, created: &Answer) -> LongPoll {
    LongPoll::of(merchant.request(Method::GET, &format!("/invoices/{}", created.invoice_id())))
}

#[tokio::test]
async fn an_invoice_has_a_tag_that_changes_with_it() {
    let app = TestApp::shared();
    let (merchant, watcher) = (app.merchant(), app.watcher());
    let created = merchant.create(&Merchant::invoice()).await;
    let invoice_id = created.invoice_id();
    assert_eq!(created.headers["etag"], "\"1\"");
    let known = Answer::to(having(&merchant, invoice_id, "\"0\", W/\"1\"")).await;
    assert_eq!((known.status, &known.body), (StatusCode::NOT_MODIFIED, &Value::Null));
    assert_eq!(known.headers["etag"], created.headers["etag"]);

    assert_eq!(watcher.tell(&Output::paying(&created, "12.5").seen(1)).await, "accepted");
    merchant.until(invoice_id, "payment_confirmation").await;
    let changed = Answer::to(having(&merchant, invoice_id, "\"1\"")).await;
    assert_eq!((changed.status, &changed.body["version"]), (StatusCode::OK, &json!(2)));
    assert_eq!(changed.headers["etag"], "\"2\"");
}

#[tokio::test]
async fn only_who_has_the_present_version_waits() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let created = merchant.create(&Merchant::invoice()).await;
    reading(&merchant, &created).assert_only_the_present_version_waits(&created).await;
}

#[tokio::test]
async fn a_reader_who_waits_is_told_of_the_change() {
    let app = TestApp::shared();
    let (merchant, watcher) = (app.merchant(), app.watcher());
    let (created, other) = (merchant.create(&Merchant::invoice()).await, merchant.create(&Merchant::invoice()).await);
    let (reading_it, reading_other) = (reading(&merchant, &created), reading(&merchant, &other));
    let change = async { watcher.tell(&Output::paying(&created, "12.5").seen(1)).await };
    let changed = join(reading_it.after(&created), change);
    // It is asked first and nothing happens to it: whoever waits for the time to be over is later.
    let (told, word) = reading_other.outlasting(&other, changed).await;
    assert_eq!((word.as_str(), told.status, &told.body["version"]), ("accepted", StatusCode::OK, &json!(2)));
    assert_eq!(told.text("status"), "payment_confirmation");
    assert_eq!(told.headers["etag"], "\"2\"");
}

#[tokio::test]
async fn a_wait_ends_with_its_time_and_has_bounds() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let created = merchant.create(&Merchant::invoice()).await;
    reading(&merchant, &created).assert_a_wait_ends_and_has_bounds(&created).await;
}

#[tokio::test]
async fn the_timeline_tells_what_happened_why_and_by_whom() {
    let app = TestApp::shared();
    let (merchant, watcher) = (app.merchant(), app.watcher());
    let mut body = Merchant::invoice();
    body["title"] = json!("Two coffees");
    let created = merchant.create(&body).await;
    let output = Output::paying(&created, "12.5");
    for (report, status) in [(output.seen(1), "payment_confirmation"), (output.settled(2), "finished")] {
        assert_eq!(watcher.tell(&report).await, "accepted");
        merchant.until(created.invoice_id(), status).await;
    }
    let finished = merchant.read(created.invoice_id()).await;
    let told = merchant.get(&format!("/invoices/{}/timeline", created.invoice_id())).await;
    let items = told.body["items"].as_array().unwrap();
    assert_eq!((items.len(), &told.body["next_cursor"]), (4, &Value::Null));

    let (merchant_id, system) = (format!("merchant:{}", merchant.id()), "system".to_owned());
    for (item, sequence, from, to, cause, actor) in [
        (&items[0], 1, None, "waiting_for_deposit", "open", &merchant_id),
        (&items[1], 2, Some("waiting_for_deposit"), "payment_confirmation", "deposits/", &system),
        (&items[2], 3, Some("payment_confirmation"), "payment_accepted", "deposits/", &system),
        (&items[3], 4, Some("payment_accepted"), "finished", "credit/", &system),
    ] {
        let shown = ["sequence", "from", "to", "exception", "actor"].map(|field| item[field].clone());
        assert_eq!(shown, [json!(sequence), json!(from), json!(to), json!("none"), json!(actor)], "{item:#}");
        assert!(item["cause"].as_str().unwrap().starts_with(cause), "{item:#}");
    }
    assert_eq!(items[0]["at"], created.body["created_at"]);
    assert_eq!((&items[3]["at"], &items[3]["amounts"]), (&finished.body["updated_at"], &finished.body["amounts"]));
    assert_beginning(&items[0]["evidence"]["invoice"], &created, &merchant);
    assert_deposit(&items[1]["evidence"]["deposits"], &output, "seen");
    assert_deposit(&items[2]["evidence"]["deposits"], &output, "final");
}

/// The first event says what the invoice is.
fn assert_beginning(evidence: &Value, created: &Answer, merchant: &Merchant) {
    for field in ["coin_id", "network_id", "deposit_address", "title", "description", "checkout_url", "external_id"] {
        assert_eq!(evidence[field], created.body[field], "{field} of {evidence:#}");
    }
    assert_eq!(evidence["merchant_id"], merchant.id().to_string());
    assert_eq!((&evidence["amount"], &evidence["decimals"]), (&json!("12500000"), &json!(6)), "{evidence:#}");
}

fn assert_deposit(evidence: &Value, output: &Output, state: &str) {
    let deposits = evidence.as_array().unwrap();
    assert_eq!(deposits.len(), 1, "{evidence:#}");
    let shown = ["tx_id", "output_ref", "amount", "state", "required", "late", "right_asset"];
    let shown = shown.map(|field| deposits[0][field].clone());
    let expected =
        [json!(output.tx_id()), json!("o:0"), json!("12.5"), json!(state), json!(19), json!(false), json!(true)];
    assert_eq!(shown, expected, "{evidence:#}");
}

#[tokio::test]
async fn a_timeline_is_paged_and_for_its_merchant() {
    let app = TestApp::shared();
    let (merchant, watcher, stranger) = (app.merchant(), app.watcher(), app.merchant());
    let created = merchant.create(&Merchant::invoice()).await;
    let path = format!("/invoices/{}/timeline", created.invoice_id());
    for cents in 1..=6 {
        assert_eq!(watcher.tell(&Output::paying(&created, "0.01").seen(1)).await, "accepted");
        let what = format!("{cents} cents");
        let read = || merchant.read(created.invoice_id());
        let seen = json!(format!("0.0{cents}"));
        eventually(&what, read, |answer| answer.body["amounts"]["seen"] == seen).await;
    }
    let whole = merchant.get(&path).await.body["items"].take();
    let (mut paged, mut page) = (Vec::new(), merchant.get(&format!("{path}?limit=3")).await);
    loop {
        let items = page.body["items"].as_array().unwrap();
        assert!((1..=3).contains(&items.len()), "{page:#?}");
        paged.extend(items.clone());
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        page = merchant.get(&format!("{path}?limit=3&cursor={cursor}")).await;
    }
    assert_eq!((paged.len(), json!(paged)), (7, whole));
    for query in ["limit=0", "limit=101", "cursor=x", "more=1"] {
        assert_eq!(merchant.get(&format!("{path}?{query}")).await.body["code"], "invalid_query", "{query}");
    }
    assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND);
}

const COLUMNS: &str = "invoice_id,external_id,status,exception,coin_id,network_id,amount,seen,confirmed,overpaid,\
    remaining,late,deposit_address,title,created_at,expires_at,updated_at,version,form_id";
/// These of a row are amounts of the invoice's money; the others are its own fields.
const AMOUNTS: [&str; 5] = ["seen", "confirmed", "overpaid", "remaining", "late"];
/// What a spreadsheet would run, and what it would take apart.
const TITLES: [&str; 8] = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "=HYPERLINK(\"http://evil.example\",\"a\")",
    "a \"quoted\", divided title",
    "plain",
    "",
];

async fn export(merchant: &Merchant, query: &str) -> Download {
    let download = Download::of(merchant.request(Method::GET, &format!("/invoices/export?{query}"))).await;
    assert_eq!(download.status, StatusCode::OK, "{query}");
    let disposition = download.headers["content-disposition"].to_str().unwrap();
    assert!(disposition.starts_with("attachment"), "{disposition}");
    download
}

async fn exported(merchant: &Merchant, query: &str) -> Vec<Value> {
    let download = export(merchant, &format!("format=json{query}")).await;
    assert_eq!(download.headers["content-type"], "application/json");
    serde_json::from_slice(&download.body).unwrap()
}

/// The records of a CSV file, as RFC 4180 has them.
fn records(csv: &[u8]) -> Vec<Vec<String>> {
    let (mut records, mut record, mut cell, mut is_quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = std::str::from_utf8(csv).unwrap().chars().peekable();
    while let Some(character) = characters.next() {
        match (is_quoted, character) {
            (true, '"') if characters.next_if_eq(&'"').is_some() => cell.push('"'),
            (_, '"') => is_quoted = !is_quoted,
            (false, ',') => record.push(std::mem::take(&mut cell)),
            (false, '\r') => assert_eq!(characters.peek(), Some(&'\n')),
            (false, '\n') => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            _ => cell.push(character),
        }
    }
    assert!(record.is_empty() && cell.is_empty() && !is_quoted, "the last line has no end");
    records
}

/// What a cell has to say of an item of the list.
fn cell(item: &Value, column: &str) -> String {
    let value = if AMOUNTS.contains(&column) { &item["amounts"][column] } else { &item[column] };
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        number => number.to_string(),
    };
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text }
}

async fn exported_csv(merchant: &Merchant, query: &str) -> Vec<Vec<String>> {
    let download = export(merchant, &format!("format=csv{query}")).await;
    let kind = download.headers["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/csv"), "{kind}");
    let mut records = records(&download.body);
    assert_eq!(records.remove(0).join(","), COLUMNS);
    records
}

/// Both formats hold just these items, in their order.
async fn assert_exports(merchant: &Merchant, query: &str, items: &[Value]) {
    assert_eq!(exported(merchant, query).await, items, "{query}");
    let records = exported_csv(merchant, query).await;
    assert_eq!(records.len(), items.len(), "{query}");
    for (record, item) in records.iter().zip(items) {
        let expected: Vec<_> = COLUMNS.split(',').map(|column| cell(item, column)).collect();
        assert_eq!(record, &expected, "{query}");
    }
}

#[tokio::test]
async fn an_export_is_the_filtered_list_and_no_spreadsheet_runs_it() {
    let app = TestApp::shared();
    let (merchant, watcher, stranger) = (app.merchant(), app.watcher(), app.merchant());
    app.fill_pool(&merchant, 3 * TITLES.len()).await;
    let create = |(number, title): (usize, &str)| {
        let (merchant, mut body) = (merchant.clone(), Merchant::invoice());
        body["title"] = json!(title);
        body["external_id"] = json!(format!("=order {number}"));
        async move { merchant.create(&body).await }
    };
    let titles = TITLES.iter().copied().cycle().take(3 * TITLES.len()).enumerate();
    let created: Vec<Answer> = stream::iter(titles).map(create).buffer_unordered(3).collect().await;
    assert_eq!(watcher.tell(&Output::paying(&created[7], "20").settled(1)).await, "accepted");
    merchant.until(created[7].invoice_id(), "finished").await;
    for created in &created[..5] {
        let path = format!("/invoices/{}/cancel", created.invoice_id());
        let cancelled = merchant.post(&path, "cancel", &json!({ "reason": "other" })).await;
        assert_eq!(cancelled.status, StatusCode::OK, "{cancelled:#?}");
    }

    let listed = merchant.get("/invoices?limit=100").await.body["items"].take();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), created.len());
    assert_exports(&merchant, "", listed).await;
    let before_all = format!("&created_to={}", listed.last().unwrap()["created_at"].as_str().unwrap());
    for (filter, count) in [
        ("&status=cancelled", 5),
        ("&exception=paid_over", 1),
        ("&external_id=%3Dorder%203", 1),
        ("&coin_id=btc", 0),
        (before_all.as_str(), 0),
    ] {
        let listed = merchant.get(&format!("/invoices?limit=100{filter}")).await.body["items"].take();
        assert_eq!(listed.as_array().unwrap().len(), count, "{filter}");
        assert_exports(&merchant, filter, listed.as_array().unwrap()).await;
    }
    assert_exports(&stranger, "", &[]).await;
    for query in ["", "format=xml", "format=csv&limit=5", "format=csv&cursor=x", "format=csv&status=nonsense"] {
        let refused = merchant.get(&format!("/invoices/export?{query}")).await;
        assert_eq!((refused.status.as_u16(), &refused.body["code"]), (400, &json!("invalid_query")), "{query}");
    }
}

const PAGES: [i32; 2] = [500, 1203];

/// Rows like that of an invoice, for a merchant of their own; many began at the same moment.
async fn multiply(database: &PgPool, invoice_id: Uuid, merchant_id: Uuid, times: i32) {
    let copies = query(
        "insert into invoice (invoice_id, merchant_id, coin_id, network_id, deposit_address_id, amount, decimals,
             contract, title, status, policy, fingerprint, created_at, updated_at, expires_at)
         select gen_random_uuid(), $2, coin_id, network_id, deposit_address_id, amount, decimals,
             contract, title, status, policy, fingerprint, created_at - n / 7 * interval '1 ms', updated_at, expires_at
         from invoice, generate_series(1, $3) n where invoice_id = $1",
    );
    copies.bind(invoice_id).bind(merchant_id).bind(times).execute(database).await.unwrap();
}

/// Rows that are nobody's invoice do not stay.
async fn remove(database: &PgPool, merchant_id: Uuid) {
    query("delete from invoice where merchant_id = $1").bind(merchant_id).execute(database).await.unwrap();
}

fn ids<'a>(ids: impl Iterator<Item = &'a str>) -> BTreeSet<Uuid> {
    ids.map(|id| id.parse().unwrap()).collect()
}

#[tokio::test]
async fn an_export_has_every_row_of_many_pages_once() {
    let app = BRIEF.app();
    let (merchant, database) = (app.merchant(), app.database().await);
    let created = merchant.create(&Merchant::invoice()).await;
    for times in PAGES {
        let reader = app.merchant();
        multiply(&database, created.invoice_id(), reader.id(), times).await;
        let items = exported(&reader, "").await;
        let moments: Vec<_> = items.iter().map(|item| item["created_at"].as_str().unwrap()).collect();
        assert!(moments.iter().rev().is_sorted(), "newest first");
        let in_json = ids(items.iter().map(|item| item["invoice_id"].as_str().unwrap()));
        let records = exported_csv(&reader, "").await;
        let in_csv = ids(records.iter().map(|record| record[0].as_str()));
        remove(&database, reader.id()).await;
        let rows = usize::try_from(times).unwrap();
        assert_eq!((items.len(), in_json.len(), records.len()), (rows, rows, rows));
        assert_eq!(in_json, in_csv);
    }
}
