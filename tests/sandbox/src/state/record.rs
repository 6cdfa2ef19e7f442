//! One row of the saved state. The latest row of a thing wins; ledger entries are never changed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::addresses::{MadeAddress, PlannedAddress};
use crate::chains::{Block, Network, Transaction};
use crate::ciam;
use crate::faults::Fault;
use crate::ledger::Entry;
use crate::mambu;
use crate::vendron;

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "record", content = "value", rename_all = "snake_case")]
pub(crate) enum Record {
    Address(MadeAddress),
    /// All of them.
    PlannedAddresses(Vec<PlannedAddress>),
    Block(Network, Block),
    Transaction(Transaction),
    Entry(Entry),
    Faults(Vec<Fault>),
    Pauses(BTreeSet<String>),
    Loan(Box<mambu::Loan>),
    LoanTransaction(Box<mambu::Transaction>),
    MambuReply(mambu::KeptReply),
    /// All replies before it are forgotten.
    MambuRepliesForgotten,
    MambuCall(mambu::Call),
    OtpHolder(ciam::Holder),
    OtpValidation(ciam::Validation),
    VendronMachine(Box<vendron::Machine>),
}
