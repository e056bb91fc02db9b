//! Compressed bodies, unfolded within the limit of plain ones.

use std::io::{self, Read};

use axum::body::Bytes;
use flate2::read::MultiGzDecoder;

use crate::refusal::Refusal;
use crate::row_limits::RowLimits;

/// Bytes unfolded between two looks whether anybody waits.
const PART: u64 = 1 << 20;

/// The bytes of a body, unfolded if they are those of gzip or zstd. What a small body unfolds to beyond `small` bytes needs
/// room as a large body does.
pub(crate) fn unfolded(bytes: &Bytes, small: usize, limits: &RowLimits) -> Result<Bytes, Refusal> {
    let packed: Box<dyn Read> = match bytes.as_ref() {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(bytes.as_ref())),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::new(bytes.as_ref()).map_err(|error| damaged(&error))?),
        _ => return Ok(bytes.clone()),
    };
    let most = limits.body as u64;
    let mut packed = packed.take(most.saturating_add(1));
    let mut plain = Vec::new();
    loop {
        limits.hold.check()?;
        let read = packed.by_ref().take(PART).read_to_end(&mut plain).map_err(|error| damaged(&error))?;
        if plain.len() as u64 > most {
            let message = format!("the body: expected at most {most} bytes once unfolded, got more");
            return Err(Refusal::too_large(message));
        }
        if read == 0 {
            return Ok(Bytes::from(plain));
        }
        if plain.len() > small {
            limits.hold.take_room()?;
        }
    }
}

fn damaged(error: &io::Error) -> Refusal {
    Refusal::bad(format!("the body: expected a whole file of gzip or zstd, got an error: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::*;
    use crate::hold::Hold;
    use crate::metrics::Metrics;

    fn zipped(length: usize) -> Bytes {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&vec![b'x'; length]).unwrap();
        encoder.finish().unwrap().into()
    }

    fn check(body: &Bytes, rooms: usize, expected: Result<usize, &str>) {
        let hold = Hold::new(Arc::new(Semaphore::new(rooms)), Arc::new(Metrics::new()));
        let limits = RowLimits { rows: 1, body: 3000, hold: Arc::new(hold) };
        match (unfolded(body, 1000, &limits), expected) {
            (Ok(plain), Ok(length)) => assert_eq!(plain.len(), length),
            (Err(refusal), Err(words)) => assert!(refusal.message.contains(words), "{}", refusal.message),
            (found, expected) => panic!("{found:?}, {expected:?}"),
        }
    }

    #[test]
    fn a_body_counts_as_what_it_unfolds_to() {
        check(&Bytes::from_static(b"a,b\n1,2\n"), 0, Ok(8));
        check(&zipped(900), 0, Ok(900));
        check(&zipped(2000), 1, Ok(2000));
        check(&zipped(2000), 0, Err("busy"));
        check(&zipped(3000), 1, Ok(3000));
        check(&zipped(3001), 1, Err("at most 3000 bytes once unfolded"));
        check(&zstd::encode_all(&[b'x'; 3001][..], 1).unwrap().into(), 1, Err("once unfolded"));
        check(&zipped(100).slice(..20), 0, Err("gzip or zstd"));
    }
}
