//! Writing files of several images: pages of a TIFF, frames of a GIF or an animated PNG.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, ImageError, ImageResult, RgbaImage};
use tiff::encoder::TiffEncoder;

use super::splice::{chunk, extended};
use super::write::{Plan, write_atomically};
use super::{Format, Loss, Page, Photo, Written, tagged};
use crate::{Channels, Error, Result};

/// Speed of the GIF colour quantisation, 1 (best) to 30; 10 is the library's recommendation.
const GIF_SPEED: i32 = 10;

/// A file of several images that is being written. What is written appears when it is finished.
pub struct Sequence {
    path: PathBuf,
    format: Format,
    bytes: SharedBytes,
    encoder: Option<Encoder>,
    first: Option<Photo>,
    written: Written,
    count: u32,
}

enum Encoder {
    Tiff(TiffEncoder<SharedBytes>),
    Gif(GifEncoder<SharedBytes>),
    Png(Box<png::Writer<SharedBytes>>),
}

impl Sequence {
    /// Whether a format can hold this image together with the others of its file: TIFF can, and GIF and PNG can the frames of
    /// an animation.
    pub fn holds(format: Format, page: Page) -> bool {
        match format {
            Format::Tiff => true,
            Format::Gif | Format::Png => page.plays.is_some(),
            Format::Jpeg | Format::Webp | Format::Bmp | Format::Pnm => false,
        }
    }

