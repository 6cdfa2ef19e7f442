//! Tills that use gifts, undo that, want the same gift, and repeat themselves.

use std::time::Duration;

use futures::future::{join, join_all, join3};
use reqwest::{RequestBuilder, StatusCode};
use system_tests::{Answer, new_gift_id};
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    CLIENTS, Corner, Gifts, Side,
    memory::{Action, Step, outcome},
    plots::{PLOTS, Plot},
};
use crate::{client::insist, dice::Dice, process::Over};

/// Streams of the dice below this belong to others.
const FIRST_STREAM: u64 = 600;
const WRONG: &str = "9999";
/// A guard that waits for attempts whose API died lets nobody in for half a minute.
const TIMES_NOT_HEARD: u32 = 120;
const PAUSE: Duration = Duration::from_millis(500);

/// One client in each corner, until it is over; what was begun is brought to its end.
pub(super) async fn run(gifts: &Gifts, seed: u64, over: &Over) {
    let clients = (FIRST_STREAM..).take(CLIENTS).enumerate();
    join_all(clients.map(|(corner, stream)| {
        let client =
            Client { gifts, corner, dice: Dice::new(seed, stream), taken: 0, taken_of_own: 0, begun: Vec::new() };
        client.work(over)
    }))
    .await;
}

struct Client<'a> {
    gifts: &'a Gifts,
    corner: usize,
    dice: Dice,
    /// Gifts that it has begun with.
    taken: usize,
    taken_of_own: usize,
    /// All of them.
    begun: Vec<String>,
}

impl<'a> Client<'a> {
    async fn work(mut self, over: &Over) {
        while !over.is_over() {
            let plot = *self.dice.pick(&PLOTS);
            let Some(gift_id) = self.next_gift(plot) else {
                self.gifts.surprises.note("there are too few gifts for so long a sweep".to_owned());
                return;
            };
            self.play(plot, &gift_id).await;
            self.begun.push(gift_id);
            self.something_else().await;
            // Customers come one after the other.
            sleep(self.dice.millis(300..1500)).await;
        }
    }

