//! What a file holds beside its pixels. What is in the file's own words (text of PNG, comments and captions of JPEG) is
//! kept as it is, for files of the same format.

use std::io::{Read, Seek, SeekFrom};

use image::metadata::Orientation;

use super::density::Density;
use super::directory::Layout;
use super::exif::{self, Tags};
use super::pages::{Part, Place};
use super::read::Header;
use super::{Format, Loss, jpeg, xmp};

/// Longest text chunk that is kept.
const MOST_TEXT: u64 = 1 << 20;
/// Most bytes of text of a file.
const MOST_TEXTS: usize = 1 << 23;
/// The keyword of XMP in a PNG.
pub(super) const XMP_KEYWORD: &[u8] = b"XML:com.adobe.xmp\0";

/// What stands beside the pixels of an image.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Metadata {
    pub(super) icc: Option<Vec<u8>>,
    pub(super) exif: Option<Vec<u8>>,
    pub(super) xmp: Option<Vec<u8>>,
    pub(super) own: Vec<Vec<u8>>,
    pub(super) density: Option<Density>,
    pub(super) lost: Vec<Loss>,
}

impl Metadata {
    /// What the library's decoders do not give. What cannot be read is missing: pixels matter more.
    pub(super) fn beside(source: &mut (impl Read + Seek), format: Format, part: &Part) -> Metadata {
        let mut metadata = match format {
            Format::Png => of_png(source),
            Format::Tiff => of_tiff(source, part),
            Format::Bmp => of_bmp(source),
            Format::Jpeg | Format::Webp | Format::Gif | Format::Pnm => Some(Metadata::default()),
        };
        let mut metadata = metadata.take().unwrap_or_default();
        if part.has_others {
            metadata.lost.push(Loss::Others);
        }
        metadata
    }

    /// The same of a JPEG.
    pub(super) fn of_jpeg(bytes: &[u8]) -> Metadata {
        let mut metadata = Metadata::default();
        for (marker, data) in jpeg::segments(bytes) {
            match (marker, data) {
                (0xe0, [b'J', b'F', b'I', b'F', 0, _, _, unit, x0, x1, y0, y1, ..]) => {
                    let [x, y] = [[*x0, *x1], [*y0, *y1]].map(|side| f64::from(u16::from_be_bytes(side)));
                    metadata.density = match unit {
                        1 => Density::per_inch(x, y),
                        2 => Density::per_metre(100.0 * x, 100.0 * y),
                        _ => None,
                    };
                }
                (0xe2, [b'M', b'P', b'F', 0, ..]) => metadata.lost.push(Loss::Others),
                // Comments, and the captions of IPTC.
                (0xfe | 0xed, data) => metadata.own.push([&[marker], data].concat()),
                _ => {}
            }
        }
        if jpeg::has_inks(bytes) {
            metadata.lost.push(Loss::Cmyk);
        }
        metadata
    }

    /// Sets what is said of the pixels to an upright image of this size.
    pub(super) fn set_upright(&mut self, header: &Header, orientation: Orientation) {
        let Header { height, width, .. } = *header;
        if let Some(exif) = &mut self.exif {
            exif::set_upright(exif, height, width);
            if orientation != Orientation::NoTransforms && exif::drop_thumbnail(exif) {
                self.lost.push(Loss::Thumbnail);
            }
        }
        if let Some(xmp) = &mut self.xmp {
            xmp::set_upright(xmp, height, width);
        }
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        if matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH) {
            self.density = self.density.map(|Density { x, y }| Density { x: y, y: x });
        }
    }
}

fn of_png(source: &mut (impl Read + Seek)) -> Option<Metadata> {
    let mut metadata = Metadata::default();
    let mut left = MOST_TEXTS;
    source.seek(SeekFrom::Start(8)).ok()?;
    let mut head = [0; 8];
    while source.read_exact(&mut head).is_ok() {
        let [a, b, c, d, name @ ..] = head;
        let length = u64::from(u32::from_be_bytes([a, b, c, d]));
        let start = source.stream_position().ok()?;
        match &name {
            b"IHDR" | b"pHYs" if length >= 9 => {
                let mut data = [0; 10];
                source.read_exact(&mut data[..9]).ok()?;
                let number = |at: usize| f64::from(u32::from_be_bytes([0, 1, 2, 3].map(|i| data[at + i])));
                if &name == b"pHYs" && data[8] == 1 {
                    metadata.density = Density::per_metre(number(0), number(4));
                }
                if &name == b"IHDR" {
                    source.read_exact(&mut data[9..]).ok()?;
                    if data[9] == 3 {
                        metadata.lost.push(Loss::Palette);
                    }
                }
            }
            b"tEXt" | b"zTXt" | b"iTXt" | b"tIME" => {
                if length > MOST_TEXT.min(left as u64) {
                    metadata.lost.push(Loss::Text);
                } else {
                    let mut chunk = name.to_vec();
                    source.by_ref().take(length).read_to_end(&mut chunk).ok()?;
                    left -= length as usize;
                    // XMP is kept by itself.
                    if !chunk[4..].starts_with(XMP_KEYWORD) {
                        metadata.own.push(chunk);
                    }
                }
            }
            b"IEND" => break,
            _ => {}
        }
        source.seek(SeekFrom::Start(start + length + 4)).ok()?;
    }
    Some(metadata)
}

