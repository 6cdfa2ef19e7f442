//! The queue in front of the journal.

use futures::FutureExt;
use workflows::fridge_sales::{SaleStatus, transition::Fact};

use super::{SALE, memory::Memory};
use crate::{
    clients::vendron::{Received, parse},
    vending::{
        course::Intent,
        entries::Entries,
        journal::{Journal, Unwritten},
    },
};

fn entries() -> Entries {
    Entries::new(SALE, SALE)
}

fn heard(fact: Fact) -> store::postgres::fridges::Entry {
    let raw = "{}".to_owned();
    entries().received(&Received { frame: parse(&raw), raw }, Some(fact))
}

fn carried(journal: &Unwritten) -> Unwritten {
    Unwritten::carried(journal.to_carry(), SALE)
}

#[tokio::test]
async fn what_is_on_its_way_outlives_whoever_waits_for_it() {
    let memory = Memory::of(&[]);
    let mut journal = Journal::new(memory.clone(), Unwritten::default());
    journal.push(entries().intent(Intent::Request));
    memory.leave();
    assert!(journal.written().now_or_never().is_none());
    journal.push(heard(Fact::Begun { session: None }));
    assert!(journal.written().now_or_never().is_none());
    memory.come_back();
    let first = journal.written().await.unwrap();
    assert_eq!(first.intent, Some(Intent::Request));
    assert_eq!(journal.written().await.unwrap().state.status, SaleStatus::Opening);
    assert!(journal.is_idle() && journal.written().now_or_never().is_none());
}

#[tokio::test]
async fn an_intent_that_somebody_committed_is_nobodys_to_send() {
    let mut journal = Journal::new(Memory::of(&[Fact::RequestSent]), Unwritten::default());
    journal.push(entries().intent(Intent::Request));
    let written = journal.written().await.unwrap();
    assert!(written.intent.is_none() && written.state.was_requested);
}

#[tokio::test]
async fn an_end_without_a_database_leaves_what_was_heard_to_the_next_attempt() {
    let memory = Memory::of(&[Fact::RequestSent, Fact::UnlockSent, Fact::Unlocked]);
    let unwritten = Unwritten::default();
    let mut journal = Journal::new(memory.clone(), unwritten.clone());
    journal.push(heard(Fact::DoorClosed));
    journal.push(entries().question());
    journal.push(heard(Fact::Completed { products: Vec::new(), total: None }));
    memory.leave();
    journal.drain(std::time::Duration::from_millis(1)).await;
    let mut next = Journal::new(memory.clone(), carried(&unwritten));
    memory.come_back();
    assert_eq!(next.written().await.unwrap().state.status, SaleStatus::Closed);
    assert_eq!(next.written().await.unwrap().state.status, SaleStatus::Empty);
    assert!(next.is_idle());
}

#[tokio::test]
async fn an_intent_that_is_not_committed_is_given_up_at_the_end() {
    let memory = Memory::of(&[]);
    let mut journal = Journal::new(memory.clone(), Unwritten::default());
    journal.push(entries().intent(Intent::Request));
    memory.leave();
    assert!(journal.written().now_or_never().is_none());
    memory.come_back();
    journal.drain(std::time::Duration::from_mins(1)).await;
    assert!(journal.is_idle() && !memory.now().was_requested);
}

#[test]
fn a_heartbeat_carries_the_latest_facts_that_fit() {
    let unwritten = Unwritten::default();
    let journal = Journal::new(Memory::of(&[]), unwritten.clone());
    for _ in 0..20 {
        let raw = "x".repeat(60 << 10);
        journal.push(entries().received(&Received { frame: parse(&raw), raw }, Some(Fact::Taken(Vec::new()))));
    }
    journal.push(heard(Fact::DoorClosed));
    let carried = serde_json::to_string(&unwritten.to_carry()).unwrap();
    assert!(carried.len() <= 257 << 10 && carried.contains("door_closed"), "{}", carried.len());
}
