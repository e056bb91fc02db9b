//! Reading image files. The format is detected from the content; the header is checked before pixels are allocated.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use image::codecs::tiff::TiffDecoder;
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ExtendedColorType, Frame, ImageDecoder, ImageError, ImageReader};

use super::animation::{Runs, frames};
use super::metadata::Metadata;
use super::pages::{Part, Place, parts};
use super::source::{Buffered, ByteSource, open_regular};
use super::{Depth, Format, Limits, Loss, Photo, jpeg};
use crate::compact::{Compact, Values};
use crate::{Channels, Error, Result, guarded};

/// Bytes of a JPEG in which the header is searched first: the library reads all that it is given.
const JPEG_HEADER: u64 = 256 * 1024;

/// The content of a header; height and width are those of the upright image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: Channels,
    pub(crate) depth: Depth,
    pub(crate) format: Format,
    /// Whether the file has inks rather than colours.
    pub(crate) has_inks: bool,
    pub(crate) has_alpha: bool,
}

/// The content of a file in its own type.
#[derive(Debug, Clone)]
pub(crate) struct Decoded {
    pub(crate) colours: Compact,
    alpha: Option<Values>,
    depth: Depth,
    format: Format,
    metadata: Metadata,
    /// How long a frame is shown, in milliseconds, as a fraction.
    delay: Option<(u32, u32)>,
}

impl Decoded {
    /// The image with its metadata.
    pub(crate) fn photo(self, part: &Part) -> Photo {
        let image = self.colours.image();
        let alpha = self.alpha.map(|values| values.in_unit());
        let Decoded { depth, format, delay, .. } = self;
        let Metadata { icc, exif, xmp, own, density, lost } = self.metadata;
        Photo { image, alpha, depth, format, icc, exif, xmp, own, density, page: part.page, delay, lost }
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        let size = |values: &Values| match values {
            Values::Bytes(values) => values.len(),
            Values::Words(values) => 2 * values.len(),
            Values::Floats(values) => 4 * values.len(),
        };
        size(&self.colours.values) + self.alpha.as_ref().map_or(0, size)
    }
}

impl Photo {
    /// Reads an image file: PNG, JPEG, WebP, TIFF, BMP, GIF or PNM, detected by content.
    ///
    /// The image is rotated upright according to EXIF. Fewer than eight bits, palettes and CMYK are
    /// converted to eight bits, grey or RGB; WebP and GIF are always RGB. What was lost by that is in [`Photo::lost`]. Of an
    /// animation or of several pages the first is read; an [`Album`](crate::Album) has them all.
    ///
    /// # Errors
    /// [`Error::Read`] if the file cannot be opened; [`Error::Image`] if it is not an image, is damaged or truncated,
    /// holds floating-point numbers, or exceeds the limits.
    pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Photo> {
        let path = path.as_ref();
        let part = contents(path)?.remove(0);
        Ok(decode(path, &part, limits, &Runs::default())?.photo(&part))
    }

    /// The height, width and channels of an image file, from its header alone; the same as [`Photo::read`] would give.
    ///
    /// # Errors
    /// As [`Photo::read`], as far as the header shows.
    pub fn size(path: impl AsRef<Path>, limits: &Limits) -> Result<(usize, usize, Channels)> {
        let path = path.as_ref();
        let header = header(path, &contents(path)?[0], limits)?;
        Ok((header.height, header.width, header.channels))
    }
}

/// The images of a file; at least one.
pub(crate) fn contents(path: &Path) -> Result<Vec<Part>> {
    let (file, format) = open(path)?;
    if matches!(format, Format::Jpeg | Format::Bmp | Format::Pnm) {
        return Ok(vec![Part::ONLY]);
    }
    parts(&mut ByteSource::file(file), format).map_err(|message| Error::image(path.display().to_string(), message))
}

