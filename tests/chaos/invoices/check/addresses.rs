//! An address is made once for each invoice that needs one, and none is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::super::{
    Invoices,
    memory::Known,
    outside::{self, Made},
};
use crate::violation::Violation;

pub(super) async fn check(invoices: &Invoices, known: &BTreeMap<Uuid, Known>) -> Vec<Violation> {
    let mut sentences = Vec::new();
    for merchant in &invoices.merchants {
        let mut served = BTreeSet::new();
        for made in outside::addresses_made(invoices, merchant.id()).await {
            let Made { key, address } = &made;
            let Some((invoice_id, invoice)) = invoice_of(&made, known) else {
                sentences.push(format!("address {address} was made for {key}, which nobody was told of"));
                continue;
            };
            if !served.insert(invoice_id) {
                sentences.push(format!("more than one address was made for invoice {invoice_id}"));
            }
            if invoice.text("deposit_address") != address {
                let other = invoice.text("deposit_address");
                sentences.push(format!("address {address} was made for invoice {invoice_id}, which has {other}"));
            }
        }
    }
    sentences.into_iter().map(Violation::new).collect()
}

fn invoice_of<'a>(made: &Made, known: &'a BTreeMap<Uuid, Known>) -> Option<(Uuid, &'a Known)> {
    let invoice_id = made.key.split('/').next()?.parse().ok()?;
    Some((invoice_id, known.get(&invoice_id)?))
}
