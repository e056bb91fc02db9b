//! Handles may be sent to and shared by threads, and live as long as they are held: nothing borrows from what made it.

use std::io::Cursor;
use std::sync::Arc;
use std::thread;

use narrows_core::compress::{
    CompressionComparison, Fidelity, ImageCompressor, ImageDecompressor, TableCompressor, TableDecompressor,
};
use narrows_core::data::{Layout, Table};
use narrows_core::images::{Album, Channels, Image, Photo, Store};
use narrows_core::recipe::DataKind;
use narrows_core::tune::{Journal, SearchPlan, SearchResult};
use narrows_core::{
    Compute, Dataset, Encoder, Error, Evaluation, Evaluator, Explained, ImageModel, ImageRoles, ImageScore, Model,
    Preset, Recipe, Report, Restorer, Roles, SampleSimilarity, Scores, SeriesEvent, SeriesModel, StreamScore,
    StreamScorer, TableModel, TabularModel, Variation, fit,
};

use crate::support::{compute, fit_with, quick, session, sheet};
use crate::waves::{PERIOD, fit_series, machines, quick_series};

/// Compiles for what may go anywhere and stay there.
fn assert_send_sync<T: Send + Sync + 'static>() {}

#[test]
fn every_handle_may_go_to_any_thread_and_stay() {
    assert_send_sync::<Model>();
    assert_send_sync::<TableModel>();
    assert_send_sync::<SeriesModel>();
    assert_send_sync::<ImageModel>();
    assert_send_sync::<Restorer>();
    assert_send_sync::<Encoder>();
    assert_send_sync::<Box<dyn TabularModel>>();
    assert_send_sync::<StreamScorer>();
    assert_send_sync::<Evaluator>();
    assert_send_sync::<Variation>();
    assert_send_sync::<TableCompressor<Vec<u8>>>();
    assert_send_sync::<TableDecompressor<Cursor<Vec<u8>>>>();
    assert_send_sync::<ImageCompressor<Vec<u8>>>();
    assert_send_sync::<ImageDecompressor<Cursor<Vec<u8>>>>();
    assert_send_sync::<CompressionComparison>();
    assert_send_sync::<Recipe>();
    assert_send_sync::<Compute>();
    assert_send_sync::<Error>();
    assert_send_sync::<Report>();
    assert_send_sync::<Dataset>();
    assert_send_sync::<Roles>();
    assert_send_sync::<ImageRoles>();
    assert_send_sync::<Store>();
    assert_send_sync::<Table>();
    assert_send_sync::<Journal>();
    assert_send_sync::<SearchPlan>();
    assert_send_sync::<SearchResult>();
    assert_send_sync::<(Scores, Explained, ImageScore, StreamScore, SeriesEvent, Evaluation, SampleSimilarity)>();
}

/// What `work` gives on another thread.
fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    thread::spawn(work).join().unwrap()
}

/// Rows with a flag that every fifth is odd.
fn labelled(n: usize) -> Table {
    let column =
        |k: f64| (0..n).map(|row| (row as f64 * k).sin() + f64::from(row % 5 == 2) * 9.0).collect::<Vec<f64>>();
    let odd = (0..n).map(|row| f64::from(row % 5 == 2)).collect();
    Table::from_columns(vec![("x", column(0.7)), ("y", column(1.1)), ("z", column(0.3)), ("odd", odd)]).unwrap()
}

#[test]
fn handles_of_a_table_outlive_the_model_that_they_came_from() {
    let model = fit_with(&quick(Preset::Deep), sheet(300, 1), 2).unwrap();
    let table = sheet(40, 2);
    let scores = model.score(&table).unwrap();
    let codes = model.encode(&table).unwrap();
    let varied = model.variation(&table).unwrap().vary(9, 0, 0.3, 1).unwrap();
    let bytes = {
        let mut writer = TableCompressor::new(&model, Fidelity::Lossless, Vec::new()).unwrap();
        writer.push(&table).unwrap();
        writer.finish().unwrap().0
    };

    let variation = model.variation(&table).unwrap();
    let encoder = Encoder::from(&model);
    let mut writer = TableCompressor::new(&model, Fidelity::Lossless, Vec::new()).unwrap();
    let mut reader = TableDecompressor::new(&model, Cursor::new(bytes.clone())).unwrap();
    let comparison = CompressionComparison::new(&model, Fidelity::Lossless).unwrap();
    let dynamic: Box<dyn TabularModel> = Box::new(model.clone());
    drop(model);

    assert_eq!(elsewhere(move || variation.vary(9, 0, 0.3, 1).unwrap()).batch(), varied.batch());
    let rows = table.clone();
    assert_eq!(elsewhere(move || encoder.encode(&rows).unwrap()).batch(), codes.batch());
    let rows = table.clone();
    let written = elsewhere(move || {
        writer.push(&rows).unwrap();
        writer.finish().unwrap().0
    });
    assert!(written == bytes);
    let back = elsewhere(move || reader.next_table().unwrap().unwrap());
    comparison.compare(&table, &back).unwrap();
    assert_eq!(elsewhere(move || dynamic.score(&table).unwrap()), scores);
}

