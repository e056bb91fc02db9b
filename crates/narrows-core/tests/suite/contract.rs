//! What every kind of autoencoder must do. A new preset or axis writes no such tests; it is listed, and inherits them.

use narrows_core::data::Table;
use narrows_core::detect::Direction;
use narrows_core::onnx::OnnxInputs;
use narrows_core::recipe::DataKind;
use narrows_core::{Model, Preset, Recipe, TableModel, TabularModel};

use crate::support::{check_resumes, compute, fit_with, off_sheet, quick, sheet, to_bytes};

/// Every preset for tables, and points of the axes that no preset names.
fn recipes() -> Vec<(String, Recipe)> {
    let tables = Preset::ALL.iter().filter(|preset| preset.usual_kind() == DataKind::Table);
    let mut all: Vec<(String, Recipe)> = tables.map(|preset| (preset.to_string(), quick(*preset))).collect();
    let variants: [&[&str]; 9] = [
        &["latent=gaussian", "corruption=gaussian"],
        &["latent=gaussian", "sparsity=l1"],
        &["sparsity=kl"],
        &["corruption=masking", "backbone.norm=batch", "backbone.dropout=0.1"],
        &["backbone.norm=layer", "backbone.activation=gelu", "train.schedule=cosine"],
        &["loss=mae", "train.optimizer=adam_w", "train.schedule=plateau"],
        &["loss=huber", "train.contamination=0.05", "detect.weighting=calibrated"],
        &["detect.score=neighbour", "prep.scaling=minmax"],
        &["detect.score=mahalanobis", "prep.scaling=quantile"],
    ];
    for changes in variants {
        let mut recipe = quick(Preset::Deep);
        changes.iter().for_each(|change| recipe.set(change).unwrap());
        all.push((changes.join(" "), recipe));
    }
    all
}

fn each(check: impl Fn(&Recipe, &TableModel)) {
    for (name, recipe) in recipes() {
        let fitted = fit_with(&recipe, sheet(300, 1), 1).unwrap_or_else(|error| panic!("{name}: {error}"));
        eprintln!("{name}");
        check(&recipe, &fitted);
    }
}

fn bits(scores: &[f64]) -> Vec<u64> {
    scores.iter().map(|score| score.to_bits()).collect()
}

