//! Masks: images that mark the defects in other images, in the layout of MVTec AD and of those that follow it. They are no
//! images to learn from.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::files::Found;
use crate::file::{Part, Runs, contents, decode};
use crate::{Channels, Image, Limits};

/// The folder of masks.
const FOLDER: &str = "ground_truth";
/// Folders that hold masks if their images are black and white and have the name of another image, as in VisA.
const FOLDERS: [&str; 2] = ["masks", "mask"];
/// Extensions of masks.
const EXTENSIONS: [&str; 5] = ["png", "bmp", "tif", "tiff", "jpg"];
/// The end of a mask's name, before the extension.
const ENDING: &str = "_mask";

/// The files that are not masks; the names of those that are. If all are, they were asked for.
pub(super) fn without_masks(files: Vec<Found>, masks: &mut Vec<String>, limits: &Limits) -> Vec<Found> {
    let stems: HashSet<PathBuf> = files.iter().map(|found| found.path.with_extension("")).collect();
    let names: HashSet<&OsStr> =
        files.iter().filter(|found| !is_in(&found.name, &FOLDERS)).filter_map(|found| found.path.file_stem()).collect();
    let is_twin = |found: &Found| {
        is_in(&found.name, &FOLDERS)
            && found.path.file_stem().is_some_and(|name| names.contains(name))
            && is_black_and_white(&found.path, limits)
    };
    let mut same_stem: HashMap<PathBuf, Vec<&Path>> = HashMap::new();
    files.iter().for_each(|found| same_stem.entry(found.path.with_extension("")).or_default().push(&found.path));
    let is_same = |found: &Found| {
        let others = same_stem[&found.path.with_extension("")].iter().filter(|other| **other != found.path);
        is_png(&found.path) && others.into_iter().any(|other| marks(&found.path, other, limits))
    };
    let is_mask = |found: &Found| {
        is_in(&found.name, &[FOLDER]) || is_beside(found, &stems, limits) || is_twin(found) || is_same(found)
    };
    let are_masks: Vec<bool> = files.iter().map(is_mask).collect();
    if are_masks.iter().all(|is_mask| *is_mask) {
        return files;
    }
    let (left_out, kept): (Vec<_>, Vec<_>) = files.into_iter().zip(are_masks).partition(|(_, is_mask)| *is_mask);
    masks.extend(left_out.into_iter().map(|(found, _)| found.name));
    kept.into_iter().map(|(found, _)| found).collect()
}

/// The mask that marks the defects of an image, if there is one: `a_mask.png` or `a.png` beside `a.jpg`, or in `ground_truth`
/// or `Masks` where the image is in `test` or `Images`.
pub(super) fn of_image(image: &Path) -> Option<PathBuf> {
    let stem = image.file_stem()?.to_str()?;
    let beside = image.parent()?;
    // The folders below the one that masks have another name for.
    let folder_of = |from: &str, to: &str| {
        let at =
            beside.ancestors().find(|folder| folder.file_name().is_some_and(|name| name.eq_ignore_ascii_case(from)))?;
        Some(at.parent()?.join(to).join(beside.strip_prefix(at).ok()?))
    };
    let apart = [("test", FOLDER), ("images", "Masks"), ("images", "masks")];
    let folders = apart.iter().filter_map(|(from, to)| folder_of(from, to));
    let named = |folder: &Path, name: &str| {
        let with = |extension: &&str| folder.join(format!("{name}.{extension}"));
        EXTENSIONS.iter().map(with).find(|path| path != image && path.is_file())
    };
    let with_ending = format!("{stem}{ENDING}");
    named(beside, &with_ending)
        .or_else(|| {
            folders.into_iter().find_map(|folder| named(&folder, &with_ending).or_else(|| named(&folder, stem)))
        })
        .or_else(|| named(beside, stem).filter(|path| is_png(path) && marks(path, image, &Limits::default())))
}

fn is_png(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
}

/// Whether of `a.png` and `a.jpg` the first marks defects in the second: it is black and white but for soft edges, and the
/// other is not, as it would be for a scanned page.
fn marks(mask: &Path, image: &Path, limits: &Limits) -> bool {
    !is_png(image) && is_nearly_black_and_white(mask, limits) && !is_nearly_black_and_white(image, limits)
}

/// Whether a path leads through one of these folders.
fn is_in(name: &str, of: &[&str]) -> bool {
    let mut folders = Path::new(name).parent().into_iter().flat_map(Path::components);
    folders.any(|folder| of.iter().any(|name| folder.as_os_str().eq_ignore_ascii_case(name)))
}

/// Whether a file is a black and white `a_mask.png` beside `a.png` or `a.jpg`.
fn is_beside(found: &Found, stems: &HashSet<PathBuf>, limits: &Limits) -> bool {
    let stem = found.path.with_extension("");
    let Some(name) = stem.file_name().and_then(|name| name.to_str()) else { return false };
    // Of ASCII letters, so that the ending begins at a letter.
    let Some(at) = name.len().checked_sub(ENDING.len()).filter(|at| name.is_char_boundary(*at)) else { return false };
    let (image, ending) = name.split_at(at);
    ending.eq_ignore_ascii_case(ENDING)
        && stems.contains(&stem.with_file_name(image))
        && is_black_and_white(&found.path, limits)
}

