//! Validation rows that the caller gives.

use narrows_core::recipe::DataKind;
use narrows_core::{Dataset, Preset, Recipe, Session, fit};

use crate::support::{quick, sheet};

#[test]
fn given_rows_stop_the_training_and_do_not_train() {
    let recipe = quick(Preset::Deep);
    let with = |seed| {
        let dataset = Dataset::from(sheet(300, 1)).with_validation(&sheet(40, seed)).unwrap();
        fit(&recipe, dataset, &Session::default()).unwrap().into_table().unwrap()
    };
    let without = fit(&recipe, Dataset::from(sheet(300, 1)), &Session::default()).unwrap().into_table().unwrap();
    let (some, others) = (with(2), with(3));

    let (rows, own) = (&some.report().rows, &without.report().rows);
    assert_eq!((rows.validation, rows.calibration), (40, own.calibration));
    assert_eq!(rows.train, own.train + own.validation, "the rows that would have validated train");
    let losses = |model: &narrows_core::TableModel| {
        let history = &model.report().training[0].history;
        history.iter().map(|check| check.validation_loss.to_bits()).collect::<Vec<_>>()
    };
    assert_ne!(losses(&some), losses(&others), "the losses are those of the given rows");
}

#[test]
fn rows_of_other_columns_and_other_kinds_of_data_are_refused() {
    let other = sheet(40, 2).without(&["x1"]);
    let error = Dataset::from(sheet(300, 1)).with_validation(&other).unwrap_err().to_string();
    assert!(error.contains("`x1`"), "{error}");

    let recipe = Recipe::preset_for(Preset::Deep, DataKind::Series);
    let dataset = Dataset::from(sheet(300, 1)).with_validation(&sheet(40, 2)).unwrap();
    let error = fit(&recipe, dataset, &Session::default()).unwrap_err().to_string();
    assert!(error.contains("validation: expected a table, got series"), "{error}");
}
