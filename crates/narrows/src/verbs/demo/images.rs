//! The demonstration of images: scenes that are spoilt and restored, machined parts of which some have a scratch.

use std::fs;
use std::ops::Range;
use std::path::Path;

use narrows_core::images::{Image, Limits, Photo, Sheet};
use narrows_core::{Error, demo};

use super::story::Files;
use crate::failure::Failure;
use crate::talk::{Talk, count};

/// Scenes to fit on where no number is asked for.
pub(super) const IMAGES: usize = 80;
/// Good parts to fit on, for a scene.
const PARTS: usize = 3;
/// A network that learns in seconds what little there is in small drawings, which have an up and a down.
const RECIPE: &str = "\
data = { kind = \"images\", turns = false }
backbone = { channels = 24, blocks = 4, patch = 32 }
train = { batch_size = 8 }
";
/// Rows of the sheet of defects.
const SHEET_ROWS: usize = 6;
/// Pixels of a cell of it.
const SHEET_SIDE: usize = 192;

/// Draws the image of a number.
type Draw<'a> = dyn Fn(usize) -> Image + 'a;

/// Images of the demonstration.
pub(super) struct Drawn {
    /// Scenes to fit on.
    pub(super) images: usize,
    /// Key of all randomness.
    pub(super) seed: u64,
}

impl Drawn {
    /// Scenes and parts, to fit on and to test with, as PNG files below `folder`.
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
        talk.line(format_args!("{}: a small network, to be quick", path.display()));
        Ok(())
    }

    /// The command lines, without the program's name.
    pub(super) fn steps(&self, files: &Files) -> Vec<Vec<String>> {
        // Steps of training for a scene: enough to leave the classical method behind.
        let [noise, colour, size] = [60, 36, 12].map(|steps| (steps * self.images).to_string());
        let seed = self.seed.to_string();
        let lines = [
            "fit @clean --corrupt gaussian:25 --recipe @small.toml --set train.steps=NOISE --seed SEED -o @denoise.narrows --force",
            "evaluate @denoise.narrows @test --sheet @denoise.png",
            "fit @clean --corrupt grayscale --recipe @small.toml --set train.steps=COLOUR --seed SEED -o @colour.narrows --force",
            "evaluate @colour.narrows @test --sheet @colour.png",
            "fit @clean --corrupt downscale:2 --recipe @small.toml --set train.steps=SIZE --seed SEED -o @enlarge.narrows --force",
            "evaluate @enlarge.narrows @test --sheet @enlarge.png",
            "fit @parts/good --set backbone.code_size=32 --set loss=mse --set train.batch_size=8 --set train.epochs=300 \
             --seed SEED -o @parts.narrows --force",
            "score @parts.narrows @parts/test -o @scores.csv --heatmaps @heat",
            "evaluate @parts.narrows @parts/test --normal good",
            "report @parts.narrows -o @report.html",
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

/// Writes a sheet of scratched parts: the image, where the scratch is, and where the model sees one. Says what to look
/// at.
pub(super) fn tell_defects(files: &Files, talk: Talk) -> Result<(), Failure> {
    let read = |name: String| Photo::read(files.path(&name), &Limits::default()).map_err(Error::from);
    let mut sheet = Sheet::new(&["part", "where it is scratched", "what the model sees"]).with_side(SHEET_SIDE);
    let found =
        fs::read_dir(files.path("parts/where")).map_err(|error| Error::read(files.path("parts/where"), error))?;
    for i in 0..found.count().min(SHEET_ROWS) {
        let names =
            ["parts/test/scratched", "parts/where", "heat/scratched"].map(|folder| format!("{folder}/{i:03}.png"));
        let row = names.map(|name| read(name).map(|photo| photo.image));
        sheet.row(row.into_iter().collect::<Result<Vec<Image>, Error>>()?);
    }
    Photo::from(sheet.image()).write(files.path("defects.png")).map_err(Error::from)?;
    talk.line(format_args!("\nlook at what came of it:"));
    for (name, what) in [
        ("denoise.png", "noise taken away"),
        ("colour.png", "colours given to grey images"),
        ("enlarge.png", "images made twice as large"),
        ("defects.png", "scratches found by a model that never saw one"),
        ("report.html", "what that model is made of"),
    ] {
        talk.line(format_args!("  {}: {what}", files.name(name)));
    }
    Ok(())
}
