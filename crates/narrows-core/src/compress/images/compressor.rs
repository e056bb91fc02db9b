//! Streaming compression of images.

use std::io::Write;

use narrows_codec::{Header, Plane, VERSION, Writer, encode_codes, encode_plane};
use narrows_images::{Image, Photo};

use super::super::account::Account;
use super::super::compressor::cannot_write;
use super::super::counted::Counted;
use super::super::fidelity::{CodeDetail, ErrorBound, Fidelity};
use super::super::kept;
use super::super::manifest::{self, ImageManifest, ImageRun, Start};
use super::blocks::{BlockCoder, Fineness};
use super::cells::{Counting, checksum};
use super::coder::{ImageChunkCoder, levels, shape, white};
use super::{BESIDE, Beside, CODES, Further, PIXELS, RUN};
use crate::codec::{Quantiser, blocks};
use crate::error::{Error, Hint, Place, Result};
use crate::fitted::ImageModel;

/// Values per chunk.
const VALUES: usize = 1 << 22;
/// Images per chunk.
const IMAGES: usize = 4096;
/// Quantiser levels that are tried for a bound.
const TRIED: std::ops::RangeInclusive<i32> = -2..=6;
/// The same of blocks, in finer levels; at the last everything is zero.
const TRIED_OF_BLOCKS: [i32; 6] = [-8, 0, 8, 16, 24, blocks::EVERYTHING_ZERO];
/// Values that levels are tried on.
const TRIED_VALUES: usize = 1 << 18;

/// Writes images as a compressed file.
pub struct ImageCompressor<W: Write> {
    coder: ImageChunkCoder,
    fidelity: Fidelity,
    sink: Option<W>,
    file: Option<(Writer<Counted<W>>, ImageManifest)>,
    waiting: Vec<(String, Photo)>,
    account: Account,
}

impl<W: Write> ImageCompressor<W> {
    /// Prepares to write images to `sink`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the model is not of images or was fitted by a version without compression;
    /// [`Error::Recipe`] for a detail or a bound out of range.
    pub fn new(model: &ImageModel, fidelity: Fidelity, sink: W) -> Result<ImageCompressor<W>> {
        let coder = ImageChunkCoder::new(model)?;
        match fidelity {
            Fidelity::Code(detail) => detail.check()?,
            Fidelity::Within(ErrorBound::Absolute(bound)) if bound < 1.0 => {
                let message = format!("expected at least 1 level of 255, got {bound}");
                return Err(Error::recipe("max_error", message).with_hint(Hint::of("no error at all: [lossless]")));
            }
            Fidelity::Within(_) | Fidelity::Lossless => {}
        }
        Ok(ImageCompressor {
            coder,
            fidelity,
            sink: Some(sink),
            file: None,
            waiting: Vec::new(),
            account: Account::default(),
        })
    }

    /// Adds an image; with an empty name it is numbered.
    ///
    /// # Errors
    /// If the image does not fit the model, or the file cannot be written.
    pub fn push(&mut self, name: &str, photo: Photo) -> Result<()> {
        self.push_as(name, name, photo)
    }

    /// Adds an image that is stored under the name `stored`, which pages of one file share, and called `name` in errors.
    ///
    /// # Errors
    /// As [`ImageCompressor::push`].
    pub fn push_as(&mut self, name: &str, stored: &str, photo: Photo) -> Result<()> {
        self.coder.check(name, &photo.image)?;
        self.refuse_changed(name, &photo)?;
        let form = |photo: &Photo| (photo.image.height, photo.image.width, photo.image.channels, photo.depth);
        let is_other = self.waiting.last().is_some_and(|(_, last)| form(last) != form(&photo));
        let values = self.waiting.len() * photo.image.pixels.len();
        if is_other || values >= VALUES || self.waiting.len() >= IMAGES {
            self.flush()?;
        }
        self.waiting.push((stored.to_owned(), photo));
        Ok(())
    }

    /// Finishes the file.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if no images were added; if the file cannot be written.
    pub fn finish(mut self) -> Result<(W, Account)> {
        self.flush()?;
        let Some((writer, _)) = self.file else {
            return Err(Error::mismatch("expected images to compress, got none"));
        };
        let written = writer.finish().map_err(cannot_write)?;
        self.account.bytes = written.bytes;
        Ok((written.inner, self.account))
    }

