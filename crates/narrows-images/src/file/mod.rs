//! Image files: what is in one, reading and writing.

mod format;
mod jpeg;
mod limits;
mod read;
mod source;
mod write;

pub use format::Format;
pub use limits::Limits;
pub use write::{JPEG_QUALITY, Loss, Written};

pub(crate) use read::{Header, decode, header};
pub(crate) use source::Source;

use crate::{Channels, Image};

/// Bits of a value in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Depth {
    /// A byte, 256 levels.
    Eight,
    /// Two bytes, 65,536 levels.
    Sixteen,
}

impl Depth {
    /// Bytes of a value.
    pub fn bytes(self) -> usize {
        match self {
            Depth::Eight => 1,
            Depth::Sixteen => 2,
        }
    }
}

/// What an image file holds: the image, upright, and what stands beside it.
///
/// ```
/// use narrows_images::{Channels, Limits, Photo, Image};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("grey.png");
/// Photo::from(Image::filled(2, 3, Channels::Grey, 0.2)).write(&path)?;
/// let photo = Photo::read(&path, &Limits::default())?;
/// assert_eq!(photo.image.pixels, [0.2; 6]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Photo {
    /// The colours. Where the file has an alpha channel they are not multiplied by it.
    pub image: Image,
    /// How opaque each pixel is, `[height, width]` in [0, 1], where the file says so.
    pub alpha: Option<Vec<f32>>,
    /// Bits of a value in the file.
    pub depth: Depth,
    /// The format that the file's content has, whatever its name says.
    pub format: Format,
    /// The colour profile, as in the file.
    pub icc: Option<Vec<u8>>,
    /// The EXIF chunk, as in the file but for the orientation, which is 1 once the image is upright. A thumbnail in it
    /// is left as it was.
    pub exif: Option<Vec<u8>>,
}

impl From<Image> for Photo {
    /// An image and nothing beside it, eight bits a value.
    fn from(image: Image) -> Photo {
        Photo { image, alpha: None, depth: Depth::Eight, format: Format::Png, icc: None, exif: None }
    }
}

/// Whether a colour profile is for pixels of these channels: its header names the colour space.
pub(crate) fn profile_fits(icc: &[u8], channels: Channels) -> bool {
    let expected: &[u8] = match channels {
        Channels::Grey => b"GRAY",
        Channels::Rgb => b"RGB ",
    };
    icc.get(16..20) == Some(expected)
}
