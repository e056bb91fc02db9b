//! The report of a fit to pictures.

use narrows_engine::Threads;
use narrows_pictures::{Sheet, Store};

use super::fit_images::PictureRoles;
use super::images::{self, PictureJudge};
use super::images_quality::Passing;
use super::intake::ImagesIntake;
use super::judge::Detail;
use super::split::Split;
use super::summary::{self, HeldOut, Particulars, Told};
use crate::error::Result;
use crate::report::{ImagesReport, Label, PicturesReport, Report, Rows, Training, WorstPicture};

/// Most held-out pictures that the quality is measured on.
const MEASURED: usize = 500;
/// Rows of a contact sheet.
const SHEET_ROWS: usize = 6;
/// Pictures that score highest.
const WORST: usize = 12;
/// Most pictures scored to find them.
const SCORED: usize = 2_000;

/// What was found on the way.
pub(super) struct Found<'a> {
    pub(super) pictures: &'a Store,
    pub(super) intake: &'a ImagesIntake,
    /// By picture.
    pub(super) split: &'a Split,
    pub(super) anomalous: &'a [u32],
    pub(super) roles: &'a PictureRoles,
}

pub(super) fn report(
    told: &Told<'_>,
    found: &Found<'_>,
    training: Vec<Training>,
    warnings: Vec<String>,
    threads: &Threads,
) -> Result<Report> {
    let Found { pictures, intake, split, anomalous, roles } = found;
    let held_out = HeldOut::of(told, threads);
    let (train, validation) = (split.train.len() as u64, split.validation.len() as u64);
    let calibration = split.calibration.len() as u64;
    let passing = Passing::new(told.recipe, intake, told.judge, told.pca)?;
    let measured = &split.calibration[..split.calibration.len().min(MEASURED)];
    let (worst, worst_sheet) = worst(told, found, threads)?;
    let images = ImagesReport {
        pictures: PicturesReport {
            calibration,
            ..PicturesReport::of(pictures, intake.layout.channels, train, validation)
        },
        view: intake.layout.in_words(),
        stride: intake.layout.stride,
        backbone: told.recipe.backbone.in_words(),
        quality: passing.quality(pictures, measured, threads)?,
        sheet: sheet(&passing, pictures, &split.calibration, threads)?.to_base64(),
        worst,
        worst_sheet,
    };
    let label = (!roles.normal.is_empty())
        .then(|| Label { column: "folder".to_owned(), normal: Some(roles.normal.join(", ")) });
    let not_normal = anomalous.len() as u64;
    let read = pictures.len() as u64;
    let particulars = Particulars {
        source: pictures.source().to_owned(),
        label,
        rows: Rows { read, not_normal, unlabelled: 0, train, validation, calibration },
        columns: Vec::new(),
        notes: vec![images.view.clone()],
        top: Vec::new(),
        series: None,
        images: Some(images),
    };
    summary::report(told, &held_out, particulars, intake.blocks(), training, warnings, threads)
}

/// Some pictures on their way through the code.
pub(super) fn sheet(passing: &Passing<'_>, pictures: &Store, which: &[u32], threads: &Threads) -> Result<Sheet> {
    let mut sheet = Sheet::new(&["input", "output", "truth", "difference"]);
    for picture in which.iter().take(SHEET_ROWS) {
        let passage = passing.passage(pictures, *picture as usize, threads)?;
        let difference = passage.output.difference(&passage.clean);
        sheet.row(vec![passage.input, passage.output, passage.clean, difference]);
    }
    Ok(sheet)
}

/// The pictures that score highest, and where.
fn worst(told: &Told<'_>, found: &Found<'_>, threads: &Threads) -> Result<(Vec<WorstPicture>, String)> {
    let judge = PictureJudge::new(found.intake, told.judge, threads);
    let mut which: Vec<u32> = found.anomalous.iter().chain(&found.split.calibration).copied().take(SCORED).collect();
    let scores = judge.scores(found.pictures, &which)?;
    let mut order: Vec<usize> = (0..which.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(which[*a].cmp(&which[*b])));
    order.truncate(WORST);
    let scores: Vec<f64> = order.iter().map(|i| scores[*i]).collect();
    which = order.iter().map(|i| which[*i]).collect();
    let mut sheet = Sheet::new(&["picture", "heat map"]);
    for i in which.iter().take(SHEET_ROWS) {
        let picture = found.pictures.get(*i as usize)?;
        let heat = judge.judge(std::slice::from_ref(&picture), Detail::Trace).remove(0).heat;
        let over = images::heat_map(&picture, &heat);
        sheet.row(vec![picture, over]);
    }
    let told = which.iter().zip(&scores).map(|(i, score)| WorstPicture {
        name: found.pictures.name(*i as usize),
        score: *score,
        p_value: told.calibration.p_value(*score),
        is_anomaly: *score > told.decision.threshold,
    });
    Ok((told.collect(), sheet.to_base64()))
}
