//! The words of a voucher, as its readers write them.

use chrono::{DateTime, Datelike, FixedOffset, Timelike, Utc};
use workflows::domain::Money;

const MONTHS: [&str; 12] = ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"];
/// Characters of a part of a code.
const PART: usize = 4;
/// How wide a bold character is at most, on average, in hundredths of its size.
const CHARACTER: usize = 60;

/// An amount with its currency's sign and code: `$1,250.00 MXN`.
pub(super) fn amount(money: &Money) -> String {
    let decimal = money.to_decimal();
    let (whole, fraction) = decimal.split_at(decimal.find('.').unwrap_or(decimal.len()));
    let code = money.currency.code();
    format!("{}{}{fraction} {code}", sign(code), thousands(whole))
}

fn sign(code: &str) -> &'static str {
    match code {
        "ARS" | "CLP" | "COP" | "DOP" | "MXN" | "USD" | "UYU" => "$",
        "EUR" => "€",
        "GTQ" => "Q",
        "PEN" => "S/",
        _ => "",
    }
}

fn thousands(whole: &str) -> String {
    let comma = |index: usize| index > 0 && (whole.len() - index).is_multiple_of(3);
    let digits = whole.char_indices().flat_map(|(index, digit)| [comma(index).then_some(','), Some(digit)]);
    digits.flatten().collect()
}

/// A moment by the client's clock: `25 nov 2026, 18:30`.
pub(super) fn moment(moment: DateTime<Utc>, offset: FixedOffset) -> String {
    let local = moment.with_timezone(&offset);
    let month = usize::try_from(local.month0()).ok().and_then(|month| MONTHS.get(month)).copied().unwrap_or_default();
    format!("{} {month} {}, {:02}:{:02}", local.day(), local.year(), local.hour(), local.minute())
}

/// A code in parts, which are easier to read out: `7K3M-9QX2-VD4T-8B5N-1RWZA`.
pub(super) fn grouped(code: &str) -> String {
    let length = code.chars().count();
    let begins = |index: usize| index > 0 && index.is_multiple_of(PART) && length - index >= PART;
    let characters = code.chars().enumerate();
    characters.flat_map(|(index, character)| [begins(index).then_some('-'), Some(character)]).flatten().collect()
}

/// The size of a text that has this much room, at most `largest`.
pub(super) fn fitted(text: &str, (room, largest): (usize, usize)) -> usize {
    largest.min(room * 100 / (CHARACTER * text.chars().count().max(1)))
}

/// A text as it stands in XML.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use workflows::domain::Currency;

    use super::*;

    fn shown(minor: i64, code: &str) -> String {
        amount(&Money { minor, currency: Currency::parse(code).unwrap() })
    }

    #[test]
    fn amounts_have_their_signs_thousands_and_decimals() {
        assert_eq!(shown(125_000, "MXN"), "$1,250.00 MXN");
        assert_eq!(shown(99, "MXN"), "$0.99 MXN");
        assert_eq!(shown(99_999_999_999_999_999, "MXN"), "$999,999,999,999,999.99 MXN");
        assert_eq!(shown(1_250_000, "CLP"), "$1,250,000 CLP");
        assert_eq!(shown(999, "CLP"), "$999 CLP");
        assert_eq!(shown(123_456, "EUR"), "€1,234.56 EUR");
        assert_eq!(shown(100_000, "KWD"), "100.000 KWD");
    }

    #[test]
    fn a_moment_is_by_the_clients_clock() {
        let moment_at =
            |seconds| moment(DateTime::from_timestamp(seconds, 0).unwrap(), FixedOffset::west_opt(21_600).unwrap());
        assert_eq!(moment_at(1_795_653_000), "25 nov 2026, 18:30");
        assert_eq!(moment_at(1_767_225_600), "31 dic 2025, 18:00");
    }

    #[test]
    fn a_code_is_read_in_parts() {
        assert_eq!(grouped("7K3M9QX2VD4T8B5N1RWZA"), "7K3M-9QX2-VD4T-8B5N-1RWZA");
        assert_eq!(grouped("ABCD"), "ABCD");
        assert_eq!(grouped("ABCDEFGH"), "ABCD-EFGH");
        assert_eq!(grouped(""), "");
    }

    #[test]
    fn a_long_text_is_smaller() {
        assert_eq!(fitted("Perdura", (512, 40)), 40);
        assert_eq!(fitted(&"x".repeat(40), (512, 40)), 21);
        assert_eq!(fitted("", (512, 40)), 40);
    }

    #[test]
    fn nothing_of_a_text_is_markup() {
        assert_eq!(escaped("a<b>&\"'ñ"), "a&lt;b&gt;&amp;&quot;&apos;ñ");
    }
}
