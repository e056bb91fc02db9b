//! XMP: text in which the camera's settings and edits are repeated, among them orientation and size.

/// Sets orientation to upright, and the size to that of the image, where they are given.
pub(super) fn set_upright(xmp: &mut Vec<u8>, height: usize, width: usize) {
    let (height, width) = (height.to_string(), width.to_string());
    let properties = [
        ("tiff:Orientation", "1"),
        ("tiff:ImageWidth", &width),
        ("tiff:ImageLength", &height),
        ("exif:PixelXDimension", &width),
        ("exif:PixelYDimension", &height),
    ];
    for (name, value) in properties {
        set(xmp, name, value);
    }
}

/// Removes embedded thumbnails; whether there were any.
pub(super) fn drop_thumbnails(xmp: &mut Vec<u8>) -> bool {
    let (open, close) = (b"<xmp:Thumbnails".as_slice(), b"</xmp:Thumbnails>".as_slice());
    let Some(from) = find(xmp, open, 0) else { return false };
    let Some(to) = find(xmp, close, from) else { return false };
    xmp.drain(from..to + close.len());
    true
}

/// Sets a property of digits, written as an attribute or as an element.
fn set(xmp: &mut Vec<u8>, name: &str, value: &str) {
    for (before, after) in [(format!("{name}=\""), b'"'), (format!("{name}='"), b'\''), (format!("<{name}>"), b'<')] {
        let mut at = 0;
        while let Some(found) = find(xmp, before.as_bytes(), at) {
            let from = found + before.len();
            let digits = xmp[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits > 0 && xmp.get(from + digits) == Some(&after) {
                xmp.splice(from..from + digits, value.bytes());
            }
            at = from;
        }
    }
}

fn find(text: &[u8], what: &[u8], from: usize) -> Option<usize> {
    text.get(from..)?.windows(what.len()).position(|window| window == what).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_of_the_pixels_are_set_and_others_left() {
        let text = "<rdf:Description tiff:Orientation=\"6\" tiff:Make='A 6' exif:PixelXDimension='40'>\
                    <tiff:ImageWidth>30</tiff:ImageWidth><dc:title>tiff:Orientation</dc:title></rdf:Description>";
        let mut xmp = text.as_bytes().to_vec();
        set_upright(&mut xmp, 7, 1234);
        let want = "<rdf:Description tiff:Orientation=\"1\" tiff:Make='A 6' exif:PixelXDimension='1234'>\
                    <tiff:ImageWidth>1234</tiff:ImageWidth><dc:title>tiff:Orientation</dc:title></rdf:Description>";
        assert_eq!(String::from_utf8(xmp).unwrap(), want);
        let mut xmp = b"a<xmp:Thumbnails><x/></xmp:Thumbnails>b".to_vec();
        assert!(drop_thumbnails(&mut xmp) && !drop_thumbnails(&mut b"none".to_vec()));
        assert_eq!(xmp, b"ab");
    }
}
