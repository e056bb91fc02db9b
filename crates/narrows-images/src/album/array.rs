//! Images in one array file: IDX and NumPy. Kept in memory in the file's type, one or two bytes per value.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::{idx, numpy};
use crate::compact::Values;
use crate::file::{Depth, open_regular};
use crate::{Channels, Error, Image, Limits, Result};

/// Images of one size.
#[derive(Debug)]
pub(super) struct Array {
    place: String,
    count: usize,
    height: usize,
    width: usize,
    channels: Channels,
    /// `[count, height, width, channels]`
    values: Values,
    /// Whether three dimensions were read as one image with its channels.
    is_one: bool,
}

/// The validated shape of an array of images.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) count: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: Channels,
    /// Whether three dimensions were read as one image with its channels.
    pub(super) is_one: bool,
}

/// Opens an array file; `None` if the file is not an array but possibly an image.
pub(super) fn open(path: &Path, limits: &Limits) -> Result<Option<Array>> {
    let attempt = || {
        let mut file = open_regular(path)?;
        let mut magic = Vec::new();
        file.by_ref().take(8).read_to_end(&mut magic)?;
        file.seek(SeekFrom::Start(0))?;
        let length = file.metadata()?.len();
        std::io::Result::Ok((file, magic, length))
    };
    let (file, magic, length) = attempt().map_err(|error| Error::read(path, error))?;
    let place = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    match magic.as_slice() {
        [b'P', b'K', 3, 4, ..] => numpy::npz(path, None, limits).map(Some),
        [0x1f, 0x8b, ..] => {
            let mut plain = MultiGzDecoder::new(BufReader::new(file));
            let mut magic = Vec::new();
            plain.by_ref().take(8).read_to_end(&mut magic).map_err(|error| Error::read(path, error))?;
            let kind = magic.clone();
            let mut source = Source { reader: Box::new(Cursor::new(magic).chain(plain)), length: None, place };
            match known(&kind) {
                Some(read) => read(&mut source, &limits.unfolding(length)).map(Some),
                None => Err(source.refused("expected an idx or a numpy array in the gzip file, got something else")),
            }
        }
        magic => match known(magic) {
            Some(read) => {
                let reader = Box::new(BufReader::new(file));
                read(&mut Source { reader, length: Some(length), place }, limits).map(Some)
            }
            None => Ok(None),
        },
    }
}

/// Whether a file starts like an array of images: IDX of bytes, NumPy of at least three dimensions, or an archive of
/// exactly one such array.
pub(super) fn looks_like_images(path: &Path) -> bool {
    let head = || {
        let mut head = Vec::new();
        File::open(path)?.take(HEAD).read_to_end(&mut head)?;
        if let [0x1f, 0x8b, ..] = head[..] {
            let mut plain = Vec::new();
            // A truncated read is not an error here.
            let _ = MultiGzDecoder::new(&head[..]).take(HEAD).read_to_end(&mut plain);
            head = plain;
        }
        std::io::Result::Ok(head)
    };
    let head = head().unwrap_or_default();
    match head.as_slice() {
        [0, 0, 0x08, 3 | 4, ..] => true,
        [b'P', b'K', 3, 4, ..] => numpy::first_bytes(path, HEAD).is_some_and(|head| has_images_shape(&head)),
        head => has_images_shape(head),
    }
}

/// Whether a NumPy header has at least three dimensions.
fn has_images_shape(head: &[u8]) -> bool {
    match head {
        // The header is text: {'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), }
        [0x93, b'N', b'U', b'M', b'P', b'Y', rest @ ..] => {
            let text = String::from_utf8_lossy(rest);
            let shape = text.split("'shape':").nth(1).and_then(|rest| rest.split(['(', ')']).nth(1));
            shape.is_some_and(|shape| shape.split(',').filter(|side| !side.trim().is_empty()).count() >= 3)
        }
        _ => false,
    }
}

/// Bytes sufficient for a header.
const HEAD: u64 = 4096;

type ReadArray = fn(&mut Source, &Limits) -> Result<Array>;

fn known(magic: &[u8]) -> Option<ReadArray> {
    match magic {
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Some(numpy::npy),
        [0, 0, 0x08 | 0x09 | 0x0b..=0x0e, 1..=255, ..] => Some(idx::read),
        _ => None,
    }
}

/// The bytes of an array's file.
pub(super) struct Source<'a> {
    pub(super) reader: Box<dyn Read + 'a>,
    /// Number of bytes, if known.
    pub(super) length: Option<u64>,
    /// Name for messages.
    pub(super) place: String,
}

