use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SubsecRound, Utc};
use sqlx::PgConnection;

use crate::postgres::{Database, StoreError};

/// Digits of a second that the database keeps.
const KEPT_DIGITS: u16 = 6;

/// A gift to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGift {
    /// Its line in the file.
    pub line: u64,
    /// Its id: case counts; 1 to 64 characters.
    pub gift_id: String,
    /// It can be used from then on.
    pub valid_from: DateTime<Utc>,
    /// It can be used before then. After [`Self::valid_from`].
    pub valid_to: DateTime<Utc>,
    /// The only supplier that may take it; none: any.
    pub supplier_code: Option<String>,
}

/// What speaks against a line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The line.
    pub line: u64,
    /// In words for the one who wrote the file.
    pub what: String,
}

/// What binds a gift, as the database keeps it.
#[derive(Debug, PartialEq, Eq)]
struct Terms {
    valid_from: DateTime<Utc>,
    valid_to: DateTime<Utc>,
    supplier_code: Option<String>,
}

struct Row {
    gift_id: String,
    valid_from: DateTime<Utc>,
    valid_to: DateTime<Utc>,
    supplier_code: Option<String>,
}

impl Database {
    /// Adds gifts: all of them, or none when something speaks against a line. A gift that is there already, with these
    /// very terms, stays as it is: an import whose answer was lost can be repeated.
    pub async fn import_gifts(&self, gifts: &[NewGift]) -> Result<Vec<Conflict>, StoreError> {
        let importing = StoreError::during("importing gifts");
        let mut transaction = self.transaction().await.map_err(&importing)?;
        let mut conflicts = repeated(gifts);
        conflicts.extend(unknown_suppliers(&mut transaction, gifts).await?);
        conflicts.extend(conflicting(gifts, &terms(&mut transaction, gifts).await?));
        if conflicts.is_empty() {
            insert(&mut transaction, gifts).await?;
            // Somebody else may have added one of them meanwhile.
            conflicts = conflicting(gifts, &terms(&mut transaction, gifts).await?);
        }
        if conflicts.is_empty() {
            transaction.commit().await.map_err(&importing)?;
        }
        conflicts.sort_unstable();
        Ok(conflicts)
    }
}

/// Gifts that the file has twice.
fn repeated(gifts: &[NewGift]) -> Vec<Conflict> {
    let mut first = BTreeMap::new();
    let mut conflicts = Vec::new();
    for gift in gifts {
        let before = *first.entry(gift.gift_id.as_str()).or_insert(gift.line);
        if before != gift.line {
            conflicts.push(gift.conflict(format!("the gift {} is on line {before} already", gift.gift_id)));
        }
    }
    conflicts
}

/// Gifts that are there with other terms than those of the file.
fn conflicting(gifts: &[NewGift], there: &BTreeMap<String, Terms>) -> Vec<Conflict> {
    let differs = |gift: &&NewGift| there.get(&gift.gift_id).is_some_and(|terms| *terms != gift.terms());
    let what = |gift: &NewGift| gift.conflict(format!("the gift {} exists, with other terms", gift.gift_id));
    gifts.iter().filter(differs).map(what).collect()
}

async fn unknown_suppliers(connection: &mut PgConnection, gifts: &[NewGift]) -> Result<Vec<Conflict>, StoreError> {
    let named: BTreeSet<_> = gifts.iter().filter_map(|gift| gift.supplier_code.clone()).collect();
    let named: Vec<_> = named.into_iter().collect();
    let known = sqlx::query_scalar!("select supplier_code from suppliers where supplier_code = any($1)", &named)
        .fetch_all(connection)
        .await
        .map_err(StoreError::during("finding the suppliers of gifts"))?;
    let known: BTreeSet<_> = known.into_iter().collect();
    let unknown = |gift: &NewGift| {
        let supplier = gift.supplier_code.as_ref().filter(|code| !known.contains(*code))?;
        Some(gift.conflict(format!("there is no supplier {supplier}")))
    };
    Ok(gifts.iter().filter_map(unknown).collect())
}

