//! The structure of JPEG files, and detection of truncated ones: the decoder silently fills missing parts with grey, which
//! must not enter training data.

/// The segments before the coded data: their markers and contents.
pub(super) fn segments(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut at = 2;
    std::iter::from_fn(move || {
        loop {
            let [0xff, marker] = *bytes.get(at..at + 2)? else { return None };
            match marker {
                0xff => at += 1,
                0x01 | 0xd0..=0xd8 => at += 2,
                // The coded data begin, or there are none.
                0xd9 | 0xda => return None,
                _ => {
                    let length = bytes.get(at + 2..at + 4)?;
                    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
                    let data = bytes.get(at + 4..at + 2 + length.max(2))?;
                    at += 2 + length.max(2);
                    return Some((marker, data));
                }
            }
        }
    })
}

/// Whether it has four components: inks.
pub(super) fn has_inks(bytes: &[u8]) -> bool {
    let is_frame = |marker: u8| matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
    segments(bytes).any(|(marker, data)| is_frame(marker) && matches!(data, [_, _, _, _, _, 4, ..]))
}

/// Where segments can be put: after those of applications at the beginning.
pub(super) fn after_applications(bytes: &[u8]) -> usize {
    let is_first = |(marker, _): &(u8, &[u8])| matches!(marker, 0xe0..=0xef);
    2 + segments(bytes).take_while(is_first).map(|(_, data)| data.len() + 4).sum::<usize>()
}

/// Whether the stream of `bytes` reaches its end-of-image marker (ITU T.81, annex B).
///
/// Segments are skipped by their lengths, so that markers in embedded thumbnails do not count; in coded data
/// 0xff is always followed by 0x00 or a restart marker.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    let mut at = 2;
    while at + 1 < bytes.len() {
        let marker = bytes[at + 1];
        match (bytes[at], marker) {
            (0xff, 0xd9) => return true,
            // Fill bytes before a marker.
            (0xff, 0xff) => at += 1,
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => at += 2,
            (0xff, _) => match bytes.get(at + 2..at + 4) {
                Some(length) => at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]])),
                None => return false,
            },
            _ => at += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_looked_for_outside_of_segments() {
        let thumbnail = [0xff, 0xd8, 0xff, 0xe1, 0, 6, 0xff, 0xd9, 1, 1];
        let scan = [0xff, 0xda, 0, 3, 7, 1, 0xff, 0, 2, 0xff, 0xd0, 3];
        let all = [thumbnail.as_slice(), &scan, &[0xff, 0xd9]].concat();
        assert!(is_whole(&all));
        assert!((0..all.len()).all(|n| !is_whole(&all[..n])));
    }
}
