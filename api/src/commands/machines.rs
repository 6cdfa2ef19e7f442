use std::io::{Write, stdout};

use anyhow::{anyhow, bail, ensure};
use chrono::SecondsFormat;
use clap::{Args, Subcommand};
use store::postgres::{
    Database,
    fridges::{Machine, NewMachine},
};

use super::DatabaseSettings;
use crate::{
    auth::Principal,
    text::{self, Lines, is_outside_id},
};

const LONGEST_NAME: usize = 200;

#[derive(Debug, Args)]
pub(super) struct Settings {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Give a machine to a frontend, which may open it from then on. The same again changes nothing.
    Add {
        /// What the frontend calls it.
        #[arg(long, value_parser = machine_id)]
        id: String,
        /// What Vendron calls it: its `machine_uid`.
        #[arg(long, value_parser = machine_id)]
        uid: String,
        /// Whose it is: frontend:<name>.
        #[arg(long, value_parser = owner)]
        owner: Principal,
        /// For people.
        #[arg(long, default_value = "", value_parser = name)]
        name: String,
        #[command(flatten)]
        database: DatabaseSettings,
    },
    /// List the machines.
    List {
        #[command(flatten)]
        database: DatabaseSettings,
    },
}

pub(super) async fn run(settings: Settings) -> anyhow::Result<()> {
    match settings.command {
        Command::Add { id, uid, owner, name, database } => {
            let machine = NewMachine { machine_id: id, machine_uid: uid, name, owner: owner.to_string() };
            add(&database.open()?, &machine).await
        }
        Command::List { database } => list(&database.open()?).await,
    }
}

async fn add(database: &Database, machine: &NewMachine) -> anyhow::Result<()> {
    if database.add_machine(machine).await? {
        return Ok(());
    }
    match conflict(&database.list_machines().await?, machine) {
        Some(conflict) => bail!(conflict),
        None => Ok(()),
    }
}

/// Why a machine whose id or uid is taken cannot be added; nothing where it is there just as it is to be.
fn conflict(known: &[Machine], new: &NewMachine) -> Option<String> {
    let NewMachine { machine_id, machine_uid, .. } = new;
    if let Some(there) = known.iter().find(|machine| machine.machine_id == *machine_id) {
        let differences = differences(there, new);
        let advice = "It stays as it is: another machine needs another id";
        return (!differences.is_empty()).then(|| format!("there is a machine {machine_id}: {differences}. {advice}"));
    }
    let holder = known.iter().find(|machine| machine.machine_uid == *machine_uid);
    let holder = holder.map(|Machine { machine_id, owner, .. }| format!("machine {machine_id} of {owner}"));
    let holder = holder.as_deref().unwrap_or("another machine");
    let advice = "A machine is added once: look up the uid of this one at Vendron";
    Some(format!("the uid {machine_uid} is that of {holder}. {advice}"))
}

/// What of a machine is not as it is to be.
fn differences(there: &Machine, new: &NewMachine) -> String {
    let fields = [
        ("uid", &there.machine_uid, &new.machine_uid),
        ("owner", &there.owner, &new.owner),
        ("name", &there.name, &new.name),
    ];
    let differing = fields.iter().filter(|(_, is, wanted)| is != wanted);
    differing.map(|(field, is, wanted)| format!("its {field} is {is:?}, not {wanted:?}")).collect::<Vec<_>>().join(", ")
}

