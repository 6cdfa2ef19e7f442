use std::{
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::Context;
use clap::Args;
use resvg::{
    tiny_skia::{FilterQuality, IntSize, Pixmap, PixmapPaint, Transform},
    usvg::{Options, Tree},
};

use crate::text::{self, Lines};

const LONGEST_NAME: usize = 60;
const LONGEST_HOST: usize = 100;
/// Of a dark text.
const INK: &str = "#17211E";
const PAPER: &str = "#FFFFFF";
/// From here on a colour wants dark text, of 255.
const LIGHT: u32 = 160;
/// Where the logo is, and how large at most, in pixels.
const LOGO_AT: (i32, i32) = (64, 42);
const LOGO_SIZE: (u16, u16) = (512, 56);
const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// How vouchers look, and where codes lead.
#[derive(Debug, Clone, Args)]
pub(crate) struct VoucherSettings {
    /// Host of the addresses that codes hold: HTTPS://<HOST>/C/<CODE> leads here.
    #[arg(long, env = "PERDURA_CODE_HOST", default_value = "codes.example", value_parser = code_host)]
    code_host: String,
    /// Name on the vouchers.
    #[arg(long, env = "PERDURA_BRAND_NAME", default_value = "Perdura", value_parser = brand_name)]
    brand_name: String,
    /// Colour of the vouchers, as #RRGGBB.
    #[arg(long, env = "PERDURA_BRAND_COLOUR", default_value = "#0B5D4E")]
    brand_colour: Colour,
    /// SVG or PNG in the place of the name.
    #[arg(long, env = "PERDURA_BRAND_LOGO_FILE")]
    brand_logo_file: Option<PathBuf>,
    /// Vouchers that may be drawn at once, each on a thread.
    #[arg(long, env = "PERDURA_VOUCHERS_AT_ONCE", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    vouchers_at_once: u16,
}

impl VoucherSettings {
    /// Host of the addresses that codes hold.
    pub(in crate::purchase_codes) fn host(&self) -> &str {
        &self.code_host
    }

    /// Vouchers that may be drawn at once.
    pub(in crate::purchase_codes) fn at_once(&self) -> usize {
        self.vouchers_at_once.into()
    }
}

/// A colour of a screen: red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Colour(u8, u8, u8);

/// Text that names no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a colour as #RRGGBB")]
struct NoColour;

impl Colour {
    /// Whether text on it has to be dark.
    fn is_light(self) -> bool {
        let Self(red, green, blue) = self;
        (299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue)) / 1000 >= LIGHT
    }
}

impl FromStr for Colour {
    type Err = NoColour;

    fn from_str(text: &str) -> Result<Self, NoColour> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(NoColour)?;
        let mut channels = [0_u8; 3];
        hex::decode_to_slice(digits, &mut channels).map_err(|_| NoColour)?;
        let [red, green, blue] = channels;
        Ok(Self(red, green, blue))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(red, green, blue) = self;
        write!(formatter, "#{red:02X}{green:02X}{blue:02X}")
    }
}

/// What is the same on every voucher.
pub(super) struct Brand {
    name: String,
    colour: Colour,
    logo: Option<Pixmap>,
}

impl Brand {
    /// Reads the logo, if there is one.
    pub(super) fn load(settings: &VoucherSettings, options: &Options<'_>) -> anyhow::Result<Self> {
        let read = |path: &PathBuf| {
            let named = || format!("{} (PERDURA_BRAND_LOGO_FILE) is no logo", path.display());
            logo(path, options).with_context(named)
        };
        let logo = settings.brand_logo_file.as_ref().map(read).transpose()?;
        Ok(Self { name: settings.brand_name.clone(), colour: settings.brand_colour, logo })
    }

    /// What is written above: nothing where there is a logo.
    pub(super) fn name(&self) -> &str {
        if self.logo.is_some() { "" } else { &self.name }
    }

    /// The colour of the head.
    pub(super) fn colour(&self) -> String {
        self.colour.to_string()
    }

    /// The colour of text in the head.
    pub(super) fn on_colour(&self) -> &'static str {
        if self.colour.is_light() { INK } else { PAPER }
    }

    /// The colour of text that stands out on paper.
    pub(super) fn accent(&self) -> String {
        if self.colour.is_light() { INK.to_owned() } else { self.colour.to_string() }
    }

    /// Puts the logo onto a voucher.
    pub(super) fn stamp(&self, canvas: &mut Pixmap) {
        let Some(logo) = &self.logo else { return };
        let (x, y) = LOGO_AT;
        canvas.draw_pixmap(x, y, logo.as_ref(), &PixmapPaint::default(), Transform::identity(), None);
    }
}

