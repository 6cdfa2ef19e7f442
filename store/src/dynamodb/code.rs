use rand::{TryRngCore, rngs::OsRng};
use workflows::domain::Confidential;

use super::TableError;

/// Crockford's base32: no I, L, O and U, which are read as something else or spell something.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The check symbols beyond the alphabet.
const FURTHER_SYMBOLS: &[u8; 5] = b"*~$=U";
const MODULUS: u128 = 37;
/// Characters that carry five bits each.
const DIGITS: u32 = 20;
const BITS_OF_A_DIGIT: u32 = 5;
/// Characters of a whole code: digits and check symbol.
const LENGTH: usize = DIGITS as usize + 1;

/// A purchase code as it is written: 20 characters with 100 random bits, and a check symbol.
#[derive(Debug, Clone)]
pub(super) struct Code(Confidential);

impl Code {
    /// A new code. Its check symbol is a letter or a digit, which need no care in a URL and in a QR symbol.
    pub(super) fn draw() -> Result<Self, TableError> {
        loop {
            let mut bytes = [0; 16];
            OsRng.try_fill_bytes(&mut bytes).map_err(|_| TableError::NoRandomness)?;
            let value = u128::from_be_bytes(bytes) >> (u128::BITS - DIGITS * BITS_OF_A_DIGIT);
            if check_symbol(value).is_ascii_alphanumeric() {
                return Ok(Self(Confidential::new(write(value))));
            }
        }
    }

    /// Reads what was scanned or typed: in any case, with hyphens anywhere, I and L for 1, O for 0. None when no code
    /// has this form.
    pub(super) fn read(text: &str) -> Option<Self> {
        let characters = text.bytes().filter(|byte| *byte != b'-').map(canonical);
        let characters: Vec<u8> = characters.take(LENGTH + 1).collect();
        let (check, digits) = characters.split_last().filter(|_| characters.len() == LENGTH)?;
        let value = digits.iter().try_fold(0_u128, |value, digit| {
            let bits = ALPHABET.iter().position(|character| character == digit)?;
            Some((value << BITS_OF_A_DIGIT) | u128::try_from(bits).ok()?)
        })?;
        (check_symbol(value) == *check).then(|| Self(Confidential::new(write(value))))
    }

    /// The code in clear.
    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }
}

fn canonical(byte: u8) -> u8 {
    match byte.to_ascii_uppercase() {
        b'I' | b'L' => b'1',
        b'O' => b'0',
        other => other,
    }
}

fn write(value: u128) -> String {
    let digits = (0..DIGITS).rev().map(|place| digit(value >> (place * BITS_OF_A_DIGIT)));
    digits.chain([check_symbol(value)]).map(char::from).collect()
}

/// The character of the last five bits.
fn digit(value: u128) -> u8 {
    let index = value & ((1 << BITS_OF_A_DIGIT) - 1);
    usize::try_from(index).ok().and_then(|index| ALPHABET.get(index)).copied().unwrap_or_default()
}

/// Tells of one wrong character, and of two that changed places.
fn check_symbol(value: u128) -> u8 {
    let symbols = ALPHABET.iter().chain(FURTHER_SYMBOLS);
    usize::try_from(value % MODULUS).ok().and_then(|index| symbols.copied().nth(index)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<String> {
        Code::read(text).map(|code| code.expose().to_owned())
    }

    #[test]
    fn a_drawn_code_has_only_letters_and_digits_and_is_read_again() {
        let codes: Vec<_> = (0..200).map(|_| Code::draw().unwrap()).collect();
        for code in &codes {
            let text = code.expose();
            assert_eq!(text.len(), LENGTH, "{text}");
            assert!(text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()), "{text}");
            assert!(text[..LENGTH - 1].bytes().all(|byte| ALPHABET.contains(&byte)), "{text}");
            assert_eq!(read(text).as_deref(), Some(text));
        }
        let different: HashSet<_> = codes.iter().map(Code::expose).collect();
        assert_eq!(different.len(), codes.len());
    }

    #[test]
    fn what_people_type_is_read() {
        let code = write(1);
        assert_eq!(code, "000000000000000000011");
        for typed in [
            "000000000000000000011",
            "00000-00000-00000-00001-1",
            "oooooooooooooooooooil",
            "OOOOO-ooooo-OOOOO-ooooI-L",
            "-000000000000000000011-",
        ] {
            assert_eq!(read(typed).as_deref(), Some(code.as_str()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in [
            "",
            "1",
            "00000000000000000001",
            "0000000000000000000111",
            "000000000000000000012",
            "U00000000000000000011",
            "00000000000000000001 1",
            "ñ0000000000000000011",
            "https://codes.example/C/000000000000000000011",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn check_symbols_go_beyond_the_alphabet() {
        assert_eq!([0, 31, 32, 33, 34, 35, 36, 37].map(check_symbol), *b"0Z*~$=U0");
        assert_eq!(read(&write(36)), Some(write(36)));
    }

    proptest! {
        #[test]
        fn every_value_is_written_and_read(value in 0_u128..1 << 100) {
            let code = write(value);
            prop_assert_eq!(code.len(), LENGTH);
            prop_assert_eq!(read(&code), Some(code.clone()));
            prop_assert_eq!(read(&code.to_ascii_lowercase()), Some(code));
        }

        #[test]
        fn one_wrong_character_is_noticed(value in 0_u128..1 << 100, place in 0_usize..20, digit in 0_usize..32) {
            let mut code = write(value).into_bytes();
            let wrong = ALPHABET[digit];
            prop_assume!(code[place] != wrong);
            code[place] = wrong;
            prop_assert_eq!(read(std::str::from_utf8(&code).unwrap()), None);
        }

        #[test]
        fn two_neighbours_that_changed_places_are_noticed(value in 0_u128..1 << 100, place in 0_usize..19) {
            let mut code = write(value).into_bytes();
            prop_assume!(code[place] != code[place + 1]);
            code.swap(place, place + 1);
            prop_assert_eq!(read(std::str::from_utf8(&code).unwrap()), None);
        }

        #[test]
        fn nothing_makes_reading_panic(text in "\\PC{0,64}") {
            let _ = Code::read(&text);
        }
    }
}
