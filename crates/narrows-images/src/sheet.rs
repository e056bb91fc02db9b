//! Contact sheets: images side by side.

use image::imageops::{FilterType, resize};
use image::{ImageBuffer, Luma, Pixel, Rgb};

use crate::lettering::{extent, write};
use crate::{Channels, Image, Photo};

/// Default size of a cell's longer side in pixels.
const SIDE: usize = 256;
/// The same for a gallery.
const GALLERY_SIDE: usize = 64;
/// Pixels between cells and around them.
const GAP: usize = 8;
/// Pixels between a title and the first row.
const UNDER_TITLE: usize = 10;
const PAPER: f32 = 1.0;
const INK: f32 = 0.2;
/// Grey value of the border around images, which separates white ones from the background.
const EDGE: f32 = 0.85;

/// A table of images with titled columns.
///
/// ```
/// use narrows_images::{Channels, Image, Sheet};
///
/// let digit = Image::filled(28, 28, Channels::Grey, 0.0);
/// let mut sheet = Sheet::new(&["input", "restored"]);
/// sheet.row(vec![digit.clone(), digit]);
/// assert_eq!(sheet.image().channels, Channels::Grey);
/// ```
#[derive(Debug, Clone)]
pub struct Sheet {
    titles: Vec<String>,
    side: usize,
    rows: Vec<Vec<Image>>,
}

impl Sheet {
    /// A sheet without rows. If all titles are empty, there is no title line.
    pub fn new(columns: &[&str]) -> Sheet {
        Sheet { titles: columns.iter().map(|&title| title.to_owned()).collect(), side: SIDE, rows: Vec::new() }
    }

    /// The same with cells of at most this many pixels in each direction; for rows added later.
    pub fn with_side(mut self, side: usize) -> Sheet {
        self.side = side.max(1);
        self
    }

    /// Adds a row with one image per column; a row may have fewer images than there are titles, or more.
    ///
    /// Images larger than a cell are downscaled to it, smaller ones upscaled by the largest integer factor that fits,
    /// without interpolation.
    pub fn row(&mut self, images: Vec<Image>) -> &mut Sheet {
        let cells = images.into_iter().filter(|image| image.height > 0 && image.width > 0);
        self.rows.push(cells.map(|image| fitted(image.clipped(), self.side)).collect());
        self
    }

    /// The sheet as a PNG file in base64, for embedding.
    pub fn to_base64(&self) -> String {
        Photo::from(self.image()).to_base64()
    }

    /// The sheet as one image, grey if all of its images are.
    pub fn image(&self) -> Image {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0).max(self.titles.len());
        let widest = |i: usize| self.rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.width).max().unwrap_or(0);
        let mut widths: Vec<usize> = (0..columns).map(widest).collect();
        for (title, width) in self.titles.iter().zip(&mut widths) {
            *width = extent(title).1.max(*width);
        }
        let has_titles = self.titles.iter().any(|title| !title.is_empty());
        let head = if has_titles { extent("").0 + UNDER_TITLE } else { 0 };
        let heights: Vec<usize> =
            self.rows.iter().map(|row| row.iter().map(|cell| cell.height).max().unwrap_or(0)).collect();
        let height = GAP + head + heights.iter().map(|height| height + GAP).sum::<usize>();
        let width = GAP + widths.iter().map(|width| width + GAP).sum::<usize>();
        let is_grey = self.rows.iter().flatten().all(|cell| cell.channels == Channels::Grey);
        let channels = if is_grey { Channels::Grey } else { Channels::Rgb };
        let mut sheet = Image::filled(height, width, channels, PAPER);
        let mut left = GAP;
        for (i, &width) in widths.iter().enumerate() {
            if let Some(title) = self.titles.get(i) {
                write(&mut sheet, title, GAP, left + (width - extent(title).1) / 2, INK);
            }
            let mut top = GAP + head;
            for (row, &height) in self.rows.iter().zip(&heights) {
                if let Some(cell) = row.get(i) {
                    place(&mut sheet, cell, top + (height - cell.height) / 2, left + (width - cell.width) / 2);
                }
                top += height + GAP;
            }
            left += width + GAP;
        }
        sheet
    }
}

/// Images of one size in a nearly square grid, without titles.
pub fn gallery(images: &[Image]) -> Image {
    gallery_sheet(images).image()
}

/// The sheet that [`gallery`] draws.
pub fn gallery_sheet(images: &[Image]) -> Sheet {
    let columns = (images.len() as f64).sqrt().ceil().max(1.0) as usize;
    let mut sheet = Sheet::new(&vec![""; columns.min(images.len())]).with_side(GALLERY_SIDE);
    images.chunks(columns).for_each(|row| {
        sheet.row(row.to_vec());
    });
    sheet
}

/// Places an image on the sheet, with a border in the gap.
fn place(sheet: &mut Image, cell: &Image, top: usize, left: usize) {
    let values = sheet.channels.count();
    for y in top - 1..=top + cell.height {
        sheet.row_mut(y)[(left - 1) * values..(left + cell.width + 1) * values].fill(EDGE);
    }
    for y in 0..cell.height {
        let to = &mut sheet.row_mut(top + y)[left * values..(left + cell.width) * values];
        if cell.channels.count() == values {
            to.copy_from_slice(cell.row(y));
        } else {
            to.chunks_exact_mut(values).zip(cell.row(y)).for_each(|(pixel, &grey)| pixel.fill(grey));
        }
    }
}

