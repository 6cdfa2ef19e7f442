//! Text that callers send and that is kept.

/// What a text may have in it beside ordinary characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    /// No control character at all.
    One,
    /// Line breaks and tabs.
    Many,
}

/// What is wrong with `text`, if anything is. Postgres cannot keep a NUL, and no log or page wants a control character.
pub(crate) fn flaw(text: &str, longest: usize, lines: Lines) -> Option<String> {
    let allowed = |character: char| lines == Lines::Many && matches!(character, '\n' | '\r' | '\t');
    if text.chars().any(|character| character.is_control() && !allowed(character)) {
        return Some("has a control character".to_owned());
    }
    (text.chars().count() > longest).then(|| format!("is longer than {longest} characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_long_texts_are_flaws() {
        assert_eq!(flaw("grüße 👋", 7, Lines::One), None);
        assert_eq!(flaw("a\nb\tc", 5, Lines::Many), None);
        for text in ["a\0", "a\nb", "\u{7f}", "\u{85}"] {
            assert!(flaw(text, 10, Lines::One).is_some(), "{text:?}");
        }
        assert!(flaw("a\0", 10, Lines::Many).is_some());
        assert!(flaw("abc", 2, Lines::Many).is_some());
    }
}