/// Reads the header of an image of a file.
pub(crate) fn header(path: &Path, part: &Part, limits: &Limits) -> Result<Header> {
    let place = path.display().to_string();
    let (mut file, format) = open(path)?;
    if format != Format::Jpeg {
        return Ok(Opened::new(ByteSource::file_at(file, part, &place)?, format, &place, limits)?.header(part));
    }
    let mut beginning = Vec::new();
    file.by_ref().take(JPEG_HEADER).read_to_end(&mut beginning).map_err(|error| Error::read(path, error))?;
    // The library does not say it of a JPEG.
    let has_inks = jpeg::has_inks(&beginning);
    match Opened::new(ByteSource::memory(beginning), format, &place, limits) {
        Ok(opened) => Ok(Header { has_inks, ..opened.header }),
        // The header may be longer: some cameras put previews before it.
        Err(_) => {
            let bytes = whole(path, file, limits)?;
            let has_inks = jpeg::has_inks(&bytes);
            Ok(Header { has_inks, ..Opened::new(ByteSource::memory(bytes), format, &place, limits)?.header })
        }
    }
}

/// Reads an image of a file.
pub(crate) fn decode(path: &Path, part: &Part, limits: &Limits, runs: &Runs) -> Result<Decoded> {
    if let Place::Frame(number) = part.place {
        return runs.get(path, part, number, limits);
    }
    let place = path.display().to_string();
    let (file, format) = open(path)?;
    if format != Format::Jpeg {
        let metadata = Metadata::beside(&mut ByteSource::file_at(reopened(path)?, part, &place)?, format, part);
        return Opened::new(ByteSource::file_at(file, part, &place)?, format, &place, limits)?.decode(&place, metadata);
    }
    let bytes = whole(path, file, limits)?;
    if !jpeg::is_whole(&bytes) {
        let message = "expected a whole jpeg, got one that is cut off: it has no end-of-image marker";
        return Err(Error::image(place, message));
    }
    let metadata = Metadata::of_jpeg(&bytes);
    Opened::new(ByteSource::memory(bytes), format, &place, limits)?.decode(&place, metadata)
}

/// Reads the frames of an animation in order, from number 0, while `each` returns true.
pub(crate) fn decode_frames(
    path: &Path,
    part: &Part,
    limits: &Limits,
    each: &mut dyn FnMut(u32, Result<Decoded>) -> bool,
) -> Result<()> {
    let place = path.display().to_string();
    let (file, format) = open(path)?;
    let beside = Metadata::beside(&mut ByteSource::file(reopened(path)?), format, part);
    let opened = Opened::new(ByteSource::file(reopened(path)?), format, &place, limits)?;
    let (header, orientation) = (opened.header, opened.orientation);
    // The canvas before and after a frame, and the frame, each of four bytes a pixel.
    let mut bounds = image::Limits::no_limits();
    bounds.max_alloc = Some(limits.decoding(8 * (header.height * header.width) as u64));
    let metadata = opened.metadata(&place, beside)?;
    let broken = |error| refused(&place, format, error);
    let gave_up = |panic: String| damaged(&place, format, &panic);
    let mut all = guarded(|| frames(ByteSource::file(file), format, &bounds)).map_err(gave_up)?.map_err(broken)?;
    for number in 0.. {
        let Some(frame) = guarded(|| all.next()).unwrap_or_else(|panic| Some(Err(gave_up_in(&panic)))) else { break };
        let decoded = frame.map_err(broken).map(|frame| of_frame(frame, format, header, orientation, &metadata));
        let is_broken = decoded.is_err();
        if !each(number, decoded) || is_broken {
            break;
        }
    }
    Ok(())
}

/// A panic of a decoder as an error of its own.
fn gave_up_in(panic: &str) -> ImageError {
    ImageError::IoError(std::io::Error::other(panic.to_owned()))
}

fn of_frame(frame: Frame, format: Format, header: Header, orientation: Orientation, metadata: &Metadata) -> Decoded {
    let delay = frame.delay().numer_denom_ms();
    let mut image = DynamicImage::ImageRgba8(frame.into_buffer());
    image.apply_orientation(orientation);
    let (mut colours, alpha) = parted(&image.into_rgba8().into_raw(), 3);
    let Header { height, width, channels, .. } = header;
    if channels == Channels::Grey {
        colours = colours.into_iter().step_by(3).collect();
    }
    let alpha = Some(Values::Bytes(alpha)).filter(|alpha| !is_opaque(alpha));
    let colours = Compact { height, width, channels, values: Values::Bytes(colours) };
    let mut metadata = metadata.clone();
    // The library composes frames in eight bits.
    if header.depth == Depth::Sixteen {
        metadata.lost.push(Loss::Sixteen);
    }
    Decoded { colours, alpha, depth: Depth::Eight, format, metadata, delay: Some(delay) }
}

