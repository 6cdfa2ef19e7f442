//! Frontends that open their fridges, buyers who take things out of them, and both repeating themselves.

use std::{ops::Range, time::Duration};

use futures::future::{join, join_all};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use system_tests::{Answer, Fridge, Sale, product, within};
use tokio::time::sleep;

use super::{
    FRIDGES, FridgeSales,
    memory::{Course, Known},
    outside::act,
    plots::{PLOTS, Plot, SHELF, TROUBLES},
};
use crate::{client::insist, dice::Dice, process::Over};

/// Streams of the dice below this belong to others.
const FIRST_STREAM: u64 = 400;
/// Between two looks at something that changes by itself.
const BREATH: Duration = Duration::from_millis(150);
/// Vendron cancels a session whose door stays shut for this long.
const SHUT: Duration = Duration::from_secs(8);
/// Longer than a sale usually takes from its closed door to its end, whatever died meanwhile.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long Vendron tells an end that comes late.
const LATE: Duration = Duration::from_secs(4);
/// How long a buyer stands at the open door with all that he wants, in milliseconds.
const HESITATING: Range<u64> = 0..800;
/// The same for one who lingers: a worker and Temporal that died are back before, and a command is not stale after it.
const LINGERING: Range<u64> = 5_000..11_000;

/// One buyer for each fridge, until it is over; what was begun is brought to its end.
pub(super) async fn run(sales: &FridgeSales, seed: u64, over: &Over) {
    let buyers = (FIRST_STREAM..).take(FRIDGES).enumerate();
    join_all(buyers.map(|(fridge, stream)| {
        let buyer = Buyer { sales, number: fridge, fridge: &sales.fridges[fridge], dice: Dice::new(seed, stream) };
        buyer.work(over)
    }))
    .await;
}

struct Buyer<'a> {
    sales: &'a FridgeSales,
    number: usize,
    fridge: &'a Fridge,
    dice: Dice,
}

impl Buyer<'_> {
    async fn work(mut self, over: &Over) {
        let mut count = 0;
        while !over.is_over() {
            count += 1;
            self.one_sale(&format!("sale {count}")).await;
            self.something_else().await;
            // Buyers come one after the other.
            sleep(self.dice.millis(50..400)).await;
        }
    }

    async fn one_sale(&mut self, key: &str) {
        let course = self.prepare().await;
        let keys = [key.to_owned(), format!("{key}, somebody else's")];
        let keys = if course.plot == Plot::AskedTwice { &keys[..] } else { &keys[..1] };
        let (sales, number, refused) = (self.sales, self.number, Over::default());
        let asking = async {
            let asked = join_all(keys.iter().map(|key| ask(sales, number, key, course))).await;
            let asked: Vec<_> = asked.into_iter().flatten().collect();
            if !asked.iter().any(|sale| sale.answer.status == StatusCode::CREATED) {
                refused.end();
            }
            asked
        };
        let (asked, ()) = join(asking, self.buy(course.plot, &refused)).await;
        for sale in asked.iter().filter(|sale| sale.answer.status.is_success()) {
            self.see_through(sale, course.plot).await;
        }
    }

    /// Nothing of the sale before is left at Vendron.
    async fn prepare(&mut self) -> Course {
        let plot = *self.dice.pick(&PLOTS);
        let app = &self.sales.app;
        app.mend(self.fridge.uid()).await;
        act(self.sales, self.fridge, "drop", &json!({ "session": true })).await;
        let keeps_events = self.dice.chance(70);
        self.fridge.set(json!({ "online": plot != Plot::Offline, "keeps_events": keeps_events })).await;
        let trouble = self.dice.chance(30).then(|| *self.dice.pick(&TROUBLES));
        if let Some((operation, kind)) = trouble {
            app.fail(("vendron", operation), kind, self.fridge.uid(), 1).await;
        }
        Course { plot, trouble }
    }

    /// Waits at the door. One that nobody opens stays shut, and Vendron cancels what was asked of it.
    async fn buy(&mut self, plot: Plot, refused: &Over) {
        let fridge = self.fridge;
        let look = || async {
            sleep(BREATH).await;
            fridge.view().await
        };
        let is_decided = |machine: &Value| machine["door"] == "unlocked" || refused.is_over();
        let mut decided = within(SHUT, look, is_decided).await;
        while let Err(machine) = &decided {
            if machine["session"].is_string() {
                return act(self.sales, fridge, "give-up", &json!({})).await;
            }
            decided = within(SHUT, look, is_decided).await;
        }
        if decided.is_ok_and(|machine| machine["door"] == "unlocked") {
            self.shop(plot).await;
        }
    }

    /// What a buyer does at an open door, whoever knows that it is open.
    async fn shop(&mut self, plot: Plot) {
        if plot == Plot::GivenUp {
            return act(self.sales, self.fridge, "give-up", &json!({})).await;
        }
        if plot != Plot::Nothing {
            self.take(plot).await;
        }
        if plot == Plot::Torn {
            act(self.sales, self.fridge, "drop", &json!({ "connections": true })).await;
        }
        let hesitation = if self.sales.lingers { LINGERING } else { HESITATING };
        sleep(self.dice.millis(hesitation)).await;
        let is_told = plot.is_told();
        act(self.sales, self.fridge, "close", &json!({ "complete": is_told })).await;
        if !is_told {
            act(self.sales, self.fridge, "drop", &json!({ "session": true })).await;
        }
    }

    async fn take(&mut self, plot: Plot) {
        let mut numbers = Vec::new();
        for _ in 0..self.dice.number(1..4) {
            let (vpn, name, price) = *self.dice.pick(&SHELF);
            act(self.sales, self.fridge, "take", &json!({ "products": [product(vpn, name, price)] })).await;
            numbers.push(vpn);
            sleep(self.dice.millis(0..300)).await;
        }
        if plot == Plot::PutBack {
            act(self.sales, self.fridge, "put-back", &json!({ "vpn": numbers })).await;
        }
    }

    /// A sale whose door was opened, or may have been, comes to an end.
    async fn see_through(&self, sale: &Sale, plot: Plot) {
        let (sales, fridge, number) = (self.sales, self.fridge, self.number);
        let look = || async {
            sleep(BREATH).await;
            status(sales, number, sale).await
        };
        let has_ended = |status: &Option<String>| status.as_deref().is_some_and(is_final);
        // One that is disturbed again and again is looked at when all is at rest: then it has to have ended.
        let Ok(ended) = within(PATIENCE, look, has_ended).await else { return };
        let late = || async {
            act(sales, fridge, "complete", &json!({})).await;
            look().await
        };
        let is_settled = |status: &Option<String>| status.as_deref() == Some("completed");
        let ended = if plot == Plot::Late && ended.as_deref() == Some("unresolved") {
            // Nobody may listen any more.
            within(LATE, late, is_settled).await.unwrap_or_else(|last| last)
        } else {
            ended
        };
        sales.memory.change(sale.sale_ref, |known| known.ended = ended);
    }

    async fn something_else(&mut self) {
        let known = self.sales.memory.sales().into_iter();
        let own: Vec<_> = known.filter(|(_, known)| known.fridge == self.number).collect();
        if own.is_empty() {
            return;
        }
        let (_, known) = self.dice.pick(&own);
        if self.dice.chance(30) {
            repeat(self.sales, known).await;
        }
        if self.dice.chance(20) {
            let path = format!("/machines/{}/status", self.fridge.id());
            let request = || self.fridge.frontend().request(Method::GET, &path);
            insist("a question how a machine is", &self.sales.surprises, request).await;
        }
    }
}

