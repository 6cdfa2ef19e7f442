//! Who has which number, while a file of suppliers is held against it: pure, the rows are read and written in
//! `suppliers.rs`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Conflict, NewSupplier};

/// Accounts of one supplier, at most: its own number stands for all of them, and each has its PIN tried.
pub const ACCOUNTS_AT_MOST: usize = 16;

/// Suppliers and accounts, those of the database and those of the file. A number is one supplier's or one account's: one
/// that were both would hide the account.
#[derive(Debug, Default)]
pub(super) struct Register {
    /// By code.
    suppliers: BTreeMap<String, Supplier>,
    /// Of suppliers.
    numbers: BTreeSet<String>,
    /// Code of the supplier, by the account's number.
    accounts: BTreeMap<String, String>,
    /// How many accounts a supplier has, by code.
    accounts_of: BTreeMap<String, usize>,
    /// Numbers of accounts that came with the file.
    of_the_file: BTreeSet<String>,
}

#[derive(Debug)]
struct Supplier {
    number: String,
    name: String,
}

impl Register {
    /// A supplier that is there already.
    pub(super) fn know_supplier(&mut self, code: String, number: String, name: String) {
        self.numbers.insert(number.clone());
        self.suppliers.insert(code, Supplier { number, name });
    }

    /// An account that is there already.
    pub(super) fn know_account(&mut self, number: String, supplier_code: String) {
        *self.accounts_of.entry(supplier_code.clone()).or_default() += 1;
        self.accounts.insert(number, supplier_code);
    }

    /// Adds what a line says, or tells what speaks against it. What is there already, just so, is no conflict.
    pub(super) fn add(&mut self, line: &NewSupplier) -> Result<(), Conflict> {
        let conflict = |what| Conflict { line: line.line, what };
        self.add_supplier(line).map_err(conflict)?;
        match &line.supplier_account_invoice_no {
            Some(number) => self.add_account(number, &line.supplier_code).map_err(conflict),
            None => Ok(()),
        }
    }

    fn add_supplier(&mut self, line: &NewSupplier) -> Result<(), String> {
        let NewSupplier { supplier_code: code, supplier_invoice_no: number, name, .. } = line;
        if let Some(known) = self.suppliers.get(code) {
            let is_the_same = known.number == *number && known.name == *name;
            return is_the_same.then_some(()).ok_or_else(|| format!("the supplier {code} has another number or name"));
        }
        self.refuse_taken(number)?;
        self.know_supplier(code.clone(), number.clone(), name.clone());
        Ok(())
    }

    fn add_account(&mut self, number: &str, supplier_code: &str) -> Result<(), String> {
        if !self.of_the_file.insert(number.to_owned()) {
            return Err(format!("the account {number} is in the file already"));
        }
        if self.accounts.get(number).is_some_and(|owner| owner == supplier_code) {
            return Ok(());
        }
        self.refuse_taken(number)?;
        if self.accounts_of.get(supplier_code).is_some_and(|accounts| *accounts >= ACCOUNTS_AT_MOST) {
            return Err(format!("the supplier {supplier_code} has {ACCOUNTS_AT_MOST} accounts already"));
        }
        self.know_account(number.to_owned(), supplier_code.to_owned());
        Ok(())
    }

    fn refuse_taken(&self, number: &str) -> Result<(), String> {
        if self.accounts.contains_key(number) || self.numbers.contains(number) {
            return Err(format!("the number {number} is somebody else's"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(line: u64, supplier_code: &str, supplier_invoice_no: &str, account: Option<&str>) -> NewSupplier {
        NewSupplier {
            line,
            supplier_code: supplier_code.to_owned(),
            supplier_invoice_no: supplier_invoice_no.to_owned(),
            name: "A shop".to_owned(),
            supplier_account_invoice_no: account.map(str::to_owned),
        }
    }

    fn register() -> Register {
        let mut register = Register::default();
        register.know_supplier("S-1".to_owned(), "900100".to_owned(), "A shop".to_owned());
        register.know_account("900101".to_owned(), "S-1".to_owned());
        register
    }

    #[test]
    fn a_line_adds_what_is_new_and_repeats_what_is_there() {
        let mut register = register();
        for line in [
            line(2, "S-1", "900100", Some("900101")),
            line(3, "S-1", "900100", Some("900102")),
            line(4, "S-2", "900200", None),
            line(5, "S-2", "900200", Some("900201")),
        ] {
            assert_eq!(register.add(&line), Ok(()));
        }
    }

    #[test]
    fn a_number_is_one_suppliers_or_one_accounts() {
        for (wrong, what) in [
            (line(2, "S-1", "900109", None), "the supplier S-1 has another number or name"),
            (line(2, "S-2", "900100", None), "the number 900100 is somebody else's"),
            (line(2, "S-2", "900101", None), "the number 900101 is somebody else's"),
            (line(2, "S-2", "900200", Some("900101")), "the number 900101 is somebody else's"),
            (line(2, "S-2", "900200", Some("900100")), "the number 900100 is somebody else's"),
            (line(2, "S-2", "900200", Some("900200")), "the number 900200 is somebody else's"),
        ] {
            assert_eq!(register().add(&wrong), Err(Conflict { line: 2, what: what.to_owned() }));
        }
        let renamed = NewSupplier { name: "Another".to_owned(), ..line(2, "S-1", "900100", None) };
        assert!(register().add(&renamed).is_err());
    }

    #[test]
    fn an_account_comes_once_in_a_file() {
        let mut register = register();
        let account = line(2, "S-1", "900100", Some("900101"));
        assert_eq!(register.add(&account), Ok(()));
        let what = "the account 900101 is in the file already".to_owned();
        assert_eq!(register.add(&NewSupplier { line: 3, ..account }), Err(Conflict { line: 3, what }));
    }

    #[test]
    fn a_supplier_has_no_more_accounts_than_are_tried() {
        let mut register = register();
        for nth in 2..=16_u64 {
            assert_eq!(register.add(&line(nth, "S-1", "900100", Some(&format!("9001{nth:02}")))), Ok(()));
        }
        assert!(register.add(&line(17, "S-1", "900100", Some("900117"))).is_err());
        assert_eq!(register.add(&line(18, "S-1", "900100", Some("900101"))), Ok(()));
    }
}