/// Another handle of an open file, with a position of its own.
fn reopened(path: &Path) -> Result<File> {
    open_regular(path).map_err(|error| Error::read(path, error))
}

/// Opens a file and inspects its first bytes.
fn open(path: &Path) -> Result<(File, Format)> {
    let refused = |message: String| Err(Error::image(path.display().to_string(), message));
    let attempt = || {
        let mut file = open_regular(path)?;
        let mut magic = Vec::new();
        file.by_ref().take(16).read_to_end(&mut magic)?;
        file.seek(SeekFrom::Start(0))?;
        std::io::Result::Ok((file, magic))
    };
    let (file, magic) = attempt().map_err(|error| Error::read(path, error))?;
    let expected = format!("expected an image ({})", Format::names());
    if magic.is_empty() {
        return refused(format!("{expected}, got an empty file"));
    }
    match image::guess_format(&magic) {
        Ok(library) => match Format::of_library(library) {
            Some(format) => Ok((file, format)),
            None => refused(format!("{expected}, got a file of the format {}", library.to_mime_type())),
        },
        Err(_) if magic.iter().all(|&b| b.is_ascii_graphic() || b.is_ascii_whitespace()) => {
            refused(format!("{expected}, got text"))
        }
        Err(_) => refused(format!("{expected}, got a file of another kind")),
    }
}

/// The bytes of a file from the start.
fn whole(path: &Path, mut file: File, limits: &Limits) -> Result<Vec<u8>> {
    let mut attempt = || {
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        std::io::Result::Ok(length)
    };
    let length = attempt().map_err(|error| Error::read(path, error))?;
    limits.check_bytes(&path.display().to_string(), length)?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).map_err(|error| Error::read(path, error))?;
    Ok(bytes)
}

/// A file with a validated header.
struct Opened {
    decoder: Box<dyn ImageDecoder>,
    /// What decoding the pixels may take.
    bounds: image::Limits,
    format: Format,
    header: Header,
    orientation: Orientation,
}

impl Opened {
    fn new(source: Buffered, format: Format, place: &str, limits: &Limits) -> Result<Opened> {
        guarded(|| Opened::read_header(source, format, place, limits))
            .unwrap_or_else(|panic| Err(damaged(place, format, &panic)))
    }

    fn read_header(source: Buffered, format: Format, place: &str, limits: &Limits) -> Result<Opened> {
        let broken = |error| refused(place, format, error);
        // The library's own bound on sides says neither which nor how large, so ours is checked below; making the decoder
        // reads the header and allocates no pixels.
        let mut bounds = image::Limits::no_limits();
        bounds.max_alloc = Some(limits.opening(source.get_ref().length()));
        let mut decoder: Box<dyn ImageDecoder> = if format == Format::Tiff {
            // Not through the reader: with its bounds set, the decoder of image 0.25.10 no longer finds the colour profile
            // of a small image. They are set once that is read.
            Box::new(TiffDecoder::new(source).map_err(broken)?)
        } else {
            let mut reader = ImageReader::with_format(source, format.of_ours());
            reader.limits(bounds.clone());
            Box::new(reader.into_decoder().map_err(broken)?)
        };
        let (width, height) = decoder.dimensions();
        limits.check(place, height as usize, width as usize, decoder.total_bytes())?;
        bounds.max_alloc = Some(limits.decoding(decoder.total_bytes()));
        let (channels, depth) = kind(decoder.color_type())
            .ok_or_else(|| Error::image(place, "expected 8 or 16 bits a value, got floating-point numbers"))?;
        let orientation = decoder.orientation().map_err(broken)?;
        let (height, width) = match orientation {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => (width, height),
            _ => (height, width),
        };
        let has_inks = matches!(decoder.original_color_type(), ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16);
        // The library gives every GIF an alpha channel.
        let has_alpha = decoder.color_type().has_alpha() && format != Format::Gif;
        let (height, width) = (height as usize, width as usize);
        let header = Header { height, width, channels, depth, format, has_inks, has_alpha };
        Ok(Opened { decoder, bounds, format, header, orientation })
    }

    /// The header of a part: frames have eight bits.
    fn header(&self, part: &Part) -> Header {
        match part.place {
            Place::Frame(_) => Header { depth: Depth::Eight, ..self.header },
            Place::First | Place::Directory(_) => self.header,
        }
    }

