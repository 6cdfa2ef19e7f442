use std::{io::Cursor, ops::Range};

use png::{Decoder, Transformations};
use resvg::{
    tiny_skia::{Color, Pixmap, Transform},
    usvg::{Options, Tree},
};
use rqrr::PreparedImage;
use rxing::{BinaryBitmap, Luma8LuminanceSource, Reader, common::HybridBinarizer, qrcode::QRCodeReader};

/// A picture as a scanner sees it: light and dark.
#[derive(Debug, Clone)]
pub struct Picture {
    width: usize,
    /// From 0 for black to 255 for white, row by row.
    shades: Vec<u8>,
}

impl Picture {
    /// Reads a PNG.
    ///
    /// # Panics
    /// When it is none.
    pub fn of_png(file: &[u8]) -> Self {
        let mut decoder = Decoder::new(Cursor::new(file));
        decoder.set_transformations(Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().expect("a PNG");
        let width = usize::try_from(reader.info().width).expect("a width");
        let mut shades = Vec::new();
        while let Some(row) = reader.next_row().expect("a row") {
            let channels = row.data().len() / width;
            shades.extend(row.data().chunks_exact(channels).map(mean));
        }
        Self { width, shades }
    }

    /// Draws a square SVG with so many pixels a side, on white paper.
    ///
    /// # Panics
    /// When it is none.
    pub fn of_svg(file: &str, side: u16) -> Self {
        let drawing = Tree::from_str(file, &Options::default()).expect("an SVG");
        let (own, pixels) = (drawing.size(), f32::from(side));
        let scale = Transform::from_scale(pixels / own.width(), pixels / own.height());
        let mut canvas = Pixmap::new(side.into(), side.into()).expect("a canvas");
        canvas.fill(Color::WHITE);
        resvg::render(&drawing, scale, &mut canvas.as_mut());
        let shades = canvas.pixels().iter().map(|pixel| mean(&[pixel.red(), pixel.green(), pixel.blue()])).collect();
        Self { width: side.into(), shades }
    }

    /// Pixels of a row, and of a column.
    pub const fn size(&self) -> (usize, usize) {
        (self.width, self.shades.len() / self.width)
    }

    /// The same picture, smaller, as a screen shows it: each pixel is the mean of what it stands for.
    #[must_use]
    pub fn scaled_to(&self, width: usize) -> Self {
        let (own_width, own_height) = self.size();
        let height = own_height * width / own_width;
        let mut shades = Vec::with_capacity(width * height);
        for y in 0..height {
            let rows = stretch(y, height, own_height);
            shades.extend((0..width).map(|x| self.mean_of(&stretch(x, width, own_width), rows.clone())));
        }
        Self { width, shades }
    }

    /// What the QR symbol in it says, if two readers agree that share nothing with each other or with what drew it.
    ///
    /// One symbol in two hundred is not found by zxing in a picture whose edges are this exact, at any size of its modules,
    /// and is found in the same one from a little further away. Nor has rqrr always found what zxing could find at one of
    /// three sizes. So each has several looks, as a camera has.
    pub fn qr(&self) -> Option<String> {
        let content = self.look(Self::by_rqrr)?;
        (self.look(Self::by_zxing).as_ref() == Some(&content)).then_some(content)
    }

    fn look(&self, reader: fn(&Self) -> Option<String>) -> Option<String> {
        let (width, _) = self.size();
        reader(self).or_else(|| (12..16).rev().find_map(|sixteenths| reader(&self.scaled_to(width * sixteenths / 16))))
    }

    fn by_rqrr(&self) -> Option<String> {
        let (width, height) = self.size();
        let mut picture = PreparedImage::prepare_from_greyscale(width, height, |x, y| self.shades[y * width + x]);
        let symbols = picture.detect_grids();
        symbols.iter().find_map(|symbol| symbol.decode().ok()).map(|(_, content)| content)
    }

    fn by_zxing(&self) -> Option<String> {
        let (width, height) = self.size();
        let source = Luma8LuminanceSource::new(self.shades.clone(), width.try_into().ok()?, height.try_into().ok()?);
        let mut bitmap = BinaryBitmap::new(HybridBinarizer::new(source.ok()?));
        let read = QRCodeReader::new().decode(&mut bitmap).ok()?;
        Some(read.getText().to_owned())
    }

    fn mean_of(&self, columns: &Range<usize>, rows: Range<usize>) -> u8 {
        let pixels = rows.flat_map(|row| &self.shades[row * self.width..][columns.clone()]);
        mean(&pixels.copied().collect::<Vec<_>>())
    }
}

fn mean(values: &[u8]) -> u8 {
    let sum: usize = values.iter().copied().map(usize::from).sum();
    u8::try_from(sum / values.len()).unwrap_or(u8::MAX)
}

/// The pixels that one of `few` stands for, out of `many`.
const fn stretch(index: usize, few: usize, many: usize) -> Range<usize> {
    index * many / few..((index + 1) * many).div_ceil(few)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_picture_has_the_means_of_a_larger_one() {
        let picture = Picture { width: 4, shades: vec![0, 100, 50, 50, 0, 100, 150, 150] };
        let smaller = picture.scaled_to(2);
        assert_eq!((smaller.size(), smaller.shades), ((2, 1), vec![50, 100]));
        assert_eq!(stretch(1, 2, 3), 1..3);
    }
}
