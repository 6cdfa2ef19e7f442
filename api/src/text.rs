//! Text that callers send and that is kept.

/// Of ids of outside systems.
pub(crate) const LONGEST_ID: usize = 64;

/// Why a text is no [`is_outside_id`], for whoever wrote it.
pub(crate) fn bad_id() -> String {
    format!("is not 1 to {LONGEST_ID} visible ASCII characters without slashes, not beginning with a dot")
}

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

/// Whether `text` can be an id that an outside system gave: visible ASCII without slashes, so that it is one part of any
/// path, and not one that means the folder above.
pub(crate) fn is_outside_id(text: &str) -> bool {
    let visible = |byte: u8| byte.is_ascii_graphic() && !b"/\\".contains(&byte);
    (1..=LONGEST_ID).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(visible)
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

    #[test]
    fn an_outside_id_is_one_part_of_a_path() {
        for id in ["LN-1", "a", "8a19d3:7%~", "a.b", &"x".repeat(64)] {
            assert!(is_outside_id(id), "{id:?}");
        }
        for text in ["", ".", "..", ".a", "a b", "a/b", "a\\b", "ñ", "a\n", &"x".repeat(65)] {
            assert!(!is_outside_id(text), "{text:?}");
        }
    }
}
