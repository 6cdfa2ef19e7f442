use std::{
    io::{Write, stdout},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use store::postgres::{Database, gifts::NewGift};

use super::{
    DatabaseSettings,
    csv_file::{self, Flaws, Row, Seen, id},
};

const COLUMNS: [&str; 4] = ["gift_id", "valid_from", "valid_to", "supplier_code"];

#[derive(Debug, Args)]
pub(super) struct Settings {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Load gifts from a CSV file: all of them, or none when a line is wrong.
    Import {
        /// File with the columns `gift_id`, `valid_from`, `valid_to` (times as 2026-01-31T12:00:00Z) and
        /// `supplier_code` (blank: any supplier may take the gift).
        file: PathBuf,
        #[command(flatten)]
        database: DatabaseSettings,
    },
}

pub(super) async fn run(settings: Settings) -> anyhow::Result<()> {
    match settings.command {
        Command::Import { file, database } => import(&database.open()?, &file).await,
    }
}

async fn import(database: &Database, file: &Path) -> anyhow::Result<()> {
    let mut flaws = Flaws::default();
    let gifts = check(csv_file::read(file, COLUMNS, &mut flaws)?, &mut flaws);
    flaws.report(file)?;
    let mut conflicts = Flaws::default();
    for conflict in database.import_gifts(&gifts).await? {
        conflicts.note(conflict.line, conflict.what);
    }
    conflicts.report(file)?;
    Ok(writeln!(stdout().lock(), "{} gifts", gifts.len())?)
}

fn check(rows: Vec<Row<4>>, flaws: &mut Flaws) -> Vec<NewGift> {
    let mut seen = Seen::default();
    rows.into_iter().filter_map(|row| gift(row, &mut seen, flaws)).collect()
}

/// The gift of a line, or everything that is wrong with it.
fn gift(Row { line, fields }: Row<4>, seen: &mut Seen, flaws: &mut Flaws) -> Option<NewGift> {
    let [gift_id, valid_from, valid_to, supplier_code] = fields;
    let gift_id = id("gift_id", &gift_id).and_then(|id| seen.once("gift_id", &id, line).map(|()| id));
    let (valid_from, valid_to) = (time("valid_from", &valid_from), time("valid_to", &valid_to));
    if let (Ok(from), Ok(to)) = (&valid_from, &valid_to)
        && from.timestamp_micros() >= to.timestamp_micros()
    {
        flaws.note(line, "valid_to is not after valid_from");
    }
    let supplier_code = Some(supplier_code).filter(|code| !code.is_empty()).map(|code| id("supplier_code", &code));
    let gift_id = flaws.take(line, gift_id);
    let (valid_from, valid_to) = (flaws.take(line, valid_from), flaws.take(line, valid_to));
    let supplier_code = flaws.take(line, supplier_code.transpose());
    Some(NewGift {
        line,
        gift_id: gift_id?,
        valid_from: valid_from?,
        valid_to: valid_to?,
        supplier_code: supplier_code?,
    })
}

fn time(column: &str, text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| time.to_utc()).map_err(|_| format!("{column} is no time as in 2026-01-31T12:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gifts of these lines, and what is wrong with them.
    fn checked(lines: &[[&str; 4]]) -> (Vec<NewGift>, String) {
        let rows = (2..).zip(lines).map(|(line, fields)| Row { line, fields: fields.map(str::to_owned) });
        let mut flaws = Flaws::default();
        let gifts = check(rows.collect(), &mut flaws);
        let report = flaws.report(Path::new("gifts.csv")).err().map(|flaws| flaws.to_string());
        (gifts, report.unwrap_or_default())
    }

    const FROM: &str = "2026-01-01T00:00:00Z";
    const TO: &str = "2027-01-01T00:00:00+01:00";

    #[test]
    fn a_gift_is_for_one_supplier_or_for_any() {
        let (gifts, report) = checked(&[["GIFT-1", FROM, TO, ""], ["GIFT-2", FROM, TO, "S-1"]]);
        assert_eq!(report, "");
        let codes: Vec<_> = gifts.iter().map(|gift| (gift.line, gift.supplier_code.as_deref())).collect();
        assert_eq!(codes, [(2, None), (3, Some("S-1"))]);
        assert_eq!(gifts[0].valid_to.to_rfc3339(), "2026-12-31T23:00:00+00:00");
    }

    #[test]
    fn each_flaw_of_each_line_is_named() {
        let (_, report) = checked(&[
            ["GIFT-1", FROM, TO, ""],
            ["GIFT-1", FROM, TO, ""],
            ["a b", "2026-01-01", "tomorrow", "S/1"],
            ["GIFT-2", TO, FROM, ""],
            ["GIFT-3", FROM, FROM, ""],
            ["gift-1", FROM, TO, ""],
        ]);
        let lines: Vec<_> = report.lines().skip(1).collect();
        assert_eq!(lines.len(), 7, "{report}");
        assert_eq!(lines[0], "line 3: gift_id GIFT-1 is on line 2 already");
        for (line, column) in [(1, "gift_id"), (2, "valid_from"), (3, "valid_to"), (4, "supplier_code")] {
            assert!(lines[line].starts_with(&format!("line 4: {column} is no")), "{}", lines[line]);
        }
        assert_eq!(lines[5], "line 5: valid_to is not after valid_from");
        assert_eq!(lines[6], "line 6: valid_to is not after valid_from");
    }
}