    /// What the decoder finds beside the pixels, added to what stands in the file.
    fn metadata(mut self, place: &str, beside: Metadata) -> Result<Metadata> {
        let format = self.format;
        guarded(|| self.add_metadata(place, beside)).unwrap_or_else(|panic| Err(damaged(place, format, &panic)))
    }

    fn add_metadata(&mut self, place: &str, beside: Metadata) -> Result<Metadata> {
        let format = self.format;
        let broken = |error| refused(place, format, error);
        let mut metadata = beside;
        metadata.icc = self.decoder.icc_profile().map_err(broken)?;
        if let Some(exif) = self.decoder.exif_metadata().map_err(broken)? {
            metadata.exif = Some(exif);
        }
        // XMP that cannot be read is no reason to refuse the image.
        metadata.xmp = self.decoder.xmp_metadata().ok().flatten();
        metadata.set_upright(&self.header, self.orientation);
        Ok(metadata)
    }

    fn decode(self, place: &str, beside: Metadata) -> Result<Decoded> {
        let format = self.format;
        guarded(|| self.read_pixels(place, beside)).unwrap_or_else(|panic| Err(damaged(place, format, &panic)))
    }

    fn read_pixels(mut self, place: &str, beside: Metadata) -> Result<Decoded> {
        let metadata = self.add_metadata(place, beside)?;
        let broken = |error| refused(place, self.format, error);
        self.decoder.set_limits(self.bounds).map_err(broken)?;
        let mut image = DynamicImage::from_decoder(self.decoder).map_err(broken)?;
        image.apply_orientation(self.orientation);
        let (values, alpha) = match image {
            DynamicImage::ImageLuma8(image) => (Values::Bytes(image.into_raw()), None),
            DynamicImage::ImageRgb8(image) => (Values::Bytes(image.into_raw()), None),
            DynamicImage::ImageLuma16(image) => (Values::Words(image.into_raw()), None),
            DynamicImage::ImageRgb16(image) => (Values::Words(image.into_raw()), None),
            DynamicImage::ImageLumaA8(image) => bytes(parted(&image.into_raw(), 1)),
            DynamicImage::ImageRgba8(image) => bytes(parted(&image.into_raw(), 3)),
            DynamicImage::ImageLumaA16(image) => words(parted(&image.into_raw(), 1)),
            DynamicImage::ImageRgba16(image) => words(parted(&image.into_raw(), 3)),
            _ => return Err(Error::image(place, "expected 8 or 16 bits a value, got floating-point numbers")),
        };
        // The library gives every GIF an alpha channel; a fully opaque one is dropped.
        let alpha = alpha.filter(|alpha| self.format != Format::Gif || !is_opaque(alpha));
        let Header { height, width, channels, depth, .. } = self.header;
        let colours = Compact { height, width, channels, values };
        Ok(Decoded { colours, alpha, depth, format: self.format, metadata, delay: None })
    }
}

fn kind(colour: ColorType) -> Option<(Channels, Depth)> {
    match colour {
        ColorType::L8 | ColorType::La8 => Some((Channels::Grey, Depth::Eight)),
        ColorType::L16 | ColorType::La16 => Some((Channels::Grey, Depth::Sixteen)),
        ColorType::Rgb8 | ColorType::Rgba8 => Some((Channels::Rgb, Depth::Eight)),
        ColorType::Rgb16 | ColorType::Rgba16 => Some((Channels::Rgb, Depth::Sixteen)),
        _ => None,
    }
}

/// Splits pixels of `channels` values and alpha into colours and alpha.
fn parted<T: Copy>(pixels: &[T], channels: usize) -> (Vec<T>, Vec<T>) {
    let pixels = pixels.chunks_exact(channels + 1);
    let mut colours = Vec::with_capacity(pixels.len() * channels);
    let mut alpha = Vec::with_capacity(pixels.len());
    for pixel in pixels {
        colours.extend_from_slice(&pixel[..channels]);
        alpha.push(pixel[channels]);
    }
    (colours, alpha)
}

fn bytes((colours, alpha): (Vec<u8>, Vec<u8>)) -> (Values, Option<Values>) {
    (Values::Bytes(colours), Some(Values::Bytes(alpha)))
}

