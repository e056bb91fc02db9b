//! Watermarks: a logo or text blended over an image, at random position, size and angle.

use std::path::Path;

use image::{ImageReader, Limits};
use narrows_engine::rng::Stream;
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster};

use super::{Mark, Span};
use crate::file::ByteSource;
use crate::shape::luminance;
use crate::{Channels, Error, Filter, Image, Result};

/// Maximum side of a watermark file.
const LONGEST_SIDE: u32 = 4096;
/// Maximum side kept; a mark covers at most 60 % of an image.
const KEPT_SIDE: usize = 1024;
/// Width of a mark, as a share of the image's width.
pub(super) const WIDTH: Span = Span::between(0.2, 0.6);
/// Maximum height, as a share of the image's height.
pub(super) const TALLEST: f32 = 0.8;
/// The angle in degrees.
pub(super) const ANGLE: Span = Span::between(-45.0, 45.0);

/// A mark ready to be blended.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    /// Mipmaps: the mark, half its size, and so on, to avoid aliasing.
    sizes: Vec<Layer>,
    /// Whether the colour is randomly white or black.
    words: bool,
}

/// A mark as a model keeps it, at most 1,024 pixels a side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptMark {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// Whether it is text, which is white or black.
    pub is_text: bool,
    /// Premultiplied red, green and blue, and alpha, 8 bits each from the lowest, `[height, width]`.
    pub pixels: Vec<u32>,
}

/// Where a mark lies in an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pose {
    /// Row of the middle.
    pub(super) middle_y: f32,
    /// Column of the middle.
    pub(super) middle_x: f32,
    /// Width of the mark in pixels.
    pub(super) wide: f32,
    /// In radians.
    pub(super) angle: f32,
}

impl Pose {
    /// Half of the height and of the width that the mark takes up.
    pub(super) fn reach(self, tall_for_wide: f32) -> (f32, f32) {
        let (sin, cos) = self.angle.sin_cos();
        let (wide, tall) = (self.wide, self.wide * tall_for_wide);
        (0.5 * (wide * sin.abs() + tall * cos), 0.5 * (wide * cos + tall * sin.abs()))
    }
}

/// Premultiplied red, green and blue, and alpha.
#[derive(Debug, Clone)]
struct Layer {
    colour: Image,
    alpha: Image,
}

impl Stamp {
    /// Reads the file or draws the text.
    pub(super) fn new(mark: &Mark) -> Result<Stamp> {
        match mark {
            Mark::Image(path) => Ok(Stamp::of(read(path)?, false)),
            Mark::Text(text) => {
                let alpha = drawn(text)?;
                Ok(Stamp::of(Layer { colour: alpha.to_channels(Channels::Rgb), alpha }, true))
            }
        }
    }

    fn of(layer: Layer, words: bool) -> Stamp {
        let longest = layer.alpha.height.max(layer.alpha.width);
        let mut sizes = vec![if longest > KEPT_SIDE { layer.shrunk(KEPT_SIDE as f32 / longest as f32) } else { layer }];
        while let Some(last) = sizes.last()
            && last.alpha.height.min(last.alpha.width) >= 8
        {
            sizes.push(last.shrunk(0.5));
        }
        Stamp { sizes, words }
    }

    /// Blends the mark over `image`.
    pub(super) fn lay(&self, image: &mut Image, opacity: Span, stream: &mut Stream) {
        let (height, width) = (image.height as f32, image.width as f32);
        let wide = (WIDTH.draw(stream) * width).min(TALLEST * height / self.tall_for_wide());
        let angle = ANGLE.draw(stream).to_radians();
        // Inside the image if the rotated mark fits; else around its centre.
        let (reach_y, reach_x) = Pose { middle_y: 0.0, middle_x: 0.0, wide, angle }.reach(self.tall_for_wide());
        let middle = |size: f32, reach: f32, chance: f32| 0.5 * size + (size - 2.0 * reach).max(0.0) * (chance - 0.5);
        let middle_y = middle(height, reach_y, stream.uniform());
        let middle_x = middle(width, reach_x, stream.uniform());
        let white = stream.uniform() < 0.5;
        let opacity = opacity.draw(stream);
        let c = image.channels.count();
        let size = (image.height, image.width);
        self.each_pixel(size, Pose { middle_y, middle_x, wide, angle }, white, |(y, x), [red, green, blue, alpha]| {
            let pixel = &mut image.row_mut(y)[x * c..(x + 1) * c];
            let over = |below: &mut f32, colour: f32| *below += opacity * (colour - alpha * *below);
            match pixel {
                [grey] => over(grey, luminance(&[red, green, blue])),
                pixel => pixel.iter_mut().zip([red, green, blue]).for_each(|(below, colour)| over(below, colour)),
            }
        });
    }

