//! Pictures into a compressed file and back: runs of pictures of one size, their pixels as levels of their file.
//!
//! A picture is one sample where the model sees pictures whole; else it is cut into pieces that do not overlap, so that
//! no pixel is paid for twice.

use std::io::{Read, Write};

use narrows_codec::{Chunk, Header, Plane, Reader, Shape, Writer, decode_codes, decode_plane, encode_codes, encode_plane};
use narrows_engine::Threads;
use narrows_pictures::{Channels, Depth, Photo, Picture};
use serde::{Deserialize, Serialize};

use super::account::Account;
use super::counted::Counted;
use super::fidelity::{Bound, Detail, Fidelity};
use super::identity::identity;
use super::kept;
use super::manifest::{self, Cells, From, PictureManifest, Run};
use super::reader::{check, damaged};
use super::writer::cannot_write;
use crate::codec::{Coding, Lattice, Quantiser};
use crate::error::{Error, Result};
use crate::fitted::{Fitted, ImagesIntake, ImagesLayout};

/// Values of a chunk.
const VALUES: usize = 1 << 22;
/// Pictures of a chunk.
const PICTURES: usize = 4096;
/// Levels that are tried for a bound.
const TRIED: std::ops::RangeInclusive<i32> = -2..=6;
/// Values that levels are tried on.
const TRIED_VALUES: usize = 1 << 18;
/// Values that go through the network together.
const TOGETHER: usize = 1 << 20;

const RUN: usize = 0;
const CODES: usize = 1;
const PIXELS: usize = 2;
const BESIDE: usize = 3;
const SECTIONS: usize = 4;

/// What a picture has beside its colours: its name, and what was in its file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Beside {
    /// Empty where it has none.
    name: String,
    /// Levels of the alpha channel.
    alpha: Option<Vec<u16>>,
    icc: Option<Vec<u8>>,
    exif: Option<Vec<u8>>,
}

/// A picture model, and what pictures become in it.
struct Passage<'a> {
    fitted: &'a Fitted,
    coding: &'a Coding,
    intake: ImagesIntake,
    threads: &'a Threads,
}

impl<'a> Passage<'a> {
    fn new(fitted: &'a Fitted, threads: &'a Threads) -> Result<Passage<'a>> {
        let coding = fitted.coding()?;
        let layout = fitted.images_intake()?.layout;
        // Pieces side by side.
        let stride = layout.stride.map(|_| layout.height.min(layout.width));
        let intake = ImagesIntake::new(ImagesLayout { stride, ..layout });
        Ok(Passage { fitted, coding, intake, threads })
    }

    /// Refuses a picture that would have to change its size or colours on the way.
    fn check(&self, name: &str, picture: &Picture) -> Result<()> {
        let ImagesLayout { height, width, channels, stride } = self.intake.layout;
        let place = || crate::error::Place::source(name);
        if picture.channels != channels {
            let message =
                format!("expected a {} picture, as the model sees them, got a {} one", channels.name(), picture.channels.name());
            return Err(Error::data(place(), message));
        }
        if stride.is_none() && (picture.height, picture.width) != (height, width) {
            let message =
                format!("expected {height} x {width} pixels, as the model sees whole, got {} x {}", picture.height, picture.width);
            let hint = "for pictures of any size fit with --set data.view=pieces";
            return Err(Error::data(place(), message).with_hint(hint));
        }
        Ok(())
    }

    fn codes(&self, pictures: &[Picture]) -> Vec<f32> {
        let mut codes = Vec::new();
        for some in together(pictures) {
            let values: Vec<f32> = some.iter().flat_map(|picture| self.intake.values(picture)).collect();
            codes.extend(self.fitted.judge.codes(&self.intake.prepared(values), self.threads));
        }
        codes
    }

    /// What codes say of pictures of this form.
    fn expected(&self, codes: &[f32], form: &Picture, n: usize) -> Vec<Picture> {
        let (k, samples) = (self.fitted.code_size(), self.intake.n_samples(form));
        let at_once = (TOGETHER / (samples * self.intake.width())).max(1);
        let mut pictures = Vec::with_capacity(n);
        for codes in codes.chunks(at_once * samples * k) {
            let output = self.fitted.judge.decode(codes, codes.len() / k, self.threads);
            pictures.extend(output.chunks_exact(samples * self.intake.width()).map(|values| self.intake.picture(values, form)));
        }
        pictures
    }
}

