//! What kind of data a model reads, and for series how they are cut.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::choice::Choice;
use crate::data::Layout;
use crate::error::{Error, Result};
use crate::prep::{ScaleOver, Transform};

/// The kind of data.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Data {
    /// Rows that stand for themselves.
    #[default]
    Table,
    /// Series of points in time.
    Series(Series),
}

/// A kind of data by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rows that stand for themselves.
    Table,
    /// Series of points in time.
    Series,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 2] = [Kind::Table, Kind::Series];

    /// The name, as in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Table => "table",
            Kind::Series => "series",
        }
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Kind> {
        let known = Kind::ALL.into_iter().find(|kind| kind.name() == name);
        known.ok_or_else(|| Error::recipe("data", format!("expected `table` or `series`, got `{name}`")))
    }
}

/// How series are read and cut.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Series {
    /// How series lie in a table.
    pub layout: Layout,
    /// Points that a network sees at once. Auto: from the period where there is one; for the rows layout, all of a row.
    pub window: Choice<usize>,
    /// Points from one training window to the next. Auto: as few as give enough windows.
    pub stride: Choice<usize>,
    /// What is taken from a series so that level, trend or size do not drown its pattern. Auto: each window's mean, of a
    /// single channel in the long layout; else nothing.
    pub transform: Choice<Transform>,
    /// Whose points a channel is scaled by.
    pub scale: ScaleOver,
}

impl Data {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Data::Table => Kind::Table,
            Data::Series(_) => Kind::Series,
        }
    }

    /// Refuses what no field can refuse alone.
    pub(super) fn check(&self) -> Result<()> {
        let Data::Series(series) = self else { return Ok(()) };
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
            let message = "expected all with the rows layout: a row has no points but its own";
            return Err(Error::recipe("data.scale", message).with_hint("see data.transform=standardise"));
        }
        Ok(())
    }
}
