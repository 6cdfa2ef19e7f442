//! Clients that create invoices, pay them, cancel them, read them and repeat themselves.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{join, join_all};
use reqwest::StatusCode;
use serde_json::{Value, json};
use system_tests::{Answer, within};
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    BLOCKS, Invoices, MERCHANTS,
    memory::{Asked, Cancellation, Known},
    plots::{COINS, Coin, PLOTS, Plot, Share},
};
use crate::{dice::Dice, process::Over};

/// Streams of the dice below this belong to others.
const FIRST_STREAM: u64 = 100;
const SHORT_SECONDS: u32 = 1;
pub(super) const LONG_SECONDS: u32 = 86_400;
/// How long a buyer who comes too late waits for the time to be over.
const EXPIRY: Duration = Duration::from_secs(30);
/// And how much later he may be: half of the time for which an address is watched, so that it is nobody else's yet.
const LATEST: TimeDelta = TimeDelta::seconds(5);
/// Each with a key of its own: what is refused is refused for good.
const ACCEPTANCES: u32 = 6;
const FORMS_PERCENT: u32 = 25;

/// One client for each merchant, until it is over; what was begun is brought to its end.
pub(super) async fn run(invoices: &Invoices, seed: u64, over: &Over) {
    let clients = (FIRST_STREAM..).take(MERCHANTS).enumerate();
    join_all(clients.map(|(merchant, stream)| {
        let client = Client { invoices, merchant, dice: Dice::new(seed, stream) };
        client.work(over)
    }))
    .await;
}

struct Client<'a> {
    invoices: &'a Invoices,
    merchant: usize,
    dice: Dice,
}

