//! Clients that confirm loans, tills that scan codes, and both repeating themselves.

use chrono::{TimeDelta, Utc};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use system_tests::{Loan, Purchase};
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    FRONTENDS, PurchaseCodes, TILLS,
    memory::{Known, Scan},
    plots::{PLOTS, Plot, TROUBLES},
};
use crate::{client::insist, dice::Dice, process::Over};

/// Streams of the dice below this belong to others.
const FIRST_STREAM: u64 = 200;

/// One client for each frontend, until it is over; what was begun is brought to its end.
pub(super) async fn run(purchases: &PurchaseCodes, seed: u64, over: &Over) {
    let clients = (FIRST_STREAM..).take(FRONTENDS).enumerate();
    join_all(clients.map(|(frontend, stream)| {
        let client = Client { purchases, frontend, dice: Dice::new(seed, stream) };
        client.work(over)
    }))
    .await;
}

struct Client<'a> {
    purchases: &'a PurchaseCodes,
    frontend: usize,
    dice: Dice,
}

impl Client<'_> {
    async fn work(mut self, over: &Over) {
        let mut count = 0;
        while !over.is_over() {
            count += 1;
            self.one_loan(&format!("loan {count}")).await;
            self.something_else().await;
            // Buyers come one after the other.
            sleep(self.dice.millis(50..400)).await;
        }
    }

    async fn one_loan(&mut self, key: &str) {
        let plot = *self.dice.pick(&PLOTS);
        let loan = self.purchases.app.open_loan().await;
        if self.dice.chance(25) {
            self.trouble(&loan).await;
        }
        let keys = [key.to_owned(), format!("{key}, again")];
        let keys = if plot == Plot::AskedTwice { &keys[..] } else { &keys[..1] };
        let request = request(&loan, plot);
        let asked = join_all(keys.iter().map(|key| self.ask(key, &loan, &request))).await;
        let issued: Vec<_> = asked.into_iter().flatten().collect();
        if issued.len() != usize::from(plot.has_a_code()) {
            self.purchases.surprises.note(format!("loan {} of the plot {plot:?} has {} codes", loan.id, issued.len()));
        }
        let Some(purchase) = issued.into_iter().next() else { return };
        self.wait(&purchase, plot).await;
        let tills = match plot {
            Plot::Forgotten => 0,
            Plot::ScannedTwice => TILLS,
            _ => 1,
        };
        join_all((0..tills).map(|till| scan(self.purchases, &purchase, till))).await;
    }

    async fn trouble(&mut self, loan: &Loan) {
        let (operation, kind) = *self.dice.pick(&TROUBLES);
        let name = if operation.0 == "ciam" { &loan.client_id } else { &loan.id };
        self.purchases.app.fail(operation, kind, name, 1).await;
    }

    /// Asks for a code. The purchase, if there is one now.
    async fn ask(&self, key: &str, loan: &Loan, request: &Value) -> Option<Purchase> {
        let purchases = self.purchases;
        let frontend = &purchases.frontends[self.frontend];
        let what = format!("the purchase with the key {key}");
        let answer = insist(&what, &purchases.surprises, || frontend.asking(key, request)).await?;
        let purchase_id = frontend.purchase_id(key);
        let known = Known {
            frontend: self.frontend,
            key: key.to_owned(),
            loan: loan.clone(),
            request: request.clone(),
            answer,
            scans: Vec::new(),
        };
        let purchase = known.purchase(purchase_id);
        purchases.memory.remember(purchase_id, known);
        purchase
    }

    /// The buyer goes to the shop; meanwhile anything may die.
    async fn wait(&mut self, purchase: &Purchase, plot: Plot) {
        let way = self.dice.millis(0..800);
        if plot != Plot::ScannedLate {
            sleep(way).await;
            return;
        }
        let moment = purchase.expires_at() - TimeDelta::milliseconds(400);
        sleep((moment - Utc::now()).to_std().unwrap_or_default() + way).await;
    }

    async fn something_else(&mut self) {
        let known = self.purchases.memory.purchases().into_iter();
        let own: Vec<_> = known.filter(|(_, known)| known.frontend == self.frontend).collect();
        if own.is_empty() {
            return;
        }
        let (id, known) = self.dice.pick(&own);
        if self.dice.chance(30) {
            repeat(self.purchases, known).await;
        }
        if let Some(purchase) = known.purchase(*id).filter(|_| self.dice.chance(40)) {
            download(self.purchases, known, &purchase).await;
        }
    }
}

fn request(loan: &Loan, plot: Plot) -> Value {
    let mut request = loan.request();
    match plot {
        Plot::WrongPassword => request["otp"] = json!("000000"),
        Plot::WrongAmount => request["amount"] = json!("1250.01"),
        _ => {}
    }
    request
}

async fn scan(purchases: &PurchaseCodes, purchase: &Purchase, till: usize) {
    let key = Uuid::new_v4().to_string();
    let device = &purchases.tills[till];
    let scanning = || device.scanning(&key, &purchase.loan.id, purchase.code());
    let what = format!("a scan of purchase {}", purchase.id);
    let Some(answer) = insist(&what, &purchases.surprises, scanning).await else { return };
    if ![StatusCode::OK, StatusCode::FORBIDDEN].contains(&answer.status) {
        purchases.surprises.note(format!("{what} was answered {answer:?}"));
    }
    purchases.memory.change(purchase.id, |known| known.scans.push(Scan { till, key, answer }));
}

/// The same request under its old key: the first answer, whatever happened since.
pub(super) async fn repeat(purchases: &PurchaseCodes, known: &Known) {
    let frontend = &purchases.frontends[known.frontend];
    let what = format!("the purchase with the key {}, repeated,", known.key);
    let asking = || frontend.asking(&known.key, &known.request);
    let Some(again) = insist(&what, &purchases.surprises, asking).await else { return };
    let first = &known.answer;
    let is_same = if known.is_issued() { again.body == first.body } else { again.body["code"] == first.body["code"] };
    if again.status != first.status || !is_same {
        purchases.surprises.note(format!("{what} was answered {first:?} and then {again:?}"));
    }
}

async fn download(purchases: &PurchaseCodes, known: &Known, purchase: &Purchase) {
    let path = format!("{}/download", purchase.path());
    let what = format!("the voucher of purchase {}", purchase.id);
    let request = || purchases.frontends[known.frontend].request(Method::GET, &path);
    let Some(answer) = insist(&what, &purchases.surprises, request).await else { return };
    if ![StatusCode::OK, StatusCode::GONE].contains(&answer.status) {
        purchases.surprises.note(format!("{what} was answered {answer:?}"));
    }
}
