//! EXIF data. What it says about the pixels is set right in place, so that everything else stays where it is, also
//! makers' notes, which refer to positions in the data. For TIFF files, whose own directories hold these tags, data are
//! taken apart and put together again.

use std::io::{Cursor, Read, Seek};

use super::density::Density;
use super::directory::{Directory, Entry, Layout, size_of_kind};
use super::resources::without_thumbnails;

/// Longest value that is kept of a TIFF file, in bytes.
const MOST_BYTES: u64 = 1 << 20;
/// Most bytes of all values together.
const MOST_TOTAL: usize = 1 << 23;

const WIDTH: u16 = 0x0100;
const HEIGHT: u16 = 0x0101;
const ORIENTATION: u16 = 0x0112;
const EXIF: u16 = 0x8769;
const GPS: u16 = 0x8825;
const PIXEL_WIDTH: u16 = 0xa002;
const PIXEL_HEIGHT: u16 = 0xa003;
const INTEROPERABILITY: u16 = 0xa005;
const THUMBNAIL: u16 = 0x0201;
const THUMBNAIL_LENGTH: u16 = 0x0202;
const RESOLUTION: [u16; 3] = [0x011a, 0x011b, 0x0128];

/// Tags that say how the pixels of a TIFF file are stored, and those that are read elsewhere: XMP and the colour profile.
const STRUCTURE: &[u16] = &[
    254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 274, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291,
    292, 293, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330, 332, 334, 336, 337, 338, 339, 340, 341, 342,
    343, 344, 345, 346, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 700, 34665, 34675, 34853,
];
/// Photoshop's resources, of which thumbnails are left out.
const RESOURCES: u16 = 34377;
/// Photoshop's layers, which show the pixels as they were.
const LAYERS: u16 = 37724;

/// Sets orientation to upright, and the size to that of the image, where they are given.
pub(super) fn set_upright(chunk: &mut [u8], height: usize, width: usize) {
    let edit = |directory: &Directory, layout: Layout, chunk: &mut [u8]| {
        for entry in &directory.entries {
            let number = match entry.tag {
                ORIENTATION => 1,
                WIDTH | PIXEL_WIDTH => width,
                HEIGHT | PIXEL_HEIGHT => height,
                _ => continue,
            };
            let size = size_of_kind(entry.kind);
            if !matches!(entry.kind, 3 | 4) || entry.count != 1 {
                continue;
            }
            if let Some(place) = chunk.get_mut(entry.at as usize..entry.at as usize + size) {
                let bytes = (number as u64).to_be_bytes();
                place.copy_from_slice(&bytes[8 - size..]);
                if !layout.is_big_endian {
                    place.reverse();
                }
            }
        }
    };
    let Some((layout, first)) = start(chunk) else { return };
    edit(&first, layout, chunk);
    if let Some(second) = below(&mut Cursor::new(&*chunk), layout, &first, EXIF) {
        edit(&second, layout, chunk);
    }
}

/// Removes the embedded thumbnail; whether there was one.
pub(super) fn drop_thumbnail(chunk: &mut Vec<u8>) -> bool {
    let Some((layout, first)) = start(chunk) else { return false };
    let next = first.next_at as usize;
    if first.next == 0 || chunk.len() < next + 4 {
        return false;
    }
    let mut source = Cursor::new(&*chunk);
    let mut number = |tag: u16| {
        let thumbnail = layout.directory(&mut source, first.next).ok()?;
        let entry = *thumbnail.entries.iter().find(|entry| entry.tag == tag)?;
        layout.integer(&mut source, entry).ok()?
    };
    let place = (number(THUMBNAIL), number(THUMBNAIL_LENGTH));
    chunk[next..next + 4].fill(0);
    if let (Some(from), Some(length)) = place {
        let to = from.saturating_add(length).min(chunk.len() as u64) as usize;
        let from = (from as usize).min(to);
        // Offsets of all else stay as they are, so only what stands at the end goes.
        if to == chunk.len() { chunk.truncate(from) } else { chunk[from..to].fill(0) }
    }
    true
}

/// The layout and the first directory of a chunk.
fn start(chunk: &[u8]) -> Option<(Layout, Directory)> {
    let mut source = Cursor::new(chunk);
    let layout = Layout::read(&mut source).ok()??;
    let first = layout.directory(&mut source, layout.first).ok()?;
    Some((layout, first))
}

/// The directory that a tag of `parent` points to.
fn below(source: &mut (impl Read + Seek), layout: Layout, parent: &Directory, tag: u16) -> Option<Directory> {
    let entry = *parent.entries.iter().find(|entry| entry.tag == tag)?;
    let at = layout.integer(source, entry).ok()??;
    layout.directory(source, at).ok()
}

/// A value of a tag, in the byte order of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) number: u16,
    pub(super) kind: u16,
    data: Vec<u8>,
    is_big_endian: bool,
}

/// The tags of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tags {
    pub(super) image: Vec<Tag>,
    pub(super) exif: Vec<Tag>,
    pub(super) gps: Vec<Tag>,
    /// Whether some were left out: too long, or layers.
    pub(super) is_partial: bool,
    /// Whether a thumbnail was left out.
    pub(super) had_thumbnail: bool,
}

