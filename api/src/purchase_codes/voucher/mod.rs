//! The voucher: the code as a picture that a client keeps and shows.

mod brand;
mod text;

use std::sync::Arc;

use chrono::FixedOffset;
use png::EncodingError;
use qrcode::types::QrError;
use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{self, Options, Tree, fontdb::Database},
};
use workflows::purchase_codes::Purchase;

pub(crate) use brand::VoucherSettings;

use super::qr;
use crate::qr::{
    QUIET, Symbol,
    bitmap::{self, Pixels},
};
use brand::Brand;

/// What all vouchers share, drawn once.
const GROUND: &str = include_str!("ground.svg");
/// What each has of its own.
const PURCHASE: &str = include_str!("purchase.svg");
/// Of the whole picture, in pixels; the templates say the same.
const SIZE: (u32, u32) = (640, 960);

/// Containers have no fonts: these two are part of the program.
const FONTS: [&[u8]; 2] = [
    include_bytes!("../../../assets/fonts/DMSans-Regular.ttf"),
    include_bytes!("../../../assets/fonts/DMSans-Bold.ttf"),
];
const FONT_FAMILY: &str = "DM Sans";

/// Room for the symbol: side, left edge and upper edge.
const SYMBOL_SIDE: usize = 456;
const SYMBOL_LEFT: usize = 92;
const SYMBOL_TOP: usize = 172;
/// Room for texts of any length, and how large they are when they are short.
const BRAND_NAME: (usize, usize) = (512, 40);
const AMOUNT: (usize, usize) = (400, 34);

