//! Everything that Vendron knows.

use std::collections::BTreeMap;

use super::machine::Machine;
use super::sockets::{SocketId, Sockets};
use crate::problem::Problem;
use crate::state::{Record, World};

#[derive(Debug, Default)]
pub(crate) struct Cloud {
    machines: BTreeMap<String, Machine>,
    /// Not saved: a restart closes them.
    pub(crate) sockets: Sockets,
}

impl Cloud {
    pub(crate) fn machine(&self, uid: &str) -> Option<&Machine> {
        self.machines.get(uid)
    }

    /// The same for whoever drives the machines.
    pub(crate) fn known(&self, uid: &str) -> Result<&Machine, Problem> {
        self.machine(uid).ok_or_else(|| Problem::not_found(format!("unknown machine {uid}")))
    }

    /// The websocket that the events of the machine's sale go to.
    pub(crate) fn listener(&self, uid: &str) -> Option<SocketId> {
        let machine = self.machine(uid)?;
        let owner = machine.sale.as_ref()?.owner;
        if let Some(owner) = owner.filter(|owner| self.sockets.is_open(*owner)) {
            return Some(owner);
        }
        self.sockets.successor(uid, owner).filter(|_| machine.reporting.resumes)
    }

    pub(crate) fn put(&mut self, machine: Machine) {
        self.machines.insert(machine.uid.clone(), machine);
    }

    /// All that is saved.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.machines.values().cloned().map(Box::new).map(Record::VendronMachine).collect()
    }
}

pub(crate) fn keep(world: &mut World, machine: Machine) {
    world.save(Record::VendronMachine(Box::new(machine.clone())));
    world.cloud.put(machine);
}
