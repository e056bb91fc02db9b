//! Files of several images: pages of a TIFF file, frames of an animation. They are found from the structure of the file,
//! without decoding, and counted from what is there rather than from what its header says.

use std::io::{self, Read, Seek, SeekFrom};

use super::Format;
use super::directory::Layout;

/// Most images of one file.
const MOST: usize = 100_000;

/// Which of several images of a file an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Page {
    /// The number, from 1.
    pub number: u32,
    /// The number of images in the file.
    pub count: u32,
    /// For the frame of an animation: how many times it is played, 0 for ever; `None` for a page.
    pub plays: Option<u32>,
}

/// Where an image is in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The only one, or the one that a decoder finds.
    First,
    /// The one with its directory at this offset.
    Directory(u64),
    /// A frame, from 0.
    Frame(u32),
}

/// An image of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) place: Place,
    /// `None` if it is the only one.
    pub(crate) page: Option<Page>,
    /// Whether the file has further images that are none of its own: smaller copies, masks, the still image of an animation.
    pub(crate) has_others: bool,
}

impl Part {
    /// The only image of a file.
    pub(crate) const ONLY: Part = Part { place: Place::First, page: None, has_others: false };
}

/// The images of a file, at least one; `Err` if there are too many. What is damaged shows when it is decoded.
pub(super) fn parts(source: &mut (impl Read + Seek), format: Format) -> Result<Vec<Part>, String> {
    let found = match format {
        Format::Tiff => directories(source),
        Format::Gif => gif(source).map(|frames| frames.parts()),
        Format::Png => png(source).map(|frames| frames.parts()),
        Format::Webp => webp(source).map(|frames| frames.parts()),
        Format::Jpeg | Format::Bmp | Format::Pnm => Ok(Vec::new()),
    };
    match found {
        Ok(parts) if parts.len() > MOST => Err(format!("expected at most {MOST} images in a file, got more")),
        Ok(parts) if !parts.is_empty() => Ok(parts),
        _ => Ok(vec![Part::ONLY]),
    }
}

/// Frames of an animation.
#[derive(Debug, Default)]
struct Frames {
    count: usize,
    plays: u32,
    has_still: bool,
}

impl Frames {
    fn parts(&self) -> Vec<Part> {
        let Frames { count, plays, has_still } = *self;
        if count < 2 && !has_still {
            return Vec::new();
        }
        let page = |number: u32| Page { number, count: count as u32, plays: Some(plays) };
        let part = |i: usize| Part {
            place: Place::Frame(i as u32),
            page: (count > 1).then(|| page(i as u32 + 1)),
            has_others: has_still,
        };
        (0..count.min(MOST + 1)).map(part).collect()
    }
}

/// The directories of a TIFF file that hold images of their own.
fn directories(source: &mut (impl Read + Seek)) -> io::Result<Vec<Part>> {
    const SUBFILE: u16 = 254;
    /// A smaller copy of another image, or a mask of it.
    const NOT_ITS_OWN: u64 = 1 | 4;
    let Some(layout) = Layout::read(source)? else { return Ok(Vec::new()) };
    let mut seen = std::collections::HashSet::new();
    let mut offsets = Vec::new();
    let (mut at, mut has_others) = (layout.first, false);
    while at != 0 && seen.insert(at) && offsets.len() <= MOST {
        // A chain that breaks ends, and the page it broke at shows the error when it is decoded.
        let Ok(directory) = layout.directory(source, at) else {
            offsets.push(at);
            break;
        };
        let kind = directory.entries.iter().find(|entry| entry.tag == SUBFILE).copied();
        let kind = kind.and_then(|entry| layout.integer(source, entry).ok()?).unwrap_or(0);
        if kind & NOT_ITS_OWN == 0 {
            offsets.push(at)
        } else {
            has_others = true
        }
        at = directory.next;
    }
    let count = offsets.len() as u32;
    if count < 2 && !has_others {
        return Ok(Vec::new());
    }
    let page = |number: u32| Page { number, count, plays: None };
    let part = |(i, at): (usize, &u64)| Part {
        place: Place::Directory(*at),
        page: (count > 1).then(|| page(i as u32 + 1)),
        has_others,
    };
    Ok(offsets.iter().enumerate().map(part).collect())
}