#[test]
fn an_evaluator_outlives_its_model() {
    let roles = Roles { label: Some("odd".to_owned()), normal: Some("0".to_owned()), ..Roles::default() };
    let model = fit(&quick(Preset::Simple), Dataset::table(labelled(200), roles), &session(2)).unwrap();
    let model = model.into_table().unwrap();
    let evaluated = |mut evaluator: Evaluator| {
        evaluator.add(&labelled(100)).unwrap();
        evaluator.finish().unwrap()
    };
    let expected = evaluated(model.evaluator("odd", Some("0")));
    let evaluator = model.evaluator("odd", Some("0"));
    drop(model);
    let found = elsewhere(move || evaluated(evaluator));
    assert_eq!(found, expected);
    assert_eq!((found.n, found.n_anomalies), (100, 20));
}

#[test]
fn a_stream_outlives_its_model_and_moves_from_thread_to_thread() {
    let model = fit_series(&quick_series(Preset::Deep, Layout::Long), machines(200), 2).unwrap();
    let rows = machines(3 * PERIOD);
    let n = rows.n_rows();
    let bits = |score: StreamScore| (score.score.to_bits(), score.p_value.to_bits(), score.is_anomaly);
    let mut here = model.stream().unwrap();
    let expected: Vec<_> = (0..n).map(|row| bits(here.push(&rows.slice(row, 1)).unwrap())).collect();
    let mut stream = model.stream().unwrap();
    drop(model);
    let mut found = Vec::new();
    for row in 0..n {
        let point = rows.slice(row, 1);
        let (back, score) = elsewhere(move || {
            let score = stream.push(&point).unwrap();
            (stream, score)
        });
        stream = back;
        found.push(bits(score));
    }
    assert_eq!(found, expected);
    assert_eq!(stream.counts(), here.counts());
}

fn spots(n: usize) -> Vec<Image> {
    let pixel = |i: usize, p: usize| {
        let distance = ((p / 8) as f32 - (i % 7) as f32).powi(2) + ((p % 8) as f32 - (i % 5) as f32).powi(2);
        ((0.2 + 0.6 * (-distance / 5.0).exp()) * 255.0).round() / 255.0
    };
    let image = |i: usize| Image::new(8, 8, Channels::Grey, (0..64).map(|p| pixel(i, p)).collect());
    (0..n).map(image).collect()
}

fn store(n: usize) -> Store {
    let named = spots(n).into_iter().enumerate().map(|(i, image)| (format!("{i}"), image)).collect();
    Store::take(Album::of("spots", named).unwrap(), 0).unwrap()
}

fn of_images(preset: Preset, changes: &[&str]) -> Recipe {
    let mut recipe = Recipe::preset_for(preset, DataKind::Images);
    ["train.steps=10", "train.batch_size=8"].iter().chain(changes).for_each(|change| recipe.set(change).unwrap());
    recipe
}