/// A logo as large as it is on a voucher.
fn logo(path: &Path, options: &Options<'_>) -> anyhow::Result<Pixmap> {
    let file = fs::read(path)?;
    let (width, height) = LOGO_SIZE;
    let mut logo = Pixmap::new(width.into(), height.into()).context("there is no canvas")?;
    if file.starts_with(&PNG) {
        let picture = Pixmap::decode_png(&file)?;
        let size = IntSize::from_wh(picture.width(), picture.height()).context("the picture is empty")?.to_size();
        let paint = PixmapPaint { quality: FilterQuality::Bicubic, ..PixmapPaint::default() };
        let transform = fitting(size.width(), size.height());
        logo.draw_pixmap(0, 0, picture.as_ref(), &paint, transform, None);
    } else {
        let tree = Tree::from_data(&file, options)?;
        let transform = fitting(tree.size().width(), tree.size().height());
        resvg::render(&tree, transform, &mut logo.as_mut());
    }
    Ok(logo)
}

/// As large as the room for the logo allows, at its left and in the middle of its height.
fn fitting(width: f32, height: f32) -> Transform {
    let (widest, highest) = (f32::from(LOGO_SIZE.0), f32::from(LOGO_SIZE.1));
    let scale = (widest / width).min(highest / height);
    Transform::from_scale(scale, scale).post_translate(0.0, (highest - height * scale) / 2.0)
}

/// A host, with a port or without, of characters that the smallest QR symbols hold.
fn code_host(text: &str) -> Result<String, &'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
    let sound = (1..=LONGEST_HOST).contains(&text.len()) && text.bytes().all(plain);
    if sound { Ok(text.to_owned()) } else { Err("write a host of up to 100 letters, digits, dots and hyphens") }
}

fn brand_name(text: &str) -> Result<String, String> {
    match text::flaw(text, LONGEST_NAME, Lines::One) {
        Some(flaw) => Err(flaw),
        None if text.trim().is_empty() => Err("is empty".to_owned()),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Settings {
        #[command(flatten)]
        settings: VoucherSettings,
    }

    fn brand(arguments: &[&str]) -> anyhow::Result<Brand> {
        let arguments = ["test"].into_iter().chain(arguments.iter().copied());
        Brand::load(&Settings::parse_from(arguments).settings, &Options::default())
    }

    #[test]
    fn text_can_be_read_on_any_colour() {
        let dark = brand(&[]).unwrap();
        assert_eq!((dark.name(), dark.colour().as_str(), dark.on_colour()), ("Perdura", "#0B5D4E", "#FFFFFF"));
        assert_eq!(dark.accent(), "#0B5D4E");
        let light = brand(&["--brand-colour", "#ffd54a"]).unwrap();
        assert_eq!((light.colour().as_str(), light.on_colour(), light.accent().as_str()), ("#FFD54A", INK, INK));
    }

    #[test]
    fn settings_that_cannot_be_are_refused() {
        for (name, value) in [
            ("--brand-colour", "red"),
            ("--brand-colour", "#12345"),
            ("--brand-colour", "#+12345"),
            ("--brand-name", ""),
            ("--brand-name", "a\nb"),
            ("--code-host", ""),
            ("--code-host", "https://codes.example"),
            ("--code-host", "códigos.example"),
            ("--vouchers-at-once", "0"),
        ] {
            assert!(Settings::try_parse_from(["test", name, value]).is_err(), "{name} {value}");
        }
        Settings::try_parse_from(["test", "--code-host", "codes.example:8443"]).unwrap();
    }

    #[test]
    fn a_logo_of_either_kind_takes_the_place_of_the_name() {
        let folder = std::env::temp_dir().join(format!("perdura-logo-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (svg, png) = (folder.join("logo.svg"), folder.join("logo.png"));
        let picture = "<svg xmlns='http://www.w3.org/2000/svg' width='20' height='10'><rect width='20' height='10' fill='#f00'/></svg>";
        fs::write(&svg, picture).unwrap();
        let mut red = Pixmap::new(20, 10).unwrap();
        red.fill(resvg::tiny_skia::Color::from_rgba8(255, 0, 0, 255));
        red.save_png(&png).unwrap();
        for file in [&svg, &png] {
            let brand = brand(&["--brand-logo-file", file.to_str().unwrap()]).unwrap();
            assert_eq!(brand.name(), "");
            let mut canvas = Pixmap::new(640, 960).unwrap();
            brand.stamp(&mut canvas);
            // Twice as wide as high: 112 times 56.
            let red = |x, y| canvas.pixel(x, y).unwrap().red() > 250;
            assert!(red(70, 48) && red(170, 92) && !red(180, 70) && !red(60, 70), "{}", file.display());
        }
        fs::write(&svg, "no picture").unwrap();
        assert!(brand(&["--brand-logo-file", svg.to_str().unwrap()]).is_err());
        assert!(brand(&["--brand-logo-file", folder.join("none").to_str().unwrap()]).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
