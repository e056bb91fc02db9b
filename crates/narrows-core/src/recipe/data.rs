//! The kind of data of a model, and how series and images become samples.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::choice::Choice;
use crate::data::Layout;
use crate::error::{Error, Result};
use crate::prep::{ScaleOver, Transform};

use narrows_images::{Channels, Damages};

/// The kind of data.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Data {
    /// Independent rows.
    #[default]
    Table,
    /// Time series.
    Series(SeriesSettings),
    /// Images.
    Images(ImageSettings),
}

/// A kind of data by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKind {
    /// Independent rows.
    Table,
    /// Time series.
    Series,
    /// Images.
    Images,
}

impl DataKind {
    /// All kinds.
    pub const ALL: [DataKind; 3] = [DataKind::Table, DataKind::Series, DataKind::Images];

    /// The name, as in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            DataKind::Table => "table",
            DataKind::Series => "series",
            DataKind::Images => "images",
        }
    }
}

impl FromStr for DataKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<DataKind> {
        let known = DataKind::ALL.into_iter().find(|kind| kind.name() == name);
        known.ok_or_else(|| Error::recipe("data", format!("expected `table`, `series` or `images`, got `{name}`")))
    }
}

/// How series are read and cut into windows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeriesSettings {
    /// Layout of the series in a table.
    pub layout: Layout,
    /// Window length in points. Auto: from the period if there is one; for the rows layout, the whole row.
    pub window: Choice<usize>,
    /// Stride between training windows in points. Auto: the largest that gives enough windows.
    pub stride: Choice<usize>,
    /// Transform that removes level, trend or scale. Auto: the window mean, for a single
    /// channel in the long layout; else none.
    pub transform: Choice<Transform>,
    /// The points that a channel's scale is computed from.
    pub scale: ScaleOver,
}

/// How images are read, cut and corrupted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageSettings {
    /// The network's view of an image. Auto: whole images if all have the same small size, else
    /// patches.
    pub view: Choice<View>,
    /// Side of a patch, or of the square to which whole images are resized, in pixels. Auto: 32 for patches; whole
    /// images keep a common size, else 64.
    pub side: Choice<usize>,
    /// Colour channels. Auto: grey if all images are grey, else rgb.
    pub channels: Choice<Channels>,
    /// Image corruption of the network's input, which the network learns to remove; redrawn in every epoch.
    pub corrupt: Damages,
    /// Augmentation by mirroring. Auto: for restoration.
    pub flips: Choice<bool>,
    /// Augmentation by quarter turns. Auto: for restoration.
    pub turns: Choice<bool>,
}

/// The network's view of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The whole image, resized.
    Whole,
    /// Overlapping patches.
    Pieces,
}

impl Data {
    /// Its kind.
    pub fn kind(&self) -> DataKind {
        match self {
            Data::Table => DataKind::Table,
            Data::Series(_) => DataKind::Series,
            Data::Images(_) => DataKind::Images,
        }
    }

    /// Checks constraints between fields.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Data::Table => Ok(()),
            Data::Series(series) => series.check(),
            Data::Images(images) => images.check(),
        }
    }
}

impl ImageSettings {
    fn check(&self) -> Result<()> {
        let side = self.side.or_else(|| 32);
        if !(4..=1024).contains(&side) {
            return Err(Error::recipe("data.side", format!("expected from 4 to 1024 pixels, got {side}")));
        }
        Ok(())
    }
}

