//! The demonstration of images: restoration of corrupted scenes, and detection of scratched parts.

use std::fs;
use std::ops::Range;
use std::path::Path;

use narrows_core::images::{Image, Limits, Photo, Sheet};
use narrows_core::{Error, demo};

use super::story::Files;
use crate::failure::Failure;
use crate::talk::{Talk, count};

/// Default number of training scenes.
pub(super) const IMAGES: usize = 80;
/// Number of good training parts per scene.
const PARTS: usize = 3;
/// A small network that trains in seconds; without turns, as the scenes have an orientation.
const RECIPE: &str = "\
data = { kind = \"images\", turns = false }
backbone = { channels = 24, blocks = 4, patch = 32 }
train = { batch_size = 8 }
";
/// Rows of the sheet of defects.
const SHEET_ROWS: usize = 6;
/// Side of a cell of the sheet in pixels.
const SHEET_SIDE: usize = 192;

/// Draws the image with this number.
type Draw<'a> = dyn Fn(usize) -> Image + 'a;

/// Images of the demonstration.
pub(super) struct Drawn {
    /// Number of training scenes.
    pub(super) images: usize,
    /// Random seed.
    pub(super) seed: u64,
}

impl Drawn {
    /// Writes training and test scenes and parts as PNG files below `folder`.
    pub(super) fn draw(&self, folder: &Path, talk: Talk) -> Result<(), Failure> {
        if self.images < 2 {
            return Err(Error::recipe("--rows", format!("expected at least 2 images, got {}", self.images)).into());
        }
        let (fit_on, test) = (self.images, self.images.div_ceil(2));
        let parts = PARTS * fit_on;
        let scene = |i| demo::scene(i, self.seed);
        let good = |i| demo::part(i, false, self.seed).image;
        let bad = |i| demo::part(i, true, self.seed);
        let drawn: [(&str, Range<usize>, &Draw<'_>); 6] = [
            ("clean", 0..fit_on, &scene),
            ("test", fit_on..fit_on + test, &scene),
            ("parts/good", 0..parts, &good),
            ("parts/test/good", parts..parts + test, &good),
            ("parts/test/scratched", parts + test..parts + 2 * test, &|i| bad(i).image),
            ("parts/where", parts + test..parts + 2 * test, &|i| bad(i).defect),
        ];
        for (name, numbers, draw) in drawn {
            let below = folder.join(name);
            fs::create_dir_all(&below).map_err(|error| Error::write(&below, error))?;
            let n = numbers.len();
            for (i, number) in numbers.enumerate() {
                Photo::from(draw(number)).write(below.join(format!("{i:03}.png"))).map_err(Error::from)?;
            }
            talk.line(format_args!("{}: {}", below.display(), count(n as u64, "image")));
        }
        let path = folder.join("small.toml");
        fs::write(&path, RECIPE).map_err(|error| Error::write(&path, error))?;
        talk.line(format_args!("{}: a small network, for speed", path.display()));
        Ok(())
    }

    /// The command lines, without the program name.
    pub(super) fn steps(&self, files: &Files) -> Vec<Vec<String>> {
        // Training steps per scene: enough to outperform the classical baseline.
        let [noise, colour, size] = [60, 36, 12].map(|steps| (steps * self.images).to_string());
        let seed = self.seed.to_string();
        let lines = [
            "fit @clean --corrupt gaussian:25 --recipe @small.toml --set train.steps=NOISE --seed SEED -o @denoise.narrows --force",
            "evaluate @denoise.narrows @test --sheet @denoise.png --force",
            "fit @clean --corrupt grayscale --recipe @small.toml --set train.steps=COLOUR --seed SEED -o @colour.narrows --force",
            "evaluate @colour.narrows @test --sheet @colour.png --force",
            "fit @clean --corrupt downscale:2 --recipe @small.toml --set train.steps=SIZE --seed SEED -o @enlarge.narrows --force",
            "evaluate @enlarge.narrows @test --sheet @enlarge.png --force",
            "fit @parts/good --set backbone.code_size=32 --set loss=mse --set train.batch_size=8 --set train.epochs=300 \
             --seed SEED -o @parts.narrows --force",
            "score @parts.narrows @parts/test -o @scores.csv --heatmaps @heat --force",
            "evaluate @parts.narrows @parts/test --normal good",
            "report @parts.narrows -o @report.html --force",
        ];
        let number = |word: &str| {
            let numbers = [("NOISE", &noise), ("COLOUR", &colour), ("SIZE", &size), ("SEED", &seed)];
            numbers.iter().fold(word.to_owned(), |word, (name, number)| word.replace(name, number))
        };
        let word = |word: &str| match word.strip_prefix('@') {
            Some(name) => files.name(name),
            None => number(word),
        };
        lines.iter().map(|line| line.split_whitespace().map(word).collect()).collect()
    }
}

/// Writes a contact sheet of scratched parts (image, ground truth, heat map) and lists the results.
pub(super) fn tell_defects(files: &Files, talk: Talk) -> Result<(), Failure> {
    let read = |name: String| Photo::read(files.path(&name), &Limits::default()).map_err(Error::from);
    let mut sheet = Sheet::new(&["part", "scratch", "heat map"]).with_side(SHEET_SIDE);
    let found =
        fs::read_dir(files.path("parts/where")).map_err(|error| Error::read(files.path("parts/where"), error))?;
    for i in 0..found.count().min(SHEET_ROWS) {
        let names =
            ["parts/test/scratched", "parts/where", "heat/scratched"].map(|folder| format!("{folder}/{i:03}.png"));
        let row = names.map(|name| read(name).map(|photo| photo.image));
        sheet.row(row.into_iter().collect::<Result<Vec<Image>, Error>>()?);
    }
    Photo::from(sheet.image()).write(files.path("defects.png")).map_err(Error::from)?;
    talk.line(format_args!("\nresults:"));
    for (name, what) in [
        ("denoise.png", "noise removed"),
        ("colour.png", "grey images colourised"),
        ("enlarge.png", "images upscaled by 2"),
        ("defects.png", "scratches detected by a model fitted without scratches"),
        ("report.html", "report of that model"),
    ] {
        talk.line(format_args!("  {}: {what}", files.name(name)));
    }
    Ok(())
}
