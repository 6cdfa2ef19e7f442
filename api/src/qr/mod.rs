//! QR symbols as pictures.

pub(crate) mod bitmap;

use png::EncodingError;
use qrcode::{
    Color, EcLevel, QrCode, Version,
    bits::Bits,
    types::{QrError, QrResult},
};

use bitmap::Pixels;

/// Modules of light around a symbol, as the standard wants them.
pub(crate) const QUIET: usize = 4;
/// Pixels of a module's side, where nobody asks for a size of the picture.
const SIDE: usize = 8;
/// Eight white pixels.
const LIGHT: u8 = 0xFF;
/// A quarter of a symbol in capitals may be damaged.
const CAPITALS: EcLevel = EcLevel::Q;
/// A seventh of one with any text: those are longer, and shown on screens.
const TEXT: EcLevel = EcLevel::M;
/// The largest version of a symbol.
const LARGEST: i16 = 40;

/// A symbol without the light around it.
pub(crate) struct Symbol {
    width: usize,
    dark: Vec<bool>,
}

impl Symbol {
    /// The smallest symbol with this content, which has to be of the alphanumeric mode.
    pub(crate) fn encode(content: &str) -> QrResult<Self> {
        let bits = (1..=LARGEST).find_map(|version| fitting(content, Version::Normal(version)));
        Ok(Self::of(&QrCode::with_bits(bits.ok_or(QrError::DataTooLong)?, CAPITALS)?))
    }

    /// The smallest symbol with this text.
    pub(crate) fn encode_text(text: &str) -> QrResult<Self> {
        Ok(Self::of(&QrCode::with_error_correction_level(text, TEXT)?))
    }

    fn of(symbol: &QrCode) -> Self {
        let dark = symbol.to_colors().into_iter().map(|module| module == Color::Dark).collect();
        Self { width: symbol.width(), dark }
    }

    /// Modules of a side.
    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    /// From top to bottom, dark modules as `true`.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[bool]> {
        self.dark.chunks(self.width)
    }

    /// The dark modules as one path of an SVG, a rectangle for each run of a row. A module has this many units a side.
    pub(crate) fn path(&self, module: usize) -> String {
        let rows = self.rows().enumerate();
        rows.map(|(row, modules)| rectangles(modules, row * module, module)).collect()
    }

    /// An SVG with the light around it, of whatever size it is shown in.
    pub(crate) fn svg(&self) -> String {
        let (side, path) = (self.whole_width(), self.path(1));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
             <path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/>\
             <path fill=\"#000\" transform=\"translate({QUIET} {QUIET})\" d=\"{path}\"/></svg>\n"
        )
    }

    /// A PNG with the light around it.
    pub(crate) fn png(&self) -> Result<Vec<u8>, EncodingError> {
        self.png_of(self.whole_width() * SIDE)
    }

    /// A PNG of so many pixels a side: the modules are as large as fit, and what is left of the side is light. A side that
    /// is too short for the symbol gets longer.
    pub(crate) fn png_of(&self, side: usize) -> Result<Vec<u8>, EncodingError> {
        let module = (side / self.whole_width()).max(1);
        let side = side.max(self.whole_width());
        let margin = (side - self.width * module) / 2;
        let blank = vec![LIGHT; side.div_ceil(8)];
        let mut data = blank.repeat(margin);
        for row in self.rows() {
            data.extend(line(row, (margin, module), blank.clone()).repeat(module));
        }
        data.resize(blank.len() * side, LIGHT);
        let side = u32::try_from(side).unwrap_or_default();
        bitmap::encode(Pixels::BlackAndWhite, (side, side), &data)
    }

    /// Modules of a side, with the light around it.
    const fn whole_width(&self) -> usize {
        self.width + 2 * QUIET
    }
}

/// A part of a path: a row of modules at this height.
fn rectangles(row: &[bool], y: usize, module: usize) -> String {
    let (mut rectangles, mut column) = (Vec::new(), 0);
    for run in row.chunk_by(PartialEq::eq) {
        let (x, width) = (column * module, run.len() * module);
        if run.first() == Some(&true) {
            rectangles.push(format!("M{x} {y}h{width}v{module}h-{width}z"));
        }
        column += run.len();
    }
    rectangles.concat()
}

