//! The websockets that are open, and what is said to them.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// The newer a websocket, the greater its number.
pub(crate) type SocketId = u64;

/// What is said to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Speech {
    Text(String),
    Binary(Vec<u8>),
    /// Nothing ever more: no answer to a ping, and no closing either, as if a cable were cut.
    Silence,
}

#[derive(Debug)]
struct Socket {
    /// Dropped, it closes the connection.
    mouth: UnboundedSender<Speech>,
    /// The machines that it named.
    asked: BTreeSet<String>,
    /// Those among them whose sales it can go on with: which it asked about, or asked to open.
    resumes: BTreeSet<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Sockets {
    newest: SocketId,
    open: BTreeMap<SocketId, Socket>,
    unsaid: Vec<(SocketId, Speech)>,
}

impl Sockets {
    pub(super) fn connect(&mut self) -> (SocketId, UnboundedReceiver<Speech>) {
        self.newest += 1;
        let (mouth, ear) = mpsc::unbounded_channel();
        self.open.insert(self.newest, Socket { mouth, asked: BTreeSet::new(), resumes: BTreeSet::new() });
        (self.newest, ear)
    }

    pub(super) fn disconnect(&mut self, id: SocketId) {
        self.open.remove(&id);
    }

    pub(super) fn is_open(&self, id: SocketId) -> bool {
        self.open.contains_key(&id)
    }

    /// Notes that a websocket named a machine.
    pub(super) fn note(&mut self, id: SocketId, machine_uid: &str, resumes: bool) {
        let Some(socket) = self.open.get_mut(&id) else { return };
        socket.asked.insert(machine_uid.to_owned());
        if resumes {
            socket.resumes.insert(machine_uid.to_owned());
        }
    }

    /// The websockets that named the machine, oldest first.
    pub(crate) fn asked_for(&self, machine_uid: &str) -> Vec<SocketId> {
        let asked = self.open.iter().filter(|(_, socket)| socket.asked.contains(machine_uid));
        asked.map(|(id, _)| *id).collect()
    }

    /// The websocket that goes on with the sale of `owner`: of all newer ones that can, the oldest, so that who only
    /// asks how the machine is does not take the events from whoever waits for them.
    pub(super) fn successor(&self, machine_uid: &str, owner: Option<SocketId>) -> Option<SocketId> {
        let mut newer = self.open.range(owner.map_or(0, |owner| owner + 1)..);
        newer.find(|(_, socket)| socket.resumes.contains(machine_uid)).map(|(id, _)| *id)
    }

    /// Says it as soon as the change that is under way is saved.
    pub(super) fn say(&mut self, id: SocketId, speech: Speech) {
        self.unsaid.push((id, speech));
    }

    pub(crate) fn take_unsaid(&mut self) -> Vec<(SocketId, Speech)> {
        std::mem::take(&mut self.unsaid)
    }

    pub(crate) fn deliver(&self, unsaid: Vec<(SocketId, Speech)>) {
        for (id, speech) in unsaid {
            // Whoever is gone hears nothing.
            let _ = self.open.get(&id).map(|socket| socket.mouth.send(speech));
        }
    }

    /// Closes the connections of those who named the machine, or leaves them open and says nothing any more; returns how
    /// many they were.
    pub(crate) fn cut(&mut self, machine_uid: &str, silently: bool) -> usize {
        let asked = self.asked_for(machine_uid);
        for id in &asked {
            let cut = self.open.remove(id).filter(|_| silently);
            let _ = cut.map(|socket| socket.mouth.send(Speech::Silence));
        }
        asked.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_the_newer_ones_goes_on() {
        let mut sockets = Sockets::default();
        let ids: Vec<_> = (0..4).map(|_| sockets.connect().0).collect();
        let [before, owner, first, second] = ids[..] else { panic!("four sockets") };
        for id in [before, first, second] {
            sockets.note(id, "VM-1", true);
        }
        assert_eq!(sockets.successor("VM-1", Some(owner)), Some(first));
        sockets.disconnect(first);
        assert_eq!(sockets.successor("VM-1", Some(owner)), Some(second));
        assert_eq!(sockets.successor("VM-2", Some(owner)), None);
        assert_eq!(sockets.successor("VM-1", None), Some(before), "after a restart nobody is older");
    }

    #[test]
    fn a_request_that_was_refused_goes_on_with_nothing() {
        let mut sockets = Sockets::default();
        let (id, _ear) = sockets.connect();
        sockets.note(id, "VM-1", false);
        assert_eq!((sockets.asked_for("VM-1"), sockets.successor("VM-1", None)), (vec![id], None));
    }

    #[test]
    fn who_is_cut_off_hears_the_end_or_nothing() {
        let mut sockets = Sockets::default();
        let (id, mut ear) = sockets.connect();
        sockets.note(id, "VM-1", true);
        assert_eq!((sockets.cut("VM-2", false), sockets.cut("VM-1", false)), (0, 1));
        assert!(ear.blocking_recv().is_none());
        let (id, mut ear) = sockets.connect();
        sockets.note(id, "VM-1", true);
        assert_eq!(sockets.cut("VM-1", true), 1);
        assert_eq!(ear.blocking_recv(), Some(Speech::Silence));
        assert!(!sockets.is_open(id));
    }
}