fn together(pictures: &[Picture]) -> impl Iterator<Item = &[Picture]> {
    let values = pictures.first().map_or(1, |picture| picture.pixels.len());
    pictures.chunks((TOGETHER / values.max(1)).max(1))
}

/// Pixels as levels of the file, `white` the largest.
fn levels(picture: &Picture, white: u32) -> impl Iterator<Item = f64> + '_ {
    picture.pixels.iter().map(move |pixel| (f64::from(*pixel) * f64::from(white)).round().clamp(0.0, f64::from(white)))
}

fn white(depth: Depth) -> u32 {
    match depth {
        Depth::Eight => 255,
        Depth::Sixteen => 65_535,
    }
}

/// Writes pictures as a compressed file.
pub struct PictureWriter<'a, W: Write> {
    passage: Passage<'a>,
    fidelity: Fidelity,
    sink: Option<W>,
    file: Option<(Writer<Counted<W>>, PictureManifest)>,
    waiting: Vec<(String, Photo)>,
    account: Account,
}

impl<'a, W: Write> PictureWriter<'a, W> {
    /// Prepares to write pictures to `sink`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of pictures or was fitted by a version without compression;
    /// [`Error::Recipe`] for a detail or a bound out of range.
    pub fn new(fitted: &'a Fitted, fidelity: Fidelity, sink: W, threads: &'a Threads) -> Result<PictureWriter<'a, W>> {
        let passage = Passage::new(fitted, threads)?;
        match fidelity {
            Fidelity::Code(detail) => detail.check()?,
            Fidelity::Within(Bound::Absolute(bound)) if bound < 1.0 => {
                let message = format!("expected at least 1 level of 255, got {bound}");
                return Err(Error::recipe("max-error", message).with_hint("no error at all: --lossless"));
            }
            Fidelity::Within(_) | Fidelity::Lossless => {}
        }
        Ok(PictureWriter { passage, fidelity, sink: Some(sink), file: None, waiting: Vec::new(), account: Account::default() })
    }

    /// Adds a picture; an empty name where a number will do.
    ///
    /// # Errors
    /// Where the picture does not fit the model, or the file cannot be written.
    pub fn push(&mut self, name: &str, photo: Photo) -> Result<()> {
        self.passage.check(name, &photo.picture)?;
        let form = |photo: &Photo| (photo.picture.height, photo.picture.width, photo.depth);
        let is_other = self.waiting.last().is_some_and(|(_, last)| form(last) != form(&photo));
        let values = self.waiting.len() * photo.picture.pixels.len();
        if is_other || values >= VALUES || self.waiting.len() >= PICTURES {
            self.flush()?;
        }
        self.waiting.push((name.to_owned(), photo));
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where no pictures came; where the file cannot be written.
    pub fn finish(mut self) -> Result<(W, Account)> {
        self.flush()?;
        let Some((writer, _)) = self.file else {
            return Err(Error::mismatch("expected pictures to compress, got none"));
        };
        let written = writer.finish().map_err(cannot_write)?;
        self.account.bytes = written.bytes;
        Ok((written.inner, self.account))
    }

    fn flush(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let Some((_, first)) = waiting.first() else { return Ok(()) };
        let white = white(first.depth);
        let beside: Vec<Beside> = waiting.iter().map(|(name, photo)| beside(name, photo, white)).collect();
        let pictures: Vec<Picture> = waiting.into_iter().map(|(_, photo)| photo.picture).collect();
        let form = pictures[0].clone();
        let codes = self.passage.codes(&pictures);
        if self.file.is_none() {
            self.open(&pictures, &codes, white)?;
        }
        let (writer, manifest) = self.file.as_mut().expect("opened above");
        let run = Run {
            height: form.height as u32,
            width: form.width as u32,
            channels: form.channels.count() as u8,
            white,
            count: pictures.len() as u32,
        };
        let packed = pack(&self.passage, manifest, &pictures, &codes, white);
        let beside = if beside.iter().all(|beside| *beside == Beside::default()) { Vec::new() } else { beside };
        let sections = [manifest::pack(&run), packed.codes, packed.pixels, kept::values(&beside)];
        let parts: Vec<&[u8]> = sections.iter().map(Vec::as_slice).collect();
        writer.chunk(pictures.len() as u64, &parts).map_err(cannot_write)?;
        let account = &mut self.account;
        account.rows += pictures.len() as u64;
        account.chunks += 1;
        account.level = manifest.level.into();
        account.codes += sections[CODES].len() as u64;
        account.residual += sections[PIXELS].len() as u64;
        account.kept += (sections[RUN].len() + sections[BESIDE].len()) as u64;
        for (picture, rebuilt) in pictures.iter().zip(packed.rebuilt) {
            account.values += picture.pixels.len() as u64;
            for (was, is) in levels(picture, white).zip(levels(&rebuilt, white)) {
                account.errors.push((is - was) / f64::from(white));
            }
        }
        Ok(())
    }

    /// Decides what the header says, by the first pictures, and writes it.
    fn open(&mut self, pictures: &[Picture], codes: &[f32], white: u32) -> Result<()> {
        let passage = &self.passage;
        let step = match self.fidelity {
            Fidelity::Code(_) => None,
            Fidelity::Lossless => Some(1),
            Fidelity::Within(bound) => {
                let levels = match bound {
                    Bound::Absolute(bound) => bound,
                    Bound::Share(share) => share * f64::from(white),
                };
                Some(2 * levels.min(f64::from(u16::MAX)) as u32 + 1)
            }
        };
        let manifest = match (step, self.fidelity) {
            (None, Fidelity::Code(Detail::Quality(quality))) => {
                PictureManifest { level: 5 - quality as i8, cells: None }
            }
            (None, Fidelity::Code(Detail::Bits(bits))) => {
                PictureManifest { level: passage.coding.quantiser.level_of(bits) as i8, cells: None }
            }
            (None, _) => PictureManifest { level: 0, cells: None },
            (Some(step), _) => self.best(step, pictures, codes, white),
        };
        let model = identity(passage.fitted, passage.coding);
        let header = Header { codec: manifest::PICTURES, model, settings: manifest::pack(&manifest) };
        let sink = Counted::new(self.sink.take().expect("opened once"));
        let writer = Writer::new(sink, &header).map_err(cannot_write)?;
        self.file = Some((writer, manifest));
        Ok(())
    }
}