/// Frames of a GIF file (GIF89a).
fn gif(source: &mut (impl Read + Seek)) -> io::Result<Frames> {
    /// The bytes of a colour table, by the flags before it.
    fn table(flags: u8) -> i64 {
        if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
    }
    /// Skips blocks up to the empty one; returns the first.
    fn blocks(source: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
        let mut first = None;
        loop {
            let [length] = next(source)?;
            if length == 0 {
                return Ok(first.unwrap_or_default());
            }
            if first.is_some() {
                source.seek(SeekFrom::Current(length.into()))?;
                continue;
            }
            let mut block = vec![0; length.into()];
            source.read_exact(&mut block)?;
            first = Some(block);
        }
    }
    let mut frames = Frames { plays: 1, ..Frames::default() };
    let screen: [u8; 13] = next(source)?;
    source.seek(SeekFrom::Current(table(screen[10])))?;
    while frames.count <= MOST {
        match next(source) {
            Ok([0x2c]) => {
                frames.count += 1;
                let Ok(head) = next::<9>(source) else { break };
                source.seek(SeekFrom::Current(table(head[8]) + 1))?;
                // A frame that is cut off is one that is there.
                if blocks(source).is_err() {
                    break;
                }
            }
            Ok([0x21]) => {
                // What is before a frame is cut off, so there was one.
                let extension = next::<1>(source).and_then(|[label]| {
                    let at = source.stream_position()?;
                    Ok((label, at, blocks(source)?))
                });
                let Ok((label, at, first)) = extension else {
                    frames.count += 1;
                    break;
                };
                if label == 0xff && (first == b"NETSCAPE2.0" || first == b"ANIMEXTS1.0") {
                    source.seek(SeekFrom::Start(at + 12))?;
                    if let Ok([3, 1, low, high]) = next(source) {
                        frames.plays = u16::from_le_bytes([low, high]).into();
                    }
                    source.seek(SeekFrom::Start(at))?;
                    blocks(source)?;
                }
            }
            _ => break,
        }
    }
    Ok(frames)
}

/// Frames of an animated PNG file; none of a still one.
fn png(source: &mut (impl Read + Seek)) -> io::Result<Frames> {
    let mut frames = Frames::default();
    let (mut is_animated, mut announced) = (false, 0);
    source.seek(SeekFrom::Start(8))?;
    while frames.count <= MOST {
        let Ok([a, b, c, d, name @ ..]) = next::<8>(source) else {
            // Cut off: at least one of those that are announced is missing.
            frames.count += usize::from(announced > frames.count);
            break;
        };
        let length = u32::from_be_bytes([a, b, c, d]);
        let start = source.stream_position()?;
        match &name {
            b"acTL" if length == 8 => {
                let [e, f, g, h, plays @ ..] = next::<8>(source)?;
                (frames.plays, is_animated) = (u32::from_be_bytes(plays), true);
                announced = u32::from_be_bytes([e, f, g, h]) as usize;
            }
            b"IDAT" if !is_animated => return Ok(Frames::default()),
            b"IDAT" => frames.has_still |= frames.count == 0,
            b"fcTL" => frames.count += 1,
            b"IEND" => break,
            _ => {}
        }
        source.seek(SeekFrom::Start(start + u64::from(length) + 4))?;
    }
    if is_animated && frames.count > 0 { Ok(frames) } else { Ok(Frames::default()) }
}

/// Frames of an animated WebP file; none of a still one.
fn webp(source: &mut (impl Read + Seek)) -> io::Result<Frames> {
    let mut frames = Frames::default();
    source.seek(SeekFrom::Start(12))?;
    while frames.count <= MOST {
        let Ok([name @ .., a, b, c, d]) = next::<8>(source) else { break };
        let length = u32::from_le_bytes([a, b, c, d]);
        let start = source.stream_position()?;
        match &name {
            b"VP8 " | b"VP8L" => return Ok(Frames::default()),
            b"ANIM" => {
                if let Ok([.., low, high]) = next::<6>(source) {
                    frames.plays = u16::from_le_bytes([low, high]).into();
                }
            }
            b"ANMF" => frames.count += 1,
            _ => {}
        }
        source.seek(SeekFrom::Start(start + u64::from(length).next_multiple_of(2)))?;
    }
    Ok(frames)
}

fn next<const N: usize>(source: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    source.read_exact(&mut bytes)?;
    Ok(bytes)
}
