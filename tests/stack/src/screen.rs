use crate::Stack;

/// What a person needs to begin: addresses, keys, and one invoice from open to paid. At most 24 lines of 110 columns.
pub fn screen(stack: &Stack) -> String {
    let demo = stack.demo();
    let ui = demo.temporal_ui_url.as_deref().unwrap_or("without UI");
    format!(
        r#"
Perdura is running. Ctrl-C stops it; what it knows stays in .perdura/ (cargo dev --fresh starts over).

  API       {api}            Sandbox   {sandbox}
  Temporal  {ui}            gRPC      {temporal}, namespace {namespace}
  Database  {database}
  Logs      .perdura/logs/          All keys and addresses   .perdura/demo.json

An invoice, in a second terminal:

  KEY='Authorization: Bearer {merchant}'
  JSON='Content-Type: application/json'
  # open one of 12.50 USDT on Tron, for a quarter of an hour
  curl -s {api}/invoices -H "$KEY" -H "$JSON" -H 'Idempotency-Key: first' \
    -d '{{"coin_id":"usdt","network_id":"tron","amount":"12.50","expires_in_seconds":900}}'
  # pay to its address, and confirm the payment with 19 blocks
  curl -s {sandbox}/_control/chains/tron/deposits -H "$JSON" \
    -d '{{"address":"<address>","coin_id":"usdt","amount":"12.50"}}'
  curl -s {sandbox}/_control/chains/tron/mine -H "$JSON" -d '{{"blocks":19}}'
  # look at it
  curl -s {api}/invoices/<id> -H "$KEY"
"#,
        api = demo.api_url,
        sandbox = demo.sandbox_url,
        temporal = demo.temporal_address,
        namespace = stack.temporal_namespace(),
        database = demo.database_url,
        merchant = demo.keys.merchant,
    )
}
