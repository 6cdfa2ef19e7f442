use crate::Stack;

/// What a person needs to begin: addresses, keys, an invoice from open to paid, and a purchase code from its issue to
/// its scan. At most 50 lines of 125 columns.
pub fn screen(stack: &Stack) -> String {
    format!("{}{}{}", head(stack), invoice(stack), purchase(stack))
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

In a second terminal:

  JSON='Content-Type: application/json'
",
        api = demo.api_url,
        sandbox = demo.sandbox_url,
        temporal = demo.temporal_address,
        namespace = stack.temporal_namespace(),
        database = demo.database_url,
        aws = demo.dynamodb_url,
    )
}

fn invoice(stack: &Stack) -> String {
    let demo = stack.demo();
    format!(
        r#"
An invoice

  KEY='Authorization: Bearer {merchant}'
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
        merchant = demo.keys.merchant,
    )
}

fn purchase(stack: &Stack) -> String {
    let demo = stack.demo();
    let data = &demo.demo;
    format!(
        r#"
A purchase code

  FRONTEND='Authorization: Bearer {frontend}'
  DEVICE='Authorization: Bearer {device}'
  # confirm it with the one-time password: {loan} is disbursed, and here is its code
  curl -s {api}/otp/validate -H "$FRONTEND" -H "$JSON" -H 'Idempotency-Key: {loan}' \
    -d '{{"otp":"{otp}","client_id":"{client}","credit_line_id":"{line}","loan_account_id":"{loan}",
         "provider":"{provider}","amount":"1250.00","currency":"MXN"}}'
  # download it as an image
  curl -s {api}/credit-lines/{line}/purchases/<code>/download -H "$FRONTEND" -o voucher.png
  # scan it at the provider's till; a second scan is refused
  curl -s {api}/loans/{loan}/use -H "$DEVICE" -H "$JSON" -H 'Idempotency-Key: scan-1' -d '{{"code":"<code>"}}'
  curl -s {api}/loans/{loan}/use -H "$DEVICE" -H "$JSON" -H 'Idempotency-Key: scan-2' -d '{{"code":"<code>"}}'
  # the next loan ({next}) wants another one-time password
  curl -s {sandbox}/_control/ciam/otps -H "$JSON" -d '{{"client_id":"{client}","otp":"{otp}"}}'
"#,
        api = demo.api_url,
        sandbox = demo.sandbox_url,
        frontend = demo.keys.frontend,
        device = demo.keys.provider_device,
        loan = data.loan_account_ids[0],
        next = data.loan_account_ids[1],
        otp = data.otp,
        client = data.client_id,
        line = data.credit_line_id,
        provider = data.provider,
    )
}
