//! The operators' view of the data: what a reader sees, and that it is all he sees.

use std::borrow::Cow;

use futures::future::join3;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection, pool::PoolConnection, query, query_scalar};
use system_tests::{Fridge, Sale, TestApp, eventually, product};

use super::{HASTY, assert_unresolved, frames::completed, soup, status::questions, water};

/// Postgres: the role may not do this.
const FORBIDDEN: &str = "42501";
/// What operators read of all this.
const GUIDE: &str = include_str!("../../../docs/operators-data.md");

/// A connection as the tool of an operator has it.
async fn reader(app: &TestApp) -> PoolConnection<sqlx::Postgres> {
    let mut connection = app.database().await.acquire().await.unwrap();
    query("set role perdura_reader").execute(&mut *connection).await.unwrap();
    connection
}

/// The rows of a view that belong to something; every field as Postgres writes it.
async fn rows(reader: &mut PgConnection, view: &str, column: &str, value: &str) -> Vec<Value> {
    let select = format!(
        "select (select jsonb_object_agg(key, value #>> '{{}}') from jsonb_each(to_jsonb(v)))
         from reporting.{view} v where {column}::text = $1"
    );
    query_scalar(AssertSqlSafe(select)).bind(value).fetch_all(reader).await.unwrap()
}

/// Asks once how it is, whatever the answer, and waits until that is on record.
async fn ask(app: &TestApp, fridge: &Fridge) {
    fridge.status().await;
    let database = app.database().await;
    eventually("the question on record", || questions(&database, fridge), |questions| !questions.is_empty()).await;
}

async fn sold(fridge: &Fridge) -> Sale {
    let sale = fridge.open().await;
    fridge.take(&[soup(), soup(), water()]).await;
    fridge.act("close", json!({ "total": "11.00" })).await;
    sale.until("completed").await;
    sale
}

fn assert_fields(row: &Value, fields: &[(&str, Value)]) {
    for (field, value) in fields {
        assert_eq!(&row[*field], value, "{field} of {row:#}");
    }
}

