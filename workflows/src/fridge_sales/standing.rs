//! What operators see of a sale: search attributes and five lines. Nothing personal is in them.

use super::{Failure, FridgeSaleWorkflow, SaleRequest, SaleStatus, Standing, journal::Context};
use crate::attributes::{BUSINESS_STATUS, NEEDS_ATTENTION};

/// More of Vendron's words than this is nothing that a person reads.
const WORDS_AT_MOST: usize = 200;

/// Shows where the sale stands.
pub(super) fn show(ctx: &Context) {
    let (status, needs_attention, lines) = ctx.state(|sale| {
        let FridgeSaleWorkflow { input, standing, trouble, .. } = sale;
        let attention = attention(standing, trouble.as_deref());
        (standing.status.to_string(), attention.is_some(), details(&input.request, standing, attention))
    });
    let shown = ctx.search_attributes();
    let mut updates = Vec::new();
    if shown.get(&BUSINESS_STATUS).as_ref() != Some(&status) {
        updates.push(BUSINESS_STATUS.value_set(status));
    }
    if shown.get(&NEEDS_ATTENTION).unwrap_or_default() != needs_attention {
        updates.push(NEEDS_ATTENTION.value_set(needs_attention));
    }
    if !updates.is_empty() {
        ctx.upsert_search_attributes(updates);
    }
    ctx.set_current_details(lines);
}

/// Shows what stands in the way, until the sale is heard of again.
pub(super) fn show_trouble(ctx: &Context, trouble: &str) {
    ctx.state_mut(|sale| sale.trouble = Some(trouble.to_owned()));
    show(ctx);
}

/// What needs a person, if anything does.
fn attention<'a>(standing: &Standing, trouble: Option<&'a str>) -> Option<&'a str> {
    let is_missed = standing.status == SaleStatus::Unresolved;
    trouble.or(is_missed.then_some("the end was missed: a person has to find out what was taken"))
}

fn details(request: &SaleRequest, standing: &Standing, attention: Option<&str>) -> String {
    let SaleRequest { machine_id, authorised, .. } = request;
    let end = match &standing.failure {
        Some(failure) => reason(Some(failure)),
        None => owed(standing),
    };
    let attention = attention.unwrap_or("nothing needs attention");
    format!(
        "**{}**, door {}\n\nup to {authorised} at machine {machine_id}\n\n{end}\n\n{}\n\n{attention}",
        standing.status,
        standing.door.as_str(),
        next(standing.status),
    )
}

/// What the buyer owes, in words.
pub(super) fn owed(standing: &Standing) -> String {
    match &standing.total {
        Some(total) if standing.is_disputed => format!("{total} owed, disputed"),
        Some(total) => format!("{total} owed"),
        None => "what is owed is not known".to_owned(),
    }
}

const fn next(status: SaleStatus) -> &'static str {
    match status {
        SaleStatus::Requested | SaleStatus::Opening => "waits for the door to open",
        SaleStatus::Open => "waits for the door to be closed",
        SaleStatus::Closed => "waits for the final list",
        SaleStatus::Completed | SaleStatus::Empty | SaleStatus::Failed => "has ended",
        SaleStatus::Unresolved => "listens for a late end",
    }
}

/// Why it failed, in words.
pub(super) fn reason(failure: Option<&Failure>) -> String {
    match failure {
        Some(Failure::MachineBusy) => "it is busy (-5)".to_owned(),
        Some(Failure::MachineOffline) => "it is offline (-4)".to_owned(),
        Some(Failure::Refused { code: Some(code), message }) => format!("{} ({code})", readable(message)),
        Some(Failure::Refused { code: None, message }) => format!("{} (no code)", readable(message)),
        Some(Failure::Unanswered) => "Vendron did not answer in time".to_owned(),
        Some(Failure::Interrupted) => "the connection was lost".to_owned(),
        None => "nobody said why".to_owned(),
    }
}

/// Somebody else's words, on one line.
fn readable(words: &str) -> String {
    words.chars().map(|char| if char.is_control() { ' ' } else { char }).take(WORDS_AT_MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fridge_sales::samples::{input, money, standing};

    fn ended(status: SaleStatus, total: &str) -> Standing {
        Standing { total: Some(money(total)), ..standing(status) }
    }

    fn failed(code: Option<i64>, message: &str) -> Standing {
        let failure = Some(Failure::Refused { code, message: message.to_owned() });
        Standing { failure, ..standing(SaleStatus::Failed) }
    }

    #[test]
    fn five_lines_tell_where_a_sale_stands() {
        let request = input().request;
        let lines = details(&request, &ended(SaleStatus::Completed, "4.70"), None);
        let expected = "**completed**, door closed\n\nup to 20.00 EUR at machine FRIDGE-1\n\n4.70 EUR owed\n\n\
                        has ended\n\nnothing needs attention";
        assert_eq!(lines, expected);
        let lines = details(&request, &failed(Some(-11), "subscription\nexpired"), Some("WHY"));
        assert!(lines.contains("\n\nsubscription expired (-11)\n\n") && lines.ends_with("WHY"), "{lines}");
    }

    #[test]
    fn a_missed_end_needs_a_person() {
        let missed = standing(SaleStatus::Unresolved);
        assert_eq!(attention(&missed, Some("WHY")), Some("WHY"));
        assert!(attention(&missed, None).is_some());
        assert_eq!(attention(&standing(SaleStatus::Open), None), None);
    }

    #[test]
    fn nothing_personal_is_shown() {
        let input = input();
        for status in SaleStatus::ALL {
            let standing = standing(status);
            let lines = details(&input.request, &standing, attention(&standing, None));
            assert_eq!(lines.split("\n\n").count(), 5);
            for hidden in ["buyer-of-ours", "ada@", "sent-", "print-of-body", "frontend:app"] {
                assert!(!lines.contains(hidden), "{hidden} in {lines}");
            }
        }
    }

    #[test]
    fn long_words_are_cut() {
        assert_eq!(readable(&"é".repeat(300)).chars().count(), WORDS_AT_MOST);
    }
}