    /// Starts a file, in the format of its extension.
    ///
    /// # Errors
    /// [`Error::Setting`] if it is not one of several images.
    pub fn new(path: impl AsRef<Path>) -> Result<Sequence> {
        let path = path.as_ref();
        let format = Format::of_path(path).filter(|format| matches!(format, Format::Tiff | Format::Gif | Format::Png));
        let Some(format) = format else {
            return Err(Error::setting(format!("{}: expected a tiff, gif or png for several images", path.display())));
        };
        Ok(Sequence {
            path: path.to_path_buf(),
            format,
            bytes: SharedBytes::default(),
            encoder: None,
            first: None,
            written: Written { format, lost: Vec::new(), clipped: 0 },
            count: 0,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends an image.
    ///
    /// # Errors
    /// As [`Photo::write`], and for the frame of an animation that has another size than the first.
    pub fn push(&mut self, photo: &Photo) -> Result<()> {
        photo.check(&self.path, self.format)?;
        let size = |photo: &Photo| (photo.image.height, photo.image.width);
        if let Some(first) =
            self.first.as_ref().filter(|first| self.format != Format::Tiff && size(first) != size(photo))
        {
            let ((height, width), (h, w)) = (size(first), size(photo));
            let message = format!("expected frames of one size, {height} rows of {width}, got {h} rows of {w}");
            return Err(Error::image(self.path.display().to_string(), message));
        }
        let plan = Plan::new(photo, self.format, &self.path);
        self.written.lost.extend(&plan.lost);
        if self.format == Format::Tiff && photo.delay.is_some() {
            self.written.lost.push(Loss::Delay);
        }
        let all = photo.image.pixels.iter().chain(photo.alpha.iter().flatten());
        self.written.clipped += all.filter(|x| !(0.0..=1.0).contains(*x)).count();
        let put = self.put(photo, plan);
        put.map_err(|error| Error::write(&self.path, io::Error::other(error)))?;
        if self.first.is_none() {
            self.first = Some(photo.clone());
        }
        self.count += 1;
        Ok(())
    }

    fn put(&mut self, photo: &Photo, mut plan: Plan) -> ImageResult<()> {
        // All frames of an animation are alike.
        plan.alpha |= self.format != Format::Tiff;
        let samples = plan.samples(photo);
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            None => {
                let plays = photo.page.and_then(|page| page.plays).unwrap_or(0);
                let sink = self.bytes.clone();
                self.encoder.insert(match self.format {
                    Format::Gif => Encoder::Gif(gif(sink, plays)?),
                    Format::Png => Encoder::Png(Box::new(apng(sink, photo, &plan, plays)?)),
                    _ => Encoder::Tiff(tagged::begin(sink)?),
                })
            }
        };
        match encoder {
            Encoder::Tiff(encoder) => {
                let icc = photo.icc.as_deref().filter(|_| plan.icc);
                tagged::page(encoder, photo, (plan.colour, &samples), icc)
            }
            Encoder::Gif(encoder) => {
                let (height, width) = (photo.image.height as u32, photo.image.width as u32);
                let frame = RgbaImage::from_raw(width, height, samples).expect("as many bytes as pixels");
                let (above, below) = photo.delay.unwrap_or((100, 1));
                encoder.encode_frame(Frame::from_parts(frame, 0, 0, Delay::from_numer_denom_ms(above, below.max(1))))
            }
            Encoder::Png(writer) => {
                let (above, below) = in_seconds(photo.delay.unwrap_or((100, 1)));
                let put = writer.set_frame_delay(above, below).and_then(|()| writer.write_image_data(&samples));
                put.map_err(|error| ImageError::IoError(io::Error::other(error)))
            }
        }
    }

    /// Completes the file.
    ///
    /// # Errors
    /// [`Error::Write`], with no partial file left; [`Error::Image`] without images.
    pub fn finish(mut self) -> Result<Written> {
        let Some(first) = self.first.take() else {
            return Err(Error::image(self.path.display().to_string(), "expected at least one image, got none"));
        };
        // The encoder of a GIF writes the end when it is dropped.
        self.encoder = None;
        let mut bytes = std::mem::take(self.bytes.0.borrow_mut().get_mut());
        if self.format == Format::Png {
            count_frames(&mut bytes, self.count, first.page.and_then(|page| page.plays).unwrap_or(0));
            // Without the still image's end: a writer that expects more frames has not written it.
            if !bytes.ends_with(b"IEND\xae\x42\x60\x82") {
                bytes.extend(chunk(b"IEND"));
            }
        }
        let plan = Plan::new(&first, self.format, &self.path);
        let bytes = extended(bytes, self.format, plan.extras(&first));
        write_atomically(&self.path, &bytes).map_err(|error| Error::write(&self.path, error))?;
        self.written.lost.sort_unstable();
        self.written.lost.dedup();
        Ok(self.written)
    }
}

fn gif(sink: SharedBytes, plays: u32) -> ImageResult<GifEncoder<SharedBytes>> {
    let mut encoder = GifEncoder::new_with_speed(sink, GIF_SPEED);
    match u16::try_from(plays) {
        // Once is what a GIF without this block does.
        Ok(1) => {}
        Ok(0) | Err(_) => encoder.set_repeat(Repeat::Infinite)?,
        Ok(plays) => encoder.set_repeat(Repeat::Finite(plays))?,
    }
    Ok(encoder)
}

fn apng(sink: SharedBytes, photo: &Photo, plan: &Plan, plays: u32) -> ImageResult<png::Writer<SharedBytes>> {
    let mut info = png::Info::with_size(photo.image.width as u32, photo.image.height as u32);
    info.color_type = match plan.channels {
        Channels::Grey => png::ColorType::GrayscaleAlpha,
        Channels::Rgb => png::ColorType::Rgba,
    };
    info.bit_depth = png::BitDepth::Eight;
    info.icc_profile = photo.icc.clone().filter(|_| plan.icc).map(Cow::Owned);
    info.exif_metadata = photo.exif.clone().filter(|_| plan.exif).map(Cow::Owned);
    let begin = || -> Result<png::Writer<SharedBytes>, png::EncodingError> {
        let mut encoder = png::Encoder::with_info(sink, info)?;
        encoder.set_animated(photo.page.map_or(1, |page| page.count), plays)?;
        encoder.write_header()
    };
    begin().map_err(|error| ImageError::IoError(io::Error::other(error)))
}

/// Sets the number of frames that an animated PNG says it has.
fn count_frames(bytes: &mut [u8], count: u32, plays: u32) {
    let right = chunk(&[b"acTL", count.to_be_bytes().as_slice(), &plays.to_be_bytes()].concat());
    if let Some(at) = bytes.windows(4).position(|window| window == b"acTL") {
        bytes[at - 4..at - 4 + right.len()].copy_from_slice(&right);
    }
}

/// Milliseconds as a fraction of seconds with short numbers.
fn in_seconds((above, below): (u32, u32)) -> (u16, u16) {
    match (u16::try_from(above), u16::try_from(u64::from(below) * 1000)) {
        (Ok(above), Ok(below)) if below > 0 => (above, below),
        _ => ((f64::from(above) / f64::from(below.max(1))).min(65_535.0).round() as u16, 1000),
    }
}

/// Bytes in memory that an encoder writes and that outlive it.
#[derive(Clone, Default)]
struct SharedBytes(Rc<RefCell<Cursor<Vec<u8>>>>);

impl Write for SharedBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for SharedBytes {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.borrow_mut().seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Album, Image, Limits};

    fn frame(i: usize, channels: Channels) -> Photo {
        let mut image = Image::filled(6, 5, channels, 0.2);
        image.pixels[i * channels.count()] = 1.0;
        let page = Page { number: i as u32 + 1, count: 3, plays: Some(2) };
        let alpha = (i == 1).then(|| [vec![0.0; 7], vec![1.0; 23]].concat());
        Photo { page: Some(page), delay: Some((40 + 10 * i as u32, 1)), alpha, ..Photo::from(image) }
    }

    fn written(name: &str, frames: &[Photo]) -> (Written, Vec<(String, Photo)>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let mut sequence = Sequence::new(&path).unwrap();
        frames.iter().for_each(|frame| sequence.push(frame).unwrap());
        let written = sequence.finish().unwrap();
        let album = Album::open(&path, &Limits::default()).unwrap();
        (written, (0..album.len()).map(|i| (album.name(i), album.photo(i).unwrap())).collect())
    }

    #[test]
    fn frames_come_back_with_their_times() {
        for name in ["a.gif", "a.png", "a.tif"] {
            let frames: Vec<Photo> = (0..3).map(|i| frame(i, Channels::Rgb)).collect();
            let (written, back) = written(name, &frames);
            let is_tiff = name == "a.tif";
            assert_eq!(written.lost, if is_tiff { vec![Loss::Delay] } else { Vec::new() }, "{name}");
            assert_eq!(back.len(), 3);
            for (i, ((named, back), frame)) in back.iter().zip(&frames).enumerate() {
                assert_eq!(*named, format!("{name}#{}", i + 1));
                let hidden = |at: usize| back.alpha.as_ref().is_some_and(|alpha| alpha[at] == 0.0);
                let pairs = back.image.pixels.iter().zip(&frame.image.pixels).enumerate();
                assert!(pairs.filter(|(at, _)| !hidden(at / 3)).all(|(_, (a, b))| a == b), "{named}");
                assert_eq!(back.alpha, frame.alpha, "{named}");
                let page = Page { plays: frame.page.unwrap().plays.filter(|_| !is_tiff), ..frame.page.unwrap() };
                assert_eq!((back.page, back.delay), (Some(page), frame.delay.filter(|_| !is_tiff)), "{named}");
            }
        }
    }

    #[test]
    fn fewer_frames_than_announced_are_a_whole_file() {
        let (_, back) = written("a.png", &[frame(0, Channels::Grey), frame(2, Channels::Grey)]);
        assert_eq!(back.len(), 2);
        assert_eq!(back[1].1.image, frame(2, Channels::Grey).image);
    }

    #[test]
    fn pages_differ_in_size_and_frames_do_not() {
        let pages =
            [frame(0, Channels::Rgb), Photo { page: None, ..Photo::from(Image::filled(3, 4, Channels::Grey, 0.4)) }];
        assert_eq!(written("a.tif", &pages).1[1].1.image, pages[1].image);
        let folder = tempfile::tempdir().unwrap();
        let mut gif = Sequence::new(folder.path().join("a.gif")).unwrap();
        gif.push(&pages[0]).unwrap();
        assert!(gif.push(&pages[1]).unwrap_err().to_string().contains("expected frames of one size, 6 rows of 5"));
        assert!(Sequence::new("a.webp").is_err());
        assert!(Sequence::new(folder.path().join("b.tif")).unwrap().finish().is_err());
    }
}
