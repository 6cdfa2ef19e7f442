//! One chain: its blocks, its mempool, and the rules by which they change.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::{Asset, Network, Payment, Standing, Transaction};
use crate::problem::Problem;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) height: u64,
    pub(crate) hash: String,
    pub(crate) tx_ids: Vec<String>,
}

/// What a change touched, so that it can be saved and reported; transactions in the order they were broadcast.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) heights: Vec<u64>,
    pub(crate) tx_ids: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) network: Network,
    pub(crate) tip_height: u64,
    blocks: BTreeMap<u64, Block>,
    transactions: Vec<Transaction>,
    positions: HashMap<String, usize>,
    by_address: HashMap<String, Vec<usize>>,
}

impl Chain {
    pub(crate) fn new(network: Network) -> Self {
        Self {
            network,
            tip_height: network.start_height(),
            blocks: BTreeMap::new(),
            transactions: Vec::new(),
            positions: HashMap::new(),
            by_address: HashMap::new(),
        }
    }

    /// Puts a new transaction into the mempool, where it is seen at once.
    pub(crate) fn broadcast(&mut self, mut transaction: Transaction) -> Changes {
        transaction.observe(self.tip_height);
        let tx_ids = vec![transaction.tx_id.clone()];
        self.put_transaction(transaction);
        Changes { heights: Vec::new(), tx_ids }
    }

    /// Adds blocks, the first of which takes the whole mempool; every pending transaction is observed anew.
    pub(crate) fn mine(&mut self, count: u64) -> Changes {
        let first = self.tip_height + 1;
        let tip = self.tip_height + count;
        let hash = self.network.new_block_hash(first);
        let mut changes = Changes { heights: (first..=tip).collect(), tx_ids: Vec::new() };
        let mut included = Vec::new();
        for transaction in self.transactions.iter_mut().filter(|transaction| transaction.is_pending()) {
            if transaction.standing == Standing::Seen {
                transaction.block_height = Some(first);
                transaction.block_hash = Some(hash.clone());
                included.push(transaction.tx_id.clone());
            }
            settle(transaction, tip);
            changes.tx_ids.push(transaction.tx_id.clone());
        }
        self.put_block(Block { height: first, hash, tx_ids: included });
        for height in first + 1..=tip {
            self.put_block(Block { height, hash: self.network.new_block_hash(height), tx_ids: Vec::new() });
        }
        changes
    }

    /// Replaces the last `depth` blocks by others of the same heights; what is dropped leaves the chain for good.
    pub(crate) fn reorganise(&mut self, depth: u64, dropped: &BTreeSet<String>) -> Result<Changes, Problem> {
        let lowest = self.lowest_replaced(depth)?;
        self.check_dropped(lowest, dropped)?;
        for (height, block) in self.blocks.range_mut(lowest..) {
            block.hash = self.network.new_block_hash(*height);
            block.tx_ids.retain(|tx_id| !dropped.contains(tx_id));
        }
        let mut changes = Changes { heights: (lowest..=self.tip_height).collect(), tx_ids: Vec::new() };
        for transaction in self.transactions.iter_mut().filter(|transaction| is_within(transaction, lowest)) {
            if dropped.contains(&transaction.tx_id) {
                // The lost block stays named: a receiver must know which inclusion is taken back.
                transaction.standing = Standing::Orphaned;
                transaction.observe(self.tip_height);
            } else {
                let block = transaction.block_height.and_then(|height| self.blocks.get(&height));
                transaction.block_hash = block.map(|block| block.hash.clone());
                settle(transaction, self.tip_height);
            }
            changes.tx_ids.push(transaction.tx_id.clone());
        }
        Ok(changes)
    }

