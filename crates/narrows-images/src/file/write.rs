//! Writing image files atomically, with a report of what the format cannot store.

use std::collections::HashSet;
use std::io::{self, Cursor, Write};
use std::path::Path;

use base64::Engine;
use image::codecs::bmp::BmpEncoder;
use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::{JpegEncoder, PixelDensity, PixelDensityUnit};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::pnm::{GraymapHeader, PixmapHeader, PnmEncoder, SampleEncoding};
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageResult};

use super::splice::{Extras, extended, holds_density, holds_text, holds_xmp};
use super::{Depth, Format, Loss, Photo, profile_fits, tagged};
use crate::compact::{to_byte, to_word};
use crate::draft::Draft;
use crate::{Channels, Error, Result};

/// Default JPEG quality, of 100.
pub const JPEG_QUALITY: u8 = 95;

/// Maximum EXIF size in a JPEG: a segment minus its length and name.
const JPEG_EXIF: usize = 65_535 - 2 - 6;
/// Maximum colour profile size in a JPEG: 255 segments minus their lengths and names.
const JPEG_ICC: usize = (65_535 - 2 - 14) * 255;
/// Maximum number of colours in a GIF.
const GIF_COLOURS: usize = 256;
/// Speed of the GIF colour quantisation, 1 (best) to 30; 10 is the library's recommendation.
const GIF_SPEED: i32 = 10;

/// The result of writing an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The format, by the path's extension.
    pub format: Format,
    /// What was lost when the image was read and what the format could not store, in the order of [`Loss`]. The lossiness of
    /// JPEG itself is not listed.
    pub lost: Vec<Loss>,
    /// Number of values of image and alpha outside [0, 1], which were clipped.
    pub clipped: usize,
}

impl Photo {
    /// Writes the image in the format of the path's extension, clipped to [0, 1] and rounded: JPEG with quality
    /// 95, lossless WebP, PNM as PGM or PPM, and PAM if the extension says so. Alpha, depth, colour profile, EXIF, XMP, text
    /// and resolution are kept if the format supports them; losses are returned. The same photo gives the same bytes.
    ///
    /// # Errors
    /// [`Error::Write`], with no partial file left; [`Error::Setting`] for an unknown extension;
    /// [`Error::Image`] for a NaN, an alpha channel of another size, and an image too large for the format.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<Written> {
        self.write_with_quality(path, JPEG_QUALITY)
    }

    /// As [`Photo::write`], with another quality of JPEG, 1 to 100.
    ///
    /// # Errors
    /// As [`Photo::write`], and for a quality outside of that range.
    pub fn write_with_quality(&self, path: impl AsRef<Path>, jpeg_quality: u8) -> Result<Written> {
        let path = path.as_ref();
        if !(1..=100).contains(&jpeg_quality) {
            return Err(Error::setting(format!("expected a jpeg quality of 1 to 100, got {jpeg_quality}")));
        }
        let Some(format) = Format::of_path(path) else {
            let expected = format!("expected one of the extensions {}", Format::extensions());
            return Err(Error::setting(format!("{}: {expected}", path.display())));
        };
        self.check(path, format)?;
        let plan = Plan::new(self, format, path);
        let broken = |error: image::ImageError| Error::write(path, io::Error::other(error));
        let bytes = plan.encode(self, jpeg_quality).map_err(broken)?;
        write_atomically(path, &bytes).map_err(|error| Error::write(path, error))?;
        let all = self.image.pixels.iter().chain(self.alpha.iter().flatten());
        let clipped = all.filter(|x| !(0.0..=1.0).contains(*x)).count();
        Ok(Written { format, lost: plan.lost, clipped })
    }

    /// The image as the bytes of a PNG file.
    ///
    /// # Panics
    /// If the image is too large for a PNG file.
    pub fn to_png(&self) -> Vec<u8> {
        let plan = Plan::new(self, Format::Png, Path::new("image.png"));
        plan.encode(self, JPEG_QUALITY).expect("memory takes an image")
    }

    /// The same in base64, for embedding.
    ///
    /// # Panics
    /// As [`to_png`](Self::to_png).
    pub fn to_base64(&self) -> String {
        base64::engine::general_purpose::STANDARD.encode(self.to_png())
    }

    pub(super) fn check(&self, path: &Path, format: Format) -> Result<()> {
        let refused = |message: String| Err(Error::image(path.display().to_string(), message));
        let (height, width) = (self.image.height, self.image.width);
        let most = match format {
            Format::Webp => 16_383,
            Format::Jpeg | Format::Gif => 65_535,
            _ => i32::MAX as usize,
        };
        if height == 0 || width == 0 || height.max(width) > most {
            return refused(format!("expected 1 to {most} pixels a side of a {format}, got {height} rows of {width}"));
        }
        if self.image.pixels.iter().chain(self.alpha.iter().flatten()).any(|x| x.is_nan()) {
            return refused("expected numbers in every pixel, got a NaN".to_owned());
        }
        match &self.alpha {
            Some(alpha) if alpha.len() != height * width => {
                let expected = height * width;
                refused(format!("expected an alpha channel of {expected} values, got {}", alpha.len()))
            }
            _ => Ok(()),
        }
    }
}

