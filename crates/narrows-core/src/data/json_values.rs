//! Cuts a stream of JSON into its values: the elements of an array, or values one after the other.
//!
//! Only brackets and quotes are looked at; each value is parsed by itself afterwards, so memory is bounded by the
//! largest.

use std::io::{self, BufRead};

/// A stream of values.
pub(super) struct JsonValues<R> {
    reader: R,
    /// In an array: what may come next.
    array: Option<Next>,
    value: Vec<u8>,
    /// Bytes that a value may have.
    longest: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Start,
    Element,
    End,
}

impl<R: BufRead> JsonValues<R> {
    /// Values one after the other, or the elements of an array if `is_array`.
    pub(super) fn new(reader: R, is_array: bool, longest: usize) -> JsonValues<R> {
        JsonValues { reader, array: is_array.then_some(Next::Start), value: Vec::new(), longest }
    }

    /// The next value; `None` at the end.
    ///
    /// # Errors
    /// If the stream ends within a value or array, text follows the array, or a value is too long
    /// ([`FileTooLarge`](io::ErrorKind::FileTooLarge)).
    pub(super) fn next_value(&mut self) -> io::Result<Option<&[u8]>> {
        self.value.clear();
        let (mut depth, mut in_text, mut is_escaped) = (0u32, false, false);
        loop {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                return match self.array {
                    Some(Next::Start | Next::Element) => Err(wrong("the array is not closed: the file is cut off")),
                    _ if self.value.is_empty() => Ok(None),
                    _ if depth > 0 || in_text => Err(wrong("a value is not closed: the file is cut off")),
                    _ => Ok(Some(&self.value)),
                };
            }
            let mut used = 0;
            let mut is_done = false;
            for &byte in chunk {
                used += 1;
                if self.value.is_empty() {
                    match (byte, self.array) {
                        (b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf, _) => continue,
                        (b'[', Some(Next::Start)) => {
                            self.array = Some(Next::Element);
                            continue;
                        }
                        (b',', Some(Next::Element)) => continue,
                        (b']', Some(Next::Element)) => {
                            self.array = Some(Next::End);
                            continue;
                        }
                        (_, Some(Next::End)) => return Err(wrong("text follows the array")),
                        _ => {}
                    }
                }
                let is_plain = depth == 0 && !in_text && !self.value.is_empty();
                if is_plain && matches!(byte, b',' | b']' | b' ' | b'\t' | b'\r' | b'\n') {
                    // A number or word ends where something else begins.
                    used -= 1;
                    is_done = true;
                    break;
                }
                self.value.push(byte);
                match byte {
                    _ if is_escaped => is_escaped = false,
                    b'\\' if in_text => is_escaped = true,
                    b'"' => in_text = !in_text,
                    _ if in_text => {}
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if depth == 0 && !in_text && matches!(byte, b'}' | b']' | b'"') {
                    is_done = true;
                    break;
                }
            }
            self.reader.consume(used);
            if self.value.len() > self.longest {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            if is_done {
                return Ok(Some(&self.value));
            }
        }
    }
}

fn wrong(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn check(text: &str, is_array: bool, expected: &str) {
        // Any cut of the stream gives the same values.
        for capacity in [1, 7, 4096] {
            let mut values = JsonValues::new(BufReader::with_capacity(capacity, text.as_bytes()), is_array, 1000);
            let mut got = Vec::new();
            let end = loop {
                match values.next_value() {
                    Ok(Some(value)) => got.push(String::from_utf8(value.to_vec()).unwrap()),
                    Ok(None) => break String::new(),
                    Err(error) => break error.to_string(),
                }
            };
            got.push(end);
            assert_eq!(got.join("|"), expected);
        }
    }

    #[test]
    fn values_are_cut_at_their_ends() {
        check("[ {\"a\": \"]}\\\"\"},\n {\"b\": [1, {}]} ]\n", true, "{\"a\": \"]}\\\"\"}|{\"b\": [1, {}]}|");
        check("[]", true, "");
        check("[1, null,\"x\"]", true, "1|null|\"x\"|");
        check("{\n \"a\": 1\n}\n{\"a\": 2}", false, "{\n \"a\": 1\n}|{\"a\": 2}|");
        check("[{}] {}", true, "{}|text follows the array");
        check("[{},{\"a\":1}", true, "{}|{\"a\":1}|the array is not closed: the file is cut off");
        check("{\"a\":", false, "a value is not closed: the file is cut off");
    }
}
