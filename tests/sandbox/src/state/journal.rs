//! The saved state: a file of changes, one line of records each. A change is on file before it is answered, so a kill
//! loses nothing that was answered (a crash of the whole machine may: nothing is forced to the disk).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Record, World};

pub(super) struct Journal {
    file: File,
    /// Held as long as the process lives: two sandboxes on one folder would mix their lines.
    _lock: File,
}

impl Journal {
    /// Reads what is there into `world`, and starts a fresh file with it, so that the file does not grow for ever.
    pub(super) fn open(folder: &Path, world: &mut World) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.try_lock().map_err(|error| anyhow::anyhow!("{} is in use: {error}", folder.display()))?;
        let path = folder.join("state.jsonl");
        for record in load(&path)? {
            world.restore(record);
        }
        world.resume();
        rewrite(&path, &world.records())?;
        let file = OpenOptions::new().append(true).open(&path)?;
        Ok(Self { file, _lock: lock })
    }

    /// Adds the records of one change, which are read back together or not at all.
    pub(super) fn append(&mut self, records: &[Record]) -> io::Result<()> {
        self.file.write_all(&line(records)?)
    }
}

fn line(records: &[Record]) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(records)?;
    line.push(b'\n');
    Ok(line)
}

fn load(path: &PathBuf) -> anyhow::Result<Vec<Record>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut records = Vec::new();
    // A last line without its end was cut off by a kill, so it was never answered.
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        records.extend(serde_json::from_str::<Vec<Record>>(line)?);
    }
    Ok(records)
}

fn rewrite(path: &PathBuf, records: &[Record]) -> io::Result<()> {
    let fresh = path.with_extension("jsonl.new");
    fs::write(&fresh, line(records)?)?;
    fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use std::env::temp_dir;

    use uuid::Uuid;

    use super::*;
    use crate::chains::{Asset, Network, Payment, Standing, Transaction};
    use crate::ciam::{self, Otp};
    use crate::ledger;
    use crate::mambu::booking::{self, Order};
    use crate::mambu::{KeptReply, samples};
    use crate::vendron;
    use crate::vendron::samples::{Client, UID};

    fn folder() -> PathBuf {
        temp_dir().join(format!("sandbox-journal-{}", Uuid::new_v4()))
    }

    fn change(journal: &mut Journal, world: &mut World) -> String {
        world.make_address("k", Uuid::from_u128(1), Network::Tron).unwrap();
        let asset = Asset::find(Network::Tron, "usdt", None).unwrap();
        let payment = Payment { address: "TA".to_owned(), amount: "1".to_owned() };
        let transaction = Transaction::new(Network::Tron, &asset, vec![payment], ledger::now());
        let tx_id = world.broadcast(transaction).tx_id;
        world.mine(Network::Tron, 2);
        world.pause(true, Some("TA".to_owned()));
        journal.append(&world.take_unsaved()).unwrap();
        tx_id
    }

    #[test]
    fn everything_is_read_back_and_what_was_cut_off_is_not() {
        let (folder, mut world) = (folder(), World::new());
        let mut journal = Journal::open(&folder, &mut world).unwrap();
        let tx_id = change(&mut journal, &mut world);
        journal.file.write_all(b"[{\"record\":\"entr").unwrap();
        drop(journal);
        for _ in 0..2 {
            let mut again = World::new();
            Journal::open(&folder, &mut again).unwrap();
            assert_eq!(again.chain(Network::Tron).tip_height, world.chain(Network::Tron).tip_height);
            assert_eq!(again.transaction(&tx_id).unwrap().standing, Standing::Included);
            assert_eq!(again.entries().count(), 3);
            assert_eq!(again.queue.len(), 1, "it was never reported");
            assert!(again.pauses.contains("TA"));
            let address = again.make_address("k", Uuid::from_u128(1), Network::Tron).unwrap();
            assert_eq!(again.entries().count(), 3, "{address} was made before");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    fn lend(journal: &mut Journal, world: &mut World) {
        booking::keep_loan(world, samples::loan("LN-1"));
        let order = Order { external_id: Some("pc-1".to_owned()), ..Order::default() };
        booking::disburse(world, "LN-1", order, samples::now()).unwrap();
        let (key, at) = (Uuid::from_u128(1), ledger::now());
        let reply =
            KeptReply { key, fingerprint: "f".to_owned(), status: 201, body: r#"{"amount":1250.00}"#.to_owned(), at };
        world.save(Record::MambuReply(reply));
        let otp = Otp { text: "123456".to_owned(), expires_at: at, binding: None, is_spent: false };
        ciam::issue(world, "C-1", otp);
        journal.append(&world.take_unsaved()).unwrap();
    }

    #[test]
    fn loans_and_kept_replies_are_read_back_until_they_are_forgotten() {
        let (folder, mut world) = (folder(), World::new());
        let mut journal = Journal::open(&folder, &mut world).unwrap();
        lend(&mut journal, &mut world);
        drop(journal);
        for _ in 0..2 {
            let mut again = World::new();
            Journal::open(&folder, &mut again).unwrap();
            assert_eq!(again.bank.loan("LN-1").unwrap().balance.to_string(), "1250.00");
            assert!(again.bank.has_external_id("pc-1"));
            assert_eq!(again.bank.transaction("1").unwrap().created_at, samples::now());
            let kept = again.bank.keys.find(Uuid::from_u128(1), ledger::now()).unwrap();
            assert_eq!(kept.body, r#"{"amount":1250.00}"#);
            assert_eq!(again.desk.records().len(), 1);
        }
        let mut world = World::new();
        let mut journal = Journal::open(&folder, &mut world).unwrap();
        journal.append(&[Record::MambuRepliesForgotten]).unwrap();
        drop(journal);
        let mut again = World::new();
        Journal::open(&folder, &mut again).unwrap();
        assert!(again.bank.keys.find(Uuid::from_u128(1), ledger::now()).is_none());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_sale_goes_on_without_the_websocket_it_began_on() {
        let sandbox = vendron::samples::sandbox();
        let session = Client::connect(&sandbox).open();
        let (folder, mut world) = (folder(), World::new());
        let mut journal = Journal::open(&folder, &mut world).unwrap();
        vendron::keep(&mut world, vendron::samples::machine(&sandbox));
        journal.append(&world.take_unsaved()).unwrap();
        drop(journal);
        for _ in 0..2 {
            let mut again = World::new();
            Journal::open(&folder, &mut again).unwrap();
            let sale = again.cloud.machine(UID).unwrap().running().unwrap();
            assert_eq!((&sale.session, sale.owner), (&session.as_str().unwrap().to_owned(), None));
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_serves_one_sandbox_at_a_time() {
        let folder = folder();
        let first = Journal::open(&folder, &mut World::new()).unwrap();
        assert!(Journal::open(&folder, &mut World::new()).is_err());
        drop(first);
        assert!(Journal::open(&folder, &mut World::new()).is_ok());
        fs::remove_dir_all(folder).unwrap();
    }
}
