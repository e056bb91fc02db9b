//! Unsigned numbers in as few bytes as needed: seven bits per byte, lowest first, with the top bit set on all but the last
//! (LEB128). Only the shortest form is valid, so that encodings are unique.

use crate::error::{CodecError, Result};

/// Appends `value`.
pub(crate) fn push(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A number being read byte by byte.
#[derive(Default)]
pub(crate) struct Partial {
    value: u64,
    shift: u32,
}

/// The effect of a byte on a [`Partial`] number.
pub(crate) enum Step {
    More,
    Done(u64),
    /// Too long, or not the shortest encoding.
    Invalid,
}

impl Partial {
    /// Adds the next byte.
    pub(crate) fn step(&mut self, byte: u8) -> Step {
        let bits = u64::from(byte & 0x7f);
        if self.shift > 63 || (self.shift == 63 && bits > 1) || (byte == 0 && self.shift > 0) {
            return Step::Invalid;
        }
        self.value |= bits << self.shift;
        self.shift += 7;
        if byte & 0x80 == 0 { Step::Done(self.value) } else { Step::More }
    }
}

/// A number at the beginning of bytes, and the bytes after it.
pub(crate) fn read<'a>(bytes: &'a [u8], what: &'static str) -> Result<(u64, &'a [u8])> {
    let mut partial = Partial::default();
    for (at, &byte) in bytes.iter().enumerate() {
        match partial.step(byte) {
            Step::More => {}
            Step::Done(number) => return Ok((number, &bytes[at + 1..])),
            Step::Invalid => break,
        }
    }
    Err(CodecError::malformed(what, "a varint in its shortest form", "none"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Option<(u64, usize)> {
        let mut partial = Partial::default();
        for (at, &byte) in bytes.iter().enumerate() {
            match partial.step(byte) {
                Step::More => {}
                Step::Done(value) => return Some((value, at + 1)),
                Step::Invalid => return None,
            }
        }
        None
    }

    proptest! {
        #[test]
        fn comes_back(value: u64, shift in 0u32..64) {
            let value = value >> shift;
            let mut bytes = Vec::new();
            push(&mut bytes, value);
            prop_assert!(bytes.len() <= 10);
            prop_assert_eq!(read(&bytes), Some((value, bytes.len())));
        }
    }

    #[test]
    fn only_the_shortest_spelling_is_valid() {
        assert_eq!(read(&[0x80, 0x00]), None);
        assert_eq!(read(&[0xff; 10]), None);
        assert_eq!(read(&[0x80, 0x80]), None);
    }
}