fn is_final(status: &str) -> bool {
    ["completed", "empty", "failed", "unresolved"].contains(&status)
}

/// Asks for a sale. Nothing when there was no final answer, which is noted.
async fn ask(sales: &FridgeSales, number: usize, key: &str, course: Course) -> Option<Sale> {
    let fridge = &sales.fridges[number];
    let request = fridge.order_of(&key.replace([' ', ',', '\''], "-"));
    let what = format!("{key} at {}", fridge.id());
    let answer = insist(&what, &sales.surprises, || fridge.opening(key, &request)).await?;
    let sale = fridge.sale(key).answered(answer.clone());
    if answer.body["ref"] != sale.sale_ref.to_string() {
        sales.surprises.note(format!("{what} was answered {answer:?}"));
    }
    let key = key.to_owned();
    sales.memory.remember(sale.sale_ref, Known { fridge: number, key, request, answer, course, ended: None });
    Some(sale)
}

/// The status of a sale as its frontend is shown it.
async fn status(sales: &FridgeSales, number: usize, sale: &Sale) -> Option<String> {
    let answer = shown(sales, number, &sale.path()).await?;
    answer.body["status"].as_str().map(str::to_owned)
}

/// A transaction as its frontend is shown it.
pub(super) async fn shown(sales: &FridgeSales, number: usize, path: &str) -> Option<Answer> {
    let request = || sales.fridges[number].frontend().request(Method::GET, path);
    insist(&format!("reading {path}"), &sales.surprises, request).await
}

/// The same request under its old key: nothing else, whatever happened since.
pub(super) async fn repeat(sales: &FridgeSales, known: &Known) {
    let fridge = &sales.fridges[known.fridge];
    let what = format!("{} at {}, repeated,", known.key, fridge.id());
    let opening = || fridge.opening(&known.key, &known.request);
    let Some(again) = insist(&what, &sales.surprises, opening).await else { return };
    if known.is_contradicted_by(&again) {
        sales.surprises.note(format!("{what} was answered {:?} and then {again:?}", known.answer));
    }
}