/// Draws vouchers.
pub(super) struct Artist {
    ground: Pixmap,
    host: String,
    /// Of the client's clock.
    offset: FixedOffset,
    fonts: Arc<Database>,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(super) enum DrawError {
    /// The code does not fit into a symbol.
    #[error("the QR symbol cannot be made")]
    Symbol(#[from] QrError),
    /// A place of a template without a value.
    #[error("the template has an unknown place \"{0}\"")]
    Template(String),
    /// What was made is no picture.
    #[error("the voucher cannot be drawn")]
    Picture(#[from] usvg::Error),
    /// No room in memory.
    #[error("there is no canvas")]
    Canvas,
    /// What was drawn cannot be written.
    #[error("the voucher cannot be written")]
    Png(#[from] EncodingError),
}

impl Artist {
    /// Loads the fonts and the brand.
    pub(super) fn new(settings: &VoucherSettings, offset: FixedOffset) -> anyhow::Result<Self> {
        let mut fonts = Database::new();
        for font in FONTS {
            fonts.load_font_data(font.to_vec());
        }
        let fonts = Arc::new(fonts);
        let brand = Brand::load(settings, &options(&fonts))?;
        let ground = ground(&brand, &options(&fonts))?;
        Ok(Self { ground, host: settings.host().to_owned(), offset, fonts })
    }

    /// The voucher of a purchase as a PNG. Takes a few milliseconds of a whole processor.
    pub(super) fn draw(&self, purchase: &Purchase) -> Result<Vec<u8>, DrawError> {
        let tree = Tree::from_str(&self.picture(purchase)?, &options(&self.fonts))?;
        let mut canvas = self.ground.clone();
        resvg::render(&tree, Transform::identity(), &mut canvas.as_mut());
        Ok(bitmap::encode(Pixels::Rgb, SIZE, &without_alpha(&canvas))?)
    }

    /// What the voucher has of its own, as an SVG.
    fn picture(&self, purchase: &Purchase) -> Result<String, DrawError> {
        let code = purchase.code.expose();
        let symbol = Symbol::encode(&qr::content(&self.host, code))?;
        let side = symbol.width() + 2 * QUIET;
        let module = SYMBOL_SIDE / side;
        let margin = (SYMBOL_SIDE - module * side) / 2 + module * QUIET;
        let amount = text::amount(&purchase.amount);
        fill(PURCHASE, |place| {
            Some(match place {
                "qr_left" => (SYMBOL_LEFT + margin).to_string(),
                "qr_top" => (SYMBOL_TOP + margin).to_string(),
                "qr_path" => symbol.path(module),
                "code" => text::escaped(&text::grouped(code)),
                "amount_size" => text::fitted(&amount, AMOUNT).to_string(),
                "amount" => text::escaped(&amount),
                "expires" => text::moment(purchase.expires_at, self.offset),
                _ => return None,
            })
        })
    }
}

/// What all vouchers of a brand share.
fn ground(brand: &Brand, options: &Options<'_>) -> Result<Pixmap, DrawError> {
    let (width, height) = SIZE;
    let mut canvas = Pixmap::new(width, height).ok_or(DrawError::Canvas)?;
    resvg::render(&Tree::from_str(&branded(brand)?, options)?, Transform::identity(), &mut canvas.as_mut());
    brand.stamp(&mut canvas);
    Ok(canvas)
}

fn branded(brand: &Brand) -> Result<String, DrawError> {
    fill(GROUND, |place| {
        Some(match place {
            "brand_colour" => brand.colour(),
            "on_brand" => brand.on_colour().to_owned(),
            "accent" => brand.accent(),
            "brand_name" => text::escaped(brand.name()),
            "brand_size" => text::fitted(brand.name(), BRAND_NAME).to_string(),
            _ => return None,
        })
    })
}

/// Red, green and blue of each pixel: a voucher is opaque.
fn without_alpha(canvas: &Pixmap) -> Vec<u8> {
    let mut colours = Vec::with_capacity(canvas.data().len() / 4 * 3);
    canvas.data().chunks_exact(4).for_each(|pixel| colours.extend_from_slice(&pixel[..3]));
    colours
}

fn options(fonts: &Arc<Database>) -> Options<'static> {
    Options { font_family: FONT_FAMILY.to_owned(), fontdb: Arc::clone(fonts), ..Options::default() }
}

/// Puts values into the `{{places}}` of a template. A value is never looked at again, whatever is in it.
fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, DrawError> {
    let mut parts = template.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (place, rest) = part.split_once("}}").unwrap_or_default();
        let value = value(place).ok_or_else(|| DrawError::Template(place.to_owned()))?;
        filled.push_str(&value);
        filled.push_str(rest);
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use workflows::domain::Confidential;

    use super::*;
    use crate::purchase_codes::tests::purchase;

    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        settings: VoucherSettings,
    }

    fn settings(arguments: &[&str]) -> VoucherSettings {
        Settings::parse_from(["test"].iter().chain(arguments)).settings
    }

    fn artist(arguments: &[&str]) -> Artist {
        Artist::new(&settings(arguments), FixedOffset::west_opt(6 * 3600).unwrap()).unwrap()
    }

    fn drawn(artist: &Artist) -> Pixmap {
        Pixmap::decode_png(&artist.draw(&purchase()).unwrap()).unwrap()
    }

    /// How many pixels of an area are darker, or lighter, than the middle.
    fn count(picture: &Pixmap, columns: std::ops::Range<u32>, rows: std::ops::Range<u32>, dark: bool) -> usize {
        let all = rows.flat_map(|row| columns.clone().map(move |column| (column, row)));
        all.filter(|(column, row)| (picture.pixel(*column, *row).unwrap().red() < 128) == dark).count()
    }

    #[test]
    fn a_voucher_shows_brand_code_amount_and_expiry() {
        let picture = drawn(&artist(&[]));
        assert_eq!((picture.width(), picture.height()), SIZE);
        for (what, columns, rows, dark) in [
            ("brand", 64..300, 56..94, false),
            ("title", 64..300, 108..134, false),
            ("code", 80..560, 644..676, true),
            ("label of the amount", 64..140, 768..796, true),
            ("amount", 300..576, 760..796, true),
            ("label of the expiry", 64..140, 820..848, true),
            ("expiry", 300..576, 820..848, true),
            ("hint", 150..490, 880..908, true),
        ] {
            assert!(count(&picture, columns, rows, dark) > 100, "there is no {what}");
        }
        assert_eq!(count(&picture, 100..540, 680..700, true), 0, "between the code and the line there is nothing");
    }

    #[test]
    fn the_symbol_on_a_voucher_is_crisp() {
        let picture = drawn(&artist(&[]));
        let symbol = Symbol::encode(&qr::content("codes.example", purchase().code.expose())).unwrap();
        let module = SYMBOL_SIDE / (symbol.width() + 2 * QUIET);
        let margin = (SYMBOL_SIDE - module * (symbol.width() + 2 * QUIET)) / 2 + module * QUIET;
        let rows = symbol.rows().enumerate();
        let modules = rows.flat_map(|(row, modules)| modules.iter().enumerate().map(move |module| (row, module)));
        // The corners show that no edge is smooth.
        let corners = [(0, 0), (module - 1, 0), (0, module - 1), (module - 1, module - 1)];
        for ((row, (column, dark)), (x, y)) in modules.flat_map(|module| corners.map(|corner| (module, corner))) {
            let x = u32::try_from(SYMBOL_LEFT + margin + column * module + x).unwrap();
            let y = u32::try_from(SYMBOL_TOP + margin + row * module + y).unwrap();
            let expected = if *dark { 0 } else { 255 };
            assert_eq!(picture.pixel(x, y).unwrap().red(), expected, "{column} {row}");
        }
    }

    #[test]
    fn texts_are_escaped_and_never_filled_in_again() {
        let odd = ["--brand-name", "<&\"> {{accent}}"];
        let artist = artist(&odd);
        let svg = branded(&Brand::load(&settings(&odd), &options(&artist.fonts)).unwrap()).unwrap();
        assert!(svg.contains("&lt;&amp;&quot;&gt; {{accent}}</text>"), "{svg}");
        drawn(&artist);
        let odd = Purchase { code: Confidential::new("A".repeat(21)), ..purchase() };
        assert!(artist.picture(&odd).unwrap().contains("AAAA-AAAA-AAAA-AAAA-AAAAA"));
    }

    #[test]
    fn a_place_without_a_value_is_a_bug_that_is_told() {
        assert_eq!(fill("a {{b}} c", |place| Some(place.to_uppercase())).unwrap(), "a B c");
        assert!(fill("{{b}}", |_| None).is_err());
        assert!(fill("{{b", |_| None).is_err());
    }

    #[test]
    fn the_same_purchase_is_always_the_same_picture() {
        let artist = artist(&[]);
        assert_eq!(artist.draw(&purchase()).unwrap(), artist.draw(&purchase()).unwrap());
    }
}
