//! From raw data to a fitted model: one door, one file a kind of data behind it.

use narrows_engine::Threads;

use super::{Fitted, Roles, TrialData, fit_series, fit_table};
use crate::data::{Layout, Table};
use crate::error::{Error, Result};
use crate::recipe::{Data, Recipe};
use crate::train::{Checkpoints, NoCheckpoints, Observer, Silent};

/// What a fit runs on and who watches it.
pub struct Session<'a> {
    /// The threads to compute with; the result does not depend on their number.
    pub threads: Threads,
    /// Who watches.
    pub observer: &'a dyn Observer,
    /// Where snapshots are kept.
    pub checkpoints: &'a dyn Checkpoints,
}

impl Default for Session<'_> {
    fn default() -> Self {
        Session { threads: Threads::serial(), observer: &Silent, checkpoints: &NoCheckpoints }
    }
}

/// Fits a model to the normal rows of a raw table, or to the series it holds where the recipe says so.
///
/// ```
/// use narrows_core::{Recipe, Roles, Session, data::Table, fit};
///
/// let x: Vec<f64> = (0..200).map(|i| f64::from(i) / 31.0).collect();
/// let table = Table::from_columns(vec![("a", x.iter().map(|x| x.sin()).collect()), ("b", x.iter().map(|x| x.cos()).collect())])?;
/// let mut recipe = Recipe::preset("simple".parse()?);
/// recipe.set("train.steps=200")?;
/// let fitted = fit(&recipe, table, &Roles::default(), &Session::default())?;
/// let far = Table::from_columns(vec![("a", vec![0.0]), ("b", vec![9.0])])?;
/// assert!(fitted.score(&far, &Session::default().threads)?.is_anomaly[0]);
/// # Ok::<(), narrows_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Recipe`](crate::Error::Recipe) for an impossible recipe, [`Error::Mismatch`](crate::Error::Mismatch) and [`Error::Data`](crate::Error::Data) for data that cannot be used,
/// [`Error::Diverged`](crate::Error::Diverged) and [`Error::Interrupted`](crate::Error::Interrupted) from the training.
pub fn fit(recipe: &Recipe, table: Table, roles: &Roles, session: &Session<'_>) -> Result<Fitted> {
    recipe.check()?;
    check_parts(&recipe.data, roles)?;
    match &recipe.data {
        Data::Table => fit_table::fit(recipe, table, roles, session),
        Data::Series(series) => fit_series::fit(recipe, series, table, roles, session),
        Data::Images(_) => Err(not_images()),
    }
}

/// What the trials of a search are made on, of a raw table.
///
/// # Errors
/// As for [`fit`].
pub(crate) fn trial_data(
    recipe: &Recipe,
    table: Table,
    roles: &Roles,
    observer: &dyn Observer,
) -> Result<TrialData<'static>> {
    recipe.check()?;
    check_parts(&recipe.data, roles)?;
    match &recipe.data {
        Data::Table => fit_table::ground(recipe, table, roles, observer),
        Data::Series(series) => fit_series::ground(recipe, series, table, roles, observer),
        Data::Images(_) => Err(not_images()),
    }
}

fn not_images() -> Error {
    Error::recipe("data", "expected table or series for a table, got images")
}

/// Refuses parts that the kind of data does not have: such a column would be a feature without a word.
fn check_parts(data: &Data, roles: &Roles) -> Result<()> {
    let (part, got) = match data {
        Data::Table if roles.time.is_some() => ("--time", "a table"),
        Data::Table if roles.id.is_some() => ("--id", "a table"),
        Data::Series(series) if series.layout == Layout::Rows && roles.time.is_some() => ("--time", "series in rows"),
        _ => return Ok(()),
    };
    let error = Error::recipe(part, format!("expected series in the long layout, got {got}"));
    Err(error.with_hint("leave a column out with --ignore"))
}
