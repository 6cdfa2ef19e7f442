//! Pictures as PNG files.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError};

/// What the bytes of an image mean.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pixels {
    /// A bit each, 1 for white; rows begin with a byte.
    BlackAndWhite,
    /// Three bytes each.
    Rgb,
}

/// A PNG of `width` times `height` pixels.
pub(crate) fn encode(pixels: Pixels, (width, height): (u32, u32), data: &[u8]) -> Result<Vec<u8>, EncodingError> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    match pixels {
        Pixels::BlackAndWhite => {
            encoder.set_color(ColorType::Grayscale);
            encoder.set_depth(BitDepth::One);
        }
        Pixels::Rgb => {
            encoder.set_color(ColorType::Rgb);
            encoder.set_depth(BitDepth::Eight);
            // Large, and somebody waits for it.
            encoder.set_compression(Compression::Fast);
        }
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(data)?;
    writer.finish()?;
    Ok(file)
}
