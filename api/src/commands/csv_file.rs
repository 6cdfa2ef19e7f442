//! CSV files that are taken whole or not at all: every line is looked at before anything is said.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt::Write,
    fs,
    path::Path,
};

use anyhow::{Context, bail, ensure};
use csv::{ReaderBuilder, StringRecord};

use crate::text::{bad_id, is_outside_id};

/// Flaws that are shown; of the others only their number.
const SHOWN: usize = 100;
const HEADER: u64 = 1;

/// The fields of a line, in the order that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row<const COLUMNS: usize> {
    /// Where it begins, from 1.
    pub(super) line: u64,
    pub(super) fields: [String; COLUMNS],
}

/// What is wrong with a file, with the numbers of its lines.
#[derive(Debug, Default)]
pub(super) struct Flaws(Vec<(u64, String)>);

impl Flaws {
    pub(super) fn note(&mut self, line: u64, what: impl Into<String>) {
        self.0.push((line, what.into()));
    }

    /// The value, unless something is wrong with it.
    pub(super) fn take<T, E: ToString>(&mut self, line: u64, checked: Result<T, E>) -> Option<T> {
        checked.map_err(|flaw| self.note(line, flaw.to_string())).ok()
    }

    /// All that is wrong, in the order of the lines. Without a flaw there is nothing to say.
    pub(super) fn report(mut self, path: &Path) -> anyhow::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by_key(|(line, _)| *line);
        let mut report = format!("nothing was taken from {}:", path.display());
        for (line, what) in self.0.iter().take(SHOWN) {
            write!(report, "\nline {line}: {what}")?;
        }
        if let Some(more) = self.0.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            write!(report, "\nand {more} more")?;
        }
        bail!(report)
    }
}

/// Which line a word was seen on first.
#[derive(Debug, Default)]
pub(super) struct Seen(HashMap<String, u64>);

impl Seen {
    /// Refuses a word that was on a line before.
    pub(super) fn once(&mut self, column: &str, word: &str, line: u64) -> Result<(), String> {
        match self.0.entry(word.to_owned()) {
            Entry::Vacant(free) => {
                free.insert(line);
                Ok(())
            }
            Entry::Occupied(first) => Err(format!("{column} {word} is on line {} already", first.get())),
        }
    }
}

/// A field that names something.
pub(super) fn id(column: &str, text: &str) -> Result<String, String> {
    if is_outside_id(text) { Ok(text.to_owned()) } else { Err(format!("{column} {}", bad_id())) }
}

/// Reads a file whose header names exactly these columns, in any order. A line that cannot be read is among the flaws.
pub(super) fn read<const COLUMNS: usize>(
    path: &Path,
    columns: [&str; COLUMNS],
    flaws: &mut Flaws,
) -> anyhow::Result<Vec<Row<COLUMNS>>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&bytes, columns, flaws).with_context(|| format!("cannot read {}", path.display()))
}

fn parse<const COLUMNS: usize>(
    bytes: &[u8],
    columns: [&str; COLUMNS],
    flaws: &mut Flaws,
) -> anyhow::Result<Vec<Row<COLUMNS>>> {
    let lines = bytes.split(|byte| *byte == b'\n');
    for (number, _) in (HEADER..).zip(lines).filter(|(_, line)| str::from_utf8(line).is_err()) {
        flaws.note(number, "is not UTF-8");
    }
    let text = String::from_utf8_lossy(bytes);
    // Programs that make tables put a byte order mark before them.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut records = reader.records();
    let header = records.next().transpose()?.unwrap_or_default();
    let order = order(&header, columns)?;
    let (mut rows, mut place) = (Vec::new(), Place::new(text));
    for record in records {
        let record = record?;
        let line = place.line_of(&record);
        if record.len() == COLUMNS {
            rows.push(Row { line, fields: order.map(|index| record.get(index).unwrap_or_default().to_owned()) });
        } else {
            flaws.note(line, format!("the number of its fields is {} instead of {COLUMNS}", record.len()));
        }
    }
    Ok(rows)
}