impl<W: Write> PictureWriter<'_, W> {
    /// The rounding of codes and the start of cells that cost least on the first pictures, where a bit a value is worth
    /// half the error, as it is at any rate that is not too low.
    fn best(&self, step: u32, pictures: &[Picture], codes: &[f32], white: u32) -> PictureManifest {
        let some = (TRIED_VALUES / pictures[0].pixels.len()).clamp(1, pictures.len());
        let codes = &codes[..codes.len() / pictures.len() * some];
        let values: usize = pictures[..some].iter().map(|picture| picture.pixels.len()).sum();
        let cost = |manifest: &PictureManifest| {
            let packed = pack(&self.passage, manifest, &pictures[..some], codes, white);
            let errors = pictures[..some].iter().zip(&packed.rebuilt).flat_map(|(was, is)| {
                levels(was, white).zip(levels(is, white)).map(|(was, is)| (was - is) * (was - is))
            });
            // A twelfth is the error of levels themselves: nothing is gained below it.
            let error = errors.sum::<f64>() / values as f64 + 1.0 / 12.0;
            8.0 * (packed.codes.len() + packed.pixels.len()) as f64 / values as f64 + 0.5 * error.log2()
        };
        let starts: &[From] = if step == 1 { &[From::Black] } else { &[From::Black, From::Expected] };
        let levels = TRIED.chain([*Quantiser::LEVELS.end()]);
        let tried = levels.flat_map(|level| starts.iter().map(move |from| (level, *from)));
        let manifests = tried.map(|(level, from)| PictureManifest { level: level as i8, cells: Some(Cells { step, from }) });
        let costs = manifests.map(|manifest| (cost(&manifest), manifest));
        costs.min_by(|(a, _), (b, _)| a.total_cmp(b)).expect("levels are tried").1
    }
}

/// Levels of pixels as cells.
struct Counting {
    step: i64,
    /// The level that a pixel's cells are counted from.
    starts: Vec<i64>,
    /// Expected cells, in fixed point.
    guesses: Vec<i64>,
}

