//! Series for the tests, made from a seed, and recipes for them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};
use narrows_core::data::{Layout, Table};
use narrows_core::recipe::DataKind;
use narrows_core::rng::{Purpose, Stream};
use narrows_core::{Dataset, Preset, Recipe, Roles, SeriesModel, fit};

use crate::support::{hurried, session};

/// Points of a period of [`machine`].
pub(crate) const PERIOD: usize = 12;
/// Points of a full row of [`beats`].
pub(crate) const STEPS: usize = 18;
/// Points of a shorter one.
pub(crate) const SHORT: usize = 11;

/// Points `first..first + n` of one machine's endless series: two waves, what they differ from machine to machine, and
/// noise.
pub(crate) fn machine(name: &str, first: usize, n: usize) -> Vec<[f64; 2]> {
    let key = name.bytes().fold(0, |key, byte| key * 31 + u64::from(byte));
    let phase = (key % 7) as f64;
    let point = |t: usize| {
        let mut stream = Stream::new(key, Purpose::Demo, 1, t as u64);
        let angle = std::f64::consts::TAU * (t as f64 + phase) / PERIOD as f64;
        let mut noise = || 0.05 * f64::from(stream.normal());
        [20.0 + 3.0 * (angle.sin() + noise()), angle.cos() + 0.3 * (2.0 * angle).sin() + noise()]
    };
    (first..first + n).map(point).collect()
}

/// Machines `north` and `south` in turn in a long table: `minute`, `machine`, channels `a` and `b`, and `same`, which
/// is constant. Of `north` the rows of minutes 60 to 65 are lost, and some cells: of minute 30 one, of minute 31 both.
pub(crate) fn machines(n: usize) -> Table {
    let series = ["north", "south"].map(|name| (name, machine(name, 0, n)));
    let is_there = |(t, name): &(usize, &str)| *name == "south" || !(60..66).contains(t);
    let rows: Vec<(usize, &str)> =
        (0..n).flat_map(|t| series.iter().map(move |(name, _)| (t, *name))).filter(is_there).collect();
    let cell = |channel: usize, (t, name): &(usize, &str)| {
        let is_lost = *name == "north" && (*t == 31 || (*t == 30 && channel == 0));
        let (_, points) = &series[usize::from(*name == "south")];
        (!is_lost).then(|| points[*t][channel])
    };
    let numbers = |value: &dyn Fn(&(usize, &str)) -> Option<f64>| -> ArrayRef {
        Arc::new(rows.iter().map(value).collect::<Float64Array>())
    };
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, name)| name)));
    let columns = [
        ("minute", numbers(&|(t, _)| Some(*t as f64))),
        ("machine", names),
        ("a", numbers(&|row| cell(0, row))),
        ("b", numbers(&|row| cell(1, row))),
        ("same", numbers(&|_| Some(7.0))),
    ];
    let columns = columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect();
    Table::from_arrays(columns, "machines").unwrap()
}

/// `n` series of up to [`STEPS`] points, one a row, each a wave of its own phase; every seventh is shorter, and of every
/// ninth a point is missing.
pub(crate) fn beats(n: usize, period: usize, seed: u64) -> Table {
    let mut columns: Vec<(String, Vec<f64>)> = (0..STEPS).map(|t| (format!("t{t:02}"), Vec::new())).collect();
    for row in 0..n {
        let mut stream = Stream::new(seed, Purpose::Demo, 2, row as u64);
        let phase = 2.0 * f64::from(stream.uniform());
        let length = if row % 7 == 3 { SHORT } else { STEPS };
        for (t, (_, column)) in columns.iter_mut().enumerate() {
            let angle = std::f64::consts::TAU * (t as f64 + phase) / period as f64;
            let value = 5.0 + 2.0 * angle.sin() + 0.1 * f64::from(stream.normal());
            column.push(if t >= length || (row % 9 == 4 && t == 8) { f64::NAN } else { value });
        }
    }
    Table::from_columns(columns).unwrap()
}

/// The columns of [`machines`].
pub(crate) fn machine_roles() -> Roles {
    Roles { time: Some("minute".to_owned()), id: vec!["machine".to_owned()], ..Roles::default() }
}

/// The roles of the columns of [`machines`] or of [`beats`].
pub(crate) fn roles_of(table: &Table) -> Roles {
    if table.column("minute").is_some() { machine_roles() } else { Roles::default() }
}

/// A preset for series that trains for a moment only; windows of the long layout are [`PERIOD`] points.
pub(crate) fn quick_series(preset: Preset, layout: Layout) -> Recipe {
    let mut recipe = hurried(Recipe::preset_for(preset, DataKind::Series));
    match layout {
        Layout::Rows => recipe.set("data.layout=rows").unwrap(),
        Layout::Long => recipe.set(&format!("data.window={PERIOD}")).unwrap(),
    }
    recipe
}

/// A fit to [`machines`] or to [`beats`], as the layout says, on some number of threads.
pub(crate) fn fit_series(recipe: &Recipe, table: Table, threads: usize) -> narrows_core::Result<SeriesModel> {
    let roles = roles_of(&table);
    fit(recipe, Dataset::table(table, roles), &session(threads))?.into_series()
}
