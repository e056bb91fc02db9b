//! Small defects on textured parts, from a few dozen good ones: found, located, measured with masks, and written as numbers.

use std::fs;
use std::sync::OnceLock;

use narrows_core::images::{Channels, Depth, Image, Photo};

use crate::drawing::{read, write};
use crate::folder::Folder;

const SIDE: usize = 64;
/// Rows and columns of a dot.
const DOT: usize = 5;

/// A texture whose phase differs from part to part, with a dark dot at a place if there is one.
fn part(seed: usize, dot: Option<(usize, usize)>) -> Image {
    let shift = (seed * 37 % 19) as f32;
    let value = |at: usize| {
        let (y, x) = (at / SIDE, at % SIDE);
        let grain = ((at * 7919 + seed * 104_729) % 997) as f32 / 997.0;
        let wave = 0.12 * ((x as f32 + shift) / 3.0).sin() + 0.08 * ((y as f32 - shift) / 5.0).sin();
        let is_dot = dot.is_some_and(|(top, left)| (top..top + DOT).contains(&y) && (left..left + DOT).contains(&x));
        if is_dot { 0.15 } else { 0.45 + wave + 0.06 * grain }
    };
    Image::new(SIDE, SIDE, Channels::Grey, (0..SIDE * SIDE).map(value).collect())
}

fn place(i: usize) -> (usize, usize) {
    (8 + i * 11 % 40, 10 + i * 17 % 40)
}

/// A folder with `parts/`, in the layout of MVTec AD, and `m.narrows`, fitted to its 40 good parts.
fn parts() -> Folder {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    let folder = Folder::new();
    let put = |name: String, image: Image| {
        let path = folder.path(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write(&Photo::from(image), &path);
    };
    for i in 0..40 {
        put(format!("parts/train/good/{i:03}.png"), part(i, None));
    }
    for i in 0..10 {
        put(format!("parts/test/good/{i:03}.png"), part(100 + i, None));
        let (top, left) = place(i);
        put(format!("parts/test/dot/{i:03}.png"), part(200 + i, Some((top, left))));
        let is_dot = |at: usize| (top..top + DOT).contains(&(at / SIDE)) && (left..left + DOT).contains(&(at % SIDE));
        let mask = (0..SIDE * SIDE).map(|at| f32::from(u8::from(is_dot(at)))).collect();
        put(format!("parts/ground_truth/dot/{i:03}_mask.png"), Image::new(SIDE, SIDE, Channels::Grey, mask));
    }
    let model = MODEL.get_or_init(|| {
        folder.run("fit parts -o m.narrows --set train.steps=40").succeeds();
        folder.bytes("m.narrows")
    });
    folder.write("m.narrows", model);
    folder
}

#[test]
fn a_small_dot_on_a_texture_is_found_and_located() {
    let folder = parts();
    let told = folder.run("evaluate m.narrows parts --normal good --json").succeeds().json();
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    assert!(number(&told["auc_roc"]) >= 0.99, "{told}");
    let pixels = &told["pixels"];
    assert_eq!((&pixels["images"], &pixels["regions"]), (&20.into(), &10.into()));
    assert!(number(&pixels["auc_roc"]) > 0.95 && number(&pixels["aupro"]) > 0.85, "{pixels}");
    let ran = folder.run("evaluate m.narrows parts --normal good").succeeds();
    assert!(ran.stdout.contains("pixels: AUC-ROC 0.9"), "{}", ran.stdout);
}

#[test]
fn a_network_that_learns_less_than_pca_gives_way_to_it() {
    let folder = parts();
    let ran = folder.run("fit parts -o n.narrows --set train.steps=5").succeeds();
    assert!(ran.stderr.contains("the model is the linear autoencoder that PCA is"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hardly trained"), "{}", ran.stderr);
    let told = folder.run("inspect n.narrows --json").succeeds().json();
    assert_eq!(
        (&told["recipe"]["backbone"]["kind"], &told["recipe"]["backbone"]["layers"]),
        (&"dense".into(), &0.into())
    );
    // What was asked for is done, and told.
    let ran = folder.run("fit parts -o c.narrows --preset conv --set train.steps=5").succeeds();
    assert!(ran.stderr.contains("hardly trained"), "{}", ran.stderr);
}

#[test]
fn heat_maps_are_images_or_numbers() {
    let folder = parts();
    folder.run("score m.narrows parts/test/dot -o s.csv --heatmaps over").succeeds();
    folder.run("score m.narrows parts/test/dot -o s.csv -f --heatmaps deep --heatmap-format png16").succeeds();
    folder.run("score m.narrows parts/test/dot -o s.csv -f --heatmaps raw --heatmap-format npy").succeeds();
    assert_eq!(read(&folder, "over/000.png").image.channels, Channels::Rgb);
    let bytes = folder.bytes("raw/000.npy");
    let head = String::from_utf8_lossy(&bytes[..80]).into_owned();
    assert!(head.contains("'<f4'") && head.contains("(64, 64)"), "{head}");
    let heat: Vec<f32> =
        bytes[bytes.len() - 4 * SIDE * SIDE..].as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let hottest = (0..heat.len()).max_by(|a, b| heat[*a].total_cmp(&heat[*b])).unwrap();
    let (top, left) = place(0);
    assert!((hottest / SIDE).abs_diff(top + 2) <= 8 && (hottest % SIDE).abs_diff(left + 2) <= 8, "{hottest}");
    let deep = read(&folder, "deep/000.png");
    assert_eq!((deep.depth, deep.image.channels), (Depth::Sixteen, Channels::Grey));
    let expected = (heat[hottest] / 100.0).min(1.0);
    assert!((deep.image.pixels[hottest] - expected).abs() < 1e-4, "{} {expected}", deep.image.pixels[hottest]);
    folder.check_fails("score m.narrows parts/test/dot -o t.csv --heatmap-format npy", 2, &["--heatmaps"]);
}
