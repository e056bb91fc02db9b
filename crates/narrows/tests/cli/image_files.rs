//! Files of several images, files that are no images, and files that are named as others.

use std::fs;

use narrows_core::images::{Album, Channels, Image, Limits, Page, Photo, Sequence};

use crate::drawing::{image, read, write};
use crate::folder::Folder;
use crate::images::{coder, denoiser};

/// Writes a file of three images: pages, or frames if they are played.
fn several(folder: &Folder, name: &str, channels: Channels, side: usize, plays: Option<u32>) {
    let mut sequence = Sequence::new(folder.path(name)).unwrap();
    for i in 0..3_u32 {
        let page = Page { number: i + 1, count: 3, plays };
        let image = Image::filled(side, side, channels, 0.2 * (i + 1) as f32);
        let delay = plays.map(|_| (30 + 10 * i, 1));
        sequence.push(&Photo { page: Some(page), delay, ..Photo::from(image) }).unwrap();
    }
    sequence.finish().unwrap();
}

fn pages(folder: &Folder, name: &str) -> Vec<Photo> {
    let album = Album::open(folder.path(name), &Limits::default()).unwrap();
    (0..album.len()).map(|i| album.photo(i).unwrap()).collect()
}

#[test]
fn pages_and_frames_stay_together_where_the_format_can_hold_them() {
    let folder = denoiser();
    fs::create_dir(folder.path("in")).unwrap();
    several(&folder, "in/a.tif", Channels::Rgb, 20, None);
    several(&folder, "in/b.gif", Channels::Rgb, 20, Some(0));
    let ran = folder.run("restore m.narrows in out").succeeds();
    assert!(ran.stderr.contains("6 images restored"), "{}", ran.stderr);
    assert_eq!(pages(&folder, "out/a.tif").len(), 3);
    let frames = pages(&folder, "out/b.gif");
    assert_eq!(frames.iter().map(|frame| frame.delay.unwrap().0).collect::<Vec<_>>(), [30, 40, 50]);
    assert_eq!(frames[0].page.unwrap().plays, Some(0));
    folder.run("restore m.narrows in/a.tif -o one.tif").succeeds();
    assert_eq!(pages(&folder, "one.tif").len(), 3);
    folder.check_fails("restore m.narrows in/a.tif one.png", 2, &["3 images", "one.png", ".tif holds the pages"]);
    let ran = folder.run("restore m.narrows in/b.gif apart --format webp").succeeds();
    assert!(ran.stderr.contains("note: 3 pages or frames become files of their own"), "{}", ran.stderr);
    assert!(folder.path("apart/b.gif_3.webp").exists());
}

#[test]
fn pages_are_scored_encoded_and_compressed_without_loss() {
    let folder = coder();
    several(&folder, "a.tif", Channels::Grey, 16, None);
    assert_eq!(
        folder.run("score m.narrows a.tif").succeeds().stdout.lines().nth(3).unwrap().split(',').next(),
        Some("a.tif#3")
    );
    folder.run("encode m.narrows a.tif -o codes.csv").succeeds();
    folder.run("decode m.narrows codes.csv -o decoded").succeeds();
    assert!(folder.path("decoded/a.tif_3.png").exists());
    folder.run("score m.narrows a.tif --heatmaps heat").succeeds();
    assert!(folder.path("heat/a.tif_3.png").exists());
    let ran = folder.run("compress m.narrows a.tif -o a.nrw --lossless --verify").succeeds();
    assert!(ran.stderr.contains("pixel by pixel"), "{}", ran.stderr);
    folder.run("decompress m.narrows a.nrw -o back").succeeds();
    folder.run("decompress m.narrows a.nrw -o back.tif").succeeds();
    for back in ["back/a.tif", "back.tif"] {
        let images = |name: &str| pages(&folder, name).into_iter().map(|photo| photo.image).collect::<Vec<_>>();
        assert_eq!(images(back), images("a.tif"), "{back}");
    }
    folder.check_fails("decompress m.narrows a.nrw -o back.png", 2, &["--output", "several images"]);
}

#[test]
fn a_name_is_no_reason_to_lose_pixels() {
    let folder = coder();
    fs::create_dir(folder.path("in")).unwrap();
    write(&image(16, 16, Channels::Grey, 1).into(), &folder.path("in/png.png"));
    fs::rename(folder.path("in/png.png"), folder.path("in/png.jpg")).unwrap();
    write(&image(16, 16, Channels::Grey, 2).into(), &folder.path("in/jpeg.jpg"));
    let ran = folder.run("reconstruct m.narrows in -o out").succeeds();
    assert!(ran.stderr.contains("note: png.jpg is a png by its content; written as out/png.png"), "{}", ran.stderr);
    assert!(folder.path("out/jpeg.jpg").exists() && folder.path("out/png.png").exists());
    folder.run("compress m.narrows in -o in.nrw --lossless").succeeds();
    let ran = folder.run("decompress m.narrows in.nrw -o back").succeeds();
    assert!(ran.stderr.contains("2 images named .jpg written as .png"), "{}", ran.stderr);
    assert_eq!(read(&folder, "back/jpeg.png").image, read(&folder, "in/jpeg.jpg").image);
}

#[test]
fn what_is_not_read_or_written_is_told() {
    let folder = denoiser();
    folder.write("clean/a.heic", "heic");
    folder.write("clean/b.heic", "heic");
    folder.write("clean/notes.txt", "notes");
    let ran = folder.run("restore m.narrows clean out");
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert!(ran.stderr.contains("2 .heic (image formats that are not read), 1 .txt"), "{}", ran.stderr);
    for name in ["out.tga", "out.npy"] {
        folder.check_fails(&format!("restore m.narrows clean/000.png {name}"), 2, &["expected a folder", name, ".png"]);
        assert!(!folder.path(name).exists());
    }
    folder.run("restore m.narrows clean/000.png plain.v2").succeeds();
    assert!(folder.path("plain.v2/000.png").exists());
}