impl Counting {
    fn new(expected: &[Picture], cells: Cells, white: u32) -> Counting {
        let lattice = Lattice { step: f64::from(cells.step), bound: f64::from(cells.step) };
        let pixels = || expected.iter().flat_map(|picture| picture.pixels.iter().map(|p| f64::from(*p) * f64::from(white)));
        let starts: Vec<i64> = match cells.from {
            From::Black => vec![0; pixels().count()],
            From::Expected => pixels().map(|level| level.round() as i64).collect(),
        };
        let guesses = pixels().zip(&starts).map(|(level, start)| lattice.guess(level - *start as f64)).collect();
        Counting { step: cells.step.into(), starts, guesses }
    }

    fn place(&self, level: f64, start: i64) -> i64 {
        ((level - start as f64) / self.step as f64).round() as i64
    }

    /// Tells of a machine that expects other pixels.
    fn checksum(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        self.starts.iter().for_each(|start| hasher.update(&start.to_le_bytes()));
        hasher.finalize()
    }

    fn pictures(&self, places: &[i64], form: &Picture, white: u32) -> Vec<Picture> {
        let level = |(place, start): (&i64, &i64)| {
            let level = place.saturating_mul(self.step).saturating_add(*start).clamp(0, white.into());
            (level as f64 / f64::from(white)) as f32
        };
        let pixels: Vec<f32> = places.iter().zip(&self.starts).map(level).collect();
        let picture = |pixels: &[f32]| Picture::new(form.height, form.width, form.channels, pixels.to_vec());
        pixels.chunks_exact(form.pixels.len()).map(picture).collect()
    }
}

struct Packed {
    codes: Vec<u8>,
    pixels: Vec<u8>,
    rebuilt: Vec<Picture>,
}

/// Pictures of one size with their codes rounded as the manifest says.
fn pack(passage: &Passage<'_>, manifest: &PictureManifest, pictures: &[Picture], codes: &[f32], white: u32) -> Packed {
    let quantiser = &passage.coding.quantiser;
    let level = i32::from(manifest.level);
    let symbols = quantiser.symbols(codes, level);
    let tables = quantiser.tables(passage.fitted.code_size(), level);
    let form = &pictures[0];
    let expected = passage.expected(&quantiser.codes(&symbols, level), form, pictures.len());
    let codes = encode_codes(&symbols, &tables);
    let Some(cells) = manifest.cells else {
        return Packed { codes, pixels: Vec::new(), rebuilt: expected };
    };
    let counted = Counting::new(&expected, cells, white);
    let pixels = pictures.iter().flat_map(|picture| levels(picture, white));
    let places: Vec<i64> = pixels.zip(&counted.starts).map(|(level, start)| counted.place(level, *start)).collect();
    let plane = Plane { shape: shape(form, pictures.len()), guesses: &counted.guesses };
    let mut pixels = encode_plane(&places, &plane);
    pixels.extend(counted.checksum().to_le_bytes());
    Packed { codes, pixels, rebuilt: counted.pictures(&places, form, white) }
}

fn shape(form: &Picture, count: usize) -> Shape {
    Shape::Pictures { count, height: form.height, width: form.width, channels: form.channels.count() }
}

fn beside(name: &str, photo: &Photo, white: u32) -> Beside {
    let alpha = |alpha: &Vec<f32>| alpha.iter().map(|a| (a * white as f32).round() as u16).collect();
    Beside { name: name.to_owned(), alpha: photo.alpha.as_ref().map(alpha), icc: photo.icc.clone(), exif: photo.exif.clone() }
}

/// Reads the pictures of a compressed file.
pub struct PictureReader<'a, R> {
    passage: Passage<'a>,
    manifest: PictureManifest,
    reader: Reader<R>,
}

