//! JSON of which nothing is certain. A value stays as it was written until somebody asks what it is, so that one which
//! makes no sense spoils nothing around it, and no amount passes through a float.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::MOST_DECIMALS;

/// No currency has as many.
const KEPT_DECIMALS: u32 = 6;

/// A value.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Json(Box<RawValue>);

/// The members of an object.
#[derive(Debug, Default)]
pub(super) struct Members(BTreeMap<String, Json>);

impl Members {
    /// The member of this name, unless it is null.
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name).filter(|json| !json.begins('n'))
    }

    /// The members of this member.
    pub(super) fn open(&self, name: &str) -> Self {
        self.get(name).map(Json::members).unwrap_or_default()
    }

    /// The word that this member is.
    pub(super) fn word(&self, name: &str) -> Option<String> {
        self.get(name)?.word()
    }
}

impl Json {
    /// Reads a text; none where it is no JSON.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(bare(text)).ok()
    }

    /// Members of an object; where there is a list instead, of the first object in it. It does not look deeper, so that
    /// no nesting is too deep.
    pub(super) fn members(&self) -> Members {
        let unpacked = self.unpacked();
        let json = unpacked.as_ref().unwrap_or(self);
        if json.begins('[') {
            let first = json.list().into_iter().flatten().find(|item| item.begins('{'));
            return first.map(|item| item.object()).unwrap_or_default();
        }
        json.object()
    }

    /// Elements of a list, and of the lists in it. An object with numbers for names is a list with gaps, as PHP writes
    /// it; any other is the only element.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        let unpacked = self.unpacked();
        let json = unpacked.as_ref().unwrap_or(self);
        if json.begins('[') {
            let items = json.list()?.into_iter().flat_map(|item| item.list().unwrap_or_else(|| vec![item]));
            return Some(items.filter(|item| !item.begins('n')).collect());
        }
        if !json.begins('{') {
            return None;
        }
        let Members(members) = json.object();
        let is_number = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
        if members.keys().all(is_number) {
            return Some(members.into_values().filter(|item| !item.begins('n')).collect());
        }
        Some(vec![json.clone()])
    }

    /// A text, number or truth value as a word: never empty, without spaces around it.
    pub(super) fn word(&self) -> Option<String> {
        let text = self.text()?.replace('\0', "\u{fffd}");
        let word = text.trim();
        (!word.is_empty()).then(|| word.to_owned())
    }

    /// A whole number, also where it is written as a text.
    pub(super) fn integer(&self) -> Option<i64> {
        let word = self.word()?;
        let (whole, fraction) = word.split_once('.').unwrap_or((word.as_str(), ""));
        if fraction.bytes().any(|byte| byte != b'0') {
            return None;
        }
        whole.parse().ok()
    }

    /// An amount as plain decimal text, such as `1.60`: without a sign, an exponent or a float's last digits.
    pub(super) fn amount(&self) -> Option<String> {
        decimal(&self.word()?)
    }

    /// Whether it is a no: 0, false, and both as texts.
    pub(super) fn is_no(&self) -> bool {
        let is_false = self.word().is_some_and(|word| word.eq_ignore_ascii_case("false"));
        is_false || self.integer().is_some_and(|number| number <= 0)
    }

    fn begins(&self, with: char) -> bool {
        self.0.get().starts_with(with)
    }

    /// What is in a text that is an object or a list itself.
    fn unpacked(&self) -> Option<Self> {
        if !self.begins('"') {
            return None;
        }
        let text = self.text()?;
        bare(&text).starts_with(['{', '[']).then(|| Self::read(&text)).flatten()
    }

    // Both look before they read: the error would have all of a long text in it.
    fn object(&self) -> Members {
        let object = self.begins('{').then(|| serde_json::from_str(self.0.get()).ok());
        Members(object.flatten().unwrap_or_default())
    }

    fn list(&self) -> Option<Vec<Self>> {
        self.begins('[').then(|| serde_json::from_str(self.0.get()).ok()).flatten()
    }

    fn text(&self) -> Option<String> {
        let written = self.0.get();
        if self.begins('"') {
            return serde_json::from_str(written).ok();
        }
        (!written.starts_with(['{', '[', 'n'])).then(|| written.to_owned())
    }
}

/// Without what may be around it: white space of any kind, and marks of the order of bytes.
fn bare(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}')
}