/// The image scaled to fit a cell.
fn fitted(image: Image, side: usize) -> Image {
    let longest = image.height.max(image.width);
    let scaled = |n: usize| if longest > side { (n * side / longest).max(1) } else { n * (side / longest) };
    let (height, width) = (scaled(image.height), scaled(image.width));
    let filter = if longest > side { FilterType::Triangle } else { FilterType::Nearest };
    if (height, width) == (image.height, image.width) {
        return image;
    }
    let channels = image.channels;
    let pixels = match channels {
        Channels::Grey => resized::<Luma<f32>>(image, height, width, filter),
        Channels::Rgb => resized::<Rgb<f32>>(image, height, width, filter),
    };
    Image::new(height, width, channels, pixels)
}

fn resized<P: Pixel<Subpixel = f32> + 'static>(
    image: Image,
    height: usize,
    width: usize,
    filter: FilterType,
) -> Vec<f32> {
    let (from_height, from_width) = (image.height as u32, image.width as u32);
    let image: ImageBuffer<P, Vec<f32>> =
        ImageBuffer::from_raw(from_width, from_height, image.pixels).expect("as many values as pixels need");
    resize(&image, width as u32, height as u32, filter).into_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_blank(image: &Image, x: usize) -> bool {
        (0..image.height).all(|y| image.pixel(y, x).iter().all(|&value| value == PAPER))
    }

    #[test]
    fn small_images_grow_by_whole_numbers_and_large_ones_shrink() {
        let small = Image::new(1, 2, Channels::Grey, vec![0.0, 1.0]);
        assert_eq!(fitted(small.clone(), 5).pixels, [[0.0, 0.0, 1.0, 1.0]; 2].concat());
        assert_eq!(fitted(small, 3).pixels, [0.0, 1.0]);
        let large = Image::filled(40, 400, Channels::Rgb, 0.25);
        let shrunk = fitted(large, 100);
        assert_eq!((shrunk.height, shrunk.width), (10, 100));
        assert!(shrunk.pixels.iter().all(|x| (x - 0.25).abs() < 1e-6));
        let sliver = fitted(Image::filled(1, 1_000, Channels::Grey, 0.5), 10);
        assert_eq!((sliver.height, sliver.width), (1, 10));
    }

    #[test]
    fn cells_of_all_kinds_stand_in_even_gaps() {
        let mut sheet = Sheet::new(&["a", "b"]).with_side(32);
        sheet.row(vec![Image::filled(8, 8, Channels::Grey, 0.0), Image::filled(64, 32, Channels::Rgb, 0.0)]);
        sheet.row(vec![Image::filled(32, 32, Channels::Grey, 0.0)]);
        let image = sheet.image();
        assert_eq!(image.channels, Channels::Rgb);
        let head = 16 + UNDER_TITLE;
        assert_eq!((image.height, image.width), (GAP + head + 2 * (32 + GAP), GAP + 32 + GAP + 16 + GAP));
        assert!(is_blank(&image, 0) && is_blank(&image, GAP + 32 + GAP / 2) && is_blank(&image, image.width - 1));
        assert_eq!(image.pixel(GAP + head, GAP), [0.0; 3]);
        assert_eq!(image.pixel(GAP + head - 1, GAP), [EDGE; 3]);
    }

    #[test]
    fn long_titles_widen_their_column_and_none_take_no_room() {
        let dot = Image::filled(1, 1, Channels::Grey, 0.0);
        let mut sheet = Sheet::new(&["a long title"]).with_side(8);
        sheet.row(vec![dot.clone(), dot.clone()]);
        assert_eq!(sheet.image().width, GAP + extent("a long title").1 + GAP + 8 + GAP);
        let mut bare = Sheet::new(&[]).with_side(8);
        bare.row(vec![dot]);
        assert_eq!((bare.image().height, bare.image().width), (8 + 2 * GAP, 8 + 2 * GAP));
        assert_eq!(Sheet::new(&[]).image().height, GAP, "nothing at all");
    }

    /// For visual inspection: NARROWS_SHEET=/tmp/sheet.png.
    #[test]
    fn a_sheet_to_look_at() {
        let Some(path) = std::env::var_os("NARROWS_SHEET") else { return };
        let wave = |height: usize, width: usize, channels: Channels| {
            let n = channels.count();
            let value = |k: usize| {
                let (y, x, c) = (k / n / width, k / n % width, k % n);
                0.5 + 0.5 * ((y as f32 / height as f32 * 9.0).sin() * (x as f32 / width as f32 * 7.0 + c as f32).cos())
            };
            Image::new(height, width, channels, (0..height * width * n).map(value).collect())
        };
        let mut sheet = Sheet::new(&["input", "restored", "error", "where (overlay)"]);
        for (height, width, channels) in
            [(28, 28, Channels::Grey), (600, 800, Channels::Rgb), (90, 40, Channels::Rgb), (256, 256, Channels::Grey)]
        {
            let image = wave(height, width, channels);
            let errors: Vec<f32> = image.pixels.chunks_exact(channels.count()).map(|x| x[0] * x[0]).collect();
            let white = Image::filled(height, width, channels, 1.0);
            let hot = crate::heat(&errors, height, width, 0.0, 1.0);
            sheet.row(vec![image.clone(), white, hot, crate::overlay(&image, &errors, 0.3, 1.0, 0.8)]);
        }
        crate::Photo::from(sheet.image()).write(path).unwrap();
    }
}
