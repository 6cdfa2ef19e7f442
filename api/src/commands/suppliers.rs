use std::{
    collections::{HashMap, hash_map::Entry},
    io::{Write, stdout},
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use store::postgres::{
    Database,
    gifts::{Account, NewSupplier},
};
use workflows::domain::Confidential;

use super::{
    DatabaseSettings,
    csv_file::{self, Flaws, Row, id},
    prompt,
};
use crate::{
    gifts::{PinHasher, PinSettings, is_pin},
    text::{self, Lines},
};

const COLUMNS: [&str; 4] = ["supplier_code", "supplier_invoice_no", "name", "supplier_account_invoice_no"];
const LONGEST_NAME: usize = 200;

#[derive(Debug, Args)]
pub(super) struct Settings {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Load suppliers and their accounts from a CSV file: all of them, or none when a line is wrong.
    Import {
        /// File with the columns `supplier_code`, `supplier_invoice_no`, `name` and `supplier_account_invoice_no`: one
        /// line for each account, with the same supplier again (blank: a supplier without accounts).
        file: PathBuf,
        #[command(flatten)]
        database: DatabaseSettings,
    },
    /// Give an account its PIN, typed unseen or on standard input. The one before does not fit any more.
    SetPin {
        /// Number of the account.
        #[arg(long)]
        account: String,
        #[command(flatten)]
        pins: PinSettings,
        #[command(flatten)]
        database: DatabaseSettings,
    },
}

pub(super) async fn run(settings: Settings) -> anyhow::Result<()> {
    match settings.command {
        Command::Import { file, database } => import(&database.open()?, &file).await,
        Command::SetPin { account, pins, database } => {
            set_pin(&database.open()?, &account, &PinHasher::new(&pins)?).await
        }
    }
}

async fn import(database: &Database, file: &Path) -> anyhow::Result<()> {
    let mut flaws = Flaws::default();
    let suppliers = check(csv_file::read(file, COLUMNS, &mut flaws)?, &mut flaws);
    flaws.report(file)?;
    let mut conflicts = Flaws::default();
    for conflict in database.import_suppliers(&suppliers).await? {
        conflicts.note(conflict.line, conflict.what);
    }
    conflicts.report(file)?;
    Ok(writeln!(stdout().lock(), "{} lines", suppliers.len())?)
}

fn check(rows: Vec<Row<4>>, flaws: &mut Flaws) -> Vec<NewSupplier> {
    let mut known = Known::default();
    let suppliers: Vec<_> = rows.into_iter().filter_map(|row| supplier(row, flaws)).collect();
    for supplier in &suppliers {
        known.add(supplier, flaws);
    }
    suppliers
}

/// The supplier of a line, or everything that is wrong with it by itself.
fn supplier(Row { line, fields }: Row<4>, flaws: &mut Flaws) -> Option<NewSupplier> {
    let [supplier_code, supplier_invoice_no, name, account] = fields;
    let account = Some(account).filter(|account| !account.is_empty());
    let supplier_code = flaws.take(line, id("supplier_code", &supplier_code));
    let supplier_invoice_no = flaws.take(line, id("supplier_invoice_no", &supplier_invoice_no));
    let name = flaws.take(line, checked_name(name));
    let account = account.map(|account| id("supplier_account_invoice_no", &account)).transpose();
    let account = flaws.take(line, account);
    Some(NewSupplier {
        line,
        supplier_code: supplier_code?,
        supplier_invoice_no: supplier_invoice_no?,
        name: name?,
        supplier_account_invoice_no: account?,
    })
}

fn checked_name(name: String) -> Result<String, String> {
    let flaw = name.trim().is_empty().then(|| "is empty".to_owned());
    flaw.or_else(|| text::flaw(&name, LONGEST_NAME, Lines::One)).map_or(Ok(name), |flaw| Err(format!("name {flaw}")))
}

/// What the lines before said.
#[derive(Default)]
struct Known<'a> {
    /// The first line of each.
    suppliers: HashMap<&'a str, &'a NewSupplier>,
    /// Every number, with its line, and the supplier whose own it is. A number stands for one of them alone.
    numbers: HashMap<&'a str, (u64, Option<&'a str>)>,
}

impl<'a> Known<'a> {
    fn add(&mut self, new: &'a NewSupplier, flaws: &mut Flaws) {
        let NewSupplier { line, supplier_code, supplier_invoice_no, supplier_account_invoice_no, .. } = new;
        flaws.take(*line, self.agree(new));
        flaws.take(*line, self.claim(("supplier_invoice_no", supplier_invoice_no), *line, Some(supplier_code)));
        if let Some(number) = supplier_account_invoice_no {
            flaws.take(*line, self.claim(("supplier_account_invoice_no", number), *line, None));
        }
    }

    /// A supplier is the same on each of its lines, and each of them adds something.
    fn agree(&mut self, new: &'a NewSupplier) -> Result<(), String> {
        let first = match self.suppliers.entry(&new.supplier_code) {
            Entry::Vacant(free) => {
                free.insert(new);
                return Ok(());
            }
            Entry::Occupied(first) => *first.get(),
        };
        let (code, line) = (&new.supplier_code, first.line);
        if (&new.supplier_invoice_no, &new.name) != (&first.supplier_invoice_no, &first.name) {
            return Err(format!("supplier_code {code} has another number or name on line {line}"));
        }
        let adds = new.supplier_account_invoice_no.is_some();
        if adds { Ok(()) } else { Err(format!("supplier_code {code} is on line {line} already")) }
    }

