//! Thresholds of points, of whole series and of streams, set anew on other normal points.

use std::sync::Arc;

use super::SeriesModel;
use super::held_out::{HeldOutPart, held_out_scores};
use super::judgement::{Judgement, joined};
use super::points::Coverage;
use super::windowing::anomalous_points;
use crate::error::{Error, Place, Result};
use crate::fitted::recalibration::{NormalRows, Recalibration, Sample, check_promise};
use crate::fitted::scoring::CalibratedThreshold;

impl SeriesModel {
    /// Sets both thresholds as a fit does: the one of whole series on what is around points, then by their windows.
    pub(in crate::fitted) fn recalibrate_points(&mut self, normal: &NormalRows<'_>) -> Result<Recalibration> {
        let place = Place::source(normal.table().source());
        let samples = self.adapter.prepare(normal.table())?;
        let is_anomalous = anomalous_points(&samples.set, &normal.is_normal());
        let window = self.adapter.pipeline.window();
        let whole = samples.set.series.iter().map(|series| 0..series.n_points()).collect();
        let part = HeldOutPart { samples: &samples, is_anomalous: &is_anomalous, ranges: whole, window };
        let most = self.core.recipe.detect.calibration_rows;
        let scores = |coverage| held_out_scores(&self.adapter, &self.core.scorer, &part, coverage, most);
        let points = scores(Coverage::All);
        if points.is_empty() {
            let message = format!("expected a stretch of at least {window} normal points, a window, got none");
            return Err(Error::data(place, message));
        }
        let blocks = |n: usize| Some((n / window).max(1));
        let core = &self.core;
        let set = |known: &CalibratedThreshold, scores: Vec<f64>| {
            let blocks = blocks(scores.len());
            core.reset(known, scores, blocks, &place)
        };
        let around = set(&core.threshold, joined(&points, Judgement::Around))?;
        check_promise(&core.threshold, &around, &Sample::Windows(window), &place)?;
        let judgement = match self.adapter.judgement {
            // Of an older version.
            Judgement::Around => Judgement::Around,
            Judgement::Whole { .. } => Judgement::split_at(around.decision.threshold),
        };
        let mut threshold = around;
        if judgement != Judgement::Around {
            let by_windows = set(&core.threshold, joined(&points, judgement))?;
            threshold = CalibratedThreshold { decision: threshold.decision, ..by_windows };
            // Those that are known were made with another ceiling.
            threshold.calibration.training.clear();
        }
        let online = || joined(&scores(Coverage::Last), Judgement::Around);
        let stream = core.stream_threshold.as_ref().map(|known| set(known, online())).transpose()?;
        Arc::make_mut(&mut self.adapter).judgement = judgement;
        let (table, labels) = (normal.table(), (normal.anomalous(), normal.unlabelled()));
        Ok(Arc::make_mut(&mut self.core).recalibrated(threshold, stream, (table.source(), "point"), labels))
    }
}
