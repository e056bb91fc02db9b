//! Photoshop's resources, in a segment of a JPEG or a tag of a TIFF file: captions (IPTC) are among them, and thumbnails.

/// How a segment of a JPEG with resources begins.
const NAME: &[u8] = b"Photoshop 3.0\0";

/// The content of a segment without the thumbnails in it; `None` if there is none, or if it holds other things.
pub(super) fn segment_without_thumbnails(data: &[u8]) -> Option<Vec<u8>> {
    let kept = without_thumbnails(data.strip_prefix(NAME)?)?;
    Some([NAME, &kept].concat())
}

/// Resources without the thumbnails among them; `None` if there is none.
pub(super) fn without_thumbnails(resources: &[u8]) -> Option<Vec<u8>> {
    const SIGNATURE: &[u8] = b"8BIM";
    let mut rest = resources;
    let mut kept = Vec::new();
    let mut has_thumbnail = false;
    // A resource: signature, number, a name of even length with its length before it, a length, and even data.
    while let Some(resource) = rest.strip_prefix(SIGNATURE) {
        let number = resource.get(..2)?;
        let name = 1 + usize::from(*resource.get(2)?);
        let at = SIGNATURE.len() + 2 + name.next_multiple_of(2);
        let length = rest.get(at..at + 4)?;
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let end = (at + 4).checked_add(length.checked_next_multiple_of(2)?)?.min(rest.len());
        // Of version 4 and later.
        if matches!(number, [4, 9 | 12]) {
            has_thumbnail = true
        } else {
            kept.extend_from_slice(&rest[..end])
        }
        rest = &rest[end..];
    }
    kept.extend_from_slice(rest);
    has_thumbnail.then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbnails_go_and_captions_stay() {
        let resources = b"8BIM\x04\x0c\0\0\0\0\0\x02xx8BIM\x04\x04\x02ab\0\0\0\0\x01y\0";
        assert_eq!(without_thumbnails(resources).unwrap(), b"8BIM\x04\x04\x02ab\0\0\0\0\x01y\0");
        assert_eq!(without_thumbnails(&resources[14..]), None);
        assert_eq!(segment_without_thumbnails(resources), None);
        let segment = [NAME, resources].concat();
        assert!(segment_without_thumbnails(&segment).unwrap().starts_with(NAME));
        (0..resources.len()).for_each(|n| drop(without_thumbnails(&resources[..n])));
    }
}
