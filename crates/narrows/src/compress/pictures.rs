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
use super::manifest::{self, PictureManifest, Run};
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

/// What a picture has beside its colours, as it was in its file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Beside {
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

    /// Adds a picture; an empty name where the file names it.
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
        let (names, photos): (Vec<String>, Vec<Photo>) = waiting.into_iter().unzip();
        let beside: Vec<Beside> = photos.iter().map(|photo| beside(photo, white)).collect();
        let pictures: Vec<Picture> = photos.into_iter().map(|photo| photo.picture).collect();
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
            names: if names.iter().all(String::is_empty) { Vec::new() } else { names },
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
        let level = match self.fidelity {
            Fidelity::Code(Detail::Own) => 0,
            Fidelity::Code(Detail::Quality(quality)) => 5 - i32::from(quality),
            Fidelity::Code(Detail::Bits(bits)) => passage.coding.quantiser.level_of(bits),
            Fidelity::Within(_) | Fidelity::Lossless => {
                let some = (TRIED_VALUES / pictures[0].pixels.len()).clamp(1, pictures.len());
                let codes = &codes[..codes.len() / pictures.len() * some];
                let mut best = (usize::MAX, 0);
                for level in TRIED.chain([*Quantiser::LEVELS.end()]) {
                    let manifest = PictureManifest { level: level as i8, step };
                    let packed = pack(passage, &manifest, &pictures[..some], codes, white);
                    best = best.min((packed.codes.len() + packed.pixels.len(), level));
                }
                best.1
            }
        };
        let manifest = PictureManifest { level: level as i8, step };
        let model = identity(passage.fitted, passage.coding);
        let header = Header { codec: manifest::PICTURES, model, settings: manifest::pack(&manifest) };
        let sink = Counted::new(self.sink.take().expect("opened once"));
        let writer = Writer::new(sink, &header).map_err(cannot_write)?;
        self.file = Some((writer, manifest));
        Ok(())
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
    let Some(step) = manifest.step else {
        return Packed { codes, pixels: Vec::new(), rebuilt: expected };
    };
    let lattice = Lattice { step: f64::from(step), bound: f64::from(step) };
    let guesses = guesses(&expected, lattice, white);
    let place = |level: f64| (level / lattice.step).round() as i64;
    let places: Vec<i64> = pictures.iter().flat_map(|picture| levels(picture, white).map(place)).collect();
    let pixels = encode_plane(&places, &Plane { shape: shape(form, pictures.len()), guesses: &guesses });
    Packed { codes, pixels, rebuilt: from_places(&places, lattice, form, white) }
}

fn guesses(expected: &[Picture], lattice: Lattice, white: u32) -> Vec<i64> {
    let guess = |pixel: &f32| lattice.guess(f64::from(*pixel) * f64::from(white));
    expected.iter().flat_map(|picture| picture.pixels.iter().map(guess)).collect()
}

fn from_places(places: &[i64], lattice: Lattice, form: &Picture, white: u32) -> Vec<Picture> {
    let pixel = |place: &i64| (lattice.value(*place).clamp(0.0, f64::from(white)) / f64::from(white)) as f32;
    let picture = |places: &[i64]| Picture::new(form.height, form.width, form.channels, places.iter().map(pixel).collect());
    places.chunks_exact(form.pixels.len()).map(picture).collect()
}

fn shape(form: &Picture, count: usize) -> Shape {
    Shape::Pictures { count, height: form.height, width: form.width, channels: form.channels.count() }
}

fn beside(photo: &Photo, white: u32) -> Beside {
    let alpha = |alpha: &Vec<f32>| alpha.iter().map(|a| (a * white as f32).round() as u16).collect();
    Beside { alpha: photo.alpha.as_ref().map(alpha), icc: photo.icc.clone(), exif: photo.exif.clone() }
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
        if manifest.step == Some(0) || !Quantiser::LEVELS.contains(&i32::from(manifest.level)) {
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
        if is_large || chunk.rows != u64::from(run.count) || !(run.names.is_empty() || run.names.len() == n) {
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
        let pictures = match self.manifest.step {
            None => expected,
            Some(step) => {
                let lattice = Lattice { step: f64::from(step), bound: f64::from(step) };
                let guesses = guesses(&expected, lattice, run.white);
                let plane = Plane { shape: shape(&form, n), guesses: &guesses };
                from_places(&decode_plane(&sections[PIXELS], &plane).map_err(damaged)?, lattice, &form, run.white)
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
        let names = if run.names.is_empty() { vec![String::new(); n] } else { run.names };
        let photo = |(picture, beside): (Picture, Beside)| {
            let alpha = beside.alpha.map(|alpha| alpha.iter().map(|a| f32::from(*a) / run.white as f32).collect());
            Photo { alpha, depth, icc: beside.icc, exif: beside.exif, ..Photo::from(picture) }
        };
        Ok(names.into_iter().zip(pictures.into_iter().zip(beside).map(photo)).collect())
    }
}