/// Those that are there already stay as they are.
async fn insert(connection: &mut PgConnection, gifts: &[NewGift]) -> Result<(), StoreError> {
    let ids: Vec<_> = gifts.iter().map(|gift| gift.gift_id.clone()).collect();
    let from: Vec<_> = gifts.iter().map(|gift| gift.terms().valid_from).collect();
    let to: Vec<_> = gifts.iter().map(|gift| gift.terms().valid_to).collect();
    let suppliers: Vec<_> = gifts.iter().map(|gift| gift.supplier_code.clone()).collect();
    sqlx::query!(
        "insert into gift_codes (gift_id, valid_from, valid_to, supplier_code)
         select gift_id, valid_from, valid_to, supplier_code
         from unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::text[])
             as new (gift_id, valid_from, valid_to, supplier_code)
         on conflict (gift_id) do nothing",
        &ids,
        &from,
        &to,
        &suppliers as &[Option<String>],
    )
    .execute(connection)
    .await
    .map_err(StoreError::during("adding gifts"))?;
    Ok(())
}

async fn terms(connection: &mut PgConnection, gifts: &[NewGift]) -> Result<BTreeMap<String, Terms>, StoreError> {
    let ids: Vec<_> = gifts.iter().map(|gift| gift.gift_id.clone()).collect();
    let rows = sqlx::query_as!(
        Row,
        "select gift_id, valid_from, valid_to, supplier_code from gift_codes where gift_id = any($1)",
        &ids,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::during("reading gifts"))?;
    let terms = |row: Row| {
        let terms = Terms { valid_from: row.valid_from, valid_to: row.valid_to, supplier_code: row.supplier_code };
        (row.gift_id, terms)
    };
    Ok(rows.into_iter().map(terms).collect())
}

impl NewGift {
    fn conflict(&self, what: String) -> Conflict {
        Conflict { line: self.line, what }
    }

    fn terms(&self) -> Terms {
        Terms {
            valid_from: self.valid_from.trunc_subsecs(KEPT_DIGITS),
            valid_to: self.valid_to.trunc_subsecs(KEPT_DIGITS),
            supplier_code: self.supplier_code.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn gift(line: u64, gift_id: &str) -> NewGift {
        NewGift {
            line,
            gift_id: gift_id.to_owned(),
            valid_from: DateTime::UNIX_EPOCH,
            valid_to: DateTime::UNIX_EPOCH + TimeDelta::nanoseconds(1_999),
            supplier_code: Some("S-1".to_owned()),
        }
    }

    #[test]
    fn the_same_gift_twice_is_a_conflict_and_case_counts() {
        let conflicts = repeated(&[gift(2, "G-1"), gift(3, "g-1"), gift(4, "G-1"), gift(5, "G-1")]);
        let what = "the gift G-1 is on line 2 already".to_owned();
        assert_eq!(conflicts, [Conflict { line: 4, what: what.clone() }, Conflict { line: 5, what }]);
    }

    #[test]
    fn only_other_terms_are_a_conflict() {
        let kept = Terms {
            valid_from: DateTime::UNIX_EPOCH,
            valid_to: DateTime::UNIX_EPOCH + TimeDelta::microseconds(1),
            supplier_code: Some("S-1".to_owned()),
        };
        let there = BTreeMap::from([("G-1".to_owned(), kept)]);
        assert_eq!(conflicting(&[gift(2, "G-1"), gift(3, "G-2")], &there), []);
        for other in [
            NewGift { valid_from: DateTime::UNIX_EPOCH - TimeDelta::microseconds(1), ..gift(2, "G-1") },
            NewGift { valid_to: DateTime::UNIX_EPOCH + TimeDelta::microseconds(2), ..gift(2, "G-1") },
            NewGift { supplier_code: None, ..gift(2, "G-1") },
        ] {
            assert_eq!(conflicting(&[other], &there).len(), 1);
        }
    }
}