impl Tag {
    /// The value with its numbers in this machine's byte order.
    pub(super) fn native(&self) -> Vec<u8> {
        let mut data = self.data.clone();
        if self.is_big_endian != cfg!(target_endian = "big") {
            // Fractions are pairs of four bytes.
            let size = if matches!(self.kind, 5 | 10) { 4 } else { size_of_kind(self.kind) };
            data.chunks_exact_mut(size.max(1)).for_each(<[u8]>::reverse);
        }
        data
    }
}

impl Tags {
    /// The tags of a directory of a TIFF file that describe the image rather than how it is stored.
    pub(super) fn of_page(source: &mut (impl Read + Seek), layout: Layout, at: u64) -> Tags {
        let Ok(page) = layout.directory(source, at) else { return Tags::default() };
        let mut tags = Tags::default();
        let mut left = MOST_TOTAL;
        tags.is_partial = page.entries.iter().any(|entry| entry.tag == LAYERS);
        let is_ours = |tag: u16| !STRUCTURE.contains(&tag) && tag != LAYERS && !RESOLUTION.contains(&tag);
        let of_image = page.entries.iter().filter(|entry| is_ours(entry.tag));
        tags.image = tags.read(source, layout, of_image, &mut left);
        tags.below(source, layout, &page, &mut left);
        tags
    }

    /// The tags of an EXIF chunk, without thumbnail.
    pub(super) fn of_chunk(chunk: &[u8]) -> Option<Tags> {
        let (layout, first) = start(chunk)?;
        let mut source = Cursor::new(chunk);
        let mut tags = Tags::default();
        let mut left = MOST_TOTAL;
        let of_image = first.entries.iter().filter(|entry| !STRUCTURE.contains(&entry.tag));
        tags.image = tags.read(&mut source, layout, of_image, &mut left);
        tags.below(&mut source, layout, &first, &mut left);
        Some(tags)
    }

    fn below(&mut self, source: &mut (impl Read + Seek), layout: Layout, page: &Directory, left: &mut usize) {
        let kept = |entry: &&Entry| !matches!(entry.tag, INTEROPERABILITY);
        if let Some(exif) = below(source, layout, page, EXIF) {
            self.exif = self.read(source, layout, exif.entries.iter().filter(kept), left);
        }
        if let Some(gps) = below(source, layout, page, GPS) {
            self.gps = self.read(source, layout, gps.entries.iter(), left);
        }
    }

    fn read<'e>(
        &mut self,
        source: &mut (impl Read + Seek),
        layout: Layout,
        entries: impl Iterator<Item = &'e Entry>,
        left: &mut usize,
    ) -> Vec<Tag> {
        let mut tags = Vec::new();
        for entry in entries {
            match layout.value(source, *entry, MOST_BYTES.min(*left as u64)) {
                // Numbers of BigTIFF have no place in EXIF.
                Ok(Some(mut data)) if entry.kind < 13 => {
                    *left -= data.len();
                    if entry.tag == RESOURCES
                        && let Some(others) = without_thumbnails(&data)
                    {
                        self.had_thumbnail = true;
                        data = others;
                        if data.is_empty() {
                            continue;
                        }
                    }
                    let is_big_endian = layout.is_big_endian;
                    tags.push(Tag { number: entry.tag, kind: entry.kind, data, is_big_endian });
                }
                _ => self.is_partial = true,
            }
        }
        tags.sort_by_key(|tag| tag.number);
        tags.dedup_by_key(|tag| tag.number);
        tags
    }

    /// Without the resolution, which is another one, or incomplete.
    pub(super) fn drop_resolution(&mut self) {
        self.image.retain(|tag| !RESOLUTION.contains(&tag.number));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.image.is_empty() && self.exif.is_empty() && self.gps.is_empty()
    }

    /// The tags as an EXIF chunk, little-endian.
    pub(super) fn to_chunk(&self) -> Vec<u8> {
        let mut chunk = b"II*\0\x08\0\0\0".to_vec();
        let pointers = usize::from(!self.exif.is_empty()) + usize::from(!self.gps.is_empty());
        let pointer_at = |i: usize| 8 + 2 + (self.image.len() + i) * 12 + 8;
        // Pointers have higher numbers than all other tags of the first directory but a few of makers; readers do not
        // depend on the order.
        put(&mut chunk, &self.image, pointers);
        let below = [(EXIF, &self.exif), (GPS, &self.gps)].into_iter().filter(|(_, tags)| !tags.is_empty());
        for (i, (tag, tags)) in below.enumerate() {
            let at = pointer_at(i);
            let here = chunk.len() as u32;
            chunk[at - 8..at - 4].copy_from_slice(&[tag.to_le_bytes(), 4_u16.to_le_bytes()].concat());
            chunk[at - 4..at].copy_from_slice(&1_u32.to_le_bytes());
            chunk[at..at + 4].copy_from_slice(&here.to_le_bytes());
            put(&mut chunk, tags, 0);
        }
        chunk
    }
}