async fn list(database: &Database) -> anyhow::Result<()> {
    let machines = database.list_machines().await?;
    let mut out = stdout().lock();
    for line in table(&machines) {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn table(machines: &[Machine]) -> impl Iterator<Item = String> {
    let width = |heading: &str, cell: fn(&Machine) -> &str| {
        machines.iter().map(|machine| cell(machine).chars().count()).max().unwrap_or_default().max(heading.len())
    };
    let id = width("ID", |machine| &machine.machine_id);
    let uid = width("UID", |machine| &machine.machine_uid);
    let owner = width("OWNER", |machine| &machine.owner);
    let head = format!("{:<id$}  {:<uid$}  {:<owner$}  {:<20}  NAME", "ID", "UID", "OWNER", "CREATED");
    let rows = machines.iter().map(move |machine| {
        let Machine { machine_id, machine_uid, name, owner: of, created_at } = machine;
        let created = created_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        format!("{machine_id:<id$}  {machine_uid:<uid$}  {of:<owner$}  {created:<20}  {name}")
    });
    [head].into_iter().chain(rows)
}

fn machine_id(text: &str) -> anyhow::Result<String> {
    ensure!(is_outside_id(text), "write visible ASCII characters without slashes, not beginning with a dot, up to 64");
    Ok(text.to_owned())
}

fn name(text: &str) -> anyhow::Result<String> {
    text::flaw(text, LONGEST_NAME, Lines::One)
        .map_or_else(|| Ok(text.to_owned()), |flaw| Err(anyhow!("the name {flaw}")))
}

fn owner(text: &str) -> anyhow::Result<Principal> {
    let principal: Principal = text.parse()?;
    ensure!(matches!(principal, Principal::Frontend(_)), "machines belong to frontends: write frontend:<name>");
    Ok(principal)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(subcommand)]
        command: Command,
    }

    fn parse(arguments: &[&str]) -> Result<Cli, String> {
        let database = ["--database-url", "postgres://perdura@127.0.0.1:1/none"];
        let arguments = ["test", "add"].into_iter().chain(arguments.iter().copied()).chain(database);
        Cli::try_parse_from(arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn a_machine_is_a_frontends() {
        let named = ["--id", "FRIDGE-1", "--uid", "VM-0001", "--name", "Lobby", "--owner"];
        let owned_by = |owner| parse(&[named.as_slice(), &[owner]].concat());
        let Command::Add { id, uid, owner, name, .. } = owned_by("frontend:demo").unwrap().command else { panic!() };
        assert_eq!(
            (id.as_str(), uid.as_str(), name.as_str(), owner.to_string().as_str()),
            ("FRIDGE-1", "VM-0001", "Lobby", "frontend:demo")
        );
        for other in ["operator:eve", "demo", "frontend:"] {
            assert!(owned_by(other).is_err(), "{other}");
        }
        for (id, uid) in [("a/b", "VM-1"), ("", "VM-1"), ("F-1", "a b"), ("..", "VM-1")] {
            assert!(parse(&["--owner", "frontend:demo", "--id", id, "--uid", uid]).is_err(), "{id} {uid}");
        }
    }

    fn lobby() -> Machine {
        Machine {
            machine_id: "FRIDGE-1".to_owned(),
            machine_uid: "VM-0001".to_owned(),
            name: "Lobby".to_owned(),
            owner: "frontend:demo".to_owned(),
            created_at: DateTime::from_timestamp(1_767_225_600, 0).unwrap(),
        }
    }

    #[test]
    fn what_is_taken_is_named_and_by_whom() {
        let refused = |id: &str, uid: &str, owner: &str, name: &str| {
            let (name, owner) = (name.to_owned(), owner.to_owned());
            let new = NewMachine { machine_id: id.to_owned(), machine_uid: uid.to_owned(), name, owner };
            conflict(&[lobby()], &new)
        };
        assert_eq!(refused("FRIDGE-1", "VM-0001", "frontend:demo", "Lobby"), None, "the same again");
        let stays = "It stays as it is: another machine needs another id";
        for (uid, owner, name, differences) in [
            ("VM-0002", "frontend:demo", "Lobby", r#"its uid is "VM-0001", not "VM-0002""#),
            ("VM-0001", "frontend:app", "Lobby", r#"its owner is "frontend:demo", not "frontend:app""#),
            ("VM-0002", "frontend:demo", "", r#"its uid is "VM-0001", not "VM-0002", its name is "Lobby", not """#),
        ] {
            let expected = format!("there is a machine FRIDGE-1: {differences}. {stays}");
            assert_eq!(refused("FRIDGE-1", uid, owner, name), Some(expected));
        }
        let taken = refused("FRIDGE-2", "VM-0001", "frontend:app", "").unwrap();
        assert!(taken.starts_with("the uid VM-0001 is that of machine FRIDGE-1 of frontend:demo. "), "{taken}");
    }

    #[test]
    fn the_list_has_a_line_for_each() {
        assert_eq!(
            table(&[lobby()]).collect::<Vec<_>>(),
            [
                "ID        UID      OWNER          CREATED               NAME",
                "FRIDGE-1  VM-0001  frontend:demo  2026-01-01T00:00:00Z  Lobby",
            ]
        );
        assert_eq!(table(&[]).count(), 1);
    }
}