/// One line of pixels through a row of modules, a bit each.
fn line(row: &[bool], (margin, module): (usize, usize), mut line: Vec<u8>) -> Vec<u8> {
    let dark = row.iter().enumerate().filter(|(_, dark)| **dark);
    for pixel in dark.flat_map(|(column, _)| (0..module).map(move |pixel| margin + column * module + pixel)) {
        line[pixel / 8] &= !(0x80_u8 >> (pixel % 8));
    }
    line
}

/// The content as one piece of the alphanumeric mode, if a symbol of this version holds it.
fn fitting(content: &str, version: Version) -> Option<Bits> {
    let mut bits = Bits::new(version);
    bits.push_alphanumeric_data(content.as_bytes()).ok()?;
    bits.push_terminator(CAPITALS).ok()?;
    Some(bits)
}

#[cfg(test)]
mod tests {
    use resvg::{
        tiny_skia::{Pixmap, Transform},
        usvg::{Options, Tree},
    };

    use super::*;

    const URI: &str = "bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4?amount=0.015";

    fn symbol() -> Symbol {
        Symbol::encode_text(URI).unwrap()
    }

    /// Every module of `symbol` is found in the picture, where it has `module` pixels a side and `margin` pixels around.
    fn assert_shows(picture: &Pixmap, symbol: &Symbol, (margin, module): (usize, usize)) {
        let dark = |x: usize, y: usize| {
            let middle = |number: usize| u32::try_from(margin + number * module + module / 2).unwrap();
            picture.pixel(middle(x), middle(y)).unwrap().red() == 0
        };
        for (y, row) in symbol.rows().enumerate() {
            for (x, module) in row.iter().enumerate() {
                assert_eq!(dark(x, y), *module, "{x} {y}");
            }
        }
        let margin = u32::try_from(margin).unwrap();
        let around =
            (0..picture.width()).flat_map(|at| [(at, margin - 1), (margin - 1, at), (at, picture.height() - 1)]);
        assert!(around.into_iter().all(|(x, y)| picture.pixel(x, y).unwrap().red() == 255));
    }

    #[test]
    fn the_mode_of_capitals_is_alphanumeric() {
        let bits = fitting("HTTPS://A/C/7", Version::Normal(3)).unwrap().into_bytes();
        assert_eq!(bits[0] >> 4, 0b0010, "the first four bits name the mode");
    }

    #[test]
    fn the_picture_is_the_symbol() {
        let symbol = Symbol::encode("HTTPS://CODES.EXAMPLE/C/7K3M").unwrap();
        let picture = Pixmap::decode_png(&symbol.png().unwrap()).unwrap();
        let side = u32::try_from((symbol.width() + 2 * QUIET) * SIDE).unwrap();
        assert_eq!((picture.width(), picture.height()), (side, side));
        assert_shows(&picture, &symbol, (QUIET * SIDE, SIDE));
    }

    #[test]
    fn a_picture_has_the_size_that_was_asked_for() {
        let symbol = symbol();
        let whole = symbol.whole_width();
        for side in [100, 300, 301, 1000] {
            let picture = Pixmap::decode_png(&symbol.png_of(side).unwrap()).unwrap();
            let module = side / whole;
            assert_eq!(picture.width() as usize, side);
            assert_shows(&picture, &symbol, ((side - symbol.width() * module) / 2, module));
        }
        let smallest = Pixmap::decode_png(&symbol.png_of(1).unwrap()).unwrap();
        assert_eq!(smallest.height() as usize, whole);
    }

    #[test]
    fn the_drawing_has_every_module() {
        let symbol = Symbol::encode("HELLO WORLD").unwrap();
        assert_eq!(symbol.width(), 21, "the smallest there is");
        let svg = symbol.svg();
        assert!(svg.contains("viewBox=\"0 0 29 29\"") && svg.contains("shape-rendering=\"crispEdges\""), "{svg}");
        let path = symbol.path(1);
        let runs = path.split('h').filter_map(|run| run.split_once("v1")?.0.parse::<usize>().ok());
        assert_eq!(runs.sum::<usize>(), symbol.dark.iter().filter(|dark| **dark).count());
        let tree = Tree::from_str(&svg, &Options::default()).unwrap();
        let mut picture = Pixmap::new(290, 290).unwrap();
        resvg::render(&tree, Transform::from_scale(10.0, 10.0), &mut picture.as_mut());
        assert_shows(&picture, &symbol, (40, 10));
    }
}
