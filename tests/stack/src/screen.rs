use crate::Stack;

/// What a person needs to begin: addresses, keys, and a few lines of curl for each process. At most 60 lines of 125 columns.
pub fn screen(stack: &Stack) -> String {
    [head(stack), invoice(stack), purchase(stack), fridge(stack), gift(stack)].concat()
}

fn head(stack: &Stack) -> String {
    let demo = stack.demo();
    let ui = demo.temporal_ui_url.as_deref().unwrap_or("without UI");
    format!(
        r"
Perdura is running. Ctrl-C stops it; what it knows stays in .perdura/ (cargo dev --fresh starts over).

  API       {api}            Sandbox   {sandbox}
  Temporal  {ui}            gRPC      {temporal}, namespace {namespace}
  Database  {database}
  DynamoDB and S3  {aws}     region us-east-1, credentials test and test
  Logs      .perdura/logs/          All keys and addresses   .perdura/demo.json

In a second terminal (README.md has the whole flows):

  JSON='Content-Type: application/json'
  FRONTEND='Authorization: Bearer {frontend}'
",
        api = demo.api_url,
        sandbox = demo.sandbox_url,
        temporal = demo.temporal_address,
        namespace = stack.temporal_namespace(),
        database = demo.database_url,
        aws = demo.dynamodb_url,
        frontend = demo.keys.frontend,
    )
}

fn invoice(stack: &Stack) -> String {
    let demo = stack.demo();
    format!(
        r#"
An invoice: open it, pay to its address, confirm that with 19 blocks, look at it

  KEY='Authorization: Bearer {merchant}'
  curl -s {api}/invoices -H "$KEY" -H "$JSON" -H 'Idempotency-Key: first' \
    -d '{{"coin_id":"usdt","network_id":"tron","amount":"12.50","expires_in_seconds":900}}'
  curl -s {sandbox}/_control/chains/tron/deposits -H "$JSON" \
    -d '{{"address":"<address>","coin_id":"usdt","amount":"12.50"}}'
  curl -s {sandbox}/_control/chains/tron/mine -H "$JSON" -d '{{"blocks":19}}'
  curl -s {api}/invoices/<id> -H "$KEY"
"#,
        api = demo.api_url,
        sandbox = demo.sandbox_url,
        merchant = demo.keys.merchant,
    )
}

fn purchase(stack: &Stack) -> String {
    let demo = stack.demo();
    let data = &demo.demo;
    format!(
        r#"
A purchase code: confirm it with the one-time password, download it as an image, scan it at the provider's till

  DEVICE='Authorization: Bearer {device}'
  curl -s {api}/otp/validate -H "$FRONTEND" -H "$JSON" -H 'Idempotency-Key: {loan}' \
    -d '{{"otp":"{otp}","client_id":"{client}","credit_line_id":"{line}","loan_account_id":"{loan}",
         "provider":"{provider}","amount":"1250.00","currency":"MXN"}}'
  curl -s {api}/credit-lines/{line}/purchases/<code>/download -H "$FRONTEND" -o voucher.png
  curl -s {api}/loans/{loan}/use -H "$DEVICE" -H "$JSON" -H 'Idempotency-Key: scan-1' -d '{{"code":"<code>"}}'
"#,
        api = demo.api_url,
        device = demo.keys.provider_device,
        loan = data.loan_account_ids[0],
        otp = data.otp,
        client = data.client_id,
        line = data.credit_line_id,
        provider = data.provider,
    )
}

fn fridge(stack: &Stack) -> String {
    let demo = stack.demo();
    format!(
        r#"
A fridge sale: open the door, take a soup and close it (in the sandbox), look at what was bought

  curl -s {api}/machines/{machine}/open -H "$FRONTEND" -H "$JSON" -H 'Idempotency-Key: sale-1' \
    -d '{{"user":{{"id":"bubble-1","email":"a@b.c"}},
         "stripe":{{"payment_intent_id":"pi_1","amount":"20.00","currency":"EUR"}}}}'
  curl -s {sandbox}/_control/vendron/machines/{uid}/take -H "$JSON" \
    -d '{{"products":[{{"vpn":"1","name":"Soupe","unit_price":"4.50"}}]}}'
  curl -s -X POST {sandbox}/_control/vendron/machines/{uid}/close -H "$JSON" -d '{{}}'
  curl -s {api}/transactions/<transaction_id> -H "$FRONTEND"
"#,
        api = demo.api_url,
        sandbox = demo.sandbox_url,
        machine = demo.demo.machine_id,
        uid = demo.demo.machine_uid,
    )
}

fn gift(stack: &Stack) -> String {
    let demo = stack.demo();
    let data = &demo.demo;
    format!(
        r#"
A gift: use it once

  SHOP='Authorization: Bearer {shop}'
  curl -s {api}/api/gifts/use -H "$SHOP" -H "$JSON" -H 'Idempotency-Key: use-1' \
    -d '{{"gift_id":"{gift}","supplier_invoice_no":"{number}","pin":"{pin}"}}'
"#,
        api = demo.api_url,
        shop = demo.keys.shop_device,
        gift = data.gift_ids[0],
        number = data.supplier_invoice_no,
        pin = data.pin,
    )
}
