//! Image sizes, channels and files that could not be read.

use askama::Template;

use super::number::{count, counted};
use super::text::{DisplayName, cut};
use crate::report::{self, AlbumReport, SkippedImage};

/// Skipped images listed openly, and listed at all; the JSON has the rest.
const SKIPPED_SHOWN: usize = 8;
const SKIPPED_KEPT: usize = 200;

/// Part of the data section.
#[derive(Template)]
#[template(path = "report/album.html", whitespace = "minimize")]
pub(super) struct AlbumFacts {
    source: DisplayName,
    pixels: String,
    channels: &'static str,
    /// Folders of normal images; empty if all images are normal.
    normal: String,
    /// Number of unreadable images with its noun; empty if all were read.
    skipped: String,
    shown: Vec<SkippedRow>,
    folded: Vec<SkippedRow>,
    unlisted: String,
}

struct SkippedRow {
    name: DisplayName,
    reason: String,
}

impl AlbumFacts {
    pub(super) fn new(album: &AlbumReport, label: Option<&report::Label>) -> AlbumFacts {
        let all = album.skipped.len();
        let mut listed = album.skipped.iter().take(SKIPPED_KEPT).map(skipped);
        let shown = if all <= SKIPPED_SHOWN + 2 { SKIPPED_SHOWN + 2 } else { SKIPPED_SHOWN };
        AlbumFacts {
            source: DisplayName::new(&album.source),
            pixels: format!("{} × {} pixels", span(album.heights), span(album.widths)),
            channels: album.channels.name(),
            normal: label.and_then(|label| label.normal.as_ref()).map(|names| cut(names, 400)).unwrap_or_default(),
            skipped: if all > 0 { counted(all as u64, "image") } else { String::new() },
            shown: listed.by_ref().take(shown).collect(),
            folded: listed.collect(),
            unlisted: if all > SKIPPED_KEPT { count((all - SKIPPED_KEPT) as u64) } else { String::new() },
        }
    }
}

fn skipped(skipped: &SkippedImage) -> SkippedRow {
    SkippedRow { name: DisplayName::new(&skipped.name), reason: cut(&skipped.reason, 200) }
}

/// `28`, or `28 to 512`.
fn span([least, greatest]: [usize; 2]) -> String {
    if least == greatest {
        count(least as u64)
    } else {
        format!("{} to {}", count(least as u64), count(greatest as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn sizes_and_skipped_images_are_listed() {
        let mut album = sample::restorer().album;
        let html = AlbumFacts::new(&album, None).render().unwrap().replace('\u{a0}', " ");
        for words in ["256 to 512 × 256 to 768 pixels", "2 images could not be read", "torn.jpg", "ends too early"] {
            assert!(html.contains(words), "`{words}` is missing in {html}");
        }
        album.skipped = vec![album.skipped[0].clone(); 500];
        let facts = AlbumFacts::new(&album, None);
        assert_eq!((facts.shown.len(), facts.folded.len(), facts.unlisted.as_str()), (8, 192, "300"));
        album.skipped.clear();
        assert!(!AlbumFacts::new(&album, None).render().unwrap().contains("could not be read"));
    }
}
