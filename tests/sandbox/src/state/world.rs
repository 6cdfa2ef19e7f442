//! The outside world: addresses, chains, loans, one-time passwords, fridges, what happened, what is still to be
//! reported, what is to go wrong.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use super::Record;
use crate::addresses::{AddressBook, PlannedAddress};
use crate::chains::{Block, Chain, Changes, Network, Payment, Transaction};
use crate::ciam::Desk;
use crate::faults::{Fault, Faults, Hit, System};
use crate::ledger::{Entry, Ledger};
use crate::mambu::Bank;
use crate::problem::Problem;
use crate::vendron::Cloud;
use crate::watcher::{OutputKey, Queue};

pub(crate) struct World {
    addresses: AddressBook,
    bitcoin: Chain,
    ethereum: Chain,
    tron: Chain,
    pub(crate) bank: Bank,
    pub(crate) desk: Desk,
    pub(crate) cloud: Cloud,
    ledger: Ledger,
    pub(crate) faults: Faults,
    /// Observations that name one of these texts wait; the empty text is in all of them.
    pub(crate) pauses: BTreeSet<String>,
    pub(crate) queue: Queue,
    unsaved: Vec<Record>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            addresses: AddressBook::default(),
            bitcoin: Chain::new(Network::Bitcoin),
            ethereum: Chain::new(Network::Ethereum),
            tron: Chain::new(Network::Tron),
            bank: Bank::default(),
            desk: Desk::default(),
            cloud: Cloud::default(),
            ledger: Ledger::default(),
            faults: Faults::default(),
            pauses: BTreeSet::new(),
            queue: Queue::default(),
            unsaved: Vec::new(),
        }
    }

    pub(crate) fn chain(&self, network: Network) -> &Chain {
        match network {
            Network::Bitcoin => &self.bitcoin,
            Network::Ethereum => &self.ethereum,
            Network::Tron => &self.tron,
        }
    }

    fn chain_mut(&mut self, network: Network) -> &mut Chain {
        match network {
            Network::Bitcoin => &mut self.bitcoin,
            Network::Ethereum => &mut self.ethereum,
            Network::Tron => &mut self.tron,
        }
    }

    /// The transaction with this id, on whichever chain it is.
    pub(crate) fn transaction(&self, tx_id: &str) -> Option<&Transaction> {
        Network::ALL.into_iter().find_map(|network| self.chain(network).transaction(tx_id))
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.ledger.entries()
    }

    pub(crate) fn faults(&self) -> &[Fault] {
        &self.faults.list
    }

    /// Writes an effect into the ledger.
    pub(crate) fn happened(&mut self, system: &str, effect: &str, detail: Value) {
        let entry = self.ledger.add(system, effect, detail);
        self.unsaved.push(Record::Entry(entry));
    }

    /// Saves one thing with the change that is under way.
    pub(crate) fn save(&mut self, record: Record) {
        self.unsaved.push(record);
    }

    /// The address for this key; the second time it is the same one and nothing happens.
    pub(crate) fn make_address(&mut self, key: &str, user_id: Uuid, network: Network) -> Result<String, Problem> {
        if let Some(made) = self.addresses.find(key, user_id, network)? {
            return Ok(made.address.clone());
        }
        let plans = self.addresses.planned.len();
        let made = self.addresses.make(key, user_id, network)?;
        if self.addresses.planned.len() < plans {
            self.save_planned_addresses();
        }
        let detail = json!({
            "network_id": network, "user_id": user_id, "idempotency_key": key, "address": made.address,
        });
        self.happened("addresses", "address_made", detail);
        self.unsaved.push(Record::Address(made.clone()));
        Ok(made.address)
    }

    /// Makes an address the next one that is given out to its user; returns how many wait like this.
    pub(crate) fn plan_address(&mut self, planned: PlannedAddress) -> usize {
        self.addresses.planned.push(planned);
        self.save_planned_addresses();
        self.addresses.planned.len()
    }

    fn save_planned_addresses(&mut self) {
        self.unsaved.push(Record::PlannedAddresses(self.addresses.planned.clone()));
    }

    /// Broadcasts a new transaction; returns a copy of it.
    pub(crate) fn broadcast(&mut self, transaction: Transaction) -> Transaction {
        let network = transaction.network;
        let copy = transaction.clone();
        let changes = self.chain_mut(network).broadcast(transaction);
        self.happened("chains", "transaction_broadcast", broadcast_detail(&copy));
        self.report(network, &changes);
        copy
    }

    /// Adds blocks; returns the new tip's height.
    pub(crate) fn mine(&mut self, network: Network, count: u64) -> u64 {
        let changes = self.chain_mut(network).mine(count);
        let tip_height = self.chain(network).tip_height;
        let detail = json!({
            "network_id": network, "blocks": count, "tip_height": tip_height, "tx_ids": changes.tx_ids,
        });
        self.happened("chains", "blocks_mined", detail);
        self.report(network, &changes);
        tip_height
    }

    /// Replaces the newest blocks; returns the transactions that are now elsewhere or nowhere.
    pub(crate) fn reorganise(
        &mut self,
        network: Network,
        depth: u64,
        dropped: &BTreeSet<String>,
    ) -> Result<Vec<String>, Problem> {
        let changes = self.chain_mut(network).reorganise(depth, dropped)?;
        let tip_height = self.chain(network).tip_height;
        let detail = json!({
            "network_id": network, "depth": depth, "tip_height": tip_height,
            "dropped": dropped, "tx_ids": changes.tx_ids,
        });
        self.happened("chains", "blocks_reorganised", detail);
        self.report(network, &changes);
        Ok(changes.tx_ids)
    }

    /// Puts another transaction in the place of one in the mempool; returns a copy of the new one.
    pub(crate) fn replace(&mut self, network: Network, tx_id: &str, with: Payment) -> Result<Transaction, Problem> {
        let changes = self.chain_mut(network).replace(tx_id, with)?;
        let new = changes.tx_ids.last().and_then(|new| self.chain(network).transaction(new)).cloned();
        let new = new.ok_or_else(|| Problem::conflict("the transaction could not be replaced"))?;
        let mut detail = broadcast_detail(&new);
        detail["replaces"] = json!(tx_id);
        self.happened("chains", "transaction_replaced", detail);
        self.report(network, &changes);
        Ok(new)
    }

    pub(crate) fn strike(&mut self, system: System, operation: &str, names: &[&str]) -> Option<Hit> {
        let hit = self.faults.strike(system, operation, names)?;
        self.save_faults();
        Some(hit)
    }

    pub(crate) fn save_faults(&mut self) {
        self.unsaved.push(Record::Faults(self.faults.list.clone()));
    }

    /// Makes observations that name `text` (all, without one) wait, or no longer; without a text, nothing waits.
    pub(crate) fn pause(&mut self, paused: bool, text: Option<String>) {
        match (paused, text) {
            (true, text) => {
                self.pauses.insert(text.unwrap_or_default());
            }
            (false, Some(text)) => {
                self.pauses.remove(&text);
            }
            (false, None) => self.pauses.clear(),
        }
        self.unsaved.push(Record::Pauses(self.pauses.clone()));
    }

    /// Notes that a version of an output was dealt with; returns whether a newer one is waiting.
    pub(crate) fn delivered(&mut self, key: &OutputKey, version: u64) -> bool {
        let Some(transaction) = self.chain_mut(key.network).transaction_mut(&key.tx_id) else {
            return false;
        };
        let Some(output) = transaction.outputs.get_mut(key.index) else {
            return false;
        };
        output.delivered_version = output.delivered_version.max(version);
        let newer = output.version > output.delivered_version;
        let saved = Record::Transaction(transaction.clone());
        self.unsaved.push(saved);
        newer
    }

    pub(super) fn take_unsaved(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.unsaved)
    }

    pub(super) fn restore(&mut self, record: Record) {
        match record {
            Record::Address(made) => self.addresses.put(made),
            Record::PlannedAddresses(planned) => self.addresses.planned = planned,
            Record::Block(network, block) => self.chain_mut(network).put_block(block),
            Record::Transaction(transaction) => self.chain_mut(transaction.network).put_transaction(transaction),
            Record::Entry(entry) => self.ledger.put(entry),
            Record::Faults(list) => self.faults.list = list,
            Record::Pauses(pauses) => self.pauses = pauses,
            Record::Loan(loan) => self.bank.put_loan(*loan),
            Record::LoanTransaction(transaction) => self.bank.put_transaction(*transaction),
            Record::MambuReply(reply) => self.bank.keys.put(reply),
            Record::MambuRepliesForgotten => self.bank.keys.forget(),
            Record::MambuCall(call) => self.bank.put_call(call),
            Record::OtpHolder(holder) => self.desk.put_holder(holder),
            Record::OtpValidation(validation) => self.desk.put_validation(validation),
            Record::VendronMachine(machine) => self.cloud.put(*machine),
        }
    }

    /// Queues again what was not reported before the restart.
    pub(super) fn resume(&mut self) {
        for network in Network::ALL {
            let transactions = self.chain(network).transactions();
            let waiting: Vec<_> = transactions.flat_map(OutputKey::of_undelivered).collect();
            for (key, address) in waiting {
                self.queue.push(key, address);
            }
        }
    }

    /// The whole state.
    pub(super) fn records(&self) -> Vec<Record> {
        let mut records: Vec<_> = self.addresses.all().cloned().map(Record::Address).collect();
        records.push(Record::PlannedAddresses(self.addresses.planned.clone()));
        for network in Network::ALL {
            let chain = self.chain(network);
            records.extend(chain.blocks().cloned().map(|block| Record::Block(network, block)));
            records.extend(chain.transactions().cloned().map(Record::Transaction));
        }
        records.extend(self.ledger.entries().cloned().map(Record::Entry));
        records.push(Record::Faults(self.faults.list.clone()));
        records.push(Record::Pauses(self.pauses.clone()));
        records.extend(self.bank.records());
        records.extend(self.desk.records());
        records.extend(self.cloud.records());
        records
    }

    /// Saves what changed on a chain, and queues it for the watcher.
    fn report(&mut self, network: Network, changes: &Changes) {
        let chain = self.chain(network);
        let blocks: Vec<Block> = changes.heights.iter().filter_map(|height| chain.block(*height)).cloned().collect();
        let touched = changes.tx_ids.iter().filter_map(|tx_id| chain.transaction(tx_id));
        let transactions: Vec<Transaction> = touched.cloned().collect();
        self.unsaved.extend(blocks.into_iter().map(|block| Record::Block(network, block)));
        for transaction in transactions {
            for (key, address) in OutputKey::of_undelivered(&transaction) {
                self.queue.push(key, address);
            }
            self.unsaved.push(Record::Transaction(transaction));
        }
    }
}

fn broadcast_detail(transaction: &Transaction) -> Value {
    let outputs = transaction.outputs.iter().map(|output| {
        json!({
            "output_ref": output.reference, "address": output.address, "coin_id": output.coin_id,
            "contract": output.contract, "amount": output.amount,
        })
    });
    let outputs: Vec<_> = outputs.collect();
    json!({ "network_id": transaction.network, "tx_id": transaction.tx_id, "outputs": outputs })
}
