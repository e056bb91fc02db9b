//! The character encoding of text files.
//!
//! UTF-8 is read as it is; UTF-16 is recognised by its byte order mark or its zero bytes. Bytes that are not UTF-8 are
//! read as Windows-1252, which contains Latin-1, unless an encoding is given; that is always told.

use std::fmt;
use std::str::FromStr;

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

/// A character encoding by one of its names on the web, such as `windows-1252`, `shift_jis` or `gbk`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(pub(super) &'static encoding_rs::Encoding);

impl FromStr for Encoding {
    type Err = String;

    fn from_str(text: &str) -> Result<Encoding, String> {
        let known = encoding_rs::Encoding::for_label(text.as_bytes());
        known.map(Encoding).ok_or_else(|| {
            format!(
                "expected the name of an encoding such as utf-8, utf-16le, windows-1252, shift_jis or gbk, got `{text}`"
            )
        })
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

/// What the first bytes of a text file tell about its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detected {
    /// ASCII so far.
    Ascii,
    /// UTF-8, perhaps damaged.
    Utf8,
    /// Something else, to be decoded.
    Other(Encoding),
}

/// Detects UTF-16 by its byte order mark, or by a zero in nearly every other byte.
pub(super) fn utf16(prefix: &[u8]) -> Option<Encoding> {
    match prefix {
        [0xff, 0xfe, ..] => return Some(Encoding(UTF_16LE)),
        [0xfe, 0xff, ..] => return Some(Encoding(UTF_16BE)),
        _ => {}
    }
    let pairs = prefix.len() / 2;
    let zeros = |offset: usize| prefix.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    // Numbers in binary files have zeros in both places.
    let is_text = |zeros: usize, others: usize| pairs >= 4 && zeros * 10 >= pairs * 9 && others == 0;
    if is_text(odd, even) {
        Some(Encoding(UTF_16LE))
    } else if is_text(even, odd) {
        Some(Encoding(UTF_16BE))
    } else {
        None
    }
}

/// Detects the encoding of text without zero bytes; `is_whole` unless `prefix` may end within a character.
pub(super) fn detect(prefix: &[u8], is_whole: bool) -> Detected {
    if prefix.is_ascii() {
        return Detected::Ascii;
    }
    let (mut valid, mut invalid, mut seen) = (0, 0, 0);
    for chunk in prefix.utf8_chunks() {
        valid += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        seen += chunk.valid().len() + chunk.invalid().len();
        let is_cut = !is_whole && seen == prefix.len() && chunk.invalid().len() < 4;
        invalid += usize::from(!chunk.invalid().is_empty() && !is_cut);
    }
    // A letter of two bytes in Windows-1252 that is UTF-8 by chance is rare.
    if invalid > valid { Detected::Other(Encoding(WINDOWS_1252)) } else { Detected::Utf8 }
}

/// The bytes as Windows-1252, in which every byte is a character.
pub(super) fn windows_1252(bytes: &[u8]) -> String {
    WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_from_the_first_bytes() {
        let latin = Detected::Other(Encoding(WINDOWS_1252));
        assert_eq!(detect(b"a,b\n", true), Detected::Ascii);
        assert_eq!(detect("größe,b\n".as_bytes(), true), Detected::Utf8);
        assert_eq!(detect(b"gr\xf6\xdfe,b\n", true), latin);
        assert_eq!(detect(b"gr\xc3\xb6\xc3", false), Detected::Utf8);
        assert_eq!(detect("ä ö ü \u{fffd}".as_bytes(), true), Detected::Utf8);
        assert_eq!(detect(&["ä ö ü ".as_bytes(), b"\xff"].concat(), true), Detected::Utf8);
        assert_eq!(windows_1252(b"20 \xb0C \x80"), "20 °C €");
    }

    #[test]
    fn utf_16_is_known_with_and_without_a_mark() {
        let little: Vec<u8> = "a,b\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "a,b\n1,2\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(utf16(&little), Some(Encoding(UTF_16LE)));
        assert_eq!(utf16(&big), Some(Encoding(UTF_16BE)));
        assert_eq!(utf16(b"\xff\xfea\0"), Some(Encoding(UTF_16LE)));
        assert_eq!(utf16(b"a,b\n1,2\n"), None);
        assert_eq!(utf16(&[0; 64]), None);
    }

    #[test]
    fn encodings_have_their_names_on_the_web() {
        assert_eq!("latin1".parse::<Encoding>().unwrap().to_string(), "windows-1252");
        assert_eq!("Shift_JIS".parse::<Encoding>().unwrap().to_string(), "Shift_JIS");
        assert!("klingon".parse::<Encoding>().is_err());
    }
}