/// A decimal number in plain digits.
fn decimal(word: &str) -> Option<String> {
    let (mantissa, exponent) = word.split_once(['e', 'E']).unwrap_or((word, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    let (units, decimals) = sensible(digits.parse().ok()?, decimals)?;
    let digits = format!("{units:0width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    Some(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
}

/// The same number, or nearly, with as many decimals as an amount can have.
fn sensible(units: u128, decimals: i32) -> Option<(u128, usize)> {
    let Ok(decimals) = u32::try_from(decimals) else {
        let missing = 10_u128.checked_pow(decimals.unsigned_abs())?;
        return Some((units.checked_mul(missing)?, 0));
    };
    if decimals <= MOST_DECIMALS {
        return Some((units, usize::try_from(decimals).ok()?));
    }
    let dropped = 10_u128.checked_pow(decimals - KEPT_DECIMALS)?;
    let mut units = units.checked_add(dropped / 2)? / dropped;
    let mut decimals = usize::try_from(KEPT_DECIMALS).ok()?;
    while decimals > 0 && units.is_multiple_of(10) {
        units /= 10;
        decimals -= 1;
    }
    Some((units, decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::read(text).unwrap()
    }

    #[test]
    fn amounts_keep_their_digits() {
        for (written, read) in [
            ("\"1.60\"", "1.60"),
            ("1.60", "1.60"),
            ("\" 1.60 \"", "1.60"),
            ("2", "2"),
            ("\"001.5\"", "1.5"),
            ("\".5\"", "0.5"),
            ("\"1.\"", "1"),
            ("0", "0"),
            ("\"0.00\"", "0.00"),
            ("1e2", "100"),
            ("1.25E+1", "12.5"),
            ("125e-2", "1.25"),
            ("5e-3", "0.005"),
            // What floats make of 4.80, 1.60 and 11.20.
            ("4.800000000000001", "4.8"),
            ("1.5999999999999999", "1.6"),
            ("11.199999999999999289", "11.2"),
            ("0.000000001", "0"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ] {
            assert_eq!(json(written).amount().as_deref(), Some(read), "{written}");
        }
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for written in [
            "\"\"",
            "\".\"",
            "\"-1.60\"",
            "-1.60",
            "\"+1\"",
            "\"1,60\"",
            "\"€1.60\"",
            "\"1.6.0\"",
            "\"１\"",
            "\"NaN\"",
            "true",
            "null",
            "{}",
            "[1]",
            "1e99",
            "1e-99",
            "1e99999999999",
            "\"e5\"",
            "\"1e\"",
            "\"1e-2147483648\"",
            "999999999999999999999999999999999999999",
        ] {
            assert_eq!(json(written).amount(), None, "{written}");
        }
    }

    #[test]
    fn whole_numbers_are_read_from_whatever_they_are_written_as() {
        for (written, read) in [
            ("-10", Some(-10)),
            ("\"-10\"", Some(-10)),
            ("\" -10 \"", Some(-10)),
            ("-10.0", Some(-10)),
            ("\"0\"", Some(0)),
            ("-10.5", None),
            ("\"\"", None),
            ("\"PUBLIC007\"", None),
            ("true", None),
            ("[]", None),
            ("99999999999999999999", None),
            ("1e3", None),
        ] {
            assert_eq!(json(written).integer(), read, "{written}");
        }
        for (written, is_no) in [("0", true), ("\"0\"", true), ("false", true), ("\"False\"", true), ("-1", true)]
            .into_iter()
            .chain([("1", false), ("\"1\"", false), ("true", false), ("\"\"", false), ("[]", false), ("{}", false)])
        {
            assert_eq!(json(written).is_no(), is_no, "{written}");
        }
    }

    #[test]
    fn an_object_is_found_in_a_list_and_in_a_text() {
        for written in [
            r#"{"a":1}"#,
            r#"[{"a":1}]"#,
            r#"[null,3,{"a":1},{"a":2}]"#,
            r#""{\"a\":1}""#,
            r#""[{\"a\":\"1\"}]""#,
            r#"{"a":0,"a":1,"b":1e999}"#,
        ] {
            assert_eq!(json(written).members().word("a").as_deref(), Some("1"), "{written}");
        }
        for written in ["[]", "{}", "null", "3", r#""a""#, r#""{""#, r#"[[{"a":1}]]"#, r#"{"a":null}"#, r#"{"a":" "}"#]
        {
            assert_eq!(json(written).members().word("a"), None, "{written}");
        }
    }

    #[test]
    fn a_list_is_found_in_an_object() {
        for (written, length) in [
            (r#"[{"a":1},{"a":2}]"#, Some(2)),
            (r#"[[{"a":1},{"a":2}],null]"#, Some(2)),
            (r#"{"0":{"a":1},"3":{"a":2}}"#, Some(2)),
            (r#"{"a":1}"#, Some(1)),
            (r#""[1,2]""#, Some(2)),
            ("[]", Some(0)),
            ("{}", Some(0)),
            ("5", None),
            (r#""none""#, None),
            ("true", None),
        ] {
            assert_eq!(json(written).items().map(|items| items.len()), length, "{written}");
        }
    }

    #[test]
    fn no_nesting_is_too_deep() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
            let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
            let json = json(&deep);
            assert_eq!(json.members().word("a"), None);
            assert!(json.items().is_some());
        }
    }
}
