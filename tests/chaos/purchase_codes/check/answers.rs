//! What was answered is answered again, and is what everybody reads.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use reqwest::{Method, StatusCode};
use system_tests::Purchase;
use uuid::Uuid;

use super::super::{PurchaseCodes, load, memory::Known};
use crate::client::insist;

const AT_ONCE: usize = 8;

/// What is not as it was is noted.
pub(super) async fn check(purchases: &PurchaseCodes, known: &BTreeMap<Uuid, Known>) {
    stream::iter(known).for_each_concurrent(AT_ONCE, |(id, known)| repeat_all(purchases, *id, known)).await;
}

async fn repeat_all(purchases: &PurchaseCodes, id: Uuid, known: &Known) {
    load::repeat(purchases, known).await;
    let Some(purchase) = known.purchase(id) else { return };
    if known.uses() > 1 {
        purchases.surprises.note(format!("{} scans were told that they used the code of purchase {id}", known.uses()));
    }
    scan_again(purchases, known, &purchase).await;
    read(purchases, known, &purchase).await;
}

/// The scan that used the code is told so again, and no other ever is.
async fn scan_again(purchases: &PurchaseCodes, known: &Known, purchase: &Purchase) {
    for scan in &known.scans {
        let till = &purchases.tills[scan.till];
        let what = format!("a scan of purchase {}, repeated,", purchase.id);
        let scanning = || till.scanning(&scan.key, &purchase.loan.id, purchase.code());
        let Some(again) = insist(&what, &purchases.surprises, scanning).await else { continue };
        let first = &scan.answer;
        let is_same = first.status != StatusCode::OK || again.body == first.body;
        if again.status != first.status || !is_same {
            purchases.surprises.note(format!("{what} was answered {first:?} and then {again:?}"));
        }
    }
}

async fn read(purchases: &PurchaseCodes, known: &Known, purchase: &Purchase) {
    let what = format!("reading purchase {}", purchase.id);
    let request = || purchases.frontends[known.frontend].request(Method::GET, &purchase.path());
    let Some(read) = insist(&what, &purchases.surprises, request).await else { return };
    let state = if known.is_used() { "USADO" } else { "VENCIDO" };
    if read.status != StatusCode::OK || read.body["state"] != state {
        purchases.surprises.note(format!("purchase {} should be {state} and is read as {read:?}", purchase.id));
    }
}