    fn claim(&mut self, (column, number): (&str, &'a str), line: u64, of: Option<&'a str>) -> Result<(), String> {
        match self.numbers.entry(number) {
            Entry::Vacant(free) => {
                free.insert((line, of));
                Ok(())
            }
            Entry::Occupied(first) if of.is_some() && first.get().1 == of => Ok(()),
            Entry::Occupied(first) => Err(format!("{column} {number} is on line {} already", first.get().0)),
        }
    }
}

async fn set_pin(database: &Database, number: &str, hasher: &PinHasher) -> anyhow::Result<()> {
    let missing = || format!("there is no account {number}");
    let account = database.find_account(number).await?.with_context(missing)?;
    let pin = prompt::secret("PIN")?;
    ensure!(is_pin(pin.expose()), "a PIN is 4 to 12 digits");
    let accounts = database.accounts_of(&account.supplier_code).await?;
    ensure!(!is_taken(&accounts, number, &pin, hasher)?, "another account of {} has this PIN", account.supplier_code);
    ensure!(database.set_pin_hash(number, &hasher.hash(&pin)?).await?, missing());
    Ok(())
}

/// Whether another account has this PIN: under the supplier's number nobody could tell the two apart.
fn is_taken(accounts: &[Account], number: &str, pin: &Confidential, hasher: &PinHasher) -> anyhow::Result<bool> {
    let others = accounts.iter().filter(|account| account.supplier_account != number);
    for hash in others.filter_map(|account| account.pin_hash.as_ref()) {
        if hasher.fits(pin, hash.expose_secret())? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many lines are sound by themselves, and what is wrong with the file.
    fn checked(lines: &[[&str; 4]]) -> (usize, Vec<String>) {
        let rows = (2..).zip(lines).map(|(line, fields)| Row { line, fields: fields.map(str::to_owned) });
        let mut flaws = Flaws::default();
        let suppliers = check(rows.collect(), &mut flaws);
        let report = flaws.report(Path::new("suppliers.csv")).err().map(|flaws| flaws.to_string());
        (suppliers.len(), report.unwrap_or_default().lines().skip(1).map(str::to_owned).collect())
    }

    #[test]
    fn a_supplier_has_a_line_for_each_account_or_one_without() {
        let (sound, flaws) = checked(&[
            ["S-1", "900100", "Mercado Uno", "900101"],
            ["S-1", "900100", "Mercado Uno", "900102"],
            ["S-2", "900200", "Köşe, 2", ""],
            ["S-2", "900200", "Köşe, 2", "900201"],
        ]);
        assert_eq!((sound, flaws), (4, Vec::new()));
    }

    #[test]
    fn each_flaw_of_a_line_is_named() {
        let (sound, flaws) = checked(&[["S/1", "", " ", "a b"], ["S-1", "1", "a\nb", ""]]);
        assert_eq!((sound, flaws.len()), (0, 5), "{flaws:?}");
        for (flaw, words) in flaws.iter().zip([
            "line 2: supplier_code is not",
            "line 2: supplier_invoice_no is not",
            "line 2: name is empty",
            "line 2: supplier_account_invoice_no is not",
            "line 3: name has a control character",
        ]) {
            assert!(flaw.starts_with(words), "{flaw}");
        }
    }

    #[test]
    fn lines_that_contradict_each_other_are_named() {
        let (_, flaws) = checked(&[
            ["S-1", "900100", "One", "900101"],
            ["S-1", "900109", "One", "900102"],
            ["S-1", "900100", "Uno", "900103"],
            ["S-2", "900100", "Two", ""],
            ["S-3", "900300", "Three", "900101"],
            ["S-4", "900101", "Four", "900300"],
            ["S-3", "900300", "Three", ""],
        ]);
        let expected = [
            "line 3: supplier_code S-1 has another number or name on line 2",
            "line 4: supplier_code S-1 has another number or name on line 2",
            "line 5: supplier_invoice_no 900100 is on line 2 already",
            "line 6: supplier_account_invoice_no 900101 is on line 2 already",
            "line 7: supplier_invoice_no 900101 is on line 2 already",
            "line 7: supplier_account_invoice_no 900300 is on line 6 already",
            "line 8: supplier_code S-3 is on line 6 already",
        ];
        assert_eq!(flaws, expected);
    }

    #[test]
    fn no_two_accounts_of_a_supplier_have_the_same_pin() {
        let hasher = PinHasher::quick(1);
        let pin = |text: &str| Confidential::new(text.to_owned());
        let account = |number: &str, hash: Option<&str>| Account {
            supplier_code: "S-1".to_owned(),
            supplier_account: number.to_owned(),
            pin_hash: hash.map(|text| hasher.hash(&pin(text)).unwrap().into()),
        };
        let accounts = [account("101", Some("1111")), account("102", None)];
        assert!(is_taken(&accounts, "102", &pin("1111"), &hasher).unwrap());
        assert!(!is_taken(&accounts, "101", &pin("1111"), &hasher).unwrap(), "its own PIN again");
        assert!(!is_taken(&accounts, "102", &pin("2222"), &hasher).unwrap());
    }
}