fn words((colours, alpha): (Vec<u16>, Vec<u16>)) -> (Values, Option<Values>) {
    (Values::Words(colours), Some(Values::Words(alpha)))
}

fn is_opaque(alpha: &Values) -> bool {
    matches!(alpha, Values::Bytes(values) if values.iter().all(|&x| x == u8::MAX))
}

fn refused(place: &str, format: Format, error: ImageError) -> Error {
    match error {
        ImageError::Unsupported(error) => {
            Error::image(place, format!("expected a {format} of grey or colour in 8 or 16 bits, got another: {error}"))
        }
        ImageError::Limits(_) => Error::image(place, format!("expected a {format} within the limits on memory")),
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::image(place, format!("expected a whole {format}, got one that is cut off"))
        }
        error => damaged(place, format, &error.to_string()),
    }
}

fn damaged(place: &str, format: Format, why: &str) -> Error {
    Error::image(place, format!("expected a whole {format}, got a damaged one: {why}"))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use image::ImageEncoder;

    use super::*;
    use crate::Image;

    /// Damaged files of each format; 20,000 were tried once.
    const DAMAGES: usize = 100;

    fn with_file<T>(bytes: &[u8], name: &str, use_it: impl FnOnce(&Path) -> T) -> T {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        use_it(&path)
    }

    fn read(bytes: &[u8], name: &str) -> Result<Photo> {
        with_file(bytes, name, |path| {
            let photo = Photo::read(path, &Limits::default());
            if let Ok(Photo { image, .. }) = &photo {
                let size = Photo::size(path, &Limits::default()).unwrap();
                assert_eq!(size, (image.height, image.width, image.channels));
            }
            photo
        })
    }

    fn bytes_of(photo: &Photo, name: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        photo.write(folder.path().join(name)).unwrap();
        std::fs::read(folder.path().join(name)).unwrap()
    }

    fn check_refused(bytes: &[u8], name: &str, expected: &str) {
        let error = read(bytes, name).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    /// Two rows of three pixels, only the first of them white, in blocks large enough for JPEG.
    fn corner() -> Image {
        let mut image = Image::filled(32, 48, Channels::Grey, 0.0);
        for y in 0..16 {
            image.row_mut(y)[..16].fill(1.0);
        }
        image
    }

    /// An EXIF chunk with an orientation, in either byte order.
    fn oriented(orientation: u16, is_big_endian: bool) -> Vec<u8> {
        if is_big_endian {
            let value = orientation.to_be_bytes();
            [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".as_slice(), &value, &[0; 6]].concat()
        } else {
            let value = orientation.to_le_bytes();
            [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &value, &[0; 6]].concat()
        }
    }

    fn jpeg_with_exif(exif: &[u8]) -> Vec<u8> {
        let plain = bytes_of(&corner().into(), "a.jpg");
        let length = (2 + 6 + exif.len()) as u16;
        [&plain[..2], &[0xff, 0xe1], &length.to_be_bytes(), b"Exif\0\0", exif, &plain[2..]].concat()
    }

    #[test]
    fn pixels_come_out_upright_and_stay_so() {
        // The corner that is white after rotation, as (bottom, right).
        let corners = [
            (1, false, false),
            (2, false, true),
            (3, true, true),
            (4, true, false),
            (5, false, false),
            (6, false, true),
            (7, true, true),
            (8, true, false),
        ];
        for (orientation, is_bottom, is_right) in corners {
            for is_big_endian in [false, true] {
                let photo = read(&jpeg_with_exif(&oriented(orientation, is_big_endian)), "a.jpg").unwrap();
                let (height, width) = if orientation < 5 { (32, 48) } else { (48, 32) };
                let check_upright = |photo: &Photo| {
                    assert_eq!((photo.image.height, photo.image.width), (height, width));
                    let (y, x) = (if is_bottom { height - 8 } else { 8 }, if is_right { width - 8 } else { 8 });
                    assert!(photo.image.pixel(y, x)[0] > 0.9, "orientation {orientation}");
                    assert!(photo.image.pixel(height - 1 - y, width - 1 - x)[0] < 0.1);
                };
                check_upright(&photo);
                for name in ["b.jpg", "b.png", "b.webp"] {
                    let again = read(&bytes_of(&photo, name), name).unwrap();
                    check_upright(&again);
                    assert_eq!(again.exif, Some(oriented(1, is_big_endian)), "{name}");
                }
            }
        }
    }

    #[test]
    fn content_decides_not_the_name() {
        let png = bytes_of(&corner().into(), "a.png");
        assert_eq!(read(&png, "a.jpg").unwrap().format, Format::Png);
        check_refused(
            b"some notes\n",
            "a.png",
            "a.png: expected an image (png, jpeg, webp, tiff, bmp, gif, pnm), got text",
        );
        check_refused(b"", "a.png", "got an empty file");
        check_refused(&[7; 40], "a.png", "got a file of another kind");
        check_refused(b"\0\0\0\x1cftypavif\0\0\0\0", "a.png", "got a file of the format image/avif");
        let missing = Photo::read("/nowhere/a.png", &Limits::default()).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read /nowhere/a.png"), "{missing}");
    }

    #[test]
    fn a_file_cut_off_anywhere_is_refused() {
        let noise = |i: usize| ((i * 7_919) % 256) as f32 / 255.0;
        let image = Image::new(24, 24, Channels::Rgb, (0..24 * 24 * 3).map(noise).collect());
        for (_, name, extensions) in Format::ALL {
            let file = format!("a.{}", extensions[0]);
            let whole = bytes_of(&image.clone().into(), &file);
            assert!(read(&whole, &file).is_ok(), "{name}");
            for n in [3, 20, whole.len() / 4, whole.len() / 2, whole.len() * 3 / 4, whole.len() - 30] {
                assert!(read(&whole[..n], &file).is_err(), "{name}: {n} of {} bytes", whole.len());
            }
        }
        let jpeg = bytes_of(&image.into(), "a.jpg");
        check_refused(&jpeg[..jpeg.len() / 2], "a.jpg", "a.jpg: expected a whole jpeg, got one that is cut off");
    }

    /// A PNG of these chunks.
    fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        for (name, data) in chunks {
            let body = [name.as_slice(), data].concat();
            let mut sum = flate2::Crc::new();
            sum.update(&body);
            bytes.extend([&(data.len() as u32).to_be_bytes(), body.as_slice(), &sum.sum().to_be_bytes()].concat());
        }
        bytes
    }

    /// A PNG with this size in the header and an empty data chunk.
    fn promising(width: u32, height: u32) -> Vec<u8> {
        let header = [&width.to_be_bytes(), &height.to_be_bytes(), [8, 2, 0, 0, 0].as_slice()].concat();
        png(&[(b"IHDR", &header), (b"IDAT", &[]), (b"IEND", &[])])
    }

    #[test]
    fn a_header_that_promises_too_much_is_refused() {
        let expected = "expected at most 32768 pixels a side, got 60000 rows of 60000";
        check_refused(&promising(60_000, 60_000), "a.png", expected);
        check_refused(
            &promising(30_000, 30_000),
            "a.png",
            "expected at most 134217728 pixels, got 30000 rows of 30000",
        );
        check_refused(b"P6 60000 60000 255\n", "a.ppm", expected);
        with_file(&promising(60_000, 60_000), "a.png", |path| {
            assert!(Photo::size(path, &Limits::default()).unwrap_err().to_string().contains(expected));
        });
        let small = Limits { max_bytes: 1_000, ..Limits::default() };
        with_file(&bytes_of(&corner().into(), "a.bmp"), "a.bmp", |path| {
            let error = Photo::read(path, &small).unwrap_err().to_string();
            assert!(error.contains("expected at most 1000 bytes in memory"), "{error}");
        });
    }

    #[test]
    fn a_frame_larger_than_its_screen_is_refused_before_memory_is_taken() {
        // A screen of one pixel, a frame of 65,535 x 6,000 of them.
        let mut gif = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
        gif.extend(b",\0\0\0\0\xff\xff\x70\x17\0\x02\x02L\x01\0;");
        check_refused(&gif, "a.gif", "a.gif: expected a gif within the limits on memory");
    }

    #[test]
    fn a_single_pixel_reads_in_every_format() {
        for (format, _, extensions) in Format::ALL {
            let photo = Photo::from(Image::new(1, 1, Channels::Rgb, vec![1.0, 1.0, 1.0]));
            let read = read(&bytes_of(&photo, &format!("a.{}", extensions[0])), "a").unwrap();
            assert_eq!((read.image, read.alpha, read.format), (photo.image, None, format));
        }
    }

    #[test]
    fn fewer_bits_are_stretched_to_the_whole_range() {
        let bitmap = read(b"P4 2 1\n\x40", "a.pbm").unwrap();
        assert_eq!((bitmap.image.pixels, bitmap.depth), (vec![1.0, 0.0], Depth::Eight));
        assert_eq!(read(b"P2 3 1 15\n0 3 15\n", "a.pgm").unwrap().image.pixels, [0.0, 0.2, 1.0]);
        let words = read(b"P5 2 1 1023\n\x03\xff\x00\x00", "a.pgm").unwrap();
        assert_eq!((words.image.pixels, words.depth), (vec![1.0, 0.0], Depth::Sixteen));
    }

    #[test]
    fn palettes_become_colours_and_alpha() {
        let mut data = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        // One row: no filter, then the colours 0, 1, 2 and 1 in two bits each.
        data.write_all(&[0, 0b0001_1001]).unwrap();
        let data = data.finish().unwrap();
        let header = [0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 0, 0, 0];
        let palette = [255, 0, 0, 0, 255, 0, 0, 0, 255];
        let chunks =
            [(b"IHDR", header.as_slice()), (b"PLTE", &palette), (b"tRNS", &[255, 0]), (b"IDAT", &data), (b"IEND", &[])];
        let photo = read(&png(&chunks), "a.png").unwrap();
        assert_eq!(photo.image.pixels, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(photo.alpha, Some(vec![1.0, 0.0, 1.0, 0.0]));
    }

    #[test]
    fn cmyk_becomes_rgb() {
        // Eight by eight pixels, one block each of four inks, all coefficients zero: every ink at half.
        let tables: [&[u8]; 3] = [&[0xff, 0xdb, 0, 67, 0], &[1; 64], &[]];
        let code = |class: u8| [&[0xff, 0xc4, 0, 20, class, 1], [0; 15].as_slice(), &[0]].concat();
        let inks: Vec<u8> = (1..=4).flat_map(|ink| [ink, 0x11, 0]).collect();
        let scan: Vec<u8> = (1..=4).flat_map(|ink| [ink, 0]).collect();
        let jpeg = [
            b"\xff\xd8\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0".as_slice(),
            &tables.concat(),
            &[0xff, 0xc0, 0, 20, 8, 0, 8, 0, 8, 4],
            &inks,
            &code(0x00),
            &code(0x10),
            &[0xff, 0xda, 0, 14, 4],
            &scan,
            &[0, 63, 0, 0, 0xff, 0xd9],
        ];
        let photo = read(&jpeg.concat(), "a.jpg").unwrap();
        assert_eq!((photo.image.height, photo.image.width, photo.image.channels), (8, 8, Channels::Rgb));
        assert!(photo.image.pixels.iter().all(|x| (x - 0.25).abs() < 0.01), "{:?}", photo.image.pixel(0, 0));
    }

    #[test]
    fn damaged_bytes_give_an_image_or_an_error_and_never_a_panic() {
        let image = Image::new(9, 9, Channels::Rgb, (0..243).map(|i| (i % 50) as f32 / 49.0).collect());
        let limits = Limits { max_pixels: 1 << 12, ..Limits::default() };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut state = 1u32;
        let mut below = |n: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % n
        };
        for (_, _, extensions) in Format::ALL {
            let whole = bytes_of(&image.clone().into(), &format!("a.{}", extensions[0]));
            for _ in 0..DAMAGES {
                let mut bytes = whole.clone();
                for _ in 0..1 + below(4) {
                    let at = below(bytes.len());
                    bytes[at] = below(256) as u8;
                }
                std::fs::write(&path, &bytes).unwrap();
                let _ = Photo::read(&path, &limits);
            }
        }
    }

    #[test]
    fn floating_point_numbers_are_refused() {
        let mut bytes = Cursor::new(Vec::new());
        let pixels: Vec<u8> = [0.5f32; 3].iter().flat_map(|x| x.to_ne_bytes()).collect();
        let encoder = image::codecs::tiff::TiffEncoder::new(&mut bytes);
        encoder.write_image(&pixels, 1, 1, image::ExtendedColorType::Rgb32F).unwrap();
        check_refused(&bytes.into_inner(), "a.tif", "expected 8 or 16 bits a value, got floating-point numbers");
    }
}
