//! Lines of a stream, read on a separate thread so that Ctrl-C is noticed while waiting for input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use narrows_core::Error;

use crate::failure::Failure;
use crate::interrupt;

/// Maximum line length in bytes; bounds memory.
pub(crate) const LONGEST: usize = 16 << 20;

/// Capacity of the line queue.
const WAITING: usize = 16;

/// Polling interval for Ctrl-C.
const PATIENCE: Duration = Duration::from_millis(50);

/// A stream of lines.
pub(crate) struct Lines {
    receive: Receiver<io::Result<Line>>,
    name: String,
}

/// One raw line.
#[derive(Debug, PartialEq)]
pub(crate) enum Line {
    /// Its bytes, including the line terminator.
    Whole(Vec<u8>),
    /// Longer than [`LONGEST`] bytes; content discarded.
    TooLong,
}

impl Lines {
    /// Opens a file, or stdin for `-`.
    pub(crate) fn open(path: &Path) -> Result<Lines, Failure> {
        if path.as_os_str() == "-" {
            return Ok(Lines::of(io::stdin(), "stdin".to_owned()));
        }
        let file = File::open(path).map_err(|error| Error::read(path, error))?;
        Ok(Lines::of(file, path.display().to_string()))
    }

    fn of(stream: impl Read + Send + 'static, name: String) -> Lines {
        let (send, receive) = sync_channel(WAITING);
        // Never joined: it may block on input until the process ends.
        thread::spawn(move || read_all(BufReader::with_capacity(1 << 16, stream), &send));
        Lines { receive, name }
    }

    /// The next complete line; `None` at the end of the stream or after Ctrl-C.
    pub(crate) fn next(&mut self) -> Result<Option<Line>, Failure> {
        loop {
            if interrupt::asked() {
                return Ok(None);
            }
            match self.receive.recv_timeout(PATIENCE) {
                Ok(line) => return Ok(Some(line.map_err(|error| Error::read(&self.name, error))?)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// The file name, or `stdin`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// Sends lines until the end of the stream or until the receiver is dropped.
fn read_all(mut reader: impl BufRead, send: &SyncSender<io::Result<Line>>) {
    loop {
        let line = read(&mut reader).transpose();
        let is_last = !matches!(line, Some(Ok(_)));
        if line.is_some_and(|line| send.send(line).is_err()) || is_last {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    reader.by_ref().take(LONGEST as u64).read_until(b'\n', &mut line)?;
    if line.len() < LONGEST || line.ends_with(b"\n") {
        return Ok((!line.is_empty()).then_some(Line::Whole(line)));
    }
    reader.skip_until(b'\n')?;
    Ok(Some(Line::TooLong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_with_their_ends_and_the_last_may_have_none() {
        let mut lines = Lines::of(&b"a\n\r\nb"[..], "test".to_owned());
        for expected in [&b"a\n"[..], b"\r\n", b"b"] {
            assert_eq!(lines.next().unwrap(), Some(Line::Whole(expected.to_vec())));
        }
        assert_eq!(lines.next().unwrap(), None);
    }

    #[test]
    fn a_line_without_end_is_passed_over() {
        let text = [vec![b'x'; LONGEST + 7], b"\nnext\n".to_vec()].concat();
        let mut lines = Lines::of(io::Cursor::new(text), "test".to_owned());
        assert_eq!(lines.next().unwrap(), Some(Line::TooLong));
        assert_eq!(lines.next().unwrap(), Some(Line::Whole(b"next\n".to_vec())));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        assert!(matches!(Lines::open(Path::new("no/such.ndjson")), Err(Failure::Library(Error::Read { .. }))));
    }
}
