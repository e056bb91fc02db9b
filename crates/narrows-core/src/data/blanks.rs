//! Columns padded with blanks, rewritten with one tab between two fields.
//!
//! The parser of delimited text takes two delimiters in a row for an empty field, so runs of blanks are replaced in front
//! of it. Quoted fields keep their blanks, and lines keep their numbers.

use std::io::{self, Read};

/// Bytes read at a time.
const PORTION: usize = 64 * 1024;

/// A stream with runs of blanks replaced.
pub(super) struct Blanks<R> {
    stream: R,
    scanner: Scanner,
    read: Vec<u8>,
    written: Vec<u8>,
    next: usize,
}

impl<R: Read> Blanks<R> {
    /// Replaces runs of at least `least` blanks; a tab counts as such a run.
    pub(super) fn new(stream: R, least: usize) -> Blanks<R> {
        let scanner = Scanner { least, pending: 0, place: Where::LineStart };
        Blanks { stream, scanner, read: vec![0; PORTION], written: Vec::with_capacity(PORTION), next: 0 }
    }
}

impl<R: Read> Read for Blanks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.next == self.written.len() {
            let read = self.stream.read(&mut self.read)?;
            if read == 0 {
                return Ok(0);
            }
            self.written.clear();
            self.next = 0;
            self.scanner.push(&self.read[..read], &mut self.written);
        }
        let copied = buffer.len().min(self.written.len() - self.next);
        buffer[..copied].copy_from_slice(&self.written[self.next..self.next + copied]);
        self.next += copied;
        Ok(copied)
    }
}

/// Where in its line the next byte stands.
#[derive(Clone, Copy, PartialEq)]
enum Where {
    LineStart,
    Field,
    Quoted,
    /// Behind a quote that ends its field, unless another quote follows.
    AfterQuote,
}

struct Scanner {
    least: usize,
    /// Blanks not written yet.
    pending: usize,
    place: Where,
}

impl Scanner {
    fn push(&mut self, bytes: &[u8], written: &mut Vec<u8>) {
        for &byte in bytes {
            match byte {
                b'"' if self.place == Where::Quoted => {
                    self.place = Where::AfterQuote;
                    written.push(byte);
                }
                _ if self.place == Where::Quoted => written.push(byte),
                b' ' => self.pending += 1,
                b'\t' => self.pending += self.least,
                b'\n' | b'\r' => {
                    self.pending = 0;
                    self.place = Where::LineStart;
                    written.push(byte);
                }
                _ => self.text(byte, written),
            }
        }
    }

    fn text(&mut self, byte: u8, written: &mut Vec<u8>) {
        let pending = std::mem::take(&mut self.pending);
        let is_first = self.place == Where::LineStart;
        let starts_field = is_first || pending >= self.least;
        let reopens = self.place == Where::AfterQuote && pending == 0;
        if !is_first {
            match starts_field {
                true => written.push(b'\t'),
                false => written.extend(std::iter::repeat_n(b' ', pending)),
            }
        }
        self.place = if byte == b'"' && (starts_field || reopens) { Where::Quoted } else { Where::Field };
        written.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, least: usize, expected: &str) {
        let mut whole = String::new();
        Blanks::new(text.as_bytes(), least).read_to_string(&mut whole).unwrap();
        assert_eq!(whole, expected);
        // Cut anywhere, the result is the same.
        let mut scanner = Scanner { least, pending: 0, place: Where::LineStart };
        let mut written = Vec::new();
        text.as_bytes().iter().for_each(|byte| scanner.push(&[*byte], &mut written));
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn a_run_of_blanks_is_one_delimiter_and_ends_do_not_count() {
        check("  a   b\t c  \n1 2  3\r\n\r\n", 1, "a\tb\tc\n1\t2\t3\r\n\r\n");
        check("New York   1\tx\n  Rome  22  \n", 2, "New York\t1\tx\nRome\t22\n");
    }

    #[test]
    fn quoted_fields_keep_their_blanks() {
        check("\"a  b\"  \"say \"\"x  y\"\" \" 5\"  z\n", 1, "\"a  b\"\t\"say \"\"x  y\"\" \"\t5\"\tz\n");
    }
}