/// What a format stores of a photo.
pub(super) struct Plan {
    pub(super) format: Format,
    pub(super) colour: ExtendedColorType,
    pub(super) channels: Channels,
    pub(super) alpha: bool,
    depth: Depth,
    pub(super) icc: bool,
    pub(super) exif: bool,
    xmp: bool,
    own: bool,
    density: bool,
    is_pam: bool,
    pub(super) lost: Vec<Loss>,
}

impl Plan {
    pub(super) fn new(photo: &Photo, format: Format, path: &Path) -> Plan {
        let is_pam = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pam"));
        let holds_alpha = match format {
            Format::Png | Format::Webp | Format::Tiff | Format::Bmp | Format::Gif => true,
            Format::Pnm => is_pam,
            Format::Jpeg => false,
        };
        let alpha = photo.alpha.is_some() && holds_alpha;
        let holds_sixteen = match format {
            Format::Png | Format::Tiff => true,
            // The library writes no PPM of 16 bits.
            Format::Pnm => is_pam || photo.image.channels == Channels::Grey,
            Format::Jpeg | Format::Webp | Format::Bmp | Format::Gif => false,
        };
        let depth = if holds_sixteen { photo.depth } else { Depth::Eight };
        let holds_grey = match format {
            Format::Png | Format::Jpeg => true,
            Format::Tiff => !alpha,
            // The library writes no PAM of grey and alpha in 16 bits.
            Format::Pnm => !alpha || depth == Depth::Eight,
            Format::Webp | Format::Bmp | Format::Gif => false,
        };
        let channels = if holds_grey { photo.image.channels } else { Channels::Rgb };
        let icc = photo.icc.as_deref().is_some_and(|icc| match format {
            Format::Jpeg => icc.len() <= JPEG_ICC && profile_fits(icc, channels),
            Format::Png | Format::Webp | Format::Tiff => profile_fits(icc, channels),
            Format::Bmp | Format::Gif | Format::Pnm => false,
        });
        let exif = photo.exif.as_deref().is_some_and(|exif| match format {
            Format::Jpeg => exif.len() <= JPEG_EXIF,
            Format::Png | Format::Webp | Format::Tiff => true,
            Format::Bmp | Format::Gif | Format::Pnm => false,
        });
        let xmp = photo.xmp.as_deref().is_some_and(|xmp| holds_xmp(format, xmp));
        let own = holds_text(format) && format == photo.format;
        let density = holds_density(format);
        let colour = match (channels, alpha, depth) {
            (Channels::Grey, false, Depth::Eight) => ExtendedColorType::L8,
            (Channels::Grey, true, Depth::Eight) => ExtendedColorType::La8,
            (Channels::Rgb, false, Depth::Eight) => ExtendedColorType::Rgb8,
            (Channels::Rgb, true, Depth::Eight) => ExtendedColorType::Rgba8,
            (Channels::Grey, false, Depth::Sixteen) => ExtendedColorType::L16,
            (Channels::Grey, true, Depth::Sixteen) => ExtendedColorType::La16,
            (Channels::Rgb, false, Depth::Sixteen) => ExtendedColorType::Rgb16,
            (Channels::Rgb, true, Depth::Sixteen) => ExtendedColorType::Rgba16,
        };
        let partly = |alpha: &[f32]| alpha.iter().any(|&x| !matches!(to_byte(x), 0 | u8::MAX));
        let loses_alpha = match &photo.alpha {
            Some(values) => !alpha || (format == Format::Gif && partly(values)),
            None => false,
        };
        let mut plan =
            Plan { format, colour, channels, alpha, depth, icc, exif, xmp, own, density, is_pam, lost: Vec::new() };
        let losses = [
            (loses_alpha, Loss::Alpha),
            (depth != photo.depth, Loss::Sixteen),
            (channels != photo.image.channels, Loss::Grey),
            (format == Format::Gif && has_more_colours(&plan.samples(photo), plan.values()), Loss::Colours),
            (photo.icc.is_some() && !icc, Loss::Icc),
            (photo.exif.is_some() && !exif, Loss::Exif),
            (photo.xmp.is_some() && !xmp, Loss::Xmp),
            (!photo.own.is_empty() && !own, Loss::Text),
            (photo.density.is_some() && !density, Loss::Density),
        ];
        // The palette of a GIF is made anew.
        let before = photo.lost.iter().filter(|loss| format != Format::Gif || **loss != Loss::Palette);
        plan.lost = losses.into_iter().filter(|(lost, _)| *lost).map(|(_, loss)| loss).chain(before.copied()).collect();
        plan.lost.sort_unstable();
        plan.lost.dedup();
        plan
    }

