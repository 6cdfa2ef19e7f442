//! The rules of a chain: inclusion, finality, reorganisation, replacement.

use std::collections::BTreeSet;

use super::*;
use crate::ledger;

fn payment(address: &str, amount: &str) -> Payment {
    Payment { address: address.to_owned(), amount: amount.to_owned() }
}

fn broadcast(chain: &mut Chain, coin_id: &str, payments: Vec<Payment>) -> String {
    let asset = Asset::find(chain.network, coin_id, None).unwrap();
    let transaction = Transaction::new(chain.network, &asset, payments, ledger::now());
    chain.broadcast(transaction).tx_ids.remove(0)
}

fn bitcoin_with_one() -> (Chain, String) {
    let mut chain = Chain::new(Network::Bitcoin);
    let tx_id = broadcast(&mut chain, "btc", vec![payment("a", "1")]);
    (chain, tx_id)
}

fn seen_by_watcher(chain: &Chain, tx_id: &str) -> (Standing, u64) {
    let transaction = chain.transaction(tx_id).unwrap();
    (transaction.standing, transaction.observation(0).unwrap().version)
}

fn drop_only(tx_id: &str) -> BTreeSet<String> {
    BTreeSet::from([tx_id.to_owned()])
}

#[test]
fn a_broadcast_is_seen_at_once_and_included_in_the_first_block() {
    let (mut chain, tx_id) = bitcoin_with_one();
    assert_eq!(seen_by_watcher(&chain, &tx_id), (Standing::Seen, 1));
    let start = chain.tip_height;
    chain.mine(2);
    let transaction = chain.transaction(&tx_id).unwrap();
    assert_eq!(transaction.block_height, Some(start + 1));
    assert_eq!(transaction.block_hash, chain.block(start + 1).map(|block| block.hash.clone()));
    assert_eq!(seen_by_watcher(&chain, &tx_id), (Standing::Included, 2));
}

#[test]
fn it_is_final_at_the_networks_depth_and_quiet_afterwards() {
    for (network, coin_id, depth) in
        [(Network::Bitcoin, "btc", 6), (Network::Ethereum, "eth", 12), (Network::Tron, "usdt", 19)]
    {
        let mut chain = Chain::new(network);
        let tx_id = broadcast(&mut chain, coin_id, vec![payment("a", "1")]);
        chain.mine(depth - 1);
        assert_eq!(seen_by_watcher(&chain, &tx_id), (Standing::Included, 2));
        chain.mine(1);
        assert_eq!(seen_by_watcher(&chain, &tx_id), (Standing::Final, 3));
        assert!(chain.mine(1).tx_ids.is_empty());
    }
}

#[test]
fn a_reorganisation_drops_some_and_includes_the_others_under_a_new_hash() {
    let (mut chain, dropped) = bitcoin_with_one();
    let kept = broadcast(&mut chain, "btc", vec![payment("b", "1")]);
    chain.mine(1);
    let (tip, old) = (chain.tip_height, chain.transaction(&kept).unwrap().block_hash.clone());
    chain.reorganise(1, &drop_only(&dropped)).unwrap();
    assert_eq!(chain.tip_height, tip);
    assert_eq!(seen_by_watcher(&chain, &kept), (Standing::Included, 3));
    let new = chain.transaction(&kept).unwrap().block_hash.clone();
    assert_ne!(new, old);
    assert_eq!(new, chain.block(tip).map(|block| block.hash.clone()));
    assert_eq!(chain.block(tip).unwrap().tx_ids, [kept]);
    assert_eq!(seen_by_watcher(&chain, &dropped), (Standing::Orphaned, 3));
    assert_eq!(chain.transaction(&dropped).unwrap().block_hash, old, "it names the lost block");
    chain.mine(10);
    assert_eq!(seen_by_watcher(&chain, &dropped), (Standing::Orphaned, 3));
}