    /// Rejects, if nothing may be lost, an image that lost something when it was read.
    fn refuse_changed(&self, name: &str, photo: &Photo) -> Result<()> {
        let changed = photo.lost.iter().find(|loss| loss.changes_pixels());
        match changed.filter(|_| self.fidelity == Fidelity::Lossless) {
            None => Ok(()),
            Some(loss) => {
                let message =
                    format!("expected an image that can be kept without loss, got one that is read without {loss}");
                let hint = Hint::of("leave it out, or do without [lossless]");
                Err(Error::data(Place::source(name), message).with_hint(hint))
            }
        }
    }

    fn flush(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let Some((_, first)) = waiting.first() else { return Ok(()) };
        let white = white(first.depth);
        let beside: Vec<Beside> = waiting.iter().map(|(name, photo)| beside(name, photo, white)).collect();
        let further: Vec<Further> = waiting.iter().map(|(_, photo)| Further::of(photo)).collect();
        let images: Vec<Image> = waiting.into_iter().map(|(_, photo)| photo.image).collect();
        let form = images[0].clone();
        let codes = if self.coder.coding().maps.is_some() { Vec::new() } else { self.coder.codes(&images) };
        if self.file.is_none() {
            self.open(&images, &codes, white)?;
        }
        let (writer, manifest) = self.file.as_mut().expect("opened above");
        let run = ImageRun {
            height: form.height as u32,
            width: form.width as u32,
            channels: form.channels.count() as u8,
            white,
            count: images.len() as u32,
        };
        let packed = pack(&self.coder, manifest, &images, &codes, white);
        let beside = if beside.iter().all(|beside| *beside == Beside::default()) { Vec::new() } else { beside };
        let mut sections = vec![
            manifest::pack(&run),
            packed.codes,
            packed.pixels,
            kept::values(&beside, kept::LARGEST).map_err(Error::mismatch)?,
        ];
        if further.iter().any(|further| *further != Further::default()) {
            sections.push(kept::values(&further, kept::LARGEST).map_err(Error::mismatch)?);
        }
        let parts: Vec<&[u8]> = sections.iter().map(Vec::as_slice).collect();
        writer.chunk(images.len() as u64, &parts).map_err(cannot_write)?;
        let account = &mut self.account;
        account.rows += images.len() as u64;
        account.chunks += 1;
        account.level = manifest.level.into();
        account.codes += sections[CODES].len() as u64;
        account.residual += sections[PIXELS].len() as u64;
        account.kept += (sections[RUN].len() + sections[BESIDE..].iter().map(Vec::len).sum::<usize>()) as u64;
        for (image, rebuilt) in images.iter().zip(packed.rebuilt) {
            account.values += image.pixels.len() as u64;
            for (was, is) in levels(image, white).zip(levels(&rebuilt, white)) {
                account.errors.push((is - was) / f64::from(white));
            }
        }
        Ok(())
    }

    /// Chooses the header from the first images and writes it.
    fn open(&mut self, images: &[Image], codes: &[f32], white: u32) -> Result<()> {
        let coder = &self.coder;
        let quantiser = &coder.coding().quantiser;
        let manifest = match (self.fidelity, self.fidelity.image_step(white)) {
            (Fidelity::Code(detail), _) if coder.coding().maps.is_some() => {
                let level = match detail.rate() {
                    Fineness::Level(level) => level,
                    Fineness::Bits(_) => 0,
                };
                self.manifest(level, Start::Black)
            }
            (Fidelity::Code(detail), _) => self.manifest(detail.level(quantiser), Start::Black),
            (_, step) => self.best(step.unwrap_or(1), images, codes, white),
        };
        let model = coder.identity();
        let settings = manifest::pack(&manifest);
        let header = Header { version: VERSION, codec: manifest::IMAGES, model, settings };
        let sink = Counted::new(self.sink.take().expect("opened once"));
        let writer = Writer::new(sink, &header).map_err(cannot_write)?;
        self.file = Some((writer, manifest));
        Ok(())
    }
}

impl<W: Write> ImageCompressor<W> {
    fn manifest(&self, level: i32, start: Start) -> ImageManifest {
        ImageManifest { level: level as i8, fidelity: self.fidelity, start }
    }