#[test]
fn handles_of_images_outlive_the_model_that_they_came_from() {
    let model = fit(&of_images(Preset::Deep, &["backbone.code_size=3"]), store(20), &session(2)).unwrap();
    let model = model.into_images().unwrap();
    let photos: Vec<Photo> = spots(4).into_iter().map(Photo::from).collect();
    let write = |mut writer: ImageCompressor<Vec<u8>>, photos: &[Photo]| {
        photos.iter().for_each(|photo| writer.push("", photo.clone()).unwrap());
        writer.finish().unwrap().0
    };
    let bytes = write(ImageCompressor::new(&model, Fidelity::Lossless, Vec::new()).unwrap(), &photos);
    let image = photos[0].image.clone();
    let codes = model.encode(&image);

    let writer = ImageCompressor::new(&model, Fidelity::Lossless, Vec::new()).unwrap();
    let mut reader = ImageDecompressor::new(&model, Cursor::new(bytes.clone())).unwrap();
    let encoder = Encoder::from(&model);
    drop(model);

    let given = photos.clone();
    assert!(elsewhere(move || write(writer, &given)) == bytes);
    let back = elsewhere(move || reader.next_images().unwrap().unwrap());
    assert!(back.iter().zip(&photos).all(|((_, is), was)| is.image == was.image));
    assert_eq!(elsewhere(move || encoder.encode_image(&image).unwrap()), codes);
}

#[test]
fn models_are_shared_by_threads_and_give_each_the_same() {
    let table = sheet(60, 2);
    let model = fit_with(&quick(Preset::Variational), sheet(300, 1), 2).unwrap();
    let expected = model.score(&table).unwrap();
    let shared: Arc<dyn TabularModel> = Arc::new(model.with_compute(&compute(2)));
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (shared, table) = (Arc::clone(&shared), table.clone());
            thread::spawn(move || shared.score(&table).unwrap())
        })
        .collect();
    workers.into_iter().for_each(|worker| assert_eq!(worker.join().unwrap(), expected));
}

#[test]
fn a_clone_that_is_changed_leaves_the_model_as_it_was() {
    let model = fit_with(&quick(Preset::Deep), sheet(300, 1), 1).unwrap();
    let (before, threshold) = (Model::from(model.clone()).to_bytes(), model.threshold());
    let moved = model.clone().with_threshold(&"fixed=0.5".parse().unwrap()).unwrap().with_compute(&compute(3));
    assert_eq!((moved.threshold(), model.threshold()), (0.5, threshold));
    assert!(Model::from(model).to_bytes() == before);
}

#[test]
fn a_restorer_is_moved_and_restores_the_same() {
    let changes = ["backbone.channels=4", "backbone.blocks=1", "backbone.patch=8", "data.corrupt=\"gaussian:25\""];
    let restorer = fit(&of_images(Preset::Restore, &changes), store(4), &session(2)).unwrap().into_restorer().unwrap();
    let image = spots(9).remove(8);
    let expected = restorer.restore(&image);
    let given = image.clone();
    let held = restorer.clone();
    drop(restorer);
    assert!(elsewhere(move || held.restore(&given)) == expected);
}

#[test]
fn each_kind_is_told_from_the_others_by_name() {
    let table = Model::from(fit_with(&quick(Preset::Simple), sheet(60, 1), 1).unwrap());
    let images = fit(&of_images(Preset::Simple, &["backbone.code_size=3"]), store(20), &session(1)).unwrap();
    let series = Model::from(fit_series(&quick_series(Preset::Simple, Layout::Long), machines(100), 1).unwrap());
    let encoder = Model::from(table.clone().into_encoder().unwrap());
    let message = |result: narrows_core::Result<()>| result.unwrap_err().to_string();
    let cases = [
        (message(images.clone().into_table().map(drop)), "expected a model of tables, got one of images"),
        (message(series.clone().into_table().map(drop)), "expected a model of tables, got one of series"),
        (message(table.clone().into_series().map(drop)), "expected a model of series, got one of tables"),
        (message(series.clone().into_images().map(drop)), "expected a model of images, got one of series"),
        (message(images.clone().into_tabular().map(drop)), "expected a model of tables or series, got one of images"),
        (message(table.clone().into_restorer().map(drop)), "expected a model that restores images, got one of tables"),
        (message(encoder.clone().into_tabular().map(drop)), "got an encoder without its decoder"),
        (message(encoder.clone().with_decoder().map(drop)), "got an encoder without its decoder"),
    ];
    for (found, expected) in cases {
        assert!(found.contains(expected), "{found}");
    }
    let reads_images = |model: &Model| model.reads_images();
    assert_eq!([&table, &series, &images, &encoder].map(reads_images), [false, false, true, false]);
    assert_eq!(table.recipe().preset, encoder.recipe().preset);
    assert!(images.into_encoder().unwrap().reads_images());
}
