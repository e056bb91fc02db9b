//! Reading and writing image files.

mod animation;
mod density;
mod directory;
mod exif;
mod format;
mod jpeg;
mod limits;
mod loss;
mod metadata;
mod pages;
mod read;
mod resources;
mod sequence;
mod source;
mod splice;
mod tagged;
mod write;
mod xmp;

pub use density::Density;
pub use format::Format;
pub use limits::Limits;
pub use loss::Loss;
pub use pages::Page;
pub use sequence::Sequence;
pub use write::{JPEG_QUALITY, Written};

pub(crate) use animation::Runs;
pub(crate) use pages::{Part, Place};
pub(crate) use read::{Decoded, Header, contents, decode, decode_frames, header};
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
    /// The EXIF chunk, as in the file except for the orientation, which is 1 as the image is upright, and the size. For a TIFF
    /// file, its own tags.
    pub exif: Option<Vec<u8>>,
    /// The XMP packet, with orientation and size of the upright image.
    pub xmp: Option<Vec<u8>>,
    /// Text, comments and captions as they are in a file of this format: chunks of a PNG, segments of a JPEG.
    pub own: Vec<Vec<u8>>,
    /// The resolution.
    pub density: Option<Density>,
    /// Which of several images of a file it is; `None` if it is the only one.
    pub page: Option<Page>,
    /// How long a frame of an animation is shown, in milliseconds, as a fraction.
    pub delay: Option<(u32, u32)>,
    /// What was lost when the file was read.
    pub lost: Vec<Loss>,
}

impl Photo {
    /// The photo with other pixels, and all that stands beside them set to these: sizes are corrected, and thumbnails, which
    /// show the image as it was, are dropped and named in [`Photo::lost`].
    #[must_use]
    pub fn with_pixels(mut self, image: Image, alpha: Option<Vec<f32>>) -> Photo {
        let (height, width) = (image.height, image.width);
        let mut has_thumbnail = false;
        if let Some(exif) = &mut self.exif {
            exif::set_upright(exif, height, width);
            has_thumbnail |= exif::drop_thumbnail(exif);
        }
        if let Some(xmp) = &mut self.xmp {
            xmp::set_upright(xmp, height, width);
            has_thumbnail |= xmp::drop_thumbnails(xmp);
        }
        if self.format == Format::Jpeg {
            for own in &mut self.own {
                if let Some((marker, rest)) = own.split_first()
                    && let Some(rest) = resources::segment_without_thumbnails(rest)
                {
                    *own = [&[*marker], rest.as_slice()].concat();
                    has_thumbnail = true;
                }
            }
        }
        if has_thumbnail && !self.lost.contains(&Loss::Thumbnail) {
            self.lost.push(Loss::Thumbnail);
        }
        Photo { image, alpha, ..self }
    }
}

impl From<Image> for Photo {
    /// An image without metadata, eight bits per value.
    fn from(image: Image) -> Photo {
        Photo {
            image,
            alpha: None,
            depth: Depth::Eight,
            format: Format::Png,
            icc: None,
            exif: None,
            xmp: None,
            own: Vec::new(),
            density: None,
            page: None,
            delay: None,
            lost: Vec::new(),
        }
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
