//! The reports of an invoice's money come in any order and any number: together they say what they say in order.
//!
//! `PERDURA_SHUFFLE_SEED=<number>` draws other cases; a failure names its seed and its case.

use std::{env, iter::repeat_n};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use futures::{StreamExt, stream};
use rand::{
    Rng, SeedableRng,
    rngs::StdRng,
    seq::{IndexedRandom, SliceRandom},
};
use serde_json::Value;
use sqlx::{PgPool, query_scalar};
use system_tests::{Answer, Merchant, Output, TestApp, Watcher, eventually};
use uuid::Uuid;
use workflows::domain::BaseUnits;

use super::rows::{self, Kept};

/// Any number will do. A fixed one, so that a change is not blamed for what other cases would have shown before.
const SEED: u64 = 20_261_122;
const CASES: u64 = 32;
const AT_ONCE: usize = 4;
/// Requests of one case on their way at the same time.
const FLYING: usize = 3;
/// Of the coin.
const DECIMALS: u8 = 6;
/// In base units.
const DUE: u64 = 12_500_000;
const AMOUNTS: [u64; 6] = [1, 2_500_000, 5_000_000, 7_500_000, 12_500_000, 20_000_000];

/// State, height of the block, highest block.
type Step = (&'static str, Option<i64>, i64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Confirmed,
    Unconfirmed,
    Lost,
}

/// What becomes of an output, from its first report to its last. None is taken back that was ever confirmed: what has
/// been credited by then is told in the tests of reorganisations.
const STORIES: [(End, &[Step]); 9] = [
    (End::Unconfirmed, &[("seen", None, 999)]),
    (End::Unconfirmed, &[("seen", None, 999), ("included", Some(1000), 1000), ("included", Some(1000), 1017)]),
    (
        End::Unconfirmed,
        &[("included", Some(1000), 1000), ("orphaned", Some(1000), 1003), ("included", Some(1004), 1004)],
    ),
    (End::Confirmed, &[("seen", None, 999), ("included", Some(1000), 1000), ("included", Some(1000), 1018)]),
    (
        End::Confirmed,
        &[
            ("seen", None, 999),
            ("included", Some(1000), 1000),
            ("included", Some(1000), 1009),
            ("final", Some(1000), 1030),
        ],
    ),
    (
        End::Confirmed,
        &[
            ("included", Some(1000), 1000),
            ("orphaned", Some(1000), 1001),
            ("included", Some(1002), 1002),
            ("included", Some(1002), 1010),
            ("final", Some(1002), 1040),
        ],
    ),
    // The last word is of a node that is behind.
    (End::Confirmed, &[("final", Some(1000), 1030), ("included", Some(1000), 1012)]),
    (End::Lost, &[("seen", None, 999), ("replaced", None, 999)]),
    (End::Lost, &[("seen", None, 999), ("included", Some(1000), 1000), ("orphaned", Some(1000), 1003)]),
];

/// One output.
struct Part {
    amount: u64,
    end: End,
    steps: &'static [Step],
    /// Outputs with the same number are of one transaction.
    transaction: usize,
    /// For each step: how many milliseconds after the beginning the watcher says that it saw the output first.
    first_seen: Vec<i64>,
}

struct Case {
    name: String,
    dice: StdRng,
    parts: Vec<Part>,
}

impl Part {
    fn draw(dice: &mut StdRng, index: usize) -> Self {
        let (end, steps) = *STORIES.choose(dice).expect("a story");
        let amount = *AMOUNTS.choose(dice).expect("an amount");
        let first_seen = steps.iter().map(|_| dice.random_range(0..1000)).collect();
        Self { amount, end, steps, transaction: dice.random_range(0..=index), first_seen }
    }
}