/// Appends a directory and its values, with room for `pointers` entries after the others.
fn put(chunk: &mut Vec<u8>, tags: &[Tag], pointers: usize) {
    let entries = tags.len() + pointers;
    let mut values_at = chunk.len() + 2 + entries * 12 + 4;
    let mut values = Vec::new();
    chunk.extend((entries as u16).to_le_bytes());
    for tag in tags {
        let mut data = tag.native();
        if cfg!(target_endian = "big") {
            data = Tag { data, is_big_endian: false, ..tag.clone() }.native();
        }
        chunk.extend(tag.number.to_le_bytes());
        chunk.extend(tag.kind.to_le_bytes());
        chunk.extend(((data.len() / size_of_kind(tag.kind)) as u32).to_le_bytes());
        if data.len() <= 4 {
            data.resize(4, 0);
            chunk.extend(data);
        } else {
            chunk.extend((values_at as u32).to_le_bytes());
            // Values begin at even offsets.
            data.resize(data.len().next_multiple_of(2), 0);
            values_at += data.len();
            values.extend(data);
        }
    }
    chunk.extend(vec![0; pointers * 12 + 4]);
    chunk.extend(values);
}

/// The resolution of a page of a TIFF file; `None` if it has none or no unit.
pub(super) fn density_of_page(source: &mut (impl Read + Seek), layout: Layout, at: u64) -> Option<Density> {
    let page = layout.directory(source, at).ok()?;
    let find = |tag: u16| page.entries.iter().find(|entry| entry.tag == tag).copied();
    let mut fraction = |tag: u16| {
        let value = layout.value(source, find(tag)?, 8).ok()??;
        let (above, below) = value.split_at_checked(4)?;
        let (above, below) = (layout.number(above), layout.number(below));
        (below > 0).then(|| above as f64 / below as f64)
    };
    let (x, y) = (fraction(RESOLUTION[0])?, fraction(RESOLUTION[1])?);
    let unit = find(RESOLUTION[2]).and_then(|entry| layout.integer(source, entry).ok()?).unwrap_or(2);
    match unit {
        2 => Density::per_inch(x, y),
        3 => Density::per_metre(100.0 * x, 100.0 * y),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(number: u16, kind: u16, data: &[u8]) -> Tag {
        Tag { number, kind, data: data.to_vec(), is_big_endian: false }
    }

    fn tags() -> Tags {
        Tags {
            image: vec![tag(0x010f, 2, b"A maker\0"), tag(ORIENTATION, 3, &[6, 0])],
            exif: vec![tag(0x829a, 5, &[1, 0, 0, 0, 60, 0, 0, 0]), tag(PIXEL_WIDTH, 4, &[9, 0, 0, 0])],
            gps: vec![tag(1, 2, b"N\0")],
            ..Tags::default()
        }
    }

    #[test]
    fn tags_become_a_chunk_and_tags_again() {
        let chunk = tags().to_chunk();
        let again = Tags::of_chunk(&chunk).unwrap();
        assert_eq!((again.exif, again.gps), (tags().exif, tags().gps));
        assert_eq!(again.image, tags().image[..1], "the orientation is the image's");
        let big = Tag { is_big_endian: true, ..tag(0, 5, &[0, 0, 0, 1, 0, 0, 0, 60]) };
        assert_eq!(big.native(), tag(0, 5, &[1, 0, 0, 0, 60, 0, 0, 0]).native());
    }

    #[test]
    fn what_speaks_of_the_pixels_is_set_right_in_place() {
        let mut chunk = tags().to_chunk();
        let before = chunk.clone();
        set_upright(&mut chunk, 300, 70_000);
        let (layout, first) = start(&chunk).unwrap();
        let number = |directory: &Directory, tag: u16| {
            let entry = *directory.entries.iter().find(|entry| entry.tag == tag).unwrap();
            layout.integer(&mut Cursor::new(&chunk), entry).unwrap().unwrap()
        };
        assert_eq!(number(&first, ORIENTATION), 1);
        let exif = below(&mut Cursor::new(&chunk), layout, &first, EXIF).unwrap();
        assert_eq!(number(&exif, PIXEL_WIDTH), 70_000);
        assert_eq!(before.iter().zip(&chunk).filter(|(a, b)| a != b).count(), 4);
        set_upright(&mut [0; 5], 1, 1);
    }

    #[test]
    fn thumbnails_go() {
        let mut chunk = tags().to_chunk();
        let whole = chunk.clone();
        assert!(!drop_thumbnail(&mut chunk));
        let at = start(&chunk).unwrap().1.next_at as usize;
        let here = chunk.len() as u32;
        chunk[at..at + 4].copy_from_slice(&here.to_le_bytes());
        let thumbnail = [tag(THUMBNAIL, 4, &(here + 30).to_le_bytes()), tag(THUMBNAIL_LENGTH, 4, &[50, 0, 0, 0])];
        put(&mut chunk, &thumbnail, 0);
        chunk.extend([7; 50]);
        assert!(drop_thumbnail(&mut chunk));
        assert_eq!(chunk[..whole.len()], whole);
        assert_eq!(chunk.len(), whole.len() + 30);
        assert!(!drop_thumbnail(&mut chunk));
    }
}