impl Client<'_> {
    async fn work(mut self, over: &Over) {
        let mut count = 0;
        while !over.is_over() {
            count += 1;
            self.one_invoice(&format!("order {count}")).await;
            self.something_else().await;
            // Buyers come one after the other.
            sleep(self.dice.millis(20..300)).await;
        }
    }

    async fn one_invoice(&mut self, key: &str) {
        let (coin, plot) = (self.dice.pick(&COINS), self.dice.pick(&PLOTS));
        self.trouble_the_address_service().await;
        let Some((invoice_id, address)) = self.create(key, coin, plot).await else { return };
        // The buyer reads and decides; meanwhile anything may die.
        sleep(self.dice.millis(0..1500)).await;
        let (invoices, merchant) = (self.invoices, self.merchant);
        let pay = self.pay(coin, plot, &address);
        let cancel = async {
            if plot.is_cancelled {
                cancel(invoices, merchant, invoice_id).await;
            }
        };
        join(pay, cancel).await;
        if plot.is_late {
            self.pay_late(coin, invoice_id, &address).await;
        }
    }

    /// The id of a new invoice, and its address.
    async fn create(&mut self, key: &str, coin: &Coin, plot: &Plot) -> Option<(Uuid, String)> {
        let mut terms = json!({
            "coin_id": coin.coin_id, "network_id": coin.network_id, "title": "Swept",
            "expires_in_seconds": if plot.is_short { SHORT_SECONDS } else { LONG_SECONDS },
        });
        let asked = if self.dice.chance(FORMS_PERCENT) {
            self.through_a_form(key, coin, terms).await?
        } else {
            (terms["amount"], terms["external_id"]) = (json!(coin.amount(Share::Due)), json!(key));
            Asked { path: "/invoices".to_owned(), key: key.to_owned(), request: terms }
        };
        let answer = self.created(&asked).await?.body;
        // A buyer is told of his invoice and of his token.
        let created = answer.get("invoice").unwrap_or(&answer).clone();
        let known = Known {
            merchant: self.merchant,
            asked,
            answer,
            created,
            is_short: plot.is_short,
            cancellation: None,
            is_accepted_late: false,
            version_read: 1,
        };
        let created = (known.text("invoice_id").parse().ok()?, known.text("deposit_address").to_owned());
        self.invoices.memory.remember(created.0, known);
        Some(created)
    }

    /// The merchant makes a form for one buyer, who fills in the amount.
    async fn through_a_form(&self, key: &str, coin: &Coin, mut terms: Value) -> Option<Asked> {
        terms["max_uses"] = json!(1);
        let form = Asked { path: "/invoice-forms".to_owned(), key: format!("form of {key}"), request: terms };
        let form = self.created(&form).await?;
        let path = format!("/processing/{}/submit", form.text("form_id"));
        let request = json!({ "amount": coin.amount(Share::Due) });
        Some(Asked { path, key: Uuid::new_v4().to_string(), request })
    }

    /// Asks until there is a final answer, which has to be that it was created.
    async fn created(&self, Asked { path, key, request }: &Asked) -> Option<Answer> {
        let created = self.invoices.insist(self.merchant, path, key, request).await?;
        if created.status != StatusCode::CREATED {
            self.invoices.memory.note(format!("POST {path} with the key {key} was answered {created:?}"));
            return None;
        }
        Some(created)
    }

    async fn pay(&mut self, coin: &Coin, plot: &Plot, address: &str) {
        for share in plot.payments {
            self.pay_share(coin, *share, address).await;
        }
    }

    async fn pay_share(&mut self, coin: &Coin, share: Share, address: &str) {
        let app = &self.invoices.app;
        self.trouble_the_watcher(address).await;
        let paid = if self.invoices.confirms_at_once {
            self.invoices.pay_for_good(coin, share, address).await
        } else {
            self.pay_and_maybe_mine(coin, address, share).await
        };
        if self.dice.chance(25) {
            // Whether the API lives to hear it does not matter: the watcher's own report goes on until it does.
            app.control("/watcher/repeat", json!({ "tx_id": paid["tx_id"], "times": 3 })).await;
        }
        sleep(self.dice.millis(0..600)).await;
    }

    /// The buyer pays when the time is over, and the merchant takes it, if it is there when he asks.
    async fn pay_late(&mut self, coin: &Coin, invoice_id: Uuid, address: &str) {
        let (invoices, merchant) = (self.invoices, self.merchant);
        let path = format!("/invoices/{invoice_id}");
        let is_over = |answer: &Option<Answer>| answer.as_ref().is_some_and(is_just_over);
        if within(EXPIRY, || invoices.read(merchant, &path), is_over).await.is_err() {
            return;
        }
        self.pay_share(coin, Share::Due, address).await;
        for attempt in 0..ACCEPTANCES {
            if accept_late(invoices, merchant, invoice_id, attempt).await {
                return;
            }
            sleep(self.dice.millis(0..600)).await;
        }
    }

    async fn pay_and_maybe_mine(&mut self, coin: &Coin, address: &str, share: Share) -> Value {
        let app = &self.invoices.app;
        let paid = app.pay(coin.network_id, coin.coin_id, address, coin.amount(share)).await;
        if self.dice.chance(60) {
            app.mine(coin.network_id, *self.dice.pick(&[1, 2, 3, 12, 19, BLOCKS])).await;
        }
        paid
    }

    async fn something_else(&mut self) {
        let known: Vec<_> = self.known();
        let Some((invoice_id, known)) = (!known.is_empty()).then(|| self.dice.pick(&known)) else { return };
        if self.dice.chance(30) {
            repeat(self.invoices, known).await;
        }
        if self.dice.chance(30) {
            look(self.invoices, *invoice_id, known).await;
        }
        if self.dice.chance(15) {
            self.invoices.app.mine(known.text("network_id"), BLOCKS).await;
        }
    }

    fn known(&self) -> Vec<(Uuid, Known)> {
        let all = self.invoices.memory.invoices();
        all.into_iter().filter(|(_, known)| known.merchant == self.merchant).collect()
    }

    /// It makes the address and nobody hears of it.
    async fn trouble_the_address_service(&mut self) {
        if self.dice.chance(15) {
            let merchant_id = self.invoices.merchants[self.merchant].id();
            self.fault("addresses", "create", &merchant_id.to_string()).await;
        }
    }

    /// It reports the deposit and does not hear the answer.
    async fn trouble_the_watcher(&mut self, address: &str) {
        if self.dice.chance(15) {
            self.fault("watcher", "report", address).await;
        }
    }

    async fn fault(&self, system: &str, operation: &str, text: &str) {
        let fault = json!({
            "system": system, "operation": operation, "kind": "execute_then_timeout", "times": 1, "match": text,
            "delay_ms": 200,
        });
        self.invoices.app.control("/faults", fault).await;
    }
}

