//! Images for the tests: smooth shapes that differ from each other, quick to draw and to learn.

use std::fs;
use std::path::Path;

use narrows_core::images::{Channels, Depth, Format, Image, Limits, Photo};

use crate::folder::Folder;

/// A small network and few steps; tests of the door need no good model.
pub(crate) const SMALL: &str = "--set backbone.channels=8 --set backbone.blocks=1 --set backbone.patch=16 \
                                --set train.batch_size=4 --set train.steps=12";
/// The same for a network with a code.
pub(crate) const CODE: &str = "--set backbone.channels=[4,8] --set backbone.code_size=4 --set train.epochs=2";

/// A disc before a slope; each `i` has another place, size and colour.
pub(crate) fn image(height: usize, width: usize, channels: Channels, i: usize) -> Image {
    let (cy, cx) = ((0.3 + 0.05 * (i % 9) as f32) * height as f32, (0.7 - 0.06 * (i % 7) as f32) * width as f32);
    let radius = (0.15 + 0.03 * (i % 5) as f32) * height.min(width) as f32;
    let mut pixels = Vec::new();
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let slope = 0.2 + 0.5 * (x as f32 / width as f32) * (y as f32 + 1.0) / height as f32;
        let is_in = (y as f32 - cy).hypot(x as f32 - cx) < radius;
        let colour = if is_in { [0.9, 0.3 + 0.05 * (i % 8) as f32, 0.2] } else { [slope, 0.6 * slope, 0.8] };
        pixels.extend_from_slice(match channels {
            Channels::Grey => &colour[..1],
            Channels::Rgb => &colour[..],
        });
    }
    Image::new(height, width, channels, pixels)
}

/// Writes `n` images, `000.png` and so on, into a folder of the folder.
pub(crate) fn draw(folder: &Folder, name: &str, n: usize, side: usize, channels: Channels) {
    fs::create_dir_all(folder.path(name)).unwrap();
    for i in 0..n {
        write(&image(side, side, channels, i).into(), &folder.path(name).join(format!("{i:03}.png")));
    }
}

pub(crate) fn write(photo: &Photo, path: &Path) {
    assert!(photo.write(path).unwrap().lost.is_empty(), "{}", path.display());
}

pub(crate) fn read(folder: &Folder, name: &str) -> Photo {
    Photo::read(folder.path(name), &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A photo with all that a file may hold beside its colours.
pub(crate) fn rich(height: usize, width: usize) -> Photo {
    let alpha = (0..height * width).map(|i| (i % 3) as f32 / 2.0).collect();
    let image = image(height, width, Channels::Rgb, 3);
    let (icc, exif) = (Some(profile()), Some(exif(1)));
    Photo { alpha: Some(alpha), depth: Depth::Sixteen, format: Format::Png, icc, exif, ..Photo::from(image) }
}

/// A colour profile of RGB as far as readers look into it.
pub(crate) fn profile() -> Vec<u8> {
    let mut icc = vec![0_u8; 132];
    icc[..4].copy_from_slice(&132_u32.to_be_bytes());
    icc[12..16].copy_from_slice(b"mntr");
    icc[16..20].copy_from_slice(b"RGB ");
    icc[20..24].copy_from_slice(b"XYZ ");
    icc[36..40].copy_from_slice(b"acsp");
    icc
}

/// An EXIF chunk that says how the camera was held.
pub(crate) fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    exif
}

/// A PNG file of nothing but a header that promises this many pixels.
pub(crate) fn png_header(height: u32, width: u32) -> Vec<u8> {
    let mut chunk = b"IHDR".to_vec();
    chunk.extend(width.to_be_bytes());
    chunk.extend(height.to_be_bytes());
    chunk.extend([8, 2, 0, 0, 0]);
    let mut crc = !0_u32;
    for byte in &chunk {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    file.extend(chunk);
    file.extend((!crc).to_be_bytes());
    file.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    file
}

/// An IDX file of grey images, as MNIST comes.
pub(crate) fn idx(n: usize, side: usize) -> Vec<u8> {
    let mut file = vec![0, 0, 8, 3];
    [n, side, side].iter().for_each(|size| file.extend((*size as u32).to_be_bytes()));
    file.extend(bytes(n, side));
    file
}

/// A NumPy array of the same images.
pub(crate) fn npy(n: usize, side: usize) -> Vec<u8> {
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({n}, {side}, {side}), }}");
    let padded = format!("{header:<117}\n");
    let mut file = b"\x93NUMPY\x01\0".to_vec();
    file.extend((padded.len() as u16).to_le_bytes());
    file.extend(padded.as_bytes());
    file.extend(bytes(n, side));
    file
}

fn bytes(n: usize, side: usize) -> Vec<u8> {
    let of = |i| image(side, side, Channels::Grey, i).pixels.into_iter().map(|x| (x * 255.0).round() as u8);
    (0..n).flat_map(of).collect()
}