    fn corner(&self) -> &'a Corner {
        &self.gifts.corners[self.corner]
    }

    fn next_gift(&mut self, plot: Plot) -> Option<String> {
        let corner = self.corner();
        let (gifts, taken) = match plot {
            Plot::Missing => return Some(new_gift_id()),
            Plot::ForOwn => (&corner.for_own, &mut self.taken_of_own),
            _ => (&corner.for_anybody, &mut self.taken),
        };
        *taken += 1;
        gifts.get(*taken - 1).cloned()
    }

    async fn play(&self, plot: Plot, gift_id: &str) {
        match plot {
            Plot::Used => self.use_by(Side::Own, gift_id, &["used"]).await,
            Plot::Contested => self.contest(gift_id).await,
            Plot::Undone => {
                self.use_by(Side::Own, gift_id, &["used"]).await;
                self.void_by(Side::Own, gift_id, &["voided"]).await;
                self.void_by(Side::Own, gift_id, &["gift_not_used"]).await;
            }
            Plot::UsedAgain => {
                self.use_by(Side::Own, gift_id, &["used"]).await;
                self.void_by(Side::Own, gift_id, &["voided"]).await;
                self.use_by(Side::Rival, gift_id, &["used"]).await;
                self.void_by(Side::Own, gift_id, &["redeemed_elsewhere"]).await;
            }
            Plot::UndoneInARace => {
                self.use_by(Side::Own, gift_id, &["used"]).await;
                let undone = self.void_by(Side::Own, gift_id, &["voided"]);
                join(undone, self.use_by(Side::Rival, gift_id, &["used", "gift_already_used"])).await;
            }
            Plot::WrongPin => {
                self.mistype(gift_id).await;
                self.use_by(Side::Own, gift_id, &["used"]).await;
            }
            Plot::ForOwn => {
                self.use_by(Side::Rival, gift_id, &["supplier_mismatch"]).await;
                self.use_by(Side::Own, gift_id, &["used"]).await;
            }
            Plot::Missing => self.use_by(Side::Own, gift_id, &["gift_not_found"]).await,
        }
    }

    /// Whoever loses is told that the gift was used; that somebody wins is a matter of the rows.
    async fn contest(&self, gift_id: &str) {
        let either = ["used", "gift_already_used"];
        let own = self.use_by(Side::Own, gift_id, &either);
        join3(own, self.use_by(Side::Own, gift_id, &either), self.use_by(Side::Rival, gift_id, &either)).await;
    }

    async fn use_by(&self, side: Side, gift_id: &str, expected: &[&str]) {
        let (till, key) = (self.corner().till(side), Uuid::new_v4().to_string());
        let request = || till.shop.using(&key, gift_id, &till.account);
        let what = format!("the use of {gift_id} with the key {key}");
        let Some(answer) = self.ask(Action::Use, &what, request, expected).await else { return };
        let (corner, id) = (self.corner, till.shop.redemption_id(&key));
        self.gifts.memory.remember(gift_id, Step { corner, side, action: Action::Use, key, id, answer });
    }

    async fn void_by(&self, side: Side, gift_id: &str, expected: &[&str]) {
        let (till, key) = (self.corner().till(side), Uuid::new_v4().to_string());
        let request = || till.shop.voiding(&key, gift_id);
        let what = format!("the undoing of {gift_id} with the key {key}");
        let Some(answer) = self.ask(Action::Void, &what, request, expected).await else { return };
        let (corner, id) = (self.corner, till.shop.void_id(&key));
        self.gifts.memory.remember(gift_id, Step { corner, side, action: Action::Void, key, id, answer });
    }

    async fn ask(
        &self,
        action: Action,
        what: &str,
        request: impl Fn() -> RequestBuilder,
        expected: &[&str],
    ) -> Option<Answer> {
        let answer = be_heard(self.gifts, what, request).await?;
        if !expected.contains(&outcome(action, &answer)) {
            self.gifts.surprises.note(format!("{what} should be one of {expected:?} and was answered {answer:?}"));
        }
        Some(answer)
    }

    /// A wrong PIN is refused, and nothing remembers that it came.
    async fn mistype(&self, gift_id: &str) {
        let (till, key) = (&self.corner().own, Uuid::new_v4().to_string());
        let request = || till.shop.using(&key, gift_id, &till.account.with_pin(WRONG));
        let what = format!("the use of {gift_id} with a wrong PIN");
        self.ask(Action::Use, &what, request, &["credentials_invalid"]).await;
    }

    async fn something_else(&mut self) {
        let gift_id = self.dice.pick(&self.begun).clone();
        let steps = self.gifts.memory.steps(&gift_id);
        if !steps.is_empty() && self.dice.chance(30) {
            repeat(self.gifts, &gift_id, self.dice.pick(&steps)).await;
        }
    }
}

/// Asks until there is a final answer that is not the guard's: a lock passes, and so does an attempt whose API died.
pub(super) async fn be_heard(gifts: &Gifts, what: &str, request: impl Fn() -> RequestBuilder) -> Option<Answer> {
    for _ in 0..TIMES_NOT_HEARD {
        let answer = insist(what, &gifts.surprises, &request).await?;
        if answer.body["code"] != "gift_pin_locked" {
            return Some(answer);
        }
        sleep(PAUSE).await;
    }
    gifts.surprises.note(format!("{what} was not heard any more"));
    None
}

/// The same request under its old key: the first answer, whatever happened since.
pub(super) async fn repeat(gifts: &Gifts, gift_id: &str, step: &Step) {
    let till = gifts.corners[step.corner].till(step.side);
    let request = || match step.action {
        Action::Use => till.shop.using(&step.key, gift_id, &till.account),
        Action::Void => till.shop.voiding(&step.key, gift_id),
    };
    let what = format!("what was asked of {gift_id} with the key {}, repeated,", step.key);
    let Some(again) = insist(&what, &gifts.surprises, request).await else { return };
    let first = &step.answer;
    let is_same = first.status != StatusCode::OK || again.body == first.body;
    if (again.status, &again.body["code"]) != (first.status, &first.body["code"]) || !is_same {
        gifts.surprises.note(format!("{what} was answered {first:?} and then {again:?}"));
    }
}