#[test]
fn images_of_another_size_are_not_stretched_in_silence() {
    let folder = coder();
    fs::create_dir(folder.path("in")).unwrap();
    write(&image(16, 16, Channels::Grey, 1).into(), &folder.path("in/a.png"));
    write(&image(20, 30, Channels::Grey, 2).into(), &folder.path("in/b.png"));
    for verb in
        ["score m.narrows in", "encode m.narrows in", "reconstruct m.narrows in -o out", "evaluate m.narrows in"]
    {
        folder.check_fails(verb, 3, &["b.png", "16 x 16 pixels", "got 1 image of others, first 20 x 30", "--resize"]);
        let ran = folder.run(&format!("{verb} --resize")).succeeds();
        assert!(ran.stderr.contains("1 image of other sizes resized to 16 x 16"), "{}", ran.stderr);
    }
    let rebuilt = folder.run("reconstruct m.narrows in/a.png -o one.png").succeeds();
    assert!(folder.path("one.png").is_file(), "{}", rebuilt.stderr);
}

#[test]
fn masks_and_test_images_do_not_train() {
    let folder = coder();
    let model = folder.bytes("m.narrows");
    for (i, name) in (0..12).map(|i| (i, format!("parts/train/good/{i:03}.png"))) {
        let path = folder.path(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(folder.path(&format!("clean/{i:03}.png")), path).unwrap();
    }
    for name in ["test/good/a.png", "test/hole/a.png", "ground_truth/hole/a_mask.png"] {
        let path = folder.path("parts").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write(&image(16, 16, Channels::Grey, 40).into(), &path);
    }
    let ran = folder.run(&format!("fit parts -o again.narrows {}", crate::drawing::CODE)).succeeds();
    assert!(ran.stderr.contains("fitted to parts/train/good"), "{}", ran.stderr);
    assert!(folder.bytes("again.narrows").len().abs_diff(model.len()) < 100, "the same images");
    let ran = folder.run("evaluate m.narrows parts --normal good").succeeds();
    assert!(ran.stderr.contains("evaluated on parts/test") && ran.stdout.contains("2 labelled"), "{}", ran.stderr);
    let ran = folder.run("score m.narrows parts").succeeds();
    assert!(ran.stderr.contains("note: 1 mask left out"), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 15);
}

#[test]
fn pixels_outside_of_a_mask_stay() {
    let folder = Folder::new();
    crate::drawing::draw(&folder, "clean", 6, 24, Channels::Rgb);
    let fit = |damage: &str| {
        folder.run(&format!("fit clean -o m.narrows --force --corrupt {damage} {}", crate::drawing::SMALL)).succeeds()
    };
    let ran = fit("blocks:0.1:4px:grey");
    assert!(ran.stderr.contains("note: holes are mid-grey (0.5)"), "{}", ran.stderr);
    check_mask(&folder);
    let ran = fit("blocks:0.1:4px");
    assert!(ran.stderr.contains("note: holes are of any colour"), "{}", ran.stderr);
    check_mask(&folder);

    // Transparent pixels are lost if no mask says otherwise.
    let photo = read(&folder, "clean/000.png");
    let alpha = (0..576).map(|at| if at % 24 < 5 { 0.0 } else { 1.0 }).collect();
    write(&Photo { alpha: Some(alpha), ..photo.clone() }, &folder.path("holed.png"));
    let ran = folder.run("restore m.narrows holed.png filled.png").succeeds();
    assert!(ran.stderr.contains("the transparent pixels of 1 image counted as lost"), "{}", ran.stderr);
    let filled = read(&folder, "filled.png");
    assert!(filled.alpha.is_none_or(|alpha| alpha.iter().all(|alpha| *alpha == 1.0)));
    assert!((0..576).all(|at| at % 24 < 5 || filled.image.pixels[at * 3..][..3] == photo.image.pixels[at * 3..][..3]));
}

/// Checks that only the pixels of a mask change.
fn check_mask(folder: &Folder) {
    let lost = |at: usize| (5..11).contains(&(at / 24)) && (3..9).contains(&(at % 24));
    let mask = Image::new(24, 24, Channels::Grey, (0..576).map(|at| if lost(at) { 1.0 } else { 0.0 }).collect());
    write(&mask.into(), &folder.path("mask.png"));
    folder.run("restore m.narrows clean/000.png out.png --force --mask mask.png").succeeds();
    let (before, after) = (read(folder, "clean/000.png").image, read(folder, "out.png").image);
    let changed = |at: usize| before.pixels[at * 3..][..3] != after.pixels[at * 3..][..3];
    assert!((0..576).all(|at| lost(at) || !changed(at)) && (0..576).any(changed));
    folder.check_fails("restore m.narrows clean out --mask clean/none.png", 3, &["none.png"]);
}

#[test]
fn a_watermark_is_kept_in_the_model() {
    let folder = Folder::new();
    crate::drawing::draw(&folder, "clean", 6, 24, Channels::Rgb);
    write(&image(12, 16, Channels::Rgb, 3).into(), &folder.path("logo.png"));
    folder
        .run(&format!("fit clean -o m.narrows --corrupt watermark:logo.png:0.4 {}", crate::drawing::SMALL))
        .succeeds();
    let before = folder.run("evaluate m.narrows clean").succeeds().stdout;
    fs::remove_file(folder.path("logo.png")).unwrap();
    assert_eq!(folder.run("evaluate m.narrows clean").succeeds().stdout, before);
    folder.run("restore m.narrows clean out").succeeds();
}