    /// Height over width.
    pub(super) fn tall_for_wide(&self) -> f32 {
        let whole = &self.sizes[0].alpha;
        whole.height as f32 / whole.width as f32
    }

    /// Whether it is text, which is white or black.
    pub(super) fn is_text(&self) -> bool {
        self.words
    }

    /// The pixels of an image of `height` by `width` that the mark covers in this pose: premultiplied colour and alpha. Text is
    /// white or black.
    pub(super) fn each_pixel(
        &self,
        (height, width): (usize, usize),
        pose: Pose,
        white: bool,
        mut each: impl FnMut((usize, usize), [f32; 4]),
    ) {
        let Pose { middle_y, middle_x, wide, angle } = pose;
        let tall = wide * self.tall_for_wide();
        let (sin, cos) = angle.sin_cos();
        let (reach_y, reach_x) = pose.reach(self.tall_for_wide());
        // The smallest mipmap with at least one pixel per image pixel.
        let layer = self.sizes.iter().rev().find(|layer| layer.alpha.width as f32 >= wide).unwrap_or(&self.sizes[0]);
        let scale = layer.alpha.width as f32 / wide;
        let rows = (middle_y - reach_y - 1.0).max(0.0) as usize..height.min((middle_y + reach_y + 2.0) as usize);
        let columns = (middle_x - reach_x - 1.0).max(0.0) as usize..width.min((middle_x + reach_x + 2.0) as usize);
        for y in rows {
            for x in columns.clone() {
                let (dy, dx) = (y as f32 + 0.5 - middle_y, x as f32 + 0.5 - middle_x);
                let from_y = (cos * dy - sin * dx + 0.5 * tall) * scale - 0.5;
                let from_x = (cos * dx + sin * dy + 0.5 * wide) * scale - 0.5;
                let [red, green, blue, alpha] = layer.at(from_y, from_x);
                if alpha <= 0.0 {
                    continue;
                }
                let colour = if self.words && !white { [0.0; 3] } else { [red, green, blue] };
                each((y, x), [colour[0], colour[1], colour[2], alpha]);
            }
        }
    }

    /// The mark as a model keeps it.
    pub(super) fn kept(&self) -> KeptMark {
        let whole = &self.sizes[0];
        let (height, width) = (whole.alpha.height, whole.alpha.width);
        let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u32;
        let pixels = (0..height * width).map(|at| {
            let [red, green, blue] = [0, 1, 2].map(|channel| byte(whole.colour.pixels[at * 3 + channel]));
            red | green << 8 | blue << 16 | byte(whole.alpha.pixels[at]) << 24
        });
        KeptMark { height, width, is_text: self.words, pixels: pixels.collect() }
    }

    /// The mark that a model kept.
    pub(super) fn of_kept(kept: &KeptMark) -> Stamp {
        let value = |pixel: u32, shift: u32| ((pixel >> shift) & 255) as f32 / 255.0;
        let colour = kept.pixels.iter().flat_map(|pixel| [0, 8, 16].map(|shift| value(*pixel, shift))).collect();
        let alpha = kept.pixels.iter().map(|pixel| value(*pixel, 24)).collect();
        let (height, width) = (kept.height, kept.width);
        Stamp::of(
            Layer {
                colour: Image::new(height, width, Channels::Rgb, colour),
                alpha: Image::new(height, width, Channels::Grey, alpha),
            },
            kept.is_text,
        )
    }
}

