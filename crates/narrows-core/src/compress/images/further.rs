//! What images have beside their pixels since pages, XMP and text are kept: a section of its own, so that files without these
//! are what they were.

use narrows_images::{Density, Format, Page, Photo};
use serde::{Deserialize, Serialize};

/// Further metadata of an image.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Further {
    xmp: Option<Vec<u8>>,
    /// Text as it is in a file of a format, and the format.
    own: Option<(String, Vec<Vec<u8>>)>,
    /// Thousandths of pixels per metre.
    density: Option<(u32, u32)>,
    /// Number, count, and how often an animation is played.
    page: Option<(u32, u32, Option<u32>)>,
    /// Milliseconds, as a fraction.
    delay: Option<(u32, u32)>,
}

impl Further {
    pub(super) fn of(photo: &Photo) -> Further {
        Further {
            xmp: photo.xmp.clone(),
            own: (!photo.own.is_empty()).then(|| (photo.format.name().to_owned(), photo.own.clone())),
            density: photo.density.map(|density| (density.x, density.y)),
            page: photo.page.map(|page| (page.number, page.count, page.plays)),
            delay: photo.delay,
        }
    }

    pub(super) fn added_to(self, photo: Photo) -> Photo {
        let page = |(number, count, plays): (u32, u32, Option<u32>)| Page { number: number.max(1), count, plays };
        let known = |name: &str| Format::ALL.iter().find(|(_, known, _)| *known == name).map(|(format, ..)| *format);
        let (format, own) = match self.own {
            Some((name, own)) => (known(&name).unwrap_or(photo.format), own),
            None => (photo.format, Vec::new()),
        };
        let density = self.density.map(|(x, y)| Density { x, y });
        Photo { xmp: self.xmp, format, own, density, page: self.page.map(page), delay: self.delay, ..photo }
    }
}
