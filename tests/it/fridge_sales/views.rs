//! The operators' view of the data: what a reader sees, and that it is all he sees.

use std::borrow::Cow;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection, pool::PoolConnection, query, query_scalar};
use system_tests::{Fridge, Sale, TestApp};

use super::{soup, water};

/// Postgres: the role may not do this.
const FORBIDDEN: &str = "42501";

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

#[tokio::test]
async fn operators_see_sales_products_events_users_and_machines() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    fridge.status().await;
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
