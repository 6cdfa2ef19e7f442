//! Every coin that was paid is kept once, counted once and credited once, and the status says so.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use sqlx::{FromRow, query_as};
use uuid::Uuid;
use workflows::domain::BaseUnits;

use super::{
    super::{
        Invoices,
        memory::Known,
        outside::{self, Output},
    },
    expectation::{Expectation, by_deadline, plain, time, units},
};
use crate::violation::Violation;

/// Part of the sentence about money that was acknowledged and never counted.
pub(crate) const UNCOUNTED: &str = "of it is counted";

#[derive(FromRow)]
struct KeptInvoice {
    invoice_id: Uuid,
    status: String,
    exception: String,
    seen: String,
    confirmed: String,
    grace_ms: i64,
}

#[derive(FromRow)]
struct KeptOutput {
    name: String,
    invoice_id: Option<Uuid>,
    amount: String,
    state: String,
}

#[derive(FromRow)]
struct Credit {
    invoice_id: Uuid,
    name: String,
    amount: String,
}

// Base units and the coin's decimals together are a plain decimal, without the rounding of a division.
const INVOICES: &str = "
    select invoice_id, status::text, exception, (seen || 'e-' || decimals)::numeric::text as seen,
        (confirmed || 'e-' || decimals)::numeric::text as confirmed, (policy ->> 'partial_grace')::bigint as grace_ms
    from invoice";
const OUTPUTS: &str = "
    select network_id || '/' || tx_id || '/' || output_ref as name, invoice_id, state,
        (amount || 'e-' || decimals)::numeric::text as amount
    from invoice_transaction";
const CREDITS: &str = "
    select c.invoice_id, t.network_id || '/' || t.tx_id || '/' || t.output_ref as name,
        (c.amount || 'e-' || c.decimals)::numeric::text as amount
    from merchant_credit c join invoice_transaction t using (transaction_id)";

pub(super) async fn check(invoices: &Invoices, known: &BTreeMap<Uuid, Known>) -> Vec<Violation> {
    let outputs = outside::outputs(invoices, known).await;
    let kept = query_as(OUTPUTS).fetch_all(&invoices.database).await.expect("the outputs");
    let rows: Vec<KeptInvoice> = query_as(INVOICES).fetch_all(&invoices.database).await.expect("the invoices");
    let credits: Vec<Credit> = query_as(CREDITS).fetch_all(&invoices.database).await.expect("the credits");

    let (owned, mut sentences) = attribute(known, &outputs, kept);
    for row in &rows {
        let Some(known) = known.get(&row.invoice_id) else {
            sentences.push(format!("invoice {} is in the database and was never acknowledged", row.invoice_id));
            continue;
        };
        let paid = owned.get(&row.invoice_id).map(Vec::as_slice).unwrap_or_default();
        let own_credits: Vec<_> = credits.iter().filter(|credit| credit.invoice_id == row.invoice_id).collect();
        sentences.extend(standing(row, known, paid));
        sentences.extend(credited(row, known, paid, &own_credits));
    }
    sentences.into_iter().map(Violation::new).collect()
}

/// Which invoice each output belongs to, as it is kept, and what is wrong with that.
fn attribute<'a>(
    known: &BTreeMap<Uuid, Known>,
    outputs: &'a [Output],
    kept: Vec<KeptOutput>,
) -> (BTreeMap<Uuid, Vec<&'a Output>>, Vec<String>) {
    let (mut owned, mut sentences) = (BTreeMap::<_, Vec<_>>::new(), Vec::new());
    let mut kept: BTreeMap<_, _> = kept.into_iter().map(|kept| (kept.name.clone(), kept)).collect();
    for output in outputs {
        let name = output.name();
        let Some(kept) = kept.remove(&name) else {
            sentences.push(format!("output {name} was paid to {} and is not kept", output.address));
            continue;
        };
        if units(&kept.amount) != units(&output.amount) || kept.state != output.state {
            let (amount, state) = (&kept.amount, &kept.state);
            let (real_amount, real_state) = (&output.amount, &output.state);
            sentences.push(format!("output {name} is {real_state} {real_amount} and kept as {state} {amount}"));
        }
        let rightful = rightful(known, output);
        if rightful.is_some() && rightful != kept.invoice_id {
            sentences
                .push(format!("output {name} belongs to invoice {rightful:?} and is kept for {:?}", kept.invoice_id));
        }
        if let Some(invoice_id) = kept.invoice_id {
            owned.entry(invoice_id).or_default().push(output);
        }
    }
    sentences.extend(kept.keys().map(|name| format!("output {name} is kept and nobody paid it")));
    (owned, sentences)
}

/// The invoice that the output was meant for: the last that had the address then, if it still had time to be paid.
fn rightful(known: &BTreeMap<Uuid, Known>, output: &Output) -> Option<Uuid> {
    let on_address = known.iter().filter(|(_, known)| known.text("deposit_address") == output.address);
    let begun = on_address.filter(|(_, known)| time(known.text("created_at")) <= output.first_seen_at);
    let (id, last) = begun.max_by_key(|(_, known)| time(known.text("created_at")))?;
    (output.first_seen_at < time(last.text("expires_at"))).then_some(*id)
}

fn standing(row: &KeptInvoice, known: &Known, paid: &[&Output]) -> Vec<String> {
    let KeptInvoice { invoice_id, status, exception, .. } = row;
    let expected = Expectation::of(known, paid, TimeDelta::milliseconds(row.grace_ms));
    let mut sentences = Vec::new();
    for (what, counted) in [("seen", &row.seen), ("confirmed", &row.confirmed)] {
        let (counted, paid) = (units(counted), &expected.paid);
        let (counted_text, paid_text) = (plain(&counted), plain(paid));
        if counted < *paid {
            sentences.push(format!(
                "{paid_text} was paid in time to invoice {invoice_id} and only {counted_text} {UNCOUNTED} as {what}"
            ));
        } else if counted > *paid {
            sentences
                .push(format!("{paid_text} was paid in time to invoice {invoice_id} and {counted_text} is {what}"));
        }
    }
    if (status.as_str(), exception.as_str()) != (expected.status, expected.exception) {
        let Expectation { status: right, exception: unusual, .. } = &expected;
        sentences.push(format!("invoice {invoice_id} is {status} ({exception}) and has to be {right} ({unusual})"));
    }
    sentences
}

fn credited(row: &KeptInvoice, known: &Known, paid: &[&Output], credits: &[&Credit]) -> Vec<String> {
    let invoice_id = row.invoice_id;
    let (in_time, _) = by_deadline(known, paid, TimeDelta::milliseconds(row.grace_ms));
    let (mut sentences, mut once) = (Vec::new(), BTreeSet::new());
    for credit in credits {
        let (name, amount) = (&credit.name, &credit.amount);
        let output = in_time.iter().find(|output| output.name() == *name);
        if output.is_none_or(|output| units(&output.amount) != units(amount)) {
            sentences
                .push(format!("{amount} of {name} was credited for invoice {invoice_id} and not paid to it in time"));
        }
        if !once.insert(name) {
            sentences.push(format!("output {name} was credited twice for invoice {invoice_id}"));
        }
    }
    let amounts: Vec<_> = credits.iter().map(|credit| units(&credit.amount)).collect();
    let total: BaseUnits = amounts.iter().sum();
    if (row.status == "finished") != (total >= units(known.text("amount"))) {
        let (status, total) = (&row.status, plain(&total));
        sentences.push(format!("invoice {invoice_id} is {status} and its merchant was credited {total}"));
    }
    sentences
}
