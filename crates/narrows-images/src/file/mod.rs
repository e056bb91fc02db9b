//! Reading and writing image files.

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
pub(crate) use source::{ByteSource, open_regular};

use crate::{Channels, Image};

/// Bits per value in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Depth {
    /// A byte, 256 levels.
    Eight,
    /// Two bytes, 65,536 levels.
    Sixteen,
}

impl Depth {
    /// Bytes per value.
    pub fn bytes(self) -> usize {
        match self {
            Depth::Eight => 1,
            Depth::Sixteen => 2,
        }
    }
}

/// The content of an image file: the upright image and its metadata.
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
    /// The pixels, not premultiplied by alpha.
    pub image: Image,
    /// Alpha of each pixel, `[height, width]` in [0, 1], if the file has it.
    pub alpha: Option<Vec<f32>>,
    /// Bits per value in the file.
    pub depth: Depth,
    /// The format detected from the content.
    pub format: Format,
    /// The colour profile, as in the file.
    pub icc: Option<Vec<u8>>,
    /// The EXIF chunk, as in the file except for the orientation, which is 1 as the image is upright. Embedded thumbnails
    /// are not changed.
    pub exif: Option<Vec<u8>>,
}

impl From<Image> for Photo {
    /// An image without metadata, eight bits per value.
    fn from(image: Image) -> Photo {
        Photo { image, alpha: None, depth: Depth::Eight, format: Format::Png, icc: None, exif: None }
    }
}

/// Whether a colour profile applies to these channels, by the colour space in its header.
pub(crate) fn profile_fits(icc: &[u8], channels: Channels) -> bool {
    let expected: &[u8] = match channels {
        Channels::Grey => b"GRAY",
        Channels::Rgb => b"RGB ",
    };
    icc.get(16..20) == Some(expected)
}
