//! What has to be true of the rows and of what was told, whatever died. Pure, so that it can be shown to find what it
//! looks for.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{
    super::memory::{Action, Step},
    rows::{Rows, Use},
};

/// Every promise that is broken, in words.
pub(super) fn check(known: &BTreeMap<String, Vec<Step>>, rows: &Rows) -> Vec<String> {
    let mut of_gift = BTreeMap::<&str, Vec<(&Uuid, &Use)>>::new();
    for (id, used) in rows.uses.iter().filter(|(_, row)| row.result == "used") {
        of_gift.entry(&used.gift_id).or_default().push((id, used));
    }
    let mut sentences = Vec::new();
    for (gift_id, state) in &rows.gifts {
        let mut uses = of_gift.remove(gift_id.as_str()).unwrap_or_default();
        uses.sort_by_key(|(_, row)| row.used_at);
        sentences.extend(alternates(gift_id, &uses));
        sentences.extend(is_as_its_uses_say(gift_id, *state, &uses));
    }
    sentences.extend(of_gift.keys().map(|gift_id| format!("{gift_id} is used and is no gift")));
    sentences.extend(undoings(rows));
    sentences.extend(told(known, rows));
    sentences.extend(never_told(known, rows));
    sentences
}

/// A gift is used, freed, used again: never a second use before the first is undone.
fn alternates(gift_id: &str, uses: &[(&Uuid, &Use)]) -> Vec<String> {
    let pairs = uses.iter().zip(uses.iter().skip(1));
    let overlap =
        pairs.filter(|((_, before), (_, after))| before.voided_at.is_none_or(|end| Some(end) > after.used_at));
    overlap.map(|((one, _), (other, _))| format!("{gift_id} is used by {one} and by {other} at once")).collect()
}

fn is_as_its_uses_say(gift_id: &str, state: (bool, Option<Uuid>), uses: &[(&Uuid, &Use)]) -> Option<String> {
    let live = uses.iter().find(|(_, row)| row.voided_at.is_none()).map(|(id, _)| **id);
    (state != (live.is_some(), live)).then(|| format!("{gift_id} is {state:?} and should be used by {live:?}"))
}

/// Every undone use was undone by the one undoing that says so.
fn undoings(rows: &Rows) -> Vec<String> {
    let by_uses = rows.uses.iter().filter_map(|(id, row)| Some((row.void_id?, (row.gift_id.as_str(), Some(*id)))));
    let done = rows.voids.iter().filter(|(_, void)| void.result == "voided");
    let by_voids = done.map(|(id, void)| (*id, (void.gift_id.as_str(), void.redemption_id)));
    let (by_uses, by_voids): (BTreeSet<_>, BTreeSet<_>) = (by_uses.collect(), by_voids.collect());
    by_uses
        .symmetric_difference(&by_voids)
        .map(|(id, (gift_id, _))| format!("the undoing {id} of {gift_id} is told differently by its use"))
        .collect()
}

/// What was answered is what is kept.
fn told(known: &BTreeMap<String, Vec<Step>>, rows: &Rows) -> Vec<String> {
    let mut sentences = Vec::new();
    for (gift_id, steps) in known {
        for step in steps {
            let kept = match step.action {
                Action::Use => rows.uses.get(&step.id).map(|row| (row.gift_id.as_str(), row.result.as_str())),
                Action::Void => rows.voids.get(&step.id).map(|row| (row.gift_id.as_str(), row.result.as_str())),
            };
            if kept != Some((gift_id.as_str(), step.outcome())) || !names_its_use(step, rows) {
                sentences.push(format!("{gift_id} was answered {:?} and is kept as {kept:?}", step.answer));
            }
        }
    }
    sentences
}

/// An answer that something was done names the use that it was done with.
fn names_its_use(step: &Step, rows: &Rows) -> bool {
    let expected = match (step.action, step.outcome()) {
        (Action::Use, "used") => Some(step.id),
        (Action::Void, "voided") => rows.voids.get(&step.id).and_then(|void| void.redemption_id),
        _ => return true,
    };
    step.answer.body["redemption_id"].as_str().and_then(|id| id.parse().ok()) == expected
}