impl Layer {
    fn shrunk(&self, times: f32) -> Layer {
        let side = |n: usize| ((n as f32 * times).round() as usize).max(1);
        let shrunk = |p: &Image| p.resized(side(p.height), side(p.width), Filter::Area);
        Layer { colour: shrunk(&self.colour), alpha: shrunk(&self.alpha) }
    }

    /// Bilinear colour and alpha; transparent beyond the edges.
    fn at(&self, y: f32, x: f32) -> [f32; 4] {
        let (y0, x0) = (y.floor(), x.floor());
        let mut sum = [0.0; 4];
        for (row, share_y) in [(y0, 1.0 - (y - y0)), (y0 + 1.0, y - y0)] {
            for (column, share_x) in [(x0, 1.0 - (x - x0)), (x0 + 1.0, x - x0)] {
                let inside = row >= 0.0 && column >= 0.0;
                let (row, column) = (row as usize, column as usize);
                if !inside || row >= self.alpha.height || column >= self.alpha.width {
                    continue;
                }
                let share = share_y * share_x;
                let colour = self.colour.pixel(row, column);
                sum.iter_mut().zip(colour).for_each(|(sum, value)| *sum += share * value);
                sum[3] += share * self.alpha.pixel(row, column)[0];
            }
        }
        sum
    }
}

fn read(path: &Path) -> Result<Layer> {
    let bytes = std::fs::read(path).map_err(|source| {
        let what = "the watermark is needed at this path to fit and to evaluate, not to restore";
        Error::read(path, std::io::Error::new(source.kind(), format!("{source}; {what}")))
    })?;
    let refused = |error: &dyn std::fmt::Display| {
        Error::image(path.display().to_string(), format!("expected an image for a watermark, got: {error}"))
    };
    let mut reader = ImageReader::new(ByteSource::memory(bytes)).with_guessed_format().map_err(|e| refused(&e))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    reader.limits(limits);
    let logo = reader.decode().map_err(|e| refused(&e))?.into_rgba32f();
    let (width, height) = (logo.width() as usize, logo.height() as usize);
    let pixels = logo.as_raw().as_chunks::<4>().0;
    if pixels.iter().all(|pixel| pixel[3] == 0.0) {
        return Err(refused(&"an image that is transparent everywhere"));
    }
    let colour = pixels.iter().flat_map(|&[r, g, b, a]| [r * a, g * a, b * a]).collect();
    let alpha = pixels.iter().map(|pixel| pixel[3]).collect();
    Ok(Layer {
        colour: Image::new(height, width, Channels::Rgb, colour),
        alpha: Image::new(height, width, Channels::Grey, alpha),
    })
}

/// The text as coverage, without margin.
fn drawn(text: &str) -> Result<Image> {
    let letters = text.trim().chars().map(|letter| {
        get_raster(letter, FontWeight::Bold, RasterHeight::Size32).ok_or_else(|| {
            Error::setting(format!(
                "watermark \"{text}\": expected letters of Western European languages, got `{letter}`"
            ))
        })
    });
    let letters = letters.collect::<Result<Vec<_>>>()?;
    let (height, wide) = (letters[0].height(), letters[0].width());
    let value = |y: usize, x: usize| f32::from(letters[x / wide].pixels()[y * wide + x % wide]) / 255.0;
    let width = wide * letters.len();
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (y, x))).map(|(y, x)| value(y, x)).collect();
    let small = trimmed(&Image::new(height, width, Channels::Grey, pixels));
    // Letters are 32 pixels high; upscaled edges are sharpened again.
    let times = (2048 / small.width).clamp(1, 4);
    let mut large = small.resized(small.height * times, small.width * times, Filter::Bicubic);
    large.pixels.iter_mut().for_each(|x| *x = ((*x - 0.5) * times as f32 + 0.5).clamp(0.0, 1.0));
    Ok(large)
}