/// The row of a sale.
async fn shown(reader: &mut PgConnection, sale: &Sale) -> Value {
    let mut found = rows(reader, "transactions", "transaction_id", &sale.transaction_id().to_string()).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

async fn products_sold(reader: &mut PgConnection, sale: &Sale) -> Vec<Value> {
    let mut found = rows(reader, "products_sold", "transaction_id", &sale.transaction_id().to_string()).await;
    found.sort_by_key(|product| product["vpn"].to_string());
    found
}

/// Operators see nothing sold by it, and nobody who has its machine.
async fn assert_over_with_nothing_sold(reader: &mut PgConnection, fridge: &Fridge, sale: &Sale) {
    assert_eq!(products_sold(reader, sale).await, Vec::<Value>::new());
    let machines = rows(reader, "machines", "machine_id", fridge.id()).await;
    assert_eq!(machines.len(), 1, "{machines:#?}");
    let open = ["open_transaction_id", "open_status", "open_door", "open_since"];
    assert_fields(&machines[0], &open.map(|field| (field, Value::Null)));
}

/// It failed for this reason, at no cost, before any door moved.
async fn assert_failed(reader: &mut PgConnection, fridge: &Fridge, sale: &Sale, [failure, code, message]: [Value; 3]) {
    let failed = shown(reader, sale).await;
    let expected = [
        ("status", json!("failed")),
        ("door", json!("unknown")),
        ("failure", failure),
        ("failure_code", code),
        ("failure_message", message),
        ("payment_intent_id", fridge.order()["stripe"]["payment_intent_id"].take()),
        ("authorised", json!("20.00")),
        ("is_disputed", json!("false")),
    ];
    assert_fields(&failed, &expected);
    let nothing = ["due", "to_capture", "reported_total", "reported_currency", "opened_at", "closed_at"];
    assert_fields(&failed, &nothing.map(|field| (field, Value::Null)));
    assert!(failed["ended_at"].is_string(), "{failed:#}");
    assert_over_with_nothing_sold(reader, fridge, sale).await;
}

#[tokio::test]
async fn operators_see_sales_products_events_users_and_machines() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    ask(&app, &fridge).await;
    let sale = sold(&fridge).await;
    let open = fridge.open().await;
    let mut reader = reader(&app).await;
    let (id, user) = (sale.transaction_id().to_string(), fridge.order()["user"].take());

    let transactions = rows(&mut reader, "transactions", "transaction_id", &id).await;
    let expected = [
        ("sale_ref", json!(sale.sale_ref)),
        ("machine_id", json!(fridge.id())),
        ("frontend", json!(fridge.frontend().principal())),
        ("bubble_id", user["id"].clone()),
        ("email", user["email"].clone()),
        ("payment_intent_id", fridge.order()["stripe"]["payment_intent_id"].take()),
        ("status", json!("completed")),
        ("door", json!("closed")),
        ("authorised", json!("20.00")),
        ("due", json!("10.60")),
        ("to_capture", json!("10.60")),
        ("reported_total", json!("11.00")),
        ("is_disputed", json!("true")),
    ];
    assert_eq!(transactions.len(), 1);
    assert_fields(&transactions[0], &expected);

    let mut products = rows(&mut reader, "products_sold", "transaction_id", &id).await;
    products.sort_by_key(|product| product["vpn"].to_string());
    let expected = [["1", "Soupe", "2", "4.50", "9.00"], ["2", "Eau", "1", "1.60", "1.60"]];
    for (product, expected) in products.iter().zip(expected) {
        let shown = ["vpn", "name", "quantity", "unit_price", "amount"].map(|field| &product[field]);
        assert_eq!(shown, expected.map(Value::from).each_ref(), "{product:#}");
    }
    assert_eq!(products.len(), 2);
    let events = rows(&mut reader, "events", "machine_id", fridge.id()).await;
    let of_sale = events.iter().filter(|event| event["transaction_id"] == id.as_str()).count();
    let questions = events.iter().filter(|event| event["transaction_id"].is_null()).count();
    assert!(of_sale >= 9 && questions == 1, "{of_sale} events of the sale and {questions} questions");
    let users = rows(&mut reader, "users", "bubble_id", user["id"].as_str().unwrap()).await;
    assert_eq!((users.len(), &users[0]["email"]), (1, &user["email"]));
    let machines = rows(&mut reader, "machines", "machine_id", fridge.id()).await;
    let expected = [
        ("machine_uid", json!(fridge.uid())),
        ("open_transaction_id", json!(open.transaction_id())),
        ("open_door", json!("open")),
    ];
    assert_fields(&machines[0], &expected);
}

#[tokio::test]
async fn operators_see_nothing_else_and_change_nothing() {
    let app = TestApp::shared();
    let sale = sold(&app.fridge().await).await;
    let database = app.database().await;
    let tables: Vec<String> = query_scalar(
        "select format('%I.%I', schemaname, tablename) from pg_tables
         where schemaname not in ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&database)
    .await
    .unwrap();
    assert!(tables.iter().any(|table| table == "public.transaction") && tables.len() > 10, "{tables:?}");
    let reads = tables.iter().map(|table| format!("select count(*) from {table}"));
    let id = sale.transaction_id();
    let writes = [
        format!("update reporting.transactions set status = 'failed' where transaction_id = '{id}'"),
        format!("delete from reporting.events where transaction_id = '{id}'"),
        "insert into reporting.machines (machine_id) values ('FRIDGE-0')".to_owned(),
        "create table reporting.mine (id int)".to_owned(),
    ];
    let mut reader = reader(&app).await;
    for statement in reads.chain(writes) {
        let refused = query(AssertSqlSafe(statement.clone())).execute(&mut *reader).await.unwrap_err();
        let code = refused.as_database_error().and_then(sqlx::error::DatabaseError::code).map(Cow::into_owned);
        // A view of several tables cannot be written anyway.
        assert!(matches!(code.as_deref(), Some(FORBIDDEN | "55000")), "{statement}: {refused}");
    }

    let columns: Vec<String> = query_scalar(
        "select table_name || '.' || column_name from information_schema.columns where table_schema = 'reporting'",
    )
    .fetch_all(&database)
    .await
    .unwrap();
    assert!(columns.len() > 50, "{columns:?}");
    for hidden in ["raw", "session", "socket_id", "user_sent", "stripe", "fingerprint", "fact"] {
        assert!(!columns.iter().any(|column| column.ends_with(&format!(".{hidden}"))), "{hidden} is shown");
    }
}

