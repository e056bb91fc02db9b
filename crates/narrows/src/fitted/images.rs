//! Pictures judged, and the verbs of a model of pictures that has a code.

use std::sync::Arc;

use narrows_engine::{PreparedNetwork, Threads};
use narrows_pictures::{Picture, Store, overlay};
use rayon::prelude::*;

use super::Fitted;
use super::encoder;
use super::images_quality::Passing;
use super::images_summary;
use super::intake::{ImagesIntake, Intake};
use super::judge::{Detail, Judge};
use crate::error::{Error, Result};

/// Most values of samples at once.
const VALUES: usize = 8 << 20;

/// Multiples of the ordinary error at which heat begins and ends.
const HEAT: [f32; 2] = [3.0, 100.0];
/// How much the hottest pixel hides.
const OPACITY: f32 = 0.85;

/// What a model says of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureScore {
    /// 1 is an ordinary picture; rises with anomaly.
    pub score: f64,
    /// Share of calibration pictures that score as high, counted so that it holds for fresh normal pictures.
    pub p_value: f64,
    /// score > threshold
    pub is_anomaly: bool,
    /// Squared error of every pixel, `[height, width]`, 1 being an ordinary pixel's; empty where nobody asked.
    pub heat: Vec<f32>,
}

/// A picture's score, and where it comes from.
pub(super) struct Judged {
    pub(super) score: f64,
    pub(super) heat: Vec<f32>,
}

/// A judge of pictures, ready for many.
pub(super) struct PictureJudge<'a> {
    intake: &'a ImagesIntake,
    judge: &'a Judge,
    members: Vec<Arc<dyn PreparedNetwork>>,
    threads: &'a Threads,
}

