//! Puts metadata into encoded files that the library's encoders do not take: text, XMP and resolution.

use super::metadata::XMP_KEYWORD;
use super::{Density, Format, jpeg};

/// The name of XMP in a JPEG.
const XMP_NAME: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// Longest content of a segment of a JPEG.
const SEGMENT: usize = 65_535 - 2;

/// What to put into a file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extras<'a> {
    pub(super) xmp: Option<&'a [u8]>,
    /// Chunks or segments as they are in a file of the format.
    pub(super) own: &'a [Vec<u8>],
    pub(super) density: Option<Density>,
}

/// Whether XMP of this length fits into a file of a format.
pub(super) fn holds_xmp(format: Format, xmp: &[u8]) -> bool {
    match format {
        Format::Png | Format::Webp | Format::Tiff => true,
        Format::Jpeg => xmp.len() + XMP_NAME.len() <= SEGMENT,
        Format::Bmp | Format::Gif | Format::Pnm => false,
    }
}

/// Whether a format has a place for the resolution.
pub(super) fn holds_density(format: Format) -> bool {
    matches!(format, Format::Png | Format::Jpeg | Format::Tiff | Format::Bmp)
}

/// Whether a format has text of its own that is kept.
pub(super) fn holds_text(format: Format) -> bool {
    matches!(format, Format::Png | Format::Jpeg)
}

/// The file with what it is to hold besides.
pub(super) fn extended(bytes: Vec<u8>, format: Format, extras: Extras<'_>) -> Vec<u8> {
    match format {
        Format::Png => png(bytes, extras),
        Format::Jpeg => jpeg(bytes, extras),
        Format::Webp => match extras.xmp {
            Some(xmp) => webp(bytes, xmp),
            None => bytes,
        },
        Format::Bmp => bmp(bytes, extras.density),
        Format::Tiff | Format::Gif | Format::Pnm => bytes,
    }
}

/// A chunk of a PNG: name and data, with length and checksum.
pub(super) fn chunk(named: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(named);
    [&((named.len() - 4) as u32).to_be_bytes(), named, &sum.sum().to_be_bytes()].concat()
}

fn png(mut bytes: Vec<u8>, extras: Extras<'_>) -> Vec<u8> {
    /// The signature and the header.
    const AFTER_HEADER: usize = 8 + 12 + 13;
    let mut added = Vec::new();
    if let Some(density) = extras.density {
        let [x, y] = density.in_metres().map(u32::to_be_bytes);
        added.extend(chunk(&[b"pHYs", x.as_slice(), &y, &[1]].concat()));
    }
    if let Some(xmp) = extras.xmp {
        // Not compressed, no language, no translated keyword.
        added.extend(chunk(&[b"iTXt", XMP_KEYWORD, &[0, 0, 0, 0], xmp].concat()));
    }
    extras.own.iter().for_each(|own| added.extend(chunk(own)));
    bytes.splice(AFTER_HEADER..AFTER_HEADER, added);
    bytes
}

fn jpeg(mut bytes: Vec<u8>, extras: Extras<'_>) -> Vec<u8> {
    let segment = |marker: u8, data: &[&[u8]]| {
        let data = data.concat();
        [&[0xff, marker], ((data.len() + 2) as u16).to_be_bytes().as_slice(), &data].concat()
    };
    let mut added = Vec::new();
    if let Some(xmp) = extras.xmp {
        added.extend(segment(0xe1, &[XMP_NAME, xmp]));
    }
    for own in extras.own {
        if let [marker, data @ ..] = own.as_slice() {
            added.extend(segment(*marker, &[data]));
        }
    }
    let at = jpeg::after_applications(&bytes);
    bytes.splice(at..at, added);
    bytes
}

/// A WebP file with XMP: in the extended layout, which says so in its flags.
fn webp(bytes: Vec<u8>, xmp: &[u8]) -> Vec<u8> {
    const XMP_FLAG: u8 = 4;
    let Some(body) = bytes.get(12..) else { return bytes };
    let mut chunks = body.to_vec();
    match body.get(..4) {
        Some(b"VP8X") => chunks[8] |= XMP_FLAG,
        // Lossless, the only kind that is written: a signature, then 14 bits each of width and height less one, and the flag
        // of alpha.
        Some(b"VP8L") if body.len() > 12 => {
            let packed = u32::from_le_bytes([body[9], body[10], body[11], body[12]]);
            let (width, height) = (packed & 0x3fff, (packed >> 14) & 0x3fff);
            let alpha = if packed >> 28 & 1 == 1 { 0x10 } else { 0 };
            let mut head = b"VP8X\x0a\0\0\0".to_vec();
            head.extend([XMP_FLAG | alpha, 0, 0, 0]);
            head.extend(&width.to_le_bytes()[..3]);
            head.extend(&height.to_le_bytes()[..3]);
            chunks = [head, chunks].concat();
        }
        _ => return bytes,
    }
    chunks.extend(b"XMP ");
    chunks.extend((xmp.len() as u32).to_le_bytes());
    chunks.extend(xmp);
    if xmp.len() % 2 == 1 {
        chunks.push(0);
    }
    [b"RIFF", ((chunks.len() + 4) as u32).to_le_bytes().as_slice(), b"WEBP", &chunks].concat()
}

fn bmp(mut bytes: Vec<u8>, density: Option<Density>) -> Vec<u8> {
    if let (Some(density), Some(place)) = (density, bytes.get_mut(38..46)) {
        let [x, y] = density.in_metres().map(u32::to_le_bytes);
        place.copy_from_slice(&[x, y].concat());
    }
    bytes
}