/// Where each column is.
fn order<const COLUMNS: usize>(header: &StringRecord, columns: [&str; COLUMNS]) -> anyhow::Result<[usize; COLUMNS]> {
    let found = columns.map(|column| header.iter().position(|name| name == column));
    let is_exact = header.len() == COLUMNS && !found.contains(&None);
    let wanted = columns.join(",");
    ensure!(is_exact, "its first line has to name these columns and no others, in any order: {wanted}");
    Ok(found.map(Option::unwrap_or_default))
}

/// Counts lines while a file is read. The reader's own count is that of the blank lines before a record.
struct Place<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl<'a> Place<'a> {
    const fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: HEADER }
    }

    fn line_of(&mut self, record: &StringRecord) -> u64 {
        let begin = record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or_default();
        let bytes = self.text.as_bytes();
        let blank = bytes.iter().skip(begin).take_while(|byte| b"\r\n".contains(byte)).count();
        let begin = (begin + blank).min(bytes.len());
        let passed = bytes.get(self.at..begin).unwrap_or_default();
        self.line += passed.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        self.at = begin;
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [&str; 2] = ["id", "name"];

    fn rows(text: &str) -> Vec<(u64, String, String)> {
        let mut flaws = Flaws::default();
        let rows = parse(text.as_bytes(), COLUMNS, &mut flaws).unwrap();
        flaws.report(Path::new("test.csv")).unwrap();
        rows.into_iter().map(|Row { line, fields: [id, name] }| (line, id, name)).collect()
    }

    fn row(line: u64, id: &str, name: &str) -> (u64, String, String) {
        (line, id.to_owned(), name.to_owned())
    }

    #[test]
    fn columns_come_in_any_order() {
        let expected = [row(2, "1", "one"), row(3, "2", "")];
        assert_eq!(rows("id,name\n1,one\n2,\n"), expected);
        assert_eq!(rows("\u{feff}name,id\r\none,1\r\n\"\",2"), expected);
    }

    #[test]
    fn a_line_has_its_number_whatever_is_before_it() {
        let text = "id,name\n\n1,\"one\nand more\"\n\r\n\n2,two\r\n3,three";
        assert_eq!(rows(text), [row(3, "1", "one\nand more"), row(7, "2", "two"), row(8, "3", "three")]);
    }

    #[test]
    fn the_header_names_exactly_the_columns() {
        for text in ["", "id\n", "id,name,more\n", "id,id\n", "ID,name\n", "id, name\n", "1,one\n"] {
            let refused = parse(text.as_bytes(), COLUMNS, &mut Flaws::default()).unwrap_err();
            assert!(refused.to_string().ends_with("in any order: id,name"), "{text:?}: {refused}");
        }
    }

    #[test]
    fn every_line_that_cannot_be_read_is_named() {
        let mut flaws = Flaws::default();
        let rows = parse(b"id,name\n1\n2,\xff\n3,three,more\n4,four\n", COLUMNS, &mut flaws).unwrap();
        assert_eq!(rows.len(), 2);
        let report = flaws.report(Path::new("test.csv")).unwrap_err().to_string();
        let expected = "nothing was taken from test.csv:\nline 2: the number of its fields is 1 instead of 2\nline 3: is not UTF-8\n\
                        line 4: the number of its fields is 3 instead of 2";
        assert_eq!(report, expected);
    }

    #[test]
    fn no_more_flaws_are_shown_than_anybody_reads() {
        let mut flaws = Flaws::default();
        (0..SHOWN as u64 + 23).rev().for_each(|line| flaws.note(line, "is bad"));
        let report = flaws.report(Path::new("test.csv")).unwrap_err().to_string();
        assert!(
            report.contains("\nline 0: is bad\n") && report.ends_with("\nline 99: is bad\nand 23 more"),
            "{report}"
        );
    }

    #[test]
    fn what_comes_again_is_compared_with_the_first() {
        let mut seen = Seen::default();
        assert_eq!(seen.once("id", "1", 2), Ok(()));
        for line in [3, 4] {
            assert_eq!(seen.once("id", "1", line), Err("id 1 is on line 2 already".to_owned()));
        }
    }
}