impl<'a> PictureJudge<'a> {
    pub(super) fn new(intake: &'a ImagesIntake, judge: &'a Judge, threads: &'a Threads) -> PictureJudge<'a> {
        PictureJudge { intake, judge, members: judge.ready(), threads }
    }

    /// Scores, and heat maps where the detail is the trace.
    pub(super) fn judge(&self, pictures: &[Picture], detail: Detail) -> Vec<Judged> {
        let samples: Vec<Vec<f32>> =
            self.threads.install(|| pictures.par_iter().map(|picture| self.intake.values(picture)).collect());
        let width = self.intake.width();
        let prepared = self.intake.prepared(samples.concat());
        let judged = self.judge.judge_by(&self.members, &prepared, detail, self.threads);
        let mut first = 0;
        let mut all = Vec::with_capacity(pictures.len());
        for (picture, samples) in pictures.iter().zip(&samples) {
            let n = samples.len() / width;
            let score = worst_piece(&judged.scores[first..first + n]);
            let heat = match detail {
                Detail::Trace => self.intake.heat(&judged.trace[first * width..(first + n) * width], picture),
                Detail::Scores | Detail::Shares => Vec::new(),
            };
            all.push(Judged { score, heat });
            first += n;
        }
        all
    }

    /// The scores of some pictures of a store.
    pub(super) fn scores(&self, pictures: &Store, which: &[u32]) -> Result<Vec<f64>> {
        let mut scores = Vec::with_capacity(which.len());
        let mut waiting: Vec<Picture> = Vec::new();
        let mut values = 0;
        for (i, picture) in which.iter().enumerate() {
            let picture = pictures.get(*picture as usize)?;
            values += self.intake.n_samples(&picture) * self.intake.width();
            waiting.push(picture);
            if values >= VALUES || i + 1 == which.len() {
                scores.extend(self.judge(&waiting, Detail::Scores).into_iter().map(|judged| judged.score));
                waiting.clear();
                values = 0;
            }
        }
        Ok(scores)
    }
}

/// A picture is as anomalous as its worst piece.
pub(super) fn worst_piece(pieces: &[f64]) -> f64 {
    pieces.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

impl Fitted {
    /// Whether it reads pictures.
    pub fn reads_pictures(&self) -> bool {
        matches!(self.intake, Intake::Images(_))
    }

    /// Judges pictures; `heat` maps are made where asked for.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of pictures.
    pub fn score_pictures(&self, pictures: &[Picture], heat: bool, threads: &Threads) -> Result<Vec<PictureScore>> {
        let judge = PictureJudge::new(self.images()?, &self.judge, threads);
        let detail = if heat { Detail::Trace } else { Detail::Scores };
        let told = |Judged { score, heat }| PictureScore {
            p_value: self.calibration.p_value(score),
            is_anomaly: score > self.decision.threshold,
            score,
            heat,
        };
        Ok(judge.judge(pictures, detail).into_iter().map(told).collect())
    }

    /// The picture with the heat map of a score of it laid over.
    ///
    /// # Panics
    /// If the score is another picture's, or came without a heat map.
    pub fn heat_map(&self, picture: &Picture, score: &PictureScore) -> Picture {
        heat_map(picture, &score.heat)
    }

    /// Whether a sample is a piece of a picture and not all of it.
    pub fn sees_pieces(&self) -> bool {
        self.intake.sees_pieces()
    }

    /// A contact sheet of the first pictures: input, output, truth and difference.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of pictures; where a picture can no longer be read.
    pub fn sheet(&self, pictures: &Store, threads: &Threads) -> Result<Picture> {
        let passing = Passing::new(&self.recipe, self.images()?, &self.judge, &self.baselines.pca)?;
        let all: Vec<u32> = (0..pictures.len() as u32).collect();
        Ok(images_summary::sheet(&passing, pictures, &all, threads)?.picture())
    }

    /// What the model makes of each picture, through the code, in the size and channels it came in. A model fitted with a
    /// damage undoes it.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of pictures.
    pub fn rebuild_pictures(&self, pictures: &[Picture], threads: &Threads) -> Result<Vec<Picture>> {
        let intake = self.images()?;
        let rebuild = |picture: &Picture| {
            let prepared = intake.prepared(intake.values(picture));
            intake.picture(&self.judge.output(&prepared, threads), picture)
        };
        Ok(pictures.iter().map(rebuild).collect())
    }

    /// The codes of a picture's samples: one code for a whole picture, else one for each piece, row by row.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of pictures.
    pub fn encode_picture(&self, picture: &Picture, threads: &Threads) -> Result<Vec<Vec<f32>>> {
        self.encoding().picture(picture, threads)
    }

    /// Pictures from codes alone, `[n, code_size]`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of pictures.
    pub fn decode_pictures(&self, codes: &[f32], threads: &Threads) -> Result<Vec<Picture>> {
        let intake = self.images()?;
        let output = self.judge.decode(codes, codes.len() / self.code_size(), threads);
        Ok(output.chunks_exact(intake.width()).map(|values| intake.sample(values).clipped()).collect())
    }

    /// How pictures become samples.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of pictures.
    pub(crate) fn images(&self) -> Result<&ImagesIntake> {
        encoder::images(&self.intake)
    }
}

/// A picture with the heat of its pixels' errors laid over it: nothing at an ordinary error.
pub(super) fn heat_map(picture: &Picture, heat: &[f32]) -> Picture {
    // Each step of the scale is a multiple of the error, so that a fault stands out from what is merely rough.
    let log: Vec<f32> = heat.iter().map(|heat| heat.max(1.0).ln()).collect();
    overlay(picture, &log, HEAT[0].ln(), HEAT[1].ln(), OPACITY)
}

pub(super) fn not_pictures(kind: &str) -> Error {
    Error::mismatch(format!("expected {kind}, as the model was fitted to, got pictures"))
}

/// What is said where a model of pictures is given a table.
pub(super) fn not_a_table() -> Error {
    Error::mismatch("expected pictures, as the model was fitted to, got a table")
        .with_hint("a folder, a pattern, a picture, IDX, NPY or NPZ")
}
