//! What a file could not keep of an image.

use std::fmt;

/// What was lost when a file was read, or what the format could not store when it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loss {
    /// The alpha channel, or its intermediate levels.
    Alpha,
    /// Sixteen bits: rounded to eight.
    Sixteen,
    /// A single grey channel: stored as RGB with equal values.
    Grey,
    /// Colours beyond 256.
    Colours,
    /// The colour profile.
    Icc,
    /// The EXIF chunk.
    Exif,
    /// The XMP packet.
    Xmp,
    /// Text, comments and captions.
    Text,
    /// The resolution.
    Density,
    /// How long a frame of an animation is shown.
    Delay,
    /// Inks: converted to RGB.
    Cmyk,
    /// The palette: stored as colours.
    Palette,
    /// Thumbnails, which show the image as it was.
    Thumbnail,
    /// Layers and previews of other programs, and tags that are too long.
    Layers,
    /// Further images in the file that are not pages: smaller copies, masks, the still image of an animation.
    Others,
}

impl Loss {
    /// Whether other pixels come back than those in the file, or fewer.
    pub fn changes_pixels(self) -> bool {
        use Loss::{Alpha, Cmyk, Colours, Layers, Others, Sixteen};
        matches!(self, Alpha | Sixteen | Colours | Cmyk | Layers | Others)
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Loss::Alpha => "the alpha channel",
            Loss::Sixteen => "16 bits a value, rounded to 8",
            Loss::Grey => "grey as one channel, stored as three equal ones",
            Loss::Colours => "all but 256 colours",
            Loss::Icc => "the colour profile",
            Loss::Exif => "the exif data",
            Loss::Xmp => "the xmp data",
            Loss::Text => "text and comments",
            Loss::Density => "the resolution",
            Loss::Delay => "how long each frame is shown",
            Loss::Cmyk => "CMYK inks, converted to RGB",
            Loss::Palette => "the palette, stored as colours",
            Loss::Thumbnail => "the embedded thumbnail",
            Loss::Layers => "layers and previews of other programs",
            Loss::Others => "further images in the file (smaller copies, masks, a still image)",
        })
    }
}
