//! Image file formats.

use std::fmt;
use std::path::Path;

use image::ImageFormat;

/// Image file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP; written losslessly.
    Webp,
    /// Tagged Image File Format.
    Tiff,
    /// Windows bitmap.
    Bmp,
    /// Graphics Interchange Format.
    Gif,
    /// Portable any-map: PBM, PGM, PPM and PAM.
    Pnm,
}

/// Extensions of image formats that are not read: of photographs, of cameras' own files, of drawings, of games.
const UNREAD: &[&str] = &[
    "heic", "heif", "hif", "avif", "jxl", "jp2", "j2k", "jpx", "jxr", "tga", "exr", "hdr", "dds", "ff", "farbfeld",
    "qoi", "ico", "cur", "icns", "psd", "psb", "xcf", "kra", "svg", "svgz", "eps", "ai", "pcx", "ras", "sgi", "xbm",
    "xpm", "dcm", "dicom", "fits", "nef", "nrw", "cr2", "cr3", "crw", "arw", "sr2", "dng", "orf", "rw2", "raf", "pef",
    "srw", "x3f", "3fr", "mrw", "raw", "webm", "mp4", "mov", "avi", "mkv", "mng", "djvu",
];

impl Format {
    /// All formats with names and extensions, in documentation order.
    pub const ALL: [(Format, &'static str, &'static [&'static str]); 7] = [
        (Format::Png, "png", &["png", "apng"]),
        (Format::Jpeg, "jpeg", &["jpg", "jpeg", "jpe", "jfif"]),
        (Format::Webp, "webp", &["webp"]),
        (Format::Tiff, "tiff", &["tif", "tiff"]),
        (Format::Bmp, "bmp", &["bmp", "dib"]),
        (Format::Gif, "gif", &["gif"]),
        (Format::Pnm, "pnm", &["pnm", "pbm", "pgm", "ppm", "pam"]),
    ];

    /// The format of a path's extension.
    pub fn of_path(path: &Path) -> Option<Format> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        let known = Format::ALL.iter().find(|(_, _, extensions)| extensions.contains(&extension.as_str()));
        known.map(|(format, ..)| *format)
    }

    /// Whether an extension is that of an image format that is neither read nor written.
    pub fn is_unread(extension: &str) -> bool {
        UNREAD.contains(&extension.to_ascii_lowercase().as_str())
    }

    /// The name, as in messages.
    pub fn name(self) -> &'static str {
        let named = Format::ALL.iter().find(|(format, ..)| *format == self);
        named.map_or("png", |(_, name, _)| name)
    }

    /// The extensions of every format: `.png, .apng, .jpg, …`.
    pub fn extensions() -> String {
        let all = Format::ALL.iter().flat_map(|(_, _, extensions)| extensions.iter());
        all.map(|extension| format!(".{extension}")).collect::<Vec<_>>().join(", ")
    }

    /// The names of every format: `png, jpeg, …`.
    pub(crate) fn names() -> String {
        Format::ALL.iter().map(|(_, name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn of_library(format: ImageFormat) -> Option<Format> {
        match format {
            ImageFormat::Png => Some(Format::Png),
            ImageFormat::Jpeg => Some(Format::Jpeg),
            ImageFormat::WebP => Some(Format::Webp),
            ImageFormat::Tiff => Some(Format::Tiff),
            ImageFormat::Bmp => Some(Format::Bmp),
            ImageFormat::Gif => Some(Format::Gif),
            ImageFormat::Pnm => Some(Format::Pnm),
            _ => None,
        }
    }

    pub(crate) fn of_ours(self) -> ImageFormat {
        match self {
            Format::Png => ImageFormat::Png,
            Format::Jpeg => ImageFormat::Jpeg,
            Format::Webp => ImageFormat::WebP,
            Format::Tiff => ImageFormat::Tiff,
            Format::Bmp => ImageFormat::Bmp,
            Format::Gif => ImageFormat::Gif,
            Format::Pnm => ImageFormat::Pnm,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_say_the_format() {
        let of = |name: &str| Format::of_path(Path::new(name));
        assert_eq!(of("a.JPG"), Some(Format::Jpeg));
        assert_eq!(of("b/a.pgm"), Some(Format::Pnm));
        assert_eq!((of("a.txt"), of("png"), of(".png")), (None, None, None));
        assert!(Format::is_unread("HEIC") && Format::is_unread("tga") && !Format::is_unread("txt"));
        assert!(Format::ALL.iter().all(|(_, _, extensions)| !extensions.iter().any(|own| Format::is_unread(own))));
        assert!(Format::extensions().starts_with(".png, .apng, .jpg"));
        assert!(Format::ALL.iter().all(|(format, ..)| Format::of_library(format.of_ours()) == Some(*format)));
    }
}
