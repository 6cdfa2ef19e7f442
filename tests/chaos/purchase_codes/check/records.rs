//! What is kept says the same as what was answered: one record of each purchase, its loan and its disbursement.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{PurchaseCodes, memory::Known};

pub(super) async fn check(purchases: &PurchaseCodes, known: &BTreeMap<Uuid, Known>) -> Vec<String> {
    let aws = &purchases.aws;
    let records = by(aws.items("perdura-qr-data").await, "purchase_id");
    let disbursements = by(aws.items("perdura-disbursements").await, "purchase_id");
    let credits = by(aws.items("perdura-credit-details").await, "loan_account_id");
    let mut sentences = unknown(known, &records);
    for (id, known) in known {
        let record = records.get(&id.to_string());
        let disbursement = disbursements.get(&id.to_string());
        sentences.extend(of_purchase(*id, known, record.unwrap_or(&Value::Null), disbursement));
        if known.is_issued() {
            let credit = credits.get(&known.loan.id).unwrap_or(&Value::Null);
            sentences.extend(of_loan(known, credit));
        }
    }
    let (issued, codes) = (known.values().filter(|known| known.is_issued()).count(), codes(purchases).await);
    if (disbursements.len(), codes) != (issued, issued) {
        let kept = disbursements.len();
        sentences.push(format!("{issued} codes were issued; {kept} disbursements and {codes} codes are kept"));
    }
    let vouchers = aws.vouchers().await;
    sentences.extend(vouchers.into_iter().map(|name| format!("{name} is kept, and every code is over")));
    sentences
}

async fn codes(purchases: &PurchaseCodes) -> usize {
    purchases.aws.items("perdura-purchase-codes").await.len()
}

fn by(items: Vec<Value>, key: &str) -> BTreeMap<String, Value> {
    items.into_iter().map(|item| (item[key].as_str().unwrap_or_default().to_owned(), item)).collect()
}

fn unknown(known: &BTreeMap<Uuid, Known>, records: &BTreeMap<String, Value>) -> Vec<String> {
    let is_known = |id: &str| id.parse().is_ok_and(|id: Uuid| known.contains_key(&id));
    let strangers = records.iter().filter(|(id, _)| !is_known(id));
    strangers.map(|(id, record)| format!("purchase {id} is kept and nobody was told of it: {record}")).collect()
}

fn of_purchase(id: Uuid, known: &Known, record: &Value, disbursement: Option<&Value>) -> Option<String> {
    let status = match (known.is_issued(), known.is_used()) {
        (false, _) => Value::Null,
        (true, true) => json!("USADO"),
        (true, false) => json!("VENCIDO"),
    };
    let is_reversed = disbursement.is_some_and(|disbursement| disbursement["reversedAt"].is_string());
    let is_right = record["status"] == status
        && record["refusal"].is_null() == known.is_issued()
        && record["image_url"].is_null()
        && disbursement.is_some() == known.is_issued()
        && is_reversed == (known.is_issued() && !known.is_used())
        && disbursement.is_none_or(|disbursement| disbursement["transactionId"] == record["transactionId"]);
    let answered = known.answer.status;
    (!is_right).then(|| {
        format!("purchase {id} was answered {answered} and should be {status}; it is {record}, with {disbursement:?}")
    })
}

fn of_loan(known: &Known, credit: &Value) -> Option<String> {
    let (substate, claimed) = if known.is_used() { ("DESEMBOLSADO", true) } else { ("DISPOSICION_REVERTIDA", false) };
    let is_right = credit["state"] == "ACTIVO" && credit["substate"] == substate && credit["claimed"] == claimed;
    (!is_right).then(|| format!("loan {} should be {substate} and is {credit}", known.loan.id))
}