    /// The quantiser level and cell origin with the lowest cost on the first images, where one bit per value is worth
    /// half the error, as at any rate that is not too low.
    fn best(&self, step: u32, images: &[Image], codes: &[f32], white: u32) -> ImageManifest {
        let some = (TRIED_VALUES / images[0].pixels.len()).clamp(1, images.len());
        let codes = &codes[..codes.len() / images.len() * some];
        let values: usize = images[..some].iter().map(|image| image.pixels.len()).sum();
        let cost = |manifest: &ImageManifest| {
            let packed = pack(&self.coder, manifest, &images[..some], codes, white);
            let errors = images[..some].iter().zip(&packed.rebuilt).flat_map(|(was, is)| {
                levels(was, white).zip(levels(is, white)).map(|(was, is)| (was - is) * (was - is))
            });
            // 1/12 is the quantisation error of integer levels, a lower limit.
            let error = errors.sum::<f64>() / values as f64 + 1.0 / 12.0;
            8.0 * (packed.codes.len() + packed.pixels.len()) as f64 / values as f64 + 0.5 * error.log2()
        };
        let starts: &[Start] = if step == 1 { &[Start::Black] } else { &[Start::Black, Start::Expected] };
        let levels: Vec<i32> = match self.coder.coding().maps {
            Some(_) => TRIED_OF_BLOCKS.to_vec(),
            None => TRIED.chain([*Quantiser::LEVELS.end()]).collect(),
        };
        let manifests = levels.iter().flat_map(|level| starts.iter().map(|start| self.manifest(*level, *start)));
        let costs = manifests.map(|manifest| (cost(&manifest), manifest));
        costs.min_by(|(a, _), (b, _)| a.total_cmp(b)).expect("levels are tried").1
    }
}

struct PackedImages {
    codes: Vec<u8>,
    pixels: Vec<u8>,
    rebuilt: Vec<Image>,
}

/// Packs images of one size with codes quantised as in the manifest.
fn pack(
    coder: &ImageChunkCoder,
    manifest: &ImageManifest,
    images: &[Image],
    codes: &[f32],
    white: u32,
) -> PackedImages {
    let form = &images[0];
    let (codes, expected) = coded(coder, manifest, images, codes);
    let Some(step) = manifest.fidelity.image_step(white) else {
        let pixels = checksum(&expected, white).to_le_bytes().to_vec();
        return PackedImages { codes, pixels, rebuilt: expected };
    };
    let counted = Counting::new(&expected, step, manifest.start, white);
    let pixels = images.iter().flat_map(|image| levels(image, white));
    let places: Vec<i64> = pixels.zip(&counted.starts).map(|(level, start)| counted.place(level, *start)).collect();
    let plane = Plane { shape: shape(form, images.len()), guesses: &counted.guesses };
    let mut pixels = encode_plane(&places, &plane);
    pixels.extend(counted.checksum().to_le_bytes());
    PackedImages { codes, pixels, rebuilt: counted.images(&places, form, white) }
}

/// The section of codes, and what it decodes to.
fn coded(coder: &ImageChunkCoder, manifest: &ImageManifest, images: &[Image], codes: &[f32]) -> (Vec<u8>, Vec<Image>) {
    let level = i32::from(manifest.level);
    if let Some(coder) = BlockCoder::of(coder) {
        let rate = match manifest.fidelity {
            Fidelity::Code(detail) => detail.rate(),
            Fidelity::Within(_) | Fidelity::Lossless => Fineness::Level(level),
        };
        let (packed, expected) = coder.encode(images, rate);
        return (manifest::pack(&packed), expected);
    }
    let quantiser = &coder.coding().quantiser;
    let symbols = quantiser.symbols(codes, level);
    let tables = quantiser.tables(coder.core.code_size(), level);
    let expected = coder.expected(&quantiser.codes(&symbols, level), &images[0], images.len());
    (encode_codes(&symbols, &tables), expected)
}

impl CodeDetail {
    /// How finely blocks are rounded.
    fn rate(self) -> Fineness {
        match self {
            CodeDetail::Own => Fineness::Level(0),
            CodeDetail::Quality(quality) => Fineness::Level((5 - i32::from(quality)) * blocks::LEVELS_A_DOUBLING),
            CodeDetail::Bits(bits) => Fineness::Bits(bits),
        }
    }
}

fn beside(name: &str, photo: &Photo, white: u32) -> Beside {
    let alpha = |alpha: &Vec<f32>| alpha.iter().map(|a| (a * white as f32).round() as u16).collect();
    Beside {
        name: name.to_owned(),
        alpha: photo.alpha.as_ref().map(alpha),
        icc: photo.icc.clone(),
        exif: photo.exif.clone(),
    }
}
