//! NumPy arrays of images: `.npy`, and one array of an `.npz`.
//!
//! The values are read here, because `ndarray-npy` allocates the size given in the header before checking the length of
//! the file.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

use super::array::{Array, Shape, Source};
use crate::compact::Values;
use crate::file::open_regular;
use crate::{Error, Limits, NumpyHeader, Result};

/// Reads an array file.
pub(super) fn npy(source: &mut Source, limits: &Limits) -> Result<Array> {
    let header = header(source)?;
    let descriptor = &header.descriptor;
    let kind = descriptor.trim_matches('\'');
    let (bytes, is_big_endian) = match kind {
        "|u1" | "<u1" | ">u1" => (1, false),
        "<u2" => (2, false),
        ">u2" => (2, true),
        "<f4" => (4, false),
        ">f4" => (4, true),
        "<f8" => (8, false),
        ">f8" => (8, true),
        _ => {
            let expected = "expected uint8, uint16, float32 or float64";
            return Err(source.refused(format!("{expected}, got the type {descriptor}; convert it: x.astype('uint8')")));
        }
    };
    let shape = Shape::new(&header.shape, bytes, &source.place, limits)?;
    let raw = source.bytes((shape.count * shape.values() * bytes) as u64, "images")?;
    let in_order = |values: Values| match values {
        values if !header.is_fortran => values,
        Values::Bytes(values) => Values::Bytes(turned(&values, &shape)),
        Values::Words(values) => Values::Words(turned(&values, &shape)),
        Values::Floats(values) => Values::Floats(turned(&values, &shape)),
    };
    let values = in_order(match bytes {
        1 => Values::Bytes(raw),
        2 => Values::Words(numbers(&raw, is_big_endian, u16::from_le_bytes)),
        4 => Values::Floats(numbers(&raw, is_big_endian, f32::from_le_bytes)),
        _ => Values::Floats(numbers(&raw, is_big_endian, |bytes| f64::from_le_bytes(bytes) as f32)),
    });
    if let Values::Floats(floats) = &values
        && let Some(at) = floats.iter().position(|x| !(0.0..=1.0).contains(x))
    {
        let place = format!("{}#{}", source.place, at / shape.values());
        let message = format!("expected values in [0, 1], got {}; {}", floats[at], advice(floats));
        return Err(Error::image(place, message));
    }
    Ok(Array::new(shape, values, &source.place))
}

/// What to do about values outside of [0, 1], by where all of them lie.
fn advice(floats: &[f32]) -> &'static str {
    let (low, high) =
        floats.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
    let within = |least: f32, most: f32| low >= least && high <= most;
    match () {
        () if floats.iter().any(|x| !x.is_finite()) => {
            "replace what is not finite, as by numpy.nan_to_num(x), or leave these images out"
        }
        () if within(-1.0, 1.0) => "from [-1, 1]: (x + 1) / 2",
        () if within(-0.5, 0.5) => "from [-0.5, 0.5]: x + 0.5",
        () if within(0.0, 255.0) => "from [0, 255]: x.astype('uint8')",
        () if within(0.0, 65_535.0) => "from [0, 65535]: x.astype('uint16')",
        () => "scale all images alike: (x - x.min()) / (x.max() - x.min())",
    }
}

/// Reads the only array of an archive, or the one called `key`.
pub(super) fn npz(path: &Path, key: Option<&str>, limits: &Limits) -> Result<Array> {
    let place = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let broken = |error| Error::image(&place, format!("expected a whole numpy archive, got an error: {error}"));
    let file = open_regular(path).map_err(|error| Error::read(path, error))?;
    let length = file.metadata().map_err(|error| Error::read(path, error))?.len();
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    let key_of = |name: &str| name.strip_suffix(".npy").unwrap_or(name).to_owned();
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    let keys: Vec<String> = names.iter().map(|name| key_of(name)).collect();
    let listed = || keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let at = match (key, names.as_slice()) {
        (None, [_]) => 0,
        (None, _) => {
            let hint = format!("name one: {}:{}", path.display(), keys.first().map_or("", |key| key));
            return Err(Error::image(&place, format!("expected an archive of one array, got {}; {hint}", listed())));
        }
        (Some(key), _) => keys
            .iter()
            .position(|name| name == key)
            .ok_or_else(|| Error::image(&place, format!("expected an array `{key}`, got {}", listed())))?,
    };
    let entry = archive.by_name(&names[at]).map_err(broken)?;
    let place = if key.is_some() { format!("{place}:{}", keys[at]) } else { place.clone() };
    // Neither the length in the archive nor the one in the array's header is trusted.
    npy(&mut Source { reader: Box::new(entry), length: None, place }, &limits.unfolding(length))
}

/// The first bytes of the only file in an archive; empty if there are several, or the archive is damaged.
pub(super) fn first_bytes(path: &Path, most: u64) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(BufReader::new(File::open(path).ok()?)).ok()?;
    let only = (archive.len() == 1).then(|| archive.by_index(0).ok()).flatten()?;
    let mut head = Vec::new();
    only.take(most).read_to_end(&mut head).ok()?;
    Some(head)
}