    /// What the library's encoders do not take.
    pub(super) fn extras<'p>(&self, photo: &'p Photo) -> Extras<'p> {
        Extras {
            xmp: photo.xmp.as_deref().filter(|_| self.xmp),
            own: if self.own { &photo.own } else { &[] },
            density: photo.density.filter(|_| self.density),
        }
    }

    /// Values per pixel in the file.
    fn values(&self) -> usize {
        self.channels.count() + usize::from(self.alpha)
    }

    /// The pixels in the file's type, two-byte values in native byte order.
    pub(super) fn samples(&self, photo: &Photo) -> Vec<u8> {
        let image = &photo.image;
        let mut samples = Vec::with_capacity(image.height * image.width * self.values() * self.depth.bytes());
        let mut push = |value: f32| match self.depth {
            Depth::Eight => samples.push(to_byte(value)),
            Depth::Sixteen => samples.extend(to_word(value).to_ne_bytes()),
        };
        let repeats = self.channels.count() / image.channels.count();
        let alpha = photo.alpha.as_deref().filter(|_| self.alpha);
        for (i, pixel) in image.pixels.chunks_exact(image.channels.count()).enumerate() {
            for _ in 0..repeats {
                pixel.iter().for_each(|&value| push(value));
            }
            if self.alpha {
                push(alpha.map_or(1.0, |alpha| alpha[i]));
            }
        }
        samples
    }

    fn encode(&self, photo: &Photo, jpeg_quality: u8) -> ImageResult<Vec<u8>> {
        let mut bytes = Cursor::new(Vec::new());
        let samples = self.samples(photo);
        let (height, width) = (photo.image.height as u32, photo.image.width as u32);
        match self.format {
            Format::Png => {
                let kind = (CompressionType::Default, FilterType::Adaptive);
                self.finish(PngEncoder::new_with_quality(&mut bytes, kind.0, kind.1), photo, &samples)?;
            }
            Format::Jpeg => {
                let mut encoder = JpegEncoder::new_with_quality(&mut bytes, jpeg_quality);
                if let Some(density) = photo.density {
                    let density = density.in_inches().map(|n| n.round().clamp(1.0, 65_535.0) as u16);
                    let unit = PixelDensityUnit::Inches;
                    encoder.set_pixel_density(PixelDensity { density: density.into(), unit });
                }
                self.finish(encoder, photo, &samples)?;
            }
            Format::Webp => self.finish(WebPEncoder::new_lossless(&mut bytes), photo, &samples)?,
            Format::Tiff => {
                let icc = photo.icc.as_deref().filter(|_| self.icc);
                tagged::page(&mut tagged::begin(&mut bytes)?, photo, (self.colour, &samples), icc)?;
            }
            Format::Bmp => self.finish(BmpEncoder::new(&mut bytes), photo, &samples)?,
            Format::Gif => {
                GifEncoder::new_with_speed(&mut bytes, GIF_SPEED).encode(&samples, width, height, self.colour)?;
            }
            Format::Pnm => {
                let encoder = PnmEncoder::new(&mut bytes);
                let (encoding, most) = (SampleEncoding::Binary, if self.depth == Depth::Eight { 255 } else { 65_535 });
                let encoder = match self.channels {
                    _ if self.is_pam => encoder.with_dynamic_header(),
                    Channels::Grey => {
                        encoder.with_header(GraymapHeader { encoding, height, width, maxwhite: most }.into())
                    }
                    Channels::Rgb => encoder.with_header(PixmapHeader { encoding, height, width, maxval: most }.into()),
                };
                self.finish(encoder, photo, &samples)?;
            }
        }
        Ok(extended(bytes.into_inner(), self.format, self.extras(photo)))
    }

    fn finish(&self, mut encoder: impl ImageEncoder, photo: &Photo, samples: &[u8]) -> ImageResult<()> {
        if let Some(icc) = photo.icc.as_ref().filter(|_| self.icc) {
            encoder.set_icc_profile(icc.clone()).map_err(image::ImageError::Unsupported)?;
        }
        if let Some(exif) = photo.exif.as_ref().filter(|_| self.exif) {
            encoder.set_exif_metadata(exif.clone()).map_err(image::ImageError::Unsupported)?;
        }
        encoder.write_image(samples, photo.image.width as u32, photo.image.height as u32, self.colour)
    }
}

