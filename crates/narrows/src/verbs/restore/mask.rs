//! Masks of lost pixels: one for all images, one for each by name, or their own transparency.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use narrows_core::Error;
use narrows_core::error::Place;
use narrows_core::images::{Album, Channels, Fill, Holes, Image, Limits, Photo};

use crate::failure::Failure;

/// Which pixels are lost.
pub(super) struct Masks {
    source: MaskSource,
    /// The value that stands for lost pixels.
    fill: f32,
}

enum MaskSource {
    /// Those that are transparent.
    Alpha,
    /// The white ones of a mask.
    One(Image),
    /// The white ones of the mask of each image: its number by its name without extension.
    Named(Box<Album>, HashMap<PathBuf, usize>),
}

/// The value that stands for lost pixels of any colour: mid-grey.
const HOLE: f32 = 0.5;

impl Masks {
    /// Opens a mask or a folder of masks; `alpha` stands for transparency.
    pub(super) fn open(mask: &str, fill: Fill) -> Result<Masks, Failure> {
        let fill = fill.value().unwrap_or(HOLE);
        if mask == "alpha" {
            return Ok(Masks { source: MaskSource::Alpha, fill });
        }
        let album = Album::open(mask, &Limits::default()).map_err(Error::from)?;
        if !Path::new(mask).is_dir() {
            return Ok(Masks { source: MaskSource::One(album.image(0).map_err(Error::from)?), fill });
        }
        let numbers = (0..album.len()).map(|i| (stem(&album.name(i)), i)).collect();
        Ok(Masks { source: MaskSource::Named(Box::new(album), numbers), fill })
    }

    /// Transparency, for models of holes of any colour that are not told more.
    pub(super) fn transparent() -> Masks {
        Masks { source: MaskSource::Alpha, fill: HOLE }
    }

    /// The lost pixels of image `i` of an album.
    pub(super) fn holes(&self, album: &Album, i: usize, photo: &Photo) -> Result<Holes, Failure> {
        let name = album.name(i);
        let refused = |message: String| Err(Error::data(Place::source(&name), message).into());
        let mask = match &self.source {
            MaskSource::Alpha => {
                let visible = vec![1.0; photo.image.height * photo.image.width];
                let alpha = photo.alpha.as_ref().unwrap_or(&visible);
                return Ok(Holes { lost: alpha.iter().map(|alpha| *alpha <= 0.0).collect(), fill: self.fill });
            }
            MaskSource::One(mask) => mask.clone(),
            MaskSource::Named(masks, numbers) => {
                let own = stem(&name);
                let with_ending =
                    own.with_file_name(format!("{}_mask", own.file_name().unwrap_or_default().to_string_lossy()));
                let Some(at) = numbers.get(&own).or_else(|| numbers.get(&with_ending)) else {
                    let (own, source) = (own.display(), masks.source());
                    return refused(format!("expected a mask `{own}.*` or `{own}_mask.*` in `{source}`, got none"));
                };
                masks.image(*at).map_err(Error::from)?
            }
        };
        let (height, width) = (photo.image.height, photo.image.width);
        if (mask.height, mask.width) != (height, width) {
            let (h, w) = (mask.height, mask.width);
            return refused(format!("expected a mask of {height} x {width} pixels, got {h} x {w}"));
        }
        let mask = mask.to_channels(Channels::Grey);
        Ok(Holes { lost: mask.pixels.iter().map(|value| *value >= 0.5).collect(), fill: self.fill })
    }
}

/// A name without its extension.
fn stem(name: &str) -> PathBuf {
    Path::new(name).with_extension("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_found_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, value: f32, side: usize| {
            std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            Photo::from(Image::filled(side, side, Channels::Grey, value)).write(path(name)).unwrap();
        };
        for name in ["in/a.png", "in/b.jpg", "in/c.png", "in/d.png"] {
            write(name, 0.3, 2);
        }
        write("masks/a.png", 1.0, 2);
        write("masks/b_mask.png", 0.0, 2);
        write("masks/d.png", 0.0, 3);
        let album = Album::open(path("in"), &Limits::default()).unwrap();
        let lost = |mask: &str, i: usize| {
            let holes = Masks::open(mask, Fill::Unsaid)?.holes(&album, i, &album.photo(i).unwrap())?;
            Ok::<_, Failure>(holes.lost)
        };
        let masks = path("masks").display().to_string();
        assert_eq!(lost(&masks, 0).unwrap(), [true; 4]);
        assert_eq!(lost(&masks, 1).unwrap(), [false; 4]);
        let message = |i: usize| match lost(&masks, i) {
            Err(Failure::Library(error)) => error.to_string(),
            other => panic!("{other:?}"),
        };
        assert!(message(2).contains("c.png") && message(2).contains("got none"), "{}", message(2));
        assert!(message(3).contains("expected a mask of 2 x 2 pixels, got 3 x 3"), "{}", message(3));
        assert_eq!(lost(&format!("{masks}/a.png"), 3).unwrap(), [true; 4]);
        assert_eq!(lost("alpha", 0).unwrap(), [false; 4]);
    }
}