impl Source<'_> {
    pub(super) fn refused(&self, message: impl Into<String>) -> Error {
        Error::image(&self.place, message)
    }

    /// The next `count` bytes. Memory grows with the bytes read, not with the size in the header.
    pub(super) fn bytes(&mut self, count: u64, what: &str) -> Result<Vec<u8>> {
        let short = |source: &Source, got: u64| source.refused(format!("expected {count} bytes of {what}, got {got}"));
        let mut bytes = Vec::new();
        if let Some(length) = &mut self.length {
            if *length < count {
                let got = *length;
                return Err(short(self, got));
            }
            *length -= count;
            let _ = bytes.try_reserve_exact(usize::try_from(count).unwrap_or(usize::MAX));
        }
        let read = self.reader.by_ref().take(count).read_to_end(&mut bytes);
        let got =
            read.map_err(|error| self.refused(format!("expected {count} bytes of {what}, got an error: {error}")))?;
        if (got as u64) < count { Err(short(self, got as u64)) } else { Ok(bytes) }
    }
}

impl Shape {
    /// Images of `shape`, `[n, height, width]` or `[n, height, width, 1 or 3]`, with `bytes` bytes per value. Images of
    /// three pixels width are rather one image of three channels.
    pub(super) fn new(shape: &[usize], bytes: usize, place: &str, limits: &Limits) -> Result<Shape> {
        let is_one = matches!(*shape, [height, width, 3] if height > 3 && width > 3);
        let (count, height, width, channels) = match *shape {
            [height, width, 3] if is_one => (1, height, width, Channels::Rgb),
            [height, width, 4] if height > 4 && width > 4 => {
                let message = format!(
                    "expected an array of images, [n, height, width] or [n, height, width, 1 or 3], got {shape:?}, which looks \
                     like one image of red, green, blue and alpha: x[None, ..., :3]"
                );
                return Err(Error::image(place, message));
            }
            [n, height, width] | [n, height, width, 1] => (n, height, width, Channels::Grey),
            [n, height, width, 3] => (n, height, width, Channels::Rgb),
            _ => {
                let hint = match *shape {
                    [_, _, _, 4] => "; alpha is not read from arrays: x[..., :3]",
                    [_, 1 | 3, _, _] => "; channels come last here: x.transpose(0, 2, 3, 1)",
                    [_, _] => "; one image is an array of one: x[None]",
                    _ => "",
                };
                let expected = "expected an array of images, [n, height, width] or [n, height, width, 1 or 3]";
                return Err(Error::image(place, format!("{expected}, got {shape:?}{hint}")));
            }
        };
        if count == 0 {
            return Err(Error::image(place, format!("expected at least one image, got {shape:?}")));
        }
        let total = shape.iter().try_fold(bytes as u64, |total, &n| total.checked_mul(n as u64));
        limits.check(place, height, width, total.unwrap_or(u64::MAX))?;
        Ok(Shape { count, height, width, channels, is_one })
    }

    /// Values per image.
    pub(super) fn values(&self) -> usize {
        self.height * self.width * self.channels.count()
    }
}

impl Array {
    pub(super) fn new(shape: Shape, values: Values, place: &str) -> Array {
        let Shape { count, height, width, channels, is_one } = shape;
        debug_assert_eq!(values.len(), count * shape.values());
        Array { place: place.to_owned(), count, height, width, channels, values, is_one }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn name(&self, i: usize) -> String {
        assert!(i < self.count, "image {i} of {}", self.count);
        format!("{}#{i}", self.place)
    }

    /// How the array was read if that is not evident.
    pub(super) fn note(&self) -> Option<String> {
        let Array { place, height, width, .. } = self;
        let told = format!(
            "{place}: the array [{height}, {width}, 3] is read as one RGB image of {height} x {width} pixels; for {height} grey \
             images of {width} x 3 give it four dimensions: x[..., None]"
        );
        self.is_one.then_some(told)
    }

    pub(super) fn size(&self) -> (usize, usize, Channels) {
        (self.height, self.width, self.channels)
    }

    pub(super) fn depth(&self) -> Depth {
        match self.values {
            Values::Bytes(_) => Depth::Eight,
            Values::Words(_) | Values::Floats(_) => Depth::Sixteen,
        }
    }

    pub(super) fn image(&self, i: usize) -> Image {
        let n = self.height * self.width * self.channels.count();
        Image::new(self.height, self.width, self.channels, self.values.part(i * n..(i + 1) * n))
    }
}