fn of_tiff(source: &mut (impl Read + Seek), part: &Part) -> Option<Metadata> {
    const PHOTOMETRIC: u16 = 262;
    let layout = Layout::read(source).ok()??;
    let at = match part.place {
        Place::Directory(at) => at,
        Place::First | Place::Frame(_) => layout.first,
    };
    let tags = Tags::of_page(source, layout, at);
    let mut metadata = Metadata { density: exif::density_of_page(source, layout, at), ..Metadata::default() };
    metadata.exif = (!tags.is_empty()).then(|| tags.to_chunk());
    let lost = [(tags.is_partial, Loss::Layers), (tags.had_thumbnail, Loss::Thumbnail)];
    metadata.lost.extend(lost.into_iter().filter(|(is_lost, _)| *is_lost).map(|(_, loss)| loss));
    let directory = layout.directory(source, at).ok()?;
    let photometric = directory.entries.iter().find(|entry| entry.tag == PHOTOMETRIC).copied();
    match photometric.and_then(|entry| layout.integer(source, entry).ok()?) {
        Some(3) => metadata.lost.push(Loss::Palette),
        Some(5) => metadata.lost.push(Loss::Cmyk),
        _ => {}
    }
    Some(metadata)
}

fn of_bmp(source: &mut (impl Read + Seek)) -> Option<Metadata> {
    let mut header = [0; 54];
    source.rewind().ok()?;
    source.read_exact(&mut header).ok()?;
    let number = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| header[at + i]));
    // Older headers, of 12 bytes, have no resolution.
    let density = (number(14) >= 40).then(|| Density::per_metre(number(38).into(), number(42).into())).flatten();
    let bits = u16::from_le_bytes([header[28], header[29]]);
    let lost = if number(14) >= 40 && bits <= 8 { vec![Loss::Palette] } else { Vec::new() };
    Some(Metadata { density, lost, ..Metadata::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::splice::chunk;
    use crate::{Channels, Image, Limits, Photo};

    fn round_trip(photo: &Photo, name: &str) -> (Vec<Loss>, Photo) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let lost = photo.write(&path).unwrap().lost;
        (lost, Photo::read(&path, &Limits::default()).unwrap())
    }

    fn rich(format: Format, own: &[u8]) -> Photo {
        Photo {
            xmp: Some(b"<x:xmpmeta tiff:ImageWidth=\"9\"/>".to_vec()),
            own: vec![own.to_vec()],
            density: Density::per_inch(300.0, 300.0),
            format,
            ..Photo::from(Image::filled(8, 9, Channels::Rgb, 0.2))
        }
    }

    #[test]
    fn text_xmp_and_resolution_are_kept_where_there_is_a_place_for_them() {
        use Loss::{Density as Resolution, Text, Xmp};
        let text = rich(Format::Png, b"tEXtAuthor\0me");
        let comment = rich(Format::Jpeg, b"\xfea comment");
        for (photo, name, lost) in [
            (&text, "a.png", &[][..]),
            (&text, "a.jpg", &[Text]),
            (&text, "a.tif", &[Text]),
            (&text, "a.webp", &[Text, Resolution]),
            (&text, "a.bmp", &[Xmp, Text]),
            (&text, "a.gif", &[Xmp, Text, Resolution]),
            (&text, "a.ppm", &[Xmp, Text, Resolution]),
            (&comment, "b.jpg", &[]),
            (&comment, "b.png", &[Text]),
        ] {
            let (told, back) = round_trip(photo, name);
            assert_eq!(told, lost, "{name}");
            let has = |loss| !lost.contains(&loss);
            assert_eq!(back.xmp, photo.xmp.clone().filter(|_| has(Xmp)), "{name}");
            assert_eq!(back.own == photo.own, has(Text), "{name}");
            let dots = |photo: &Photo| photo.density.map(|density| density.in_inches().map(f64::round));
            assert_eq!(dots(&back), dots(photo).filter(|_| has(Resolution)), "{name}");
        }
    }

    #[test]
    fn other_pixels_drop_thumbnails_and_set_sizes() {
        let mut photo =
            rich(Format::Jpeg, b"\xedPhotoshop 3.0\x008BIM\x04\x0c\0\0\0\0\0\x02xx8BIM\x04\x04\0\0\0\0\0\x01y\0");
        photo.xmp = Some(b"<x tiff:ImageLength='8'><xmp:Thumbnails>old</xmp:Thumbnails></x>".to_vec());
        let after = photo.with_pixels(Image::filled(16, 18, Channels::Rgb, 0.1), None);
        assert_eq!(after.xmp.as_deref(), Some(b"<x tiff:ImageLength='16'></x>".as_slice()));
        assert_eq!(after.own, [b"\xedPhotoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x01y\0".to_vec()]);
        assert_eq!(after.lost, [Loss::Thumbnail]);
    }

    #[test]
    fn palettes_and_inks_are_told() {
        let mut source = std::io::Cursor::new(
            [
                b"\x89PNG\r\n\x1a\n".to_vec(),
                chunk(&[b"IHDR".as_slice(), &[0, 0, 0, 1, 0, 0, 0, 1, 8, 3, 0, 0, 0]].concat()),
            ]
            .concat(),
        );
        assert_eq!(Metadata::beside(&mut source, Format::Png, &Part::ONLY).lost, [Loss::Palette]);
        let inks = b"\xff\xd8\xff\xc0\0\x0b\x08\0\x08\0\x08\x04\0\0\0\xff\xd9";
        assert_eq!(Metadata::of_jpeg(inks).lost, [Loss::Cmyk]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inks.tif");
        let mut encoder = tiff::encoder::TiffEncoder::new(std::fs::File::create(&path).unwrap()).unwrap();
        encoder.write_image::<tiff::encoder::colortype::CMYK8>(2, 1, &[0, 0, 0, 0, 255, 0, 0, 0]).unwrap();
        drop(encoder);
        let photo = Photo::read(&path, &Limits::default()).unwrap();
        assert_eq!((photo.image.channels, photo.lost), (Channels::Rgb, vec![Loss::Cmyk]));
    }
}
