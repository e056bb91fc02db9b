//! Writing TIFF files: with their tags, and of several pages.

use std::io::{Seek, Write};

use image::{ExtendedColorType, ImageError, ImageResult};
use tiff::encoder::{DirectoryEncoder, Rational, TiffEncoder, TiffKindStandard, colortype};
use tiff::tags::{ResolutionUnit, Tag as Number, Type};
use tiff::{Directory, TiffResult};

use super::Photo;
use super::exif::{Tag, Tags};

const EXIF: u16 = 34665;
const GPS: u16 = 34853;
const ICC: u16 = 34675;
const XMP: u16 = 700;
const SUBFILE: u16 = 254;
const PAGE: u16 = 297;

/// Starts a file.
pub(super) fn begin<W: Write + Seek>(sink: W) -> ImageResult<TiffEncoder<W>> {
    TiffEncoder::new(sink).map_err(broken)
}

/// Appends a page of these samples.
pub(super) fn page<W: Write + Seek>(
    encoder: &mut TiffEncoder<W>,
    photo: &Photo,
    (colour, samples): (ExtendedColorType, &[u8]),
    icc: Option<&[u8]>,
) -> ImageResult<()> {
    let words: Vec<u16> = match colour {
        ExtendedColorType::L16 | ExtendedColorType::Rgb16 | ExtendedColorType::Rgba16 => {
            samples.as_chunks::<2>().0.iter().map(|bytes| u16::from_ne_bytes(*bytes)).collect()
        }
        _ => Vec::new(),
    };
    let mut write = || -> TiffResult<()> {
        match colour {
            ExtendedColorType::L8 => put::<_, colortype::Gray8>(encoder, photo, samples, icc),
            ExtendedColorType::L16 => put::<_, colortype::Gray16>(encoder, photo, &words, icc),
            ExtendedColorType::Rgb8 => put::<_, colortype::RGB8>(encoder, photo, samples, icc),
            ExtendedColorType::Rgb16 => put::<_, colortype::RGB16>(encoder, photo, &words, icc),
            ExtendedColorType::Rgba8 => put::<_, colortype::RGBA8>(encoder, photo, samples, icc),
            _ => put::<_, colortype::RGBA16>(encoder, photo, &words, icc),
        }
    };
    write().map_err(broken)
}

fn put<W: Write + Seek, C: colortype::ColorType>(
    encoder: &mut TiffEncoder<W>,
    photo: &Photo,
    samples: &[C::Inner],
    icc: Option<&[u8]>,
) -> TiffResult<()>
where
    [C::Inner]: tiff::encoder::TiffValue,
{
    let mut tags = photo.exif.as_deref().and_then(Tags::of_chunk).unwrap_or_default();
    if photo.density.is_some() {
        tags.drop_resolution();
    }
    let mut below = Vec::new();
    for (pointer, tags) in [(EXIF, &tags.exif), (GPS, &tags.gps)] {
        if !tags.is_empty() {
            let mut directory = encoder.extra_directory()?;
            extend(&mut directory, tags)?;
            below.push((pointer, directory.finish_with_offsets()?.offset));
        }
    }
    let (height, width) = (photo.image.height as u32, photo.image.width as u32);
    let mut image = encoder.new_image::<C>(width, height)?;
    let directory = image.encoder();
    extend(directory, &tags.image)?;
    for (pointer, offset) in below {
        directory.write_tag(Number::from_u16_exhaustive(pointer), offset)?;
    }
    if let Some(density) = photo.density {
        let [x, y] = density.in_inches().map(|n| Rational { n: (n * 1000.0).round() as u32, d: 1000 });
        directory.write_tag(Number::XResolution, x)?;
        directory.write_tag(Number::YResolution, y)?;
        directory.write_tag(Number::ResolutionUnit, ResolutionUnit::Inch.to_u16())?;
    }
    if let Some(icc) = icc {
        directory.write_tag(Number::from_u16_exhaustive(ICC), icc)?;
    }
    if let Some(xmp) = &photo.xmp {
        directory.write_tag(Number::from_u16_exhaustive(XMP), xmp.as_slice())?;
    }
    if C::BITS_PER_SAMPLE.len() == 4 {
        const NOT_PREMULTIPLIED: u16 = 2;
        directory.write_tag(Number::ExtraSamples, NOT_PREMULTIPLIED)?;
    }
    if let Some(page) = photo.page {
        let number = [page.number - 1, page.count].map(|n| n.min(u16::MAX.into()) as u16);
        directory.write_tag(Number::from_u16_exhaustive(SUBFILE), 2_u32)?;
        directory.write_tag(Number::from_u16_exhaustive(PAGE), number)?;
    }
    image.write_data(samples)
}

fn extend<W: Write + Seek>(directory: &mut DirectoryEncoder<'_, W, TiffKindStandard>, tags: &[Tag]) -> TiffResult<()> {
    let mut written = Directory::empty();
    for tag in tags {
        if let Some(kind) = Type::from_u16(tag.kind) {
            let entry = directory.write_entry_bytes(kind, &tag.native())?;
            written.extend([(Number::from_u16_exhaustive(tag.number), entry)]);
        }
    }
    directory.extend_from(&written);
    Ok(())
}

fn broken(error: tiff::TiffError) -> ImageError {
    match error {
        tiff::TiffError::IoError(error) => ImageError::IoError(error),
        error => ImageError::IoError(std::io::Error::other(error)),
    }
}