impl SeriesSettings {
    fn check(&self) -> Result<()> {
        let series = self;
        for (field, choice) in [("data.window", &series.window), ("data.stride", &series.stride)] {
            let value = choice.or_else(|| 1);
            if value == 0 || value > 1 << 20 {
                return Err(Error::recipe(field, format!("expected from 1 to {} points, got {value}", 1 << 20)));
            }
        }
        if series.layout == Layout::Rows && series.window != Choice::Auto {
            return Err(Error::recipe("data.window", "expected auto with the rows layout: a row is a window"));
        }
        if series.layout == Layout::Rows && series.stride != Choice::Auto {
            return Err(Error::recipe("data.stride", "expected auto with the rows layout: a row is a window"));
        }
        if series.layout == Layout::Rows && series.scale == ScaleOver::Each {
            let message = "expected all with the rows layout: a series has no points besides its row";
            return Err(Error::recipe("data.scale", message).with_hint("see data.transform=standardise"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Preset, Recipe};

    fn series(preset: Preset) -> Recipe {
        Recipe::preset_for(preset, DataKind::Series)
    }

    /// The result of the assignments, one after the other, and of the final check.
    fn check(assignments: &[&str], expected: &str) {
        let mut recipe = series(Preset::Deep);
        let changed = assignments.iter().try_for_each(|assignment| recipe.set(assignment));
        let got = match changed.and_then(|()| recipe.check()) {
            Ok(()) => "fine".to_owned(),
            Err(error) => format!("{error} | {}", error.hint_text().unwrap_or_default()),
        };
        assert!(got.contains(expected), "{assignments:?}: {got}");
    }

    #[test]
    fn windows_and_strides_are_of_the_long_layout() {
        check(&["data.window=32", "data.stride=4", "data.transform=detrend", "data.scale=each"], "fine");
        check(&["data.layout=rows", "data.transform=standardise"], "fine");
        check(&["data.layout=rows", "data.window=32"], "data.window: expected auto with the rows layout");
        check(&["data.layout=rows", "data.stride=1"], "data.stride: expected auto with the rows layout");
        check(&["data.layout=rows", "data.scale=each"], "data.scale: expected all with the rows layout");
        check(&["data.layout=rows", "data.scale=each"], "| see data.transform=standardise");
        check(&["data.window=32", "data.window=auto", "data.layout=rows"], "fine");
    }

    #[test]
    fn windows_of_no_points_or_of_too_many_are_refused() {
        check(&["data.window=0"], "data.window: expected from 1 to 1048576 points, got 0");
        check(&["data.stride=0"], "data.stride: expected from 1 to 1048576 points, got 0");
        check(&["data.window=1048576"], "fine");
        check(&["data.window=1048577"], "got 1048577");
        check(&["data.window=-3"], "expected `auto` or a whole number of at least 0, got -3");
        check(&["data.window=long"], "expected `auto` or a value, got `long`");
    }

    #[test]
    fn unknown_words_name_the_known_ones() {
        check(&["data.layout=row"], "did you mean rows?");
        check(&["data.transform=detrended"], "did you mean detrend, difference?");
        check(&["data.scale=ech"], "did you mean each?");
        check(&["data.windows=3"], "did you mean window");
        check(&["data=serie"], "did you mean series?");
        let error = "serie".parse::<DataKind>().unwrap_err().to_string();
        assert!(error.ends_with("expected `table`, `series` or `images`, got `serie`"), "{error}");
        for kind in DataKind::ALL {
            assert_eq!(kind.name().parse::<DataKind>().unwrap(), kind);
        }
    }

    #[test]
    fn the_kind_of_data_may_come_as_a_word_or_with_its_fields() {
        let table = Recipe::default();
        for text in ["data = \"series\"", "[data]\nkind = \"series\"", "data = { kind = \"series\" }"] {
            assert_eq!(table.overlay_toml(text).unwrap(), series(Preset::Auto), "{text}");
        }
        let rows = table.overlay_toml("[data]\nkind = \"series\"\nlayout = \"rows\"").unwrap();
        assert_eq!(rows.data, Data::Series(SeriesSettings { layout: Layout::Rows, ..SeriesSettings::default() }));
        assert_eq!(rows.detect, series(Preset::Auto).detect, "what the preset means for series");
        let mut set = Recipe::default();
        set.set("data=series").unwrap();
        assert_eq!(set.data, Data::Series(SeriesSettings::default()));
    }

    #[test]
    fn the_kind_stays_where_a_text_does_not_speak_of_it() {
        let mut wide = series(Preset::Denoising);
        wide.set("data.window=64").unwrap();
        let changed = wide.overlay_toml("[train]\nsteps = 7").unwrap();
        assert_eq!((&changed.data, changed.train.steps), (&wide.data, 7));
        assert_eq!(wide.overlay_toml("[data]\nkind = \"series\"\nstride = 2").unwrap().corruption, wide.corruption);
        assert_eq!(Recipe::default().overlay_toml("preset = \"conv\"").unwrap(), Recipe::preset(Preset::Conv));
    }

    #[test]
    fn a_table_has_no_fields_of_series() {
        let error = Recipe::default().set("data.window=3").unwrap_err();
        assert!(error.to_string().contains("window"), "{error}");
        assert!(Recipe::default().overlay_toml("[data]\nkind = \"table\"\nwindow = 3").is_err());
    }

    #[test]
    fn every_preset_of_series_survives_toml() {
        for preset in Preset::ALL.into_iter().filter(|preset| *preset != Preset::Restore) {
            let recipe = series(preset);
            recipe.check().unwrap();
            assert_eq!(Recipe::from_toml(&recipe.to_toml()).unwrap(), recipe, "{preset}");
        }
    }
}