#[tokio::test]
async fn a_sale_that_was_refused_is_shown_with_the_reason_and_nothing_is_owed() {
    let app = TestApp::shared();
    let (frontend, mut reader) = (app.frontend(), reader(&app).await);
    let not_taken = "smart_fridge_request was not taken PUBLIC000";
    let cases = [
        (json!({ "online": false }), json!(["machine_offline", null, null]), "-4: Machine is not online"),
        (json!({ "busy": true }), json!(["machine_busy", null, null]), "-5: Machine is currently busy"),
        (json!({ "refuses_with": -1 }), json!(["refused", "-1", "Invalid Parameters"]), "-1: Invalid Parameters"),
        (json!({ "quirks": ["nack"] }), json!(["refused", null, not_taken]), "PUBLIC000"),
    ];
    for (machine, reason, heard) in cases {
        let fridge = app.fridge_of(&frontend).await;
        fridge.set(machine).await;
        let sale = fridge.try_to_open(fridge.id()).await;
        let reason = serde_json::from_value(reason).unwrap();
        assert_failed(&mut reader, &fridge, &sale, reason).await;
        // Whatever the reason is called, Vendron's own words are there.
        let events = rows(&mut reader, "events", "transaction_id", &sale.transaction_id().to_string()).await;
        let is_heard = |event: &Value| event["direction"] == "received" && event["message"] == heard;
        assert!(events.iter().any(is_heard), "{heard}: {events:#?}");
    }
}

#[tokio::test]
async fn a_sale_that_nobody_answered_is_shown_with_the_reason_and_nothing_is_owed() {
    let app = HASTY.app();
    let (silent, lost) = (app.fridge().await, app.fridge().await);
    silent.break_down("request", "timeout").await;
    lost.break_down("request", "execute_then_timeout").await;
    let cut_off = async {
        app.until_struck(lost.uid()).await;
        lost.drop_connections().await;
    };
    let (unanswered, interrupted, ()) = join3(silent.try_to_open("key"), lost.try_to_open("key"), cut_off).await;
    let mut reader = reader(&app).await;
    for (fridge, sale, reason) in [(&silent, &unanswered, "unanswered"), (&lost, &interrupted, "interrupted")] {
        assert_failed(&mut reader, fridge, sale, [json!(reason), Value::Null, Value::Null]).await;
    }
}

#[tokio::test]
async fn a_sale_of_nothing_is_shown_empty_and_owes_nothing() {
    let app = TestApp::shared();
    let (frontend, mut reader) = (app.frontend(), reader(&app).await);
    let endings = [("give-up", json!({}), Value::Null), ("close", json!({ "products": [] }), json!("0.00"))];
    for (what, how, reported) in endings {
        let fridge = app.fridge_of(&frontend).await;
        let sale = fridge.open().await;
        fridge.act(what, how).await;
        sale.until("empty").await;
        let empty = shown(&mut reader, &sale).await;
        let expected = [
            ("status", json!("empty")),
            ("door", json!("closed")),
            ("failure", Value::Null),
            ("authorised", json!("20.00")),
            ("due", json!("0.00")),
            ("to_capture", json!("0.00")),
            ("reported_total", reported),
            ("is_disputed", json!("false")),
        ];
        assert_fields(&empty, &expected);
        assert!(["opened_at", "closed_at", "ended_at"].iter().all(|time| empty[*time].is_string()), "{empty:#}");
        assert_over_with_nothing_sold(&mut reader, &fridge, &sale).await;
    }
}