    /// A new transaction takes the place of one in the mempool, in the same coin; the changes name the old one first.
    pub(crate) fn replace(&mut self, tx_id: &str, with: Payment) -> Result<Changes, Problem> {
        let tip_height = self.tip_height;
        let old = self.transaction_mut(tx_id).ok_or_else(|| unknown_transaction(tx_id))?;
        if old.standing != Standing::Seen {
            return Err(Problem::conflict(format!("transaction {tx_id} is not in the mempool any more")));
        }
        let Some(output) = old.outputs.first() else {
            return Err(Problem::conflict(format!("transaction {tx_id} pays nobody")));
        };
        let asset = Asset::find(old.network, &output.coin_id, output.contract.clone())?;
        asset.check_amount(&with.amount)?;
        let new = Transaction::new(old.network, &asset, vec![with], crate::ledger::now());
        old.standing = Standing::Replaced;
        old.observe(tip_height);
        let mut changes = Changes { heights: Vec::new(), tx_ids: vec![tx_id.to_owned()] };
        changes.tx_ids.extend(self.broadcast(new).tx_ids);
        Ok(changes)
    }

    pub(crate) fn transaction(&self, tx_id: &str) -> Option<&Transaction> {
        self.positions.get(tx_id).and_then(|position| self.transactions.get(*position))
    }

    pub(crate) fn transaction_mut(&mut self, tx_id: &str) -> Option<&mut Transaction> {
        self.positions.get(tx_id).and_then(|position| self.transactions.get_mut(*position))
    }

    /// All transactions in the order they were broadcast.
    pub(crate) fn transactions(&self) -> impl Iterator<Item = &Transaction> {
        self.transactions.iter()
    }

    /// The blocks mined here, newest first.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.blocks.values().rev()
    }

    pub(crate) fn block(&self, height: u64) -> Option<&Block> {
        self.blocks.get(&height)
    }

    /// The transactions that pay this address, in the order they were broadcast.
    pub(crate) fn paying(&self, address: &str) -> impl Iterator<Item = &Transaction> {
        let positions = self.by_address.get(&self.network.address_key(address));
        positions.into_iter().flatten().filter_map(|position| self.transactions.get(*position))
    }

    pub(crate) fn put_block(&mut self, block: Block) {
        self.tip_height = self.tip_height.max(block.height);
        self.blocks.insert(block.height, block);
    }

    pub(crate) fn put_transaction(&mut self, transaction: Transaction) {
        if let Some(known) = self.transaction_mut(&transaction.tx_id) {
            *known = transaction;
            return;
        }
        let position = self.transactions.len();
        let addresses = transaction.outputs.iter().map(|output| self.network.address_key(&output.address));
        for address in addresses.collect::<BTreeSet<_>>() {
            self.by_address.entry(address).or_default().push(position);
        }
        self.positions.insert(transaction.tx_id.clone(), position);
        self.transactions.push(transaction);
    }

    fn lowest_replaced(&self, depth: u64) -> Result<u64, Problem> {
        let mined = self.blocks.len();
        if depth == 0 || u64::try_from(mined).is_ok_and(|mined| depth > mined) {
            let reason = format!("depth must be between 1 and the {mined} blocks that were mined here");
            return Err(Problem::unprocessable(reason));
        }
        Ok(self.tip_height - depth + 1)
    }

    fn check_dropped(&self, lowest: u64, dropped: &BTreeSet<String>) -> Result<(), Problem> {
        for tx_id in dropped {
            let transaction = self.transaction(tx_id).ok_or_else(|| unknown_transaction(tx_id))?;
            if !is_within(transaction, lowest) {
                return Err(Problem::conflict(format!("transaction {tx_id} is in none of the replaced blocks")));
            }
        }
        Ok(())
    }
}

/// The answer to a transaction id that the chain does not know.
pub(crate) fn unknown_transaction(tx_id: &str) -> Problem {
    Problem::not_found(format!("unknown transaction {tx_id}"))
}

fn is_within(transaction: &Transaction, lowest: u64) -> bool {
    transaction.is_in_block() && transaction.block_height.is_some_and(|height| height >= lowest)
}

/// Gives a transaction in a block the standing that its confirmations earn, and observes it.
fn settle(transaction: &mut Transaction, tip_height: u64) {
    let confirmations = transaction.block_height.map_or(0, |height| tip_height + 1 - height);
    let is_final = confirmations >= transaction.network.finality_depth();
    transaction.standing = if is_final { Standing::Final } else { Standing::Included };
    transaction.observe(tip_height);
}