fn has_more_colours(samples: &[u8], values: usize) -> bool {
    let mut colours = HashSet::new();
    samples.chunks_exact(values).any(|pixel| colours.insert(pixel) && colours.len() > GIF_COLOURS)
}

/// Writes a temporary file beside `path` and renames it. A file at `path` is unchanged until then.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut draft = Draft::of(path)?;
    // Not synced to disk: for a folder of ten thousand images that would take ten thousand waits.
    draft.write_all(bytes)?;
    draft.rename()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::Density;
    use crate::{Image, Limits};

    /// A colour profile, as far as this crate inspects it.
    fn profile(space: &[u8; 4]) -> Vec<u8> {
        let mut icc = vec![0u8; 132];
        icc[..4].copy_from_slice(&132u32.to_be_bytes());
        icc[12..16].copy_from_slice(b"mntr");
        icc[16..20].copy_from_slice(space);
        icc[20..24].copy_from_slice(b"XYZ ");
        icc[36..40].copy_from_slice(b"acsp");
        icc
    }

    /// An EXIF chunk with one entry, the maker.
    fn exif() -> Vec<u8> {
        [b"II*\0\x08\0\0\0\x01\0".as_slice(), b"\x0f\x01\x02\0\x03\0\0\0us\0\0", &[0; 4]].concat()
    }

    /// A smooth image that includes both ends of the range, with the levels of the depth.
    fn photo(channels: Channels, alpha: bool, depth: Depth) -> Photo {
        let levels = if depth == Depth::Eight { 255 } else { 65_535 };
        let (height, width) = (9, 7);
        let n = height * width * channels.count();
        let at = |i: usize, n: usize| (i * levels / (n - 1)) as f32 / levels as f32;
        let image = Image::new(height, width, channels, (0..n).map(|i| at(i, n)).collect());
        let alpha = alpha.then(|| (0..height * width).map(|i| at(height * width - 1 - i, height * width)).collect());
        let space = if channels == Channels::Grey { b"GRAY" } else { b"RGB " };
        Photo { alpha, depth, icc: Some(profile(space)), exif: Some(exif()), ..Photo::from(image) }
    }

    fn round_trip(photo: &Photo, name: &str) -> (Written, Photo) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let written = photo.write(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        photo.write(&path).unwrap();
        assert_eq!(bytes, std::fs::read(&path).unwrap(), "{name}: the same photo gives the same bytes");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{name}: nothing else is left behind");
        let read = Photo::read(&path, &Limits::default()).unwrap();
        let size = (read.image.height, read.image.width, read.image.channels);
        assert_eq!(Photo::size(&path, &Limits::default()).unwrap(), size, "{name}");
        (written, read)
    }

    fn check(name: &str, photo: &Photo, lost: &[Loss]) {
        let (written, mut read) = round_trip(photo, name);
        assert_eq!(written, Written { format: read.format, lost: lost.to_vec(), clipped: 0 }, "{name}");
        let has = |loss| lost.contains(&loss);
        let mut expected = Photo { format: read.format, ..photo.clone() };
        if has(Loss::Alpha) {
            expected.alpha = None;
        }
        if has(Loss::Sixteen) {
            expected.depth = Depth::Eight;
        }
        if has(Loss::Icc) {
            expected.icc = None;
        }
        if has(Loss::Exif) {
            expected.exif = None;
        }
        if has(Loss::Grey) {
            assert_eq!(read.image.channels, Channels::Rgb, "{name}");
            assert!(read.image.pixels.chunks_exact(3).all(|x| x[0] == x[1] && x[1] == x[2]), "{name}");
            let grey = read.image.pixels.iter().step_by(3).copied().collect();
            read.image = Image::new(read.image.height, read.image.width, Channels::Grey, grey);
        }
        let tolerance = match (read.format, has(Loss::Sixteen)) {
            (Format::Jpeg, _) => 0.06,
            (_, true) => 0.5 / 255.0 + 1e-6,
            (_, false) => 0.0,
        };
        let far = |a: &[f32], b: &[f32]| a.iter().zip(b).any(|(a, b)| (a - b).abs() > tolerance);
        assert_eq!(read.image.channels, expected.image.channels, "{name}");
        assert!(!far(&read.image.pixels, &expected.image.pixels), "{name}: {read:?}");
        assert_eq!(read.alpha.is_some(), expected.alpha.is_some(), "{name}");
        assert!(!far(&read.alpha.unwrap_or_default(), &expected.alpha.unwrap_or_default()), "{name}");
        assert_eq!((read.depth, &read.icc), (expected.depth, &expected.icc), "{name}");
        assert_eq!(read.exif, expected.exif, "{name}");
    }

    #[test]
    fn every_format_keeps_what_it_can_and_names_the_rest() {
        use Loss::{Alpha, Exif, Grey, Icc, Sixteen};
        for depth in [Depth::Eight, Depth::Sixteen] {
            let rounded: &[Loss] = if depth == Depth::Sixteen { &[Sixteen] } else { &[] };
            let with = |before: &[Loss], after: &[Loss]| [before, rounded, after].concat();
            for alpha in [false, true] {
                let no_alpha: &[Loss] = if alpha { &[Alpha] } else { &[] };
                let grey = photo(Channels::Grey, alpha, depth);
                let rgb = photo(Channels::Rgb, alpha, depth);
                check("a.png", &grey, &[]);
                check("a.png", &rgb, &[]);
                check("a.jpg", &grey, &with(no_alpha, &[]));
                check("a.jpg", &rgb, &with(no_alpha, &[]));
                check("a.webp", &grey, &with(&[], &[Grey, Icc]));
                check("a.webp", &rgb, &with(&[], &[]));
                check("a.tif", &grey, if alpha { &[Grey, Icc] } else { &[] });
                check("a.tif", &rgb, &[]);
                check("a.bmp", &grey, &with(&[], &[Grey, Icc, Exif]));
                check("a.bmp", &rgb, &with(&[], &[Icc, Exif]));
                check("a.pgm", &grey, &[no_alpha, &[Icc, Exif]].concat());
                check("a.ppm", &rgb, &with(no_alpha, &[Icc, Exif]));
                check("a.pam", &grey, if alpha && depth == Depth::Sixteen { &[Grey, Icc, Exif] } else { &[Icc, Exif] });
                check("a.pam", &rgb, &[Icc, Exif]);
            }
        }
        check("a.gif", &photo(Channels::Grey, false, Depth::Eight), &[Grey, Icc, Exif]);
        assert_eq!(
            round_trip(&photo(Channels::Rgb, true, Depth::Sixteen), "a.gif").0.lost,
            [Alpha, Sixteen, Icc, Exif],
            "63 pixels have few colours"
        );
        let many = Image::new(20, 20, Channels::Rgb, (0..1200).map(|i| i as f32 / 1199.0).collect());
        assert_eq!(round_trip(&many.into(), "a.gif").0.lost, [Loss::Colours]);
    }

    #[test]
    fn tags_of_a_tiff_go_to_other_formats_and_back() {
        let photo = Photo { density: Density::per_inch(96.0, 96.0), ..photo(Channels::Rgb, true, Depth::Sixteen) };
        let (_, tiff) = round_trip(&photo, "a.tif");
        let (_, png) = round_trip(&tiff, "a.png");
        let (_, again) = round_trip(&png, "b.tiff");
        let inches = |photo: &Photo| photo.density.map(|density| density.in_inches().map(f64::round));
        assert_eq!((&again.exif, inches(&again), &again.icc), (&photo.exif, inches(&photo), &photo.icc));
        assert_eq!((&again.image, &again.alpha), (&photo.image, &photo.alpha));
    }

    #[test]
    fn values_outside_of_the_range_are_clipped_and_counted() {
        let image = Image::new(1, 4, Channels::Grey, vec![-0.5, 0.0, 1.0, 1.5]);
        let (written, read) = round_trip(&image.into(), "a.png");
        assert_eq!((written.clipped, read.image.pixels), (2, vec![0.0, 0.0, 1.0, 1.0]));
    }

    #[test]
    fn what_cannot_be_written_is_refused_and_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.webp");
        std::fs::write(&path, "old").unwrap();
        let refused = |photo: &Photo, name: &str, expected: &str| {
            let error = photo.write(folder.path().join(name)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        let grey = |height, width, value| Photo::from(Image::filled(height, width, Channels::Grey, value));
        refused(&grey(1, 1, f32::NAN), "a.webp", "a.webp: expected numbers in every pixel, got a NaN");
        refused(&grey(1, 20_000, 0.0), "a.webp", "expected 1 to 16383 pixels a side of a webp, got 1 rows of 20000");
        refused(&grey(0, 3, 0.0), "a.webp", "got 0 rows of 3");
        refused(&grey(1, 1, 0.0), "a.heic", "expected one of the extensions .png");
        refused(&grey(1, 1, 0.0), "missing/a.png", "cannot write");
        refused(&Photo { alpha: Some(vec![1.0]), ..grey(1, 2, 0.0) }, "a.webp", "an alpha channel of 2 values, got 1");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(grey(1, 1, 0.0).write_with_quality(&path, 0).is_err());
    }

    #[test]
    fn a_profile_too_long_for_a_jpeg_is_lost_not_fatal() {
        let mut icc = profile(b"GRAY");
        icc.resize(JPEG_ICC + 1, 0);
        let grey = photo(Channels::Grey, false, Depth::Eight);
        let long = Photo { icc: Some(icc), exif: Some(vec![0; JPEG_EXIF + 1]), ..grey };
        assert_eq!(round_trip(&long, "a.jpg").0.lost, [Loss::Icc, Loss::Exif]);
    }
}
