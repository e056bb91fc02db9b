//! Writes images: the pages of one file, or the frames of one animation, into one file where its format can hold them.

use std::path::Path;

use narrows_core::Error;
use narrows_core::images::{Format, Page, Photo, Sequence};

use crate::failure::Failure;
use crate::losses::Losses;
use crate::talk::Talk;

/// Whether an image is written together with the others of its file to a path like this.
pub(crate) fn are_together(path: &Path, page: Option<Page>) -> bool {
    page.is_some_and(|page| Format::of_path(path).is_some_and(|format| Sequence::holds(format, page)))
}

/// A writer of images, which are given in the order of their files.
#[derive(Default)]
pub(crate) struct ImageWriter {
    losses: Losses,
    /// The file of several images that is being written.
    open: Option<Sequence>,
}

impl ImageWriter {
    /// Writes an image to its place, which pages of one file share.
    pub(crate) fn put(&mut self, photo: &Photo, place: &Path) -> Result<(), Failure> {
        if !are_together(place, photo.page) {
            self.close()?;
            make_room(place)?;
            let written = photo.write(place).map_err(Error::from)?;
            self.losses.add(&place.display().to_string(), &written);
            return Ok(());
        }
        if self.is_new(place) {
            self.close()?;
            make_room(place)?;
            self.open = Some(Sequence::new(place).map_err(Error::from)?);
        }
        let open = self.open.as_mut().expect("opened above");
        Ok(open.push(photo).map_err(Error::from)?)
    }

    /// Whether an image for this place begins a file.
    pub(crate) fn is_new(&self, place: &Path) -> bool {
        self.open.as_ref().is_none_or(|open| open.path() != place)
    }

    /// Completes the last file and reports what was lost.
    pub(crate) fn finish(mut self, talk: Talk) -> Result<(), Failure> {
        self.close()?;
        self.losses.tell(talk);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Failure> {
        if let Some(open) = self.open.take() {
            let name = open.path().display().to_string();
            let written = open.finish().map_err(Error::from)?;
            self.losses.add(&name, &written);
        }
        Ok(())
    }
}

/// Creates the parent folder of a file.
pub(crate) fn make_room(path: &Path) -> Result<(), Failure> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or(Ok(()), |parent| std::fs::create_dir_all(parent).map_err(|error| Error::write(parent, error).into()))
}
