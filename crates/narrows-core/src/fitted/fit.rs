//! Fits a model to data of any kind.

use super::dataset::Dataset;
use super::model::Model;
use super::roles::Roles;
use super::session::Session;
use super::trial::TrialData;
use super::{images, restorer, rounds, series, table};
use crate::data::{Duplicates, Layout, Table};
use crate::error::{Error, Hint, Result};
use crate::recipe::{Data, Recipe};
use crate::train::Observer;

/// Fits a model to normal data: the rows of a table, its series, or images, as given by the recipe.
///
/// ```
/// use narrows_core::{Dataset, Recipe, Session, TabularModel, data::Table, fit};
///
/// let x: Vec<f64> = (0..200).map(|i| f64::from(i) / 31.0).collect();
/// let table = Table::from_columns(vec![("a", x.iter().map(|x| x.sin()).collect()), ("b", x.iter().map(|x| x.cos()).collect())])?;
/// let mut recipe = Recipe::preset("simple".parse()?);
/// recipe.set("train.steps=200")?;
/// let model = fit(&recipe, Dataset::from(table), &Session::default())?.into_table()?;
/// let far = Table::from_columns(vec![("a", vec![0.0]), ("b", vec![9.0])])?;
/// assert!(model.score(&far)?.is_anomaly[0]);
/// # Ok::<(), narrows_core::Error>(())
/// ```
///
/// A recipe with the `restore` backbone makes a [`Restorer`](crate::Restorer):
///
/// ```
/// use narrows_core::images::{Album, Channels, Image, Store};
/// use narrows_core::{Dataset, Recipe, Session, fit};
///
/// // A different stripe pattern per image; use `Album::open` for a folder.
/// let stripes = |i: usize| (0..576).map(move |p| 0.5 + 0.4 * ((p % 24) as f32 * 0.3 + i as f32).sin()).collect();
/// let images = (0..8).map(|i| (format!("{i}"), Image::new(24, 24, Channels::Grey, stripes(i)))).collect();
/// let store = std::sync::Arc::new(Store::take(Album::of("stripes", images)?, 0)?);
///
/// let mut recipe = Recipe::preset("restore".parse()?);
/// recipe.corrupt("gaussian:25")?;
/// for change in ["train.steps=400", "train.learning_rate=0.01", "backbone.channels=8", "backbone.blocks=1", "backbone.patch=16"] {
///     recipe.set(change)?;
/// }
/// let dataset = Dataset::images(store.clone(), Default::default());
/// let restorer = fit(&recipe, dataset, &Session::default())?.into_restorer()?;
/// let means = restorer.evaluate(&store)?.means;
/// assert!(means.restored.psnr > means.input.psnr);
/// # Ok::<(), narrows_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Recipe`] for an invalid recipe or one for other data, [`Error::Mismatch`] and [`Error::Data`] for data that
/// cannot be used, [`Error::Diverged`] and [`Error::Interrupted`] from the training.
pub fn fit(recipe: &Recipe, dataset: impl Into<Dataset>, session: &Session<'_>) -> Result<Model> {
    recipe.check()?;
    let recipe = &recipe.settled();
    let dataset = dataset.into();
    match (&recipe.data, dataset) {
        (Data::Table, Dataset::Table(table, roles)) => {
            check_roles(&recipe.data, &roles)?;
            if recipe.train.rounds.count > 0 {
                return in_rounds(recipe, table, &roles, session);
            }
            table::fit(recipe, roles.sampled(table, recipe)?, &roles, session).map(Model::from)
        }
        (Data::Series(settings), Dataset::Table(table, roles)) => {
            check_roles(&recipe.data, &roles)?;
            series::fit(recipe, settings, table, &roles, session).map(Model::from)
        }
        (Data::Images(_), Dataset::Images(images, roles)) if recipe.restores() => {
            if !roles.normal.is_empty() {
                let message = "expected a model that scores, got a restorer, to which all images are clean";
                return Err(Error::recipe("normal", message));
            }
            restorer::fit(recipe, &images, session).map(Model::from)
        }
        (Data::Images(settings), Dataset::Images(images, roles)) => {
            images::fit(recipe, settings, &images, &roles, session).map(Model::from)
        }
        (data, dataset) => Err(other_data(data, &dataset)),
    }
}

/// A fit in rounds on a table that is at hand whole.
fn in_rounds(recipe: &Recipe, table: Table, roles: &Roles, session: &Session<'_>) -> Result<Model> {
    if table.population().is_some() {
        let message = "expected the rows beyond the sample, too, got the sample alone";
        return Err(Error::recipe("train.rounds.count", message).with_hint("`fit_in_rounds` reads them round by round"));
    }
    let sample = roles.sampled(table.clone(), recipe)?;
    rounds::fit_in_rounds(recipe, sample, &table, roles, session)
}

/// The samples that the trials of a search train on.
///
/// # Errors
/// As for [`fit`].
pub(crate) fn trial_data(recipe: &Recipe, dataset: Dataset, observer: &dyn Observer) -> Result<TrialData> {
    recipe.check()?;
    match (&recipe.data, dataset) {
        (Data::Table, Dataset::Table(table, roles)) => {
            check_roles(&recipe.data, &roles)?;
            table::trial_data(recipe, roles.sampled(table, recipe)?, &roles, observer)
        }
        (Data::Series(settings), Dataset::Table(table, roles)) => {
            check_roles(&recipe.data, &roles)?;
            series::trial_data(recipe, settings, table, &roles, observer)
        }
        (Data::Images(settings), Dataset::Images(images, roles)) => {
            images::trial_data(recipe, settings, &images, &roles)
        }
        (data, dataset) => Err(other_data(data, &dataset)),
    }
}

fn other_data(data: &Data, dataset: &Dataset) -> Error {
    let expected = match dataset {
        Dataset::Table(..) => "table or series for a table",
        Dataset::Images(..) => "images for images",
    };
    Error::recipe("data", format!("expected {expected}, got {}", data.kind().name()))
}

/// Rejects roles that the kind of data does not have: such a column would silently become a feature.
fn check_roles(data: &Data, roles: &Roles) -> Result<()> {
    if roles.validation_rows > 0 && !matches!(data, Data::Table) {
        return Err(Error::recipe("validation", format!("expected a table, got {}", data.kind().name())));
    }
    let (role, got) = match data {
        Data::Table if roles.time.is_some() => ("time", "a table"),
        Data::Table if !roles.id.is_empty() => ("id", "a table"),
        Data::Table if roles.timezone.is_some() => ("timezone", "a table"),
        Data::Table if roles.duplicates != Duplicates::Auto => ("duplicates", "a table"),
        Data::Series(_) if !roles.sample_key.is_empty() => {
            return Err(Error::recipe("sample_key", "expected a table, got series, of which all rows are used"));
        }
        Data::Series(series) if series.layout == Layout::Rows && roles.time.is_some() => ("time", "series in rows"),
        _ => return Ok(()),
    };
    let error = Error::recipe(role, format!("expected series in the long layout, got {got}"));
    Err(error.with_hint(Hint::of("leave a column out with [ignore]")))
}