impl<'a, R: Read> PictureReader<'a, R> {
    /// Reads the header, from a pipe if need be.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where it is no such file, of a newer version, damaged, or made with another model.
    pub fn new(fitted: &'a Fitted, source: R, threads: &'a Threads) -> Result<PictureReader<'a, R>> {
        let reader = Reader::new(source).map_err(damaged)?;
        check(fitted, reader.header(), manifest::PICTURES)?;
        let manifest: PictureManifest =
            manifest::unpack(&reader.header().settings, "the header").map_err(Error::mismatch)?;
        if manifest.cells.is_some_and(|cells| cells.step.is_multiple_of(2)) || !Quantiser::LEVELS.contains(&i32::from(manifest.level)) {
            return Err(Error::mismatch("the header is damaged: it asks for a rounding that does not exist"));
        }
        Ok(PictureReader { passage: Passage::new(fitted, threads)?, manifest, reader })
    }

    /// The next pictures with their names, empty where they have none; none at the end.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the file is damaged, or this machine's arithmetic is not the one it was made with.
    pub fn next_pictures(&mut self) -> Result<Option<Vec<(String, Photo)>>> {
        let chunk = self.reader.next_chunk().map_err(damaged)?;
        chunk.map(|chunk| self.unpack(&chunk)).transpose()
    }

    fn unpack(&self, chunk: &Chunk) -> Result<Vec<(String, Photo)>> {
        let bad = |message: &str| Error::mismatch(format!("a run of pictures is damaged: {message}"));
        let sections = &chunk.sections;
        if sections.len() != SECTIONS {
            return Err(bad("its sections are not those of pictures"));
        }
        let run: Run = manifest::unpack(&sections[RUN], "a run of pictures").map_err(Error::mismatch)?;
        let channels = match run.channels {
            1 => Channels::Grey,
            3 => Channels::Rgb,
            _ => return Err(bad("pictures have 1 or 3 channels")),
        };
        let (height, width, n) = (run.height as usize, run.width as usize, run.count as usize);
        let depth = match run.white {
            255 => Depth::Eight,
            65_535 => Depth::Sixteen,
            _ => return Err(bad("pictures have 8 or 16 bits")),
        };
        let values = [height, width, channels.count(), n].into_iter().try_fold(1_usize, usize::checked_mul);
        let is_large = height.max(width) > 1 << 16 || values.is_none_or(|values| values == 0 || values > 1 << 31);
        if is_large || chunk.rows != u64::from(run.count)  {
            return Err(bad("its size is not possible"));
        }
        let form = Picture::new(height, width, channels, vec![0.0; height * width * channels.count()]);
        self.passage.check("the compressed file", &form)?;
        let quantiser = &self.passage.coding.quantiser;
        let level = i32::from(self.manifest.level);
        let samples = self.passage.intake.n_samples(&form) * n;
        let tables = quantiser.tables(self.passage.fitted.code_size(), level);
        let symbols = decode_codes(&sections[CODES], samples, &tables).map_err(damaged)?;
        let expected = self.passage.expected(&quantiser.codes(&symbols, level), &form, n);
        let pictures = match self.manifest.cells {
            None => expected,
            Some(cells) => {
                let counting = Counting::new(&expected, cells, run.white);
                let plane = Plane { shape: shape(&form, n), guesses: &counting.guesses };
                let (pixels, stored) = sections[PIXELS].split_last_chunk().ok_or_else(|| bad("it has no pixels"))?;
                let places = decode_plane(pixels, &plane).map_err(damaged)?;
                if counting.checksum() != u32::from_le_bytes(*stored) {
                    return Err(bad("this machine expects other pixels than the one that wrote it"));
                }
                counting.pictures(&places, &form, run.white)
            }
        };
        let mut beside: Vec<Beside> =
            kept::read_values(&sections[BESIDE], "what pictures have beside their pixels").map_err(Error::mismatch)?;
        if beside.is_empty() {
            beside = vec![Beside::default(); n];
        }
        let fits = |beside: &Beside| beside.alpha.as_ref().is_none_or(|alpha| alpha.len() == height * width);
        if beside.len() != n || !beside.iter().all(fits) {
            return Err(bad("what is beside the pixels does not fit them"));
        }
        let photo = |(picture, beside): (Picture, Beside)| {
            let alpha = beside.alpha.map(|alpha| alpha.iter().map(|a| f32::from(*a) / run.white as f32).collect());
            (beside.name, Photo { alpha, depth, icc: beside.icc, exif: beside.exif, ..Photo::from(picture) })
        };
        Ok(pictures.into_iter().zip(beside).map(photo).collect())
    }
}
