//! Anomalies in a table: fit a model to card payments, score new ones, explain a score, save and load the model.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::error::Error;

use narrows_core::demo::{PAYMENTS_LABEL, payments};
use narrows_core::{Dataset, Model, Preset, Recipe, Roles, Session, TabularModel, fit};

fn main() -> Result<(), Box<dyn Error>> {
    // 4,000 generated payments, 2 % of them fraud. Only rows with the label 0 train; the identifier is no feature.
    let roles = Roles {
        label: Some(PAYMENTS_LABEL.to_owned()),
        normal: Some("0".to_owned()),
        ignore: vec!["payment_id".to_owned()],
        ..Roles::default()
    };
    let mut recipe = Recipe::preset(Preset::Denoising);
    recipe.train.steps = 1000;
    recipe.detect.threshold = "false_alarm_rate=0.02".parse()?;
    let dataset = Dataset::table(payments(4000, 0.02, 1), roles);
    let model = fit(&recipe, dataset, &Session::default())?.into_table()?;
    println!("threshold {:.3} ({})", model.threshold(), model.decision().rule);

    // Other payments, as they would arrive later.
    let new = payments(1000, 0.02, 2);
    let explained = model.explain(&new, 3)?;
    let scores = &explained.scores;
    let n_anomalies = scores.is_anomaly.iter().filter(|is_anomaly| **is_anomaly).count();
    println!("{n_anomalies} of {} new payments score above it", new.n_rows());

    let highest = (0..new.n_rows()).max_by(|a, b| scores.score[*a].total_cmp(&scores.score[*b])).unwrap_or(0);
    println!("row {highest}: score {:.1}, p-value {:.4}", scores.score[highest], scores.p_value[highest]);
    for reason in &explained.reasons[highest] {
        println!("  {reason}");
    }

    // With labels, the quality of the scores is known.
    let mut evaluator = model.evaluator(PAYMENTS_LABEL, Some("0"));
    evaluator.add(&new)?;
    let found = evaluator.finish()?;
    println!("AUC-ROC {:.3}, recall {:.2}, false alarms {:.3}", found.auc_roc, found.recall, found.false_alarm_rate);

    // A loaded model gives the same scores to the last bit.
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("payments.narrows");
    Model::from(model.clone()).save(&path)?;
    let loaded = Model::load(&path)?.into_table()?;
    println!("the loaded model gives the same scores: {}", loaded.score(&new)? == *scores);
    Ok(())
}