/// Reads the header.
fn header(source: &mut Source) -> Result<NumpyHeader> {
    let header = NumpyHeader::read(&mut source.reader).map_err(|message| source.refused(message))?;
    source.length = source.length.map(|length| length.saturating_sub(header.length));
    Ok(header)
}

fn numbers<T, const N: usize>(raw: &[u8], is_big_endian: bool, of: fn([u8; N]) -> T) -> Vec<T> {
    let (numbers, _) = raw.as_chunks::<N>();
    let number = |bytes: &[u8; N]| {
        let mut bytes = *bytes;
        if is_big_endian {
            bytes.reverse();
        }
        of(bytes)
    };
    numbers.iter().map(number).collect()
}

/// Values in Fortran order, in pixel order.
fn turned<T: Copy>(values: &[T], shape: &Shape) -> Vec<T> {
    let Shape { count: n, height, width, channels, .. } = *shape;
    let mut turned = Vec::with_capacity(values.len());
    for i in 0..n {
        for y in 0..height {
            for x in 0..width {
                turned.extend((0..channels.count()).map(|c| values[i + n * (y + height * (x + width * c))]));
            }
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, Array4, ShapeBuilder, array};
    use ndarray_npy::{NpzWriter, WriteNpyExt};

    use crate::{Album, Channels, Depth, Limits};

    fn open(bytes: &[u8], name: &str, key: &str) -> crate::Result<Album> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Album::open(format!("{}{key}", path.display()), &Limits::default())
    }

    fn npy<A: WriteNpyExt>(array: &A) -> Vec<u8> {
        let mut bytes = Vec::new();
        array.write_npy(&mut bytes).unwrap();
        bytes
    }

    /// An array file with the given header.
    fn raw(descr: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let mut header = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}");
        header.push_str(&" ".repeat(180usize.saturating_sub(header.len())));
        header.push('\n');
        [b"\x93NUMPY\x01\x00", (header.len() as u16).to_le_bytes().as_slice(), header.as_bytes(), data].concat()
    }

    fn check_refused(bytes: &[u8], expected: &str) {
        let error = open(bytes, "x.npy", "").unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn types_orders_and_ends_come_alike() {
        let expected = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
        let check = |bytes: &[u8], depth: Depth| {
            let album = open(bytes, "x.npy", "").unwrap();
            assert_eq!((album.len(), album.size(0), album.depth(0)), (2, (1, 3, Channels::Grey), depth));
            assert_eq!(album.name(1), "x.npy#1");
            let pixels = [album.image(0).unwrap().pixels, album.image(1).unwrap().pixels].concat();
            assert_eq!(pixels, expected, "{depth:?}");
        };
        let levels: Vec<u8> = vec![0, 51, 102, 153, 204, 255];
        let words: Vec<u16> = levels.iter().map(|&x| u16::from(x) * 257).collect();
        check(&npy(&Array3::from_shape_vec((2, 1, 3), levels.clone()).unwrap()), Depth::Eight);
        check(&npy(&Array4::from_shape_vec((2, 1, 3, 1), words.clone()).unwrap()), Depth::Sixteen);
        check(&npy(&Array3::from_shape_vec((2, 1, 3), expected.to_vec()).unwrap()), Depth::Sixteen);
        check(&npy(&Array3::from_shape_vec((2, 1, 3), expected.map(f64::from).to_vec()).unwrap()), Depth::Sixteen);
        let big: Vec<u8> = words.iter().flat_map(|x| x.to_be_bytes()).collect();
        check(&raw("'>u2'", "False", "(2, 1, 3)", &big), Depth::Sixteen);
        let big: Vec<u8> = expected.iter().flat_map(|x| x.to_be_bytes()).collect();
        check(&raw("'>f4'", "False", "(2, 1, 3)", &big), Depth::Sixteen);
        let mut fortran = Array3::<u8>::zeros((2, 1, 3).f());
        fortran.assign(&Array3::from_shape_vec((2, 1, 3), levels).unwrap());
        let bytes = npy(&fortran);
        assert!(String::from_utf8_lossy(&bytes).contains("'fortran_order': True"));
        check(&bytes, Depth::Eight);
    }

    #[test]
    fn colours_come_in_either_order() {
        let c = Array4::from_shape_fn((2, 3, 4, 3), |(i, y, x, c)| (i * 100 + y * 20 + x * 4 + c) as u8);
        let mut fortran = Array4::<u8>::zeros((2, 3, 4, 3).f());
        fortran.assign(&c);
        let (c, fortran) = (open(&npy(&c), "x.npy", "").unwrap(), open(&npy(&fortran), "x.npy", "").unwrap());
        assert_eq!(c.image(1).unwrap(), fortran.image(1).unwrap());
        assert_eq!(c.image(1).unwrap().pixel(2, 3), [152, 153, 154].map(|x| x as f32 / 255.0));
    }

    #[test]
    fn an_archive_gives_its_only_array_or_the_one_asked_for() {
        let archive = |names: &[&str]| {
            let mut writer = NpzWriter::new_compressed(std::io::Cursor::new(Vec::new()));
            for name in names {
                writer.add_array(*name, &array![[[0u8, 255]]]).unwrap();
            }
            writer.add_array("y", &array![1u8]).unwrap();
            writer.finish().unwrap().into_inner()
        };
        let album = open(&archive(&["X"]), "x.npz", ":X").unwrap();
        assert_eq!((album.name(0), album.image(0).unwrap().pixels), ("x.npz:X#0".to_owned(), vec![0.0, 1.0]));
        let check = |bytes: &[u8], key: &str, expected: &str| {
            let error = open(bytes, "x.npz", key).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(&archive(&["X"]), "", "x.npz: expected an archive of one array, got `X`, `y`; name one: ");
        check(&archive(&["X"]), ":Z", "expected an array `Z`, got `X`, `y`");
        check(&archive(&[]), "", "x.npz: expected an array of images");
        check(b"PK\x03\x04", "", "expected a whole numpy archive");
    }

    #[test]
    fn floats_outside_of_the_range_name_their_image() {
        let mut floats = Array3::<f32>::zeros((3, 2, 2));
        for (value, advice) in [
            (1.5, "from [0, 255]: x.astype('uint8')"),
            (-0.7, "from [-1, 1]: (x + 1) / 2"),
            (256.0, "x.astype('uint16')"),
            (-2.0, "(x - x.min())"),
        ] {
            floats[(1, 0, 1)] = value;
            check_refused(&npy(&floats), &format!("x.npy#1: expected values in [0, 1], got {value}; "));
            check_refused(&npy(&floats), advice);
        }
        floats[(2, 0, 1)] = f32::NAN;
        floats[(1, 0, 1)] = 1.0;
        check_refused(&npy(&floats), "x.npy#2: expected values in [0, 1], got NaN");
        check_refused(&npy(&floats), "numpy.nan_to_num");
        check_refused(&npy(&floats.mapv(f64::from)), "x.npy#2");
    }

    #[test]
    fn one_image_with_its_channels_is_one_image() {
        let album = open(&npy(&Array3::<u8>::zeros((6, 5, 3))), "x.npy", "").unwrap();
        assert_eq!((album.len(), album.size(0)), (1, (6, 5, Channels::Rgb)));
        assert!(
            album.notes()[0].contains("x.npy: the array [6, 5, 3] is read as one RGB image"),
            "{:?}",
            album.notes()
        );
        assert!(open(&npy(&Array3::<u8>::zeros((6, 5, 5))), "x.npy", "").unwrap().notes().is_empty());
        check_refused(&npy(&Array3::<u8>::zeros((6, 5, 4))), "x[None, ..., :3]");
        check_refused(&npy(&Array4::<u8>::zeros((2, 6, 5, 4))), "x[..., :3]");
    }

    #[test]
    fn hostile_and_foreign_headers_are_refused() {
        let huge = raw("'|u1'", "False", "(1000000, 4000, 1000)", b"short");
        check_refused(&huge, "expected at most 4294967296 bytes in memory, got 4000000000000");
        check_refused(&raw("'|u1'", "False", "(1000, 1000, 1000)", b"short"), "1000000000 bytes of images, got 5");
        let overflow = format!("({0}, {0}, {0})", u64::MAX);
        check_refused(&raw("'<f8'", "False", &overflow, b""), "expected at most 32768 pixels a side");
        check_refused(&raw("'<f8'", "False", &format!("({}, 2, 2)", u64::MAX), b""), "bytes in memory, got 184467");
        check_refused(&raw("'<f8'", "False", "(0, 2, 2)", b""), "expected at least one image, got [0, 2, 2]");
        check_refused(&raw("'|u1'", "False", "(4, 4)", &[0; 16]), "one image is an array of one: x[None]");
        check_refused(&raw("'|u1'", "False", "(1, 3, 2, 2)", &[0; 12]), "channels come last here");
        check_refused(
            &raw("'<i8'", "False", "(1, 1, 1)", &[0; 8]),
            "expected uint8, uint16, float32 or float64, got the type '<i8'",
        );
        check_refused(&raw("'|O'", "False", "(1, 1, 1)", &[0; 8]), "got the type '|O'");
        check_refused(&raw(&"[".repeat(2_000), "False", "(1, 1, 1)", b""), "a header of nested types");
        check_refused(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}", "got a header of 4294967295 bytes");
        check_refused(b"\x93NUMPY\x01\x00", "expected 2 bytes of a numpy header, got 0");
    }

    #[test]
    fn archives_of_images_alone_are_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let recognises = |arrays: &[(&str, &[usize])]| {
            let path = folder.path().join("x.npz");
            let mut writer = NpzWriter::new(std::fs::File::create(&path).unwrap());
            arrays.iter().for_each(|(name, shape)| {
                writer.add_array(*name, &ndarray::ArrayD::<u8>::zeros(*shape)).unwrap();
            });
            writer.finish().unwrap();
            Album::recognises(&path.display().to_string())
        };
        assert!(recognises(&[("X", &[5, 4, 4])]));
        assert!(!recognises(&[("X", &[5, 16])]), "a table");
        assert!(!recognises(&[("X", &[5, 4, 4]), ("y", &[5])]), "ambiguous archive");
    }
}
