//! Every code that was issued is one disbursement, which stands if the code was used and is reversed once if it was
//! not. Without a code nothing stands.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};
use serde_json::Value;
use system_tests::Loan;
use uuid::Uuid;

use super::super::{PurchaseCodes, memory::Known, outside::effects};

const AT_ONCE: usize = 8;

/// What was asked for one loan.
type Asked<'a> = BTreeMap<&'a Uuid, &'a Known>;

pub(super) async fn check(purchases: &PurchaseCodes, known: &BTreeMap<Uuid, Known>) -> Vec<String> {
    let disbursed = effects(purchases, "disbursement", "loan_account_id").await;
    let adjusted = effects(purchases, "adjustment", "loan_account_id").await;
    let mut loans = BTreeMap::<&str, Asked<'_>>::new();
    for (id, known) in known {
        loans.entry(&known.loan.id).or_default().insert(id, known);
    }
    let mut sentences: Vec<_> = loans
        .iter()
        .flat_map(|(loan, asked)| of_loan(loan, asked, part(&disbursed, loan), part(&adjusted, loan)))
        .collect();
    let strangers = disbursed.keys().filter(|loan| !loans.contains_key(loan.as_str()));
    sentences.extend(strangers.map(|loan| format!("loan {loan} is disbursed, and nobody was told of it")));
    sentences.extend(passwords(purchases, known).await);
    sentences.extend(states(purchases, known).await);
    sentences
}

fn part<'a>(effects: &'a BTreeMap<String, Vec<Value>>, loan: &str) -> &'a [Value] {
    effects.get(loan).map(Vec::as_slice).unwrap_or_default()
}

fn of_loan(loan: &str, asked: &Asked<'_>, disbursed: &[Value], adjusted: &[Value]) -> Vec<String> {
    let issued: Vec<_> = asked.iter().filter(|(_, known)| known.is_issued()).collect();
    let [(id, known)] = issued.as_slice() else {
        if issued.is_empty() && disbursed.is_empty() && adjusted.is_empty() {
            return Vec::new();
        }
        let counts = format!("{} disbursements and {} reversals", disbursed.len(), adjusted.len());
        return vec![format!("loan {loan} has {} codes, {counts}", issued.len())];
    };
    let mut sentences = Vec::new();
    let (ours, theirs) = (format!("pc-{id}"), disbursed.first().map(|effect| &effect["external_id"]));
    if disbursed.len() != 1 || theirs.is_none_or(|theirs| *theirs != ours) {
        sentences.push(format!("purchase {id} should have one disbursement and has {disbursed:?}"));
    }
    let reversals = usize::from(!known.is_used());
    if adjusted.len() != reversals {
        let scans: Vec<_> = known.scans.iter().map(|scan| scan.answer.status).collect();
        let count = adjusted.len();
        sentences.push(format!("purchase {id} was reversed {count} times after scans with {scans:?}"));
    }
    sentences
}

/// A one-time password is spent once for each code, and never more than once for a request.
async fn passwords(purchases: &PurchaseCodes, known: &BTreeMap<Uuid, Known>) -> Vec<String> {
    let spent = effects(purchases, "otp_spent", "reference").await;
    let mut sentences = Vec::new();
    for (id, known) in known {
        let times = spent.get(&id.to_string()).map_or(0, Vec::len);
        if times > 1 || (known.is_issued() && times == 0) {
            sentences.push(format!("purchase {id} spent {times} one-time passwords"));
        }
    }
    sentences
}

/// Mambu's own opinion of each loan.
async fn states(purchases: &PurchaseCodes, known: &BTreeMap<Uuid, Known>) -> Vec<String> {
    let used: BTreeSet<_> =
        known.values().filter(|known| known.is_used()).map(|known| known.loan.id.as_str()).collect();
    let loans: BTreeMap<_, _> = known.values().map(|known| (known.loan.id.as_str(), &known.loan)).collect();
    let asked = loans.into_iter().map(|(id, loan)| state(purchases, loan, used.contains(id)));
    let asked: Vec<_> = asked.collect();
    stream::iter(asked).buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await
}

async fn state(purchases: &PurchaseCodes, loan: &Loan, is_used: bool) -> Option<String> {
    let expected = if is_used { "ACTIVE" } else { "APPROVED" };
    let state = purchases.app.loan_at_mambu(loan).await["state"].take();
    (state != expected).then(|| format!("loan {} should be {expected} at Mambu and is {state}", loan.id))
}