/// What was in hand when the end was missed is sold when a list says so, and not before.
#[tokio::test]
async fn a_sale_whose_end_was_missed_is_shown_with_nothing_sold_until_it_ends_after_all() {
    let app = HASTY.app();
    let (fridge, mut reader) = (app.fridge().await, reader(&app).await);
    let sale = missed(&fridge).await;
    let unresolved = shown(&mut reader, &sale).await;
    // Whoever looks at it sees that the door was open when it was last heard of.
    let expected = [("status", json!("unresolved")), ("door", json!("open")), ("is_disputed", json!("false"))];
    assert_fields(&unresolved, &expected);
    let unknown = ["failure", "failure_code", "due", "to_capture", "reported_total", "closed_at"];
    assert_fields(&unresolved, &unknown.map(|field| (field, Value::Null)));
    assert!(unresolved["opened_at"].is_string() && unresolved["ended_at"].is_string(), "{unresolved:#}");
    assert_over_with_nothing_sold(&mut reader, &fridge, &sale).await;

    let list = completed(&[soup(), water()], "6.10", &sale.sale_ref.to_string());
    assert_eq!(fridge.notify(&[&list]).await, [200]);
    sale.until("completed").await;
    let settled = shown(&mut reader, &sale).await;
    let amounts = ["due", "to_capture", "reported_total"].map(|field| (field, json!("6.10")));
    assert_fields(&settled, &amounts);
    let products = products_sold(&mut reader, &sale).await;
    let sold: Vec<_> = products.iter().map(|product| (&product["vpn"], &product["sold_at"])).collect();
    let at = &settled["ended_at"];
    assert_eq!(sold, [(&json!("1"), at), (&json!("2"), at)]);
}

/// A soup in hand, and an end that nobody can tell.
async fn missed(fridge: &Fridge) -> Sale {
    let sale = fridge.open().await;
    fridge.take(&[soup()]).await;
    sale.until_taken(1).await;
    fridge.act("error", json!({ "code": -11 })).await;
    assert_unresolved(fridge, &sale, "an error at an open door").await;
    sale
}

/// The tables hold minor units, of which some currencies have none, and others a thousand or more.
#[tokio::test]
async fn amounts_are_decimals_of_their_currency() {
    let app = TestApp::shared();
    let (frontend, mut reader) = (app.frontend(), reader(&app).await);
    let cases =
        [("JPY", "2000", "450", "900"), ("KWD", "20.000", "1.250", "2.500"), ("CLF", "20.0000", "1.2525", "2.5050")];
    for (currency, authorised, price, total) in cases {
        let fridge = app.fridge_of(&frontend).await;
        let mut order = fridge.order();
        order["stripe"]["currency"] = json!(currency);
        order["stripe"]["amount"] = json!(authorised);
        let sale = fridge.try_to_open_for(fridge.id(), &order).await;
        assert_eq!(sale.answer.status, StatusCode::CREATED, "{currency}: {:#?}", sale.answer);
        fridge.take(&[product("1", "Soupe", price), product("1", "Soupe", price)]).await;
        fridge.act("close", json!({ "total": total })).await;
        sale.until("completed").await;
        let row = shown(&mut reader, &sale).await;
        assert_fields(&row, &["currency", "reported_currency"].map(|field| (field, json!(currency))));
        assert_fields(&row, &["due", "to_capture", "reported_total"].map(|field| (field, json!(total))));
        assert_fields(&row, &[("authorised", json!(authorised)), ("is_disputed", json!("false"))]);
        let products = products_sold(&mut reader, &sale).await;
        assert_eq!(products.len(), 1, "{products:#?}");
        assert_fields(&products[0], &[("unit_price", json!(price)), ("amount", json!(total))]);
    }
}

/// A question of the guide, as it stands there.
fn question(heading: &str) -> &'static str {
    let (_, text) = GUIDE.split_once(&format!("-- {heading}\n")).unwrap();
    text.split_once(';').unwrap().0
}

/// What the question finds: of each row the column, or whatever expression that is.
async fn found(reader: &mut PgConnection, question: &str, column: &str) -> Vec<String> {
    let select = format!("select {column} from ({question}) found");
    query_scalar(AssertSqlSafe(select)).fetch_all(reader).await.unwrap()
}