/// Whoever used a gift, or freed it, was told so in the end. The last use of each till is not among what was asked for.
fn never_told(known: &BTreeMap<String, Vec<Step>>, rows: &Rows) -> Vec<String> {
    let answered: BTreeSet<_> = known.values().flatten().map(|step| step.id).collect();
    let uses = rows.uses.iter().filter(|(_, row)| known.contains_key(&row.gift_id)).map(|(id, row)| (id, &row.gift_id));
    let voids = rows.voids.iter().map(|(id, row)| (id, &row.gift_id));
    let untold = uses.chain(voids).filter(|(id, _)| !answered.contains(id));
    untold.map(|(id, gift_id)| format!("{id} was decided about {gift_id}, and nobody was told")).collect()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use reqwest::{StatusCode, header::HeaderMap};
    use serde_json::json;
    use system_tests::Answer;

    use super::{super::rows::Void, *};
    use crate::gifts::Side;

    const GIFT: &str = "G-1";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn used(from: i64, until: Option<(i64, u128)>) -> Use {
        Use {
            gift_id: GIFT.to_owned(),
            result: "used".to_owned(),
            used_at: Some(at(from)),
            voided_at: until.map(|(until, _)| at(until)),
            void_id: until.map(|(_, void)| Uuid::from_u128(void)),
        }
    }

    fn step(action: Action, id: u128, redemption_id: u128) -> Step {
        let body = json!({ "redemption_id": Uuid::from_u128(redemption_id) });
        let answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), body };
        Step { corner: 0, side: Side::Own, action, key: String::new(), id: Uuid::from_u128(id), answer }
    }

    /// A gift that was used by 1, freed by 2 and used by 3, all of which was told.
    fn sound() -> (BTreeMap<String, Vec<Step>>, Rows) {
        let steps = vec![step(Action::Use, 1, 1), step(Action::Void, 2, 1), step(Action::Use, 3, 3)];
        let void =
            Void { gift_id: GIFT.to_owned(), redemption_id: Some(Uuid::from_u128(1)), result: "voided".to_owned() };
        let rows = Rows {
            gifts: BTreeMap::from([(GIFT.to_owned(), (true, Some(Uuid::from_u128(3))))]),
            uses: BTreeMap::from([(Uuid::from_u128(1), used(1, Some((2, 2)))), (Uuid::from_u128(3), used(3, None))]),
            voids: BTreeMap::from([(Uuid::from_u128(2), void)]),
        };
        (BTreeMap::from([(GIFT.to_owned(), steps)]), rows)
    }

    /// What is found when something is broken.
    fn found(break_it: impl FnOnce(&mut BTreeMap<String, Vec<Step>>, &mut Rows)) -> String {
        let (mut known, mut rows) = sound();
        break_it(&mut known, &mut rows);
        check(&known, &rows).join("; ")
    }

    #[test]
    fn what_is_sound_breaks_no_law() {
        assert_eq!(found(|_, _| ()), "");
    }

    #[test]
    fn whatever_is_broken_is_found() {
        let (first, void, second) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let use_first = |row: Use| {
            found(|_, rows| {
                rows.uses.insert(first, row);
            })
        };
        assert!(use_first(used(1, None)).contains("at once"));
        assert!(use_first(used(1, Some((4, 2)))).contains("at once"));
        let told = |steps: Vec<Step>| found(|known, _| *known = BTreeMap::from([(GIFT.to_owned(), steps)]));
        assert!(told(vec![step(Action::Use, 1, 1), step(Action::Void, 2, 1)]).contains("nobody was told"));
        let last = step(Action::Use, 3, 1);
        assert!(told(vec![step(Action::Use, 1, 1), step(Action::Void, 2, 1), last]).contains("was answered"));
        assert!(found(|_, rows| rows.uses.retain(|id, _| *id != second)).contains("is kept as None"));
        assert!(found(|_, rows| rows.voids.retain(|id, _| *id != void)).contains("told differently"));
        assert!(found(|_, rows| rows.gifts.clear()).contains("is no gift"));
        let freed = found(|_, rows| rows.gifts.values_mut().for_each(|state| *state = (false, None)));
        assert!(freed.contains("should be used by"), "{freed}");
    }
}