impl Case {
    fn draw(seed: u64, number: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(number));
        let parts = (0..dice.random_range(1..=4)).map(|index| Part::draw(&mut dice, index)).collect();
        Self { name: format!("case {number} of seed {seed}"), dice, parts }
    }

    /// Every report, first versions first.
    fn reports(&self, invoice: &Answer, beginning: DateTime<Utc>) -> Vec<Value> {
        let longest = self.parts.iter().map(|part| part.steps.len()).max().unwrap_or_default();
        let report = |version: usize, index: usize, part: &Part| {
            let (state, block_height, tip_height) = *part.steps.get(version)?;
            let first_seen_at = beginning + TimeDelta::milliseconds(part.first_seen[version]);
            let output = Output::paying(invoice, &BaseUnits::from(part.amount).to_decimal(DECIMALS))
                .with("tx_id", format!("{}-{}", invoice.invoice_id(), part.transaction))
                .with("output_ref", format!("o:{index}"))
                .with("first_seen_at", first_seen_at.to_rfc3339_opts(SecondsFormat::Millis, true));
            Some(output.observed(state, i64::try_from(version).ok()? + 1, block_height, tip_height))
        };
        let of_version = |version| {
            let parts = self.parts.iter().enumerate();
            parts.filter_map(move |(index, part)| report(version, index, part)).collect::<Vec<_>>()
        };
        (0..longest).flat_map(of_version).collect()
    }

    /// Each report up to three times, in any order, a few at a time.
    fn shuffled(&mut self, reports: &[Value]) -> Vec<Vec<Value>> {
        let dice = &mut self.dice;
        let repeated = reports.iter().flat_map(|report| repeat_n(report.clone(), dice.random_range(1..=3)));
        let mut told: Vec<_> = repeated.collect();
        told.shuffle(&mut self.dice);
        let mut batches = Vec::new();
        while !told.is_empty() {
            let count = self.dice.random_range(1..=4).min(told.len());
            batches.push(told.split_off(told.len() - count));
        }
        batches
    }

    fn sum(&self, counts: impl Fn(End) -> bool) -> u64 {
        self.parts.iter().filter(|part| counts(part.end)).map(|part| part.amount).sum()
    }

    /// Status, exception, seen and confirmed: from how the outputs end, whatever happened before.
    fn expected(&self) -> [String; 4] {
        let (seen, confirmed) = (self.sum(|end| end != End::Lost), self.sum(|end| end == End::Confirmed));
        let (status, exception) = match (seen >= DUE, confirmed) {
            // One unit more than due is rounding.
            (_, confirmed) if confirmed > DUE + 1 => ("finished", "paid_over"),
            (_, confirmed) if confirmed >= DUE => ("finished", "none"),
            (true, _) => ("payment_confirmation", "none"),
            (false, 1..) => ("partially_paid", "paid_partial"),
            (false, 0) if seen > 0 => ("waiting_for_deposit", "paid_partial"),
            (false, 0) => ("waiting_for_deposit", "none"),
        };
        let plain = |units: u64| BaseUnits::from(units).to_decimal(DECIMALS);
        [status.to_owned(), exception.to_owned(), plain(seen), plain(confirmed)]
    }
}

fn standing(answer: &Answer) -> [String; 4] {
    let amounts = &answer.body["amounts"];
    [&answer.body["status"], &answer.body["exception"], &amounts["seen"], &amounts["confirmed"]]
        .map(|value| value.as_str().unwrap_or_default().to_owned())
}

/// What was reported is on its way to the workflow, or there.
async fn until_told(database: &PgPool, invoice_id: Uuid) {
    let left = || async {
        let left = query_scalar("select count(*) from deposit_notice where invoice_id = $1").bind(invoice_id);
        left.fetch_one(database).await.unwrap()
    };
    eventually("the workflow to be told", left, |left: &i64| *left == 0).await;
}

/// Half of the reports wait until the workflow was told of the others.
async fn tell_shuffled(watcher: &Watcher, database: &PgPool, invoice_id: Uuid, batches: &[Vec<Value>]) {
    let (first, second) = batches.split_at(batches.len() / 2);
    for half in [first, second] {
        let reports = stream::iter(half).map(|batch| watcher.report(batch)).buffer_unordered(FLYING);
        let words: Vec<_> = reports.collect().await;
        let known = |word: &String| ["accepted", "duplicate", "stale"].contains(&word.as_str());
        assert!(words.iter().flatten().all(known), "{words:?}");
        until_told(database, invoice_id).await;
    }
}

/// The outputs of an invoice without what differs between two invoices.
async fn kept(database: &PgPool, invoice_id: Uuid) -> Vec<Kept> {
    let mut outputs = rows::outputs(database, invoice_id).await;
    outputs.sort_by(|one, other| one.output_ref.cmp(&other.output_ref));
    outputs.into_iter().map(|output| Kept { tx_id: String::new(), ..output }).collect()
}

async fn run(app: &TestApp, merchant: &Merchant, mut case: Case) {
    let (watcher, database) = (app.watcher(), app.database().await);
    let (in_order, shuffled) =
        (merchant.create(&Merchant::invoice()).await, merchant.create(&Merchant::invoice()).await);
    let beginning: DateTime<Utc> = shuffled.text("created_at").parse().unwrap();
    let words = watcher.report(&case.reports(&in_order, beginning)).await;
    assert!(words.iter().all(|word| word == "accepted"), "{}: {words:?}", case.name);
    let reports = case.reports(&shuffled, beginning);
    let batches = case.shuffled(&reports);
    tell_shuffled(&watcher, &database, shuffled.invoice_id(), &batches).await;

    let expected = case.expected();
    for invoice in [&in_order, &shuffled] {
        let what = format!("{}: invoice {} to be {expected:?}", case.name, invoice.invoice_id());
        eventually(&what, || merchant.read(invoice.invoice_id()), |answer| standing(answer) == expected).await;
    }
    let [one, other] = [&in_order, &shuffled].map(|invoice| kept(&database, invoice.invoice_id()));
    assert_eq!(one.await, other.await, "{}", case.name);
}

fn seed() -> u64 {
    let Some(text) = env::var_os("PERDURA_SHUFFLE_SEED") else { return SEED };
    text.to_str().and_then(|text| text.parse().ok()).expect("PERDURA_SHUFFLE_SEED to be a number")
}

#[tokio::test]
async fn any_shuffle_repetition_and_delay_of_reports_ends_as_their_order_does() {
    let app = TestApp::shared();
    let (merchant, seed) = (app.merchant(), seed());
    app.fill_pool(&merchant, usize::try_from(2 * CASES).unwrap()).await;
    let cases = stream::iter((0..CASES).map(|number| Case::draw(seed, number)));
    cases.for_each_concurrent(AT_ONCE, |case| run(&app, &merchant, case)).await;
}