/// Share of pixels that are neither black nor white in a mask with soft edges, at most.
const SOFT: f64 = 0.05;
/// How far from black or white a pixel may be that is nearly so.
const NEARLY: f32 = 0.1;

fn image_of(path: &Path, limits: &Limits) -> Option<Image> {
    let colours =
        contents(path).and_then(|parts: Vec<Part>| Ok(decode(path, &parts[0], limits, &Runs::default())?.colours));
    Some(colours.ok()?.image())
}

fn is_black_and_white(path: &Path, limits: &Limits) -> bool {
    let Some(image) = image_of(path, limits) else { return false };
    let extremes = |pixel: &[f32]| pixel.iter().all(|x| *x == pixel[0]) && (pixel[0] == 0.0 || pixel[0] == 1.0);
    // Some masks mark defects by 1 of 255.
    let is_index = |image: &Image| image.channels == Channels::Grey && image.pixels.iter().all(|x| *x <= 1.0 / 255.0);
    image.pixels.chunks_exact(image.channels.count()).all(extremes) || is_index(&image)
}

fn is_nearly_black_and_white(path: &Path, limits: &Limits) -> bool {
    let Some(image) = image_of(path, limits) else { return false };
    let is_between = |x: &&f32| **x > NEARLY && **x < 1.0 - NEARLY;
    let between = image.pixels.iter().filter(is_between).count();
    between as f64 <= SOFT * image.pixels.len() as f64
}

#[cfg(test)]
mod tests {
    use crate::{Album, Channels, Image, Limits, Photo};

    fn names(folder: &str) -> (Vec<String>, Vec<String>) {
        let album = Album::open(folder, &Limits::default()).unwrap();
        ((0..album.len()).map(|i| album.name(i)).collect(), album.left_out().masks.clone())
    }

    #[test]
    fn masks_in_a_folder_of_their_own_have_the_names_of_images() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, value: f32| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            Photo::from(Image::filled(4, 4, Channels::Grey, value)).write(path).unwrap();
        };
        write("Images/Anomaly/000.jpg", 0.5);
        write("Images/Normal/001.jpg", 0.5);
        write("Masks/Anomaly/000.png", 1.0);
        write("Masks/carnival.png", 1.0);
        write("Masks/001.png", 0.5);
        let (images, masks) = names(&folder.path().display().to_string());
        assert_eq!(images, ["Images/Anomaly/000.jpg", "Images/Normal/001.jpg", "Masks/001.png", "Masks/carnival.png"]);
        assert_eq!(masks, ["Masks/Anomaly/000.png"]);
        let image = folder.path().join("Images/Anomaly/000.jpg");
        assert_eq!(super::of_image(&image), Some(folder.path().join("Masks/Anomaly/000.png")));
    }

    #[test]
    fn masks_are_no_images() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, value: f32| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            Photo::from(Image::filled(4, 4, Channels::Grey, value)).write(path).unwrap();
        };
        write("train/good/000.png", 0.5);
        write("test/hole/000.png", 0.5);
        write("ground_truth/hole/000_mask.png", 1.0);
        write("flat/a.jpg", 0.5);
        write("flat/a_mask.png", 1.0);
        write("flat/face_mask.png", 1.0);
        write("flat/b.png", 0.5);
        write("flat/b_mask.png", 0.5);
        write("same/c.jpg", 0.5);
        write("same/c.png", 0.0);
        write("same/d.jpg", 0.5);
        write("same/d.png", 0.5);
        let root = folder.path().display().to_string();
        let (images, masks) = names(&root);
        let grey_or_alone = ["flat/a.jpg", "flat/b.png", "flat/b_mask.png", "flat/face_mask.png"];
        let others = ["same/c.jpg", "same/d.jpg", "same/d.png", "test/hole/000.png", "train/good/000.png"];
        assert_eq!(images, [grey_or_alone.as_slice(), &others].concat());
        assert_eq!(masks, ["flat/a_mask.png", "ground_truth/hole/000_mask.png", "same/c.png"]);
        let mask = |name: &str| {
            super::of_image(&folder.path().join(name)).map(|path| path.strip_prefix(folder.path()).unwrap().to_owned())
        };
        assert_eq!(mask("test/hole/000.png"), Some("ground_truth/hole/000_mask.png".into()));
        assert_eq!(mask("flat/a.jpg"), Some("flat/a_mask.png".into()));
        assert_eq!(mask("same/c.jpg"), Some("same/c.png".into()));
        assert_eq!(["same/d.jpg", "train/good/000.png", "flat/face_mask.png"].map(mask), [None, None, None]);
        assert_eq!(names(&format!("{root}/ground_truth")).0, ["hole/000_mask.png"], "asked for");
        assert_eq!(names(&format!("{root}/**/*.png")).1.len(), 1, "its image is not among them");
    }
}