fn score(fitted: &TableModel, table: &Table) -> Vec<f64> {
    fitted.score(table).unwrap().score
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_any_number_of_threads() {
    for (name, recipe) in recipes() {
        let model = |threads| to_bytes(&fit_with(&recipe, sheet(300, 1), threads).unwrap());
        let one = model(1);
        assert!(one == model(2), "{name}: 1 and 2 threads");
        assert!(one == model(3), "{name}: 1 and 3 threads");
    }
}

#[test]
fn another_seed_gives_another_model() {
    for (name, mut recipe) in recipes() {
        let first = score(&fit_with(&recipe, sheet(300, 1), 1).unwrap(), &sheet(20, 2));
        recipe.seed = 1;
        let second = score(&fit_with(&recipe, sheet(300, 1), 1).unwrap(), &sheet(20, 2));
        assert_ne!(first, second, "{name}");
    }
}

#[test]
fn a_row_scores_the_same_alone_in_a_batch_and_anywhere_in_it() {
    each(|_, fitted| {
        let table = sheet(150, 2);
        let together = score(fitted, &table);
        for row in [0_u32, 7, 149] {
            assert_eq!(bits(&score(fitted, &table.take(&[row]))), bits(&together[row as usize..=row as usize]));
        }
        let backwards: Vec<u32> = (0..150).rev().collect();
        let mut reversed = score(fitted, &table.take(&backwards));
        reversed.reverse();
        assert_eq!(bits(&reversed), bits(&together));
        let shared = fitted.clone().with_compute(&compute(3));
        assert_eq!(bits(&score(&shared, &table)), bits(&together));
    });
}

#[test]
fn explaining_scores_as_scoring_does_and_shares_add_up() {
    each(|_, fitted| {
        let table = off_sheet(5);
        let explained = fitted.explain(&table, 99).unwrap();
        assert_eq!(bits(&explained.scores.score), bits(&score(fitted, &table)));
        for reasons in &explained.reasons {
            assert!((reasons.iter().map(|reason| reason.share).sum::<f64>() - 1.0).abs() < 1e-6);
            // Changed constants come first, without a share.
            let shared = reasons.iter().skip_while(|reason| reason.direction == Direction::Broken);
            assert!(shared.map(|reason| reason.share).is_sorted_by(|a, b| a >= b));
        }
    });
}

#[test]
fn saved_and_loaded_it_scores_the_same_bits_and_saves_the_same_bytes() {
    each(|_, fitted| {
        let bytes = to_bytes(fitted);
        let loaded = Model::from_bytes(&bytes).unwrap().into_table().unwrap();
        let table = sheet(50, 3);
        assert_eq!(bits(&score(&loaded, &table)), bits(&score(fitted, &table)));
        assert!(to_bytes(&loaded) == bytes);
        assert_eq!(&loaded, fitted);
    });
}

#[test]
fn rows_off_the_sheet_score_above_rows_on_it_and_inputs_stay_untouched() {
    each(|_, fitted| {
        let table = off_sheet(5);
        let before = table.clone();
        let far = score(fitted, &table);
        assert_eq!(table.batch(), before.batch());
        let mut near = score(fitted, &sheet(200, 4));
        near.sort_by(f64::total_cmp);
        assert!(far.iter().all(|score| *score > near[180]), "{far:?} beside {}", near[180]);
    });
}

#[test]
fn codes_decode_to_the_reconstruction_and_have_their_width() {
    each(|recipe, fitted| {
        let table = sheet(10, 5);
        let codes = fitted.encode(&table).unwrap();
        assert_eq!(codes.names().len(), fitted.code_size());
        let decoded = fitted.decode(&codes).unwrap();
        assert_eq!(decoded.n_rows(), 10);
        if recipe.corruptions().len() == 1 {
            assert_eq!(decoded.batch(), fitted.reconstruct(&table).unwrap().batch());
        }
    });
}

#[test]
fn generated_rows_are_the_same_in_one_piece_or_in_many() {
    each(|_, fitted| {
        let whole = fitted.generate(6, 0, 9).unwrap();
        let parts = Table::concat(&[fitted.generate(2, 0, 9).unwrap(), fitted.generate(4, 2, 9).unwrap()]).unwrap();
        assert_eq!(whole.batch(), parts.batch());
        // Those that the network does not read, too.
        assert_eq!(whole.names(), sheet(1, 1).names());
    });
}

#[test]
fn the_constant_column_is_compared_and_every_column_is_told() {
    each(|_, fitted| {
        let columns = &fitted.report().columns;
        assert_eq!(columns.len(), 6);
        let constant = columns.iter().find(|column| column.name == "x5").unwrap();
        assert_eq!(constant.role, narrows_core::report::Role::Invariant);
        assert!(fitted.schema().get("x5").is_none() && fitted.columns_read().get("x5").is_some());
    });
}

#[test]
fn fewer_rows_than_a_batch_fit_and_too_few_are_refused_with_their_number() {
    for (name, recipe) in recipes() {
        fit_with(&recipe, sheet(12, 1), 1).unwrap_or_else(|error| panic!("{name}: {error}"));
        for n in [0, 1, 3, 9] {
            let error = fit_with(&recipe, sheet(n, 1), 1).unwrap_err().to_string();
            assert!(error.contains(&format!("got {n}")), "{name}: {error}");
        }
    }
}

#[test]
fn a_moved_threshold_moves_the_verdicts_and_nothing_else() {
    each(|_, fitted| {
        let table = sheet(100, 6);
        let moved = fitted.clone().with_threshold(&"quantile=0.5".parse().unwrap()).unwrap();
        assert_eq!(bits(&score(&moved, &table)), bits(&score(fitted, &table)));
        let called = |fitted: &TableModel| fitted.score(&table).unwrap().is_anomaly.iter().filter(|a| **a).count();
        assert!(called(&moved) > called(fitted));
    });
}

#[test]
fn a_cut_and_resumed_training_gives_the_same_bytes() {
    for (name, recipe) in recipes() {
        let table = sheet(300, 1);
        let whole = to_bytes(&fit_with(&recipe, table.clone(), 1).unwrap());
        check_resumes(&name, &recipe, &table.clone().into(), &whole);
    }
}

#[test]
fn a_model_has_one_graph_whose_inputs_are_the_columns_that_it_reads() {
    each(|_, fitted| {
        let model = Model::from(fitted.clone());
        let graph = model.to_onnx(OnnxInputs::Columns).unwrap();
        let read = Model::from_bytes(&model.to_bytes()).unwrap();
        assert!(read.to_onnx(OnnxInputs::Columns).unwrap() == graph);
        assert!(model.to_onnx(OnnxInputs::Matrix).unwrap() != graph);
        let feeds = model.onnx_feeds(&sheet(7, 2), OnnxInputs::Columns).unwrap();
        let names: Vec<&str> = feeds.iter().map(|feed| feed.name.as_str()).collect();
        assert_eq!(names, fitted.columns_read().names());
        assert!(feeds.iter().all(|feed| feed.shape == [7, 1]));
        let encoder = Model::from(model.clone().into_encoder().unwrap());
        assert!(encoder.to_onnx(OnnxInputs::Columns).unwrap().len() < graph.len());
    });
}
