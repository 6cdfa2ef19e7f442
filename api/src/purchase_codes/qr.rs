//! QR symbols: capitals keep the alphanumeric mode, which makes the smallest symbol.

use std::iter::repeat_n;

use png::EncodingError;
use qrcode::{
    Color, EcLevel, QrCode, Version,
    bits::Bits,
    types::{QrError, QrResult},
};

use super::bitmap::{self, Pixels};

/// Modules of light around a symbol, as the standard wants them.
pub(super) const QUIET: usize = 4;
/// Pixels of a module's side: a row of a module's pixels is one byte.
const SIDE: usize = 8;
const LIGHT: u8 = 0xFF;
const DARK: u8 = 0;
/// A quarter of the symbol may be damaged.
const LEVEL: EcLevel = EcLevel::Q;
/// The largest version of a symbol.
const LARGEST: i16 = 40;

/// What the symbol of a code holds: an address for a phone's camera, in the letters that a symbol holds best.
pub(super) fn content(host: &str, code: &str) -> String {
    format!("HTTPS://{}/C/{code}", host.to_ascii_uppercase())
}

/// A symbol without the light around it.
pub(super) struct Symbol {
    width: usize,
    dark: Vec<bool>,
}

impl Symbol {
    /// The smallest symbol with this content, which has to be of the alphanumeric mode.
    pub(super) fn encode(content: &str) -> QrResult<Self> {
        let bits = (1..=LARGEST).find_map(|version| fitting(content, Version::Normal(version)));
        let symbol = QrCode::with_bits(bits.ok_or(QrError::DataTooLong)?, LEVEL)?;
        let dark = symbol.to_colors().into_iter().map(|module| module == Color::Dark).collect();
        Ok(Self { width: symbol.width(), dark })
    }

    /// Modules of a side.
    pub(super) const fn width(&self) -> usize {
        self.width
    }

    /// From top to bottom, dark modules as `true`.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[bool]> {
        self.dark.chunks(self.width)
    }

    /// A PNG with the light around it.
    pub(super) fn png(&self) -> Result<Vec<u8>, EncodingError> {
        let margin = [LIGHT; QUIET];
        let blank = vec![LIGHT; self.width + 2 * QUIET];
        let rows = self.rows().map(|row| {
            let modules: Vec<_> = row.iter().map(|dark| if *dark { DARK } else { LIGHT }).collect();
            [&margin[..], &modules, &margin].concat()
        });
        let lines = repeat_n(blank.clone(), QUIET).chain(rows).chain(repeat_n(blank, QUIET));
        let data: Vec<u8> = lines.flat_map(|line| line.repeat(SIDE)).collect();
        let side = u32::try_from((self.width + 2 * QUIET) * SIDE).unwrap_or_default();
        bitmap::encode(Pixels::BlackAndWhite, (side, side), &data)
    }
}

/// The content as one piece of the alphanumeric mode, if a symbol of this version holds it.
fn fitting(content: &str, version: Version) -> Option<Bits> {
    let mut bits = Bits::new(version);
    bits.push_alphanumeric_data(content.as_bytes()).ok()?;
    bits.push_terminator(LEVEL).ok()?;
    Some(bits)
}

#[cfg(test)]
mod tests {
    use resvg::tiny_skia::Pixmap;

    use super::*;
    use crate::purchase_codes::tests::CODE;

    fn symbol() -> Symbol {
        Symbol::encode(&content("codes.example", CODE)).unwrap()
    }

    #[test]
    fn the_content_is_in_capitals() {
        assert_eq!(content("codes.Example:8443", CODE), format!("HTTPS://CODES.EXAMPLE:8443/C/{CODE}"));
    }

    #[test]
    fn a_code_makes_a_symbol_of_version_three() {
        let content = content("codes.example", CODE);
        assert_eq!((content.len(), symbol().width()), (45, 29));
        // As bytes, the same text needs the next version.
        let bytes = QrCode::with_error_correction_level(content.to_lowercase(), LEVEL).unwrap();
        assert_eq!(bytes.width(), 33);
    }

    #[test]
    fn the_mode_is_alphanumeric() {
        let bits = fitting("HTTPS://A/C/7", Version::Normal(3)).unwrap().into_bytes();
        assert_eq!(bits[0] >> 4, 0b0010, "the first four bits name the mode");
    }

    #[test]
    fn the_picture_is_the_symbol() {
        let symbol = symbol();
        let picture = Pixmap::decode_png(&symbol.png().unwrap()).unwrap();
        assert_eq!((picture.width(), picture.height()), (37 * 8, 37 * 8));
        let dark = |x: usize, y: usize| {
            let middle = |module: usize| u32::try_from((module + QUIET) * SIDE + SIDE / 2).unwrap();
            picture.pixel(middle(x), middle(y)).unwrap().red() == 0
        };
        for (y, row) in symbol.rows().enumerate() {
            for (x, module) in row.iter().enumerate() {
                assert_eq!(dark(x, y), *module, "{x} {y}");
            }
        }
        assert!(picture.pixel(0, 0).unwrap().red() == 255 && picture.pixel(31, 100).unwrap().red() == 255);
    }
}