#[tokio::test]
async fn the_questions_of_the_guide_find_what_they_ask_for() {
    let app = HASTY.app();
    let fridges = app.fridges_of(&app.frontend(), 5).await;
    let [asked, one, other, lost, open] = &fridges[..] else { panic!("five fridges") };
    for fridge in [asked, one] {
        ask(&app, fridge).await;
    }
    let (disputed, overdrawn, missed) = (disputed(one).await, overdrawn(other).await, missed(lost).await);
    let (sold, empty, open) = (bought(one, &[water()]).await, bought(other, &[]).await, open.open().await);
    let mut reader = reader(&app).await;
    query("set search_path = reporting").execute(&mut *reader).await.unwrap();

    let id = |sale: &Sale| sale.transaction_id().to_string();
    let made = [&disputed, &overdrawn, &missed, &sold, &empty, &open].map(id);
    let of_ours = |ids: Vec<String>| ids.into_iter().filter(|id| made.contains(id)).collect::<Vec<_>>();
    let wanting = found(&mut reader, question("What needs a person"), "transaction_id::text").await;
    assert_eq!(of_ours(wanting), [&missed, &overdrawn, &disputed].map(id), "newest first");
    let doors = found(&mut reader, question("Doors that are open now"), "open_transaction_id::text").await;
    assert_eq!(of_ours(doors), [id(&open)]);
    assert_told(&mut reader, &disputed).await;

    let unfollowed = question("Somebody asked how a machine is, and no sale followed within five minutes");
    let mut machines = found(&mut reader, unfollowed, "machine_id").await;
    machines.retain(|machine| fridges.iter().any(|fridge| fridge.id() == machine));
    assert_eq!(machines, [asked.id()]);
    let line = "concat_ws(' ', vpn, name, quantity, coalesce(amount::text, 'without a price'), currency)";
    let mut kinds = found(&mut reader, question("What was sold last week, by product"), line).await;
    kinds.retain(|kind| kind.contains(one.id()));
    let expected = ["1 Soupe 2 9.00 EUR", "2 Pain 1 without a price EUR"].map(|kind| format!("{}-{kind}", one.id()));
    assert_eq!(kinds, expected);
    assert_fields(&shown(&mut reader, &overdrawn).await, &[("due", json!("31.50")), ("to_capture", json!("20.00"))]);
}

/// The story of the sale is told in its order, and that of no other.
async fn assert_told(reader: &mut PgConnection, sale: &Sale) {
    let id = sale.transaction_id().to_string();
    let story = found(reader, &question("The story of one sale").replace('…', &id), "name").await;
    let place = |name: &str| story.iter().position(|told| told == name);
    let steps = ["smart_fridge_request", "smart_fridge_door_open_success", "smart_fridge_request_completed"].map(place);
    assert!(steps.iter().all(Option::is_some) && steps.is_sorted(), "{story:#?}");
    assert_eq!(story.len(), rows(reader, "events", "transaction_id", &id).await.len());
}

/// A sale that has ended with these products.
async fn bought(fridge: &Fridge, products: &[Value]) -> Sale {
    let sale = fridge.open().await;
    fridge.take(products).await;
    fridge.close().await;
    sale.until_it("has ended", |transaction| transaction.body["total"].is_string()).await;
    sale
}

/// More than was authorised.
async fn overdrawn(fridge: &Fridge) -> Sale {
    bought(fridge, &vec![soup(); 7]).await
}

/// A bread without a price, and products that no other test sells.
async fn disputed(fridge: &Fridge) -> Sale {
    let sale = fridge.open().await;
    let soup = product(&format!("{}-1", fridge.id()), "Soupe", "4.50");
    let bread = json!({ "vpn": format!("{}-2", fridge.id()), "name": "Pain" });
    fridge.take(&[soup.clone(), soup, bread]).await;
    fridge.act("close", json!({ "total": "11.00" })).await;
    sale.until("completed").await;
    sale
}