/// Crops empty rows and columns around the ink; unchanged without ink.
fn trimmed(image: &Image) -> Image {
    let inked = |(y, x): (usize, usize)| image.pixel(y, x)[0] > 0.0;
    let rows: Vec<usize> = (0..image.height).filter(|&y| (0..image.width).any(|x| inked((y, x)))).collect();
    let columns: Vec<usize> = (0..image.width).filter(|&x| (0..image.height).any(|y| inked((y, x)))).collect();
    match (rows.first(), rows.last(), columns.first(), columns.last()) {
        (Some(top), Some(bottom), Some(left), Some(right)) => {
            image.crop(*top, *left, bottom - top + 1, right - left + 1)
        }
        _ => image.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use narrows_engine::rng::Purpose;

    fn changed(stamp: &Stamp, image: &Image, opacity: f32, row: u64) -> (Image, f64) {
        let mut marked = image.clone();
        stamp.lay(&mut marked, Span::of(opacity), &mut Stream::new(1, Purpose::Demo, 0, row));
        let pairs = marked.pixels.iter().zip(&image.pixels);
        let share = pairs.filter(|(a, b)| a != b).count() as f64 / image.pixels.len() as f64;
        (marked, share)
    }

    #[test]
    fn words_are_laid_over_in_white_or_black() {
        let stamp = Stamp::new(&Mark::Text("SAMPLE é".into())).unwrap();
        for (height, width, channels) in [(64, 96, Channels::Rgb), (28, 28, Channels::Grey), (3, 200, Channels::Grey)] {
            let image = Image::filled(height, width, channels, 0.5);
            let (mut dark, mut light) = (0, 0);
            for row in 0..40 {
                let (marked, share) = changed(&stamp, &image, 0.4, row);
                assert!(share > 0.0 && share < 0.5, "{share}");
                assert!(marked.pixels.iter().all(|x| (0.29..=0.71).contains(x)));
                dark += usize::from(marked.pixels.iter().any(|&x| x < 0.5));
                light += usize::from(marked.pixels.iter().any(|&x| x > 0.5));
                assert_eq!(marked, changed(&stamp, &image, 0.4, row).0);
            }
            assert_eq!(dark + light, 40);
            assert!(dark > 8 && light > 8);
        }
        let error = Stamp::new(&Mark::Text("日本".into())).unwrap_err().to_string();
        assert!(error.contains("got `日`"), "{error}");
        changed(&stamp, &Image::filled(1, 1, Channels::Rgb, 0.5), 1.0, 0);
    }

    #[test]
    fn a_logo_keeps_its_colour_and_what_is_transparent() {
        let folder = std::env::temp_dir().join(format!("narrows-watermark-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("logo.png");
        let logo = image::RgbaImage::from_fn(40, 20, |x, _| image::Rgba([255, 0, 0, if x < 20 { 255 } else { 0 }]));
        logo.save(&path).unwrap();
        let stamp = Stamp::new(&Mark::Image(path.clone())).unwrap();
        let (marked, share) = changed(&stamp, &Image::filled(80, 80, Channels::Rgb, 0.25), 1.0, 3);
        assert!(share > 0.0 && share < 0.2);
        assert!(marked.pixels.as_chunks::<3>().0.iter().any(|p| p[0] > 0.999 && p[1] < 0.001 && p[2] < 0.001));
        let (marked, _) = changed(&stamp, &Image::filled(80, 80, Channels::Grey, 0.0), 1.0, 3);
        let lightest = marked.pixels.iter().fold(0.0_f32, |a, b| a.max(*b));
        assert!((lightest - 0.299).abs() < 1e-3);

        std::fs::write(&path, b"no image").unwrap();
        let error = Stamp::new(&Mark::Image(path.clone())).unwrap_err().to_string();
        assert!(error.contains("logo.png: expected an image"), "{error}");
        image::GrayImage::new(4097, 1).save(&path).unwrap();
        assert!(Stamp::new(&Mark::Image(path.clone())).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
        let error = Stamp::new(&Mark::Image(path)).unwrap_err().to_string();
        assert!(error.contains("cannot read"), "{error}");
    }
}