#[test]
fn a_deep_reorganisation_takes_back_even_what_was_final() {
    let (mut chain, tx_id) = bitcoin_with_one();
    chain.mine(6);
    assert_eq!(seen_by_watcher(&chain, &tx_id).0, Standing::Final);
    chain.reorganise(5, &BTreeSet::new()).unwrap();
    assert_eq!(seen_by_watcher(&chain, &tx_id), (Standing::Final, 2), "its block was not replaced");
    chain.reorganise(6, &BTreeSet::new()).unwrap();
    assert_eq!(seen_by_watcher(&chain, &tx_id), (Standing::Final, 3));
    chain.reorganise(6, &drop_only(&tx_id)).unwrap();
    assert_eq!(seen_by_watcher(&chain, &tx_id), (Standing::Orphaned, 4));
}

#[test]
fn impossible_reorganisations_change_nothing() {
    let (mut chain, tx_id) = bitcoin_with_one();
    chain.mine(2);
    let hash = chain.blocks().next().unwrap().hash.clone();
    assert!(chain.reorganise(0, &BTreeSet::new()).is_err());
    assert!(chain.reorganise(3, &BTreeSet::new()).is_err());
    assert!(chain.reorganise(1, &drop_only(&tx_id)).is_err(), "it is deeper");
    assert!(chain.reorganise(1, &drop_only("unknown")).is_err());
    assert_eq!(chain.blocks().next().unwrap().hash, hash);
    assert_eq!(seen_by_watcher(&chain, &tx_id), (Standing::Included, 2));
}

#[test]
fn a_replacement_takes_the_place_of_a_transaction_in_the_mempool_only() {
    let (mut chain, old) = bitcoin_with_one();
    let changes = chain.replace(&old, payment("b", "0.5")).unwrap();
    let new = changes.tx_ids.last().unwrap().clone();
    assert_eq!(changes.tx_ids, [old.clone(), new.clone()]);
    assert_eq!(seen_by_watcher(&chain, &old), (Standing::Replaced, 2));
    assert_eq!(seen_by_watcher(&chain, &new), (Standing::Seen, 1));
    chain.mine(1);
    assert_eq!(seen_by_watcher(&chain, &old), (Standing::Replaced, 2));
    assert!(chain.replace(&new, payment("b", "1")).is_err());
    assert!(chain.replace(&old, payment("b", "1")).is_err());
    assert!(chain.replace("unknown", payment("b", "1")).is_err());
}

#[test]
fn outputs_of_one_transaction_have_references_of_their_own() {
    let references = |network, coin_id| {
        let mut chain = Chain::new(network);
        let tx_id = broadcast(&mut chain, coin_id, vec![payment("a", "1"), payment("a", "2"), payment("b", "3")]);
        assert_eq!(chain.paying("a").count(), 1);
        let outputs = &chain.transaction(&tx_id).unwrap().outputs;
        outputs.iter().map(|output| output.reference.clone()).collect::<Vec<_>>()
    };
    assert_eq!(references(Network::Bitcoin, "btc"), ["v:0", "v:1", "v:2"]);
    assert_eq!(references(Network::Ethereum, "eth"), ["n", "t:0_0", "t:0_1"]);
    let logs = references(Network::Tron, "usdt");
    assert_eq!(logs.iter().filter(|log| log.starts_with("l:")).collect::<BTreeSet<_>>().len(), 3);
}

#[test]
fn versions_only_grow_and_each_has_an_id_of_its_own() {
    let (mut chain, tx_id) = bitcoin_with_one();
    let mut ids = BTreeSet::new();
    for expected in 1..=4 {
        let observation = chain.transaction(&tx_id).unwrap().observation(0).unwrap();
        assert_eq!(observation.version, expected);
        assert!(ids.insert(observation.id));
        chain.mine(1);
    }
}

#[test]
fn an_ethereum_address_is_found_in_any_letter_case_and_a_tron_one_is_not() {
    let mut ethereum = Chain::new(Network::Ethereum);
    broadcast(&mut ethereum, "eth", vec![payment("0xAbC", "1")]);
    assert_eq!(ethereum.paying("0xaBc").count(), 1);
    let mut tron = Chain::new(Network::Tron);
    broadcast(&mut tron, "usdt", vec![payment("TAbC", "1")]);
    assert_eq!(tron.paying("TabC").count(), 0);
}