impl Invoices {
    /// A payment that the watcher reports once, when it is final.
    pub(super) async fn pay_for_good(&self, coin: &Coin, share: Share, address: &str) -> Value {
        let app = &self.app;
        app.control("/watcher/pause", json!({ "paused": true, "match": address })).await;
        let paid = app.pay(coin.network_id, coin.coin_id, address, coin.amount(share)).await;
        app.mine(coin.network_id, BLOCKS).await;
        app.control("/watcher/pause", json!({ "paused": false, "match": address })).await;
        paid
    }
}

async fn cancel(invoices: &Invoices, merchant: usize, invoice_id: Uuid) {
    let (path, key) = (format!("/invoices/{invoice_id}/cancel"), format!("cancel {invoice_id}"));
    let Some(answer) = invoices.insist(merchant, &path, &key, &cancel_request()).await else { return };
    if ![StatusCode::OK, StatusCode::CONFLICT].contains(&answer.status) {
        invoices.memory.note(format!("POST {path} was answered {answer:?}"));
    }
    invoices.memory.change(invoice_id, |known| known.cancellation = Some(Cancellation { key, answer }));
}

fn is_just_over(answer: &Answer) -> bool {
    let ended_at = answer.body["updated_at"].as_str().and_then(|time| time.parse::<DateTime<Utc>>().ok());
    answer.body["status"] == "expired" && ended_at.is_some_and(|at| Utc::now() - at < LATEST)
}

/// Whether the merchant was told that all that came late counts.
async fn accept_late(invoices: &Invoices, merchant: usize, invoice_id: Uuid, attempt: u32) -> bool {
    let (path, key) = (format!("/invoices/{invoice_id}/accept-late"), format!("accept {invoice_id} {attempt}"));
    let Some(answer) = invoices.insist(merchant, &path, &key, &json!({ "note": "swept" })).await else { return false };
    let is_accepted = answer.status == StatusCode::OK;
    if !is_accepted && answer.status != StatusCode::CONFLICT {
        invoices.memory.note(format!("POST {path} was answered {answer:?}"));
    }
    invoices.memory.change(invoice_id, |known| known.is_accepted_late |= is_accepted);
    is_accepted
}

pub(super) fn cancel_request() -> Value {
    json!({ "reason": "requested_by_merchant" })
}

/// The same request under its old key: the first answer, whatever happened since.
pub(super) async fn repeat(invoices: &Invoices, known: &Known) {
    let Asked { path, key, request } = &known.asked;
    let Some(again) = invoices.insist(known.merchant, path, key, request).await else { return };
    if again.status != StatusCode::CREATED || again.body != known.answer {
        let first = &known.answer;
        invoices
            .memory
            .note(format!("the key {key} was answered 201 {first} and then {} {}", again.status, again.body));
    }
}

/// What one reader was shown no later reader may miss.
async fn look(invoices: &Invoices, invoice_id: Uuid, known: &Known) {
    let Some(shown) = invoices.read(known.merchant, &format!("/invoices/{invoice_id}")).await else { return };
    let version = shown.body["version"].as_i64().unwrap_or_default();
    if shown.status != StatusCode::OK || version < known.version_read {
        let before = known.version_read;
        invoices.memory.note(format!("invoice {invoice_id} was read at version {before} and then as {shown:?}"));
    }
    invoices.memory.change(invoice_id, |known| known.version_read = known.version_read.max(version));
}
