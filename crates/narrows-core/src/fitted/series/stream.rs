//! Streaming scores: each row is scored on arrival by the window that ends with it.
//!
//! A stream has no later windows, so a point is scored by one window, not by all that cover it as in a complete table.
//! The scores differ, and so does the threshold calibrated for them: see [`Core::stream_threshold`].
//!
//! The last two windows of points of each series are kept, though one window is scored: missing values in it are filled
//! by linear interpolation between their neighbours, and the earlier one may lie before the window. A score is
//! therefore bit-identical to that around the last point of the whole series, unless a channel was missing for longer
//! than a window.

use std::collections::HashMap;

use super::SeriesModel;
use super::adapter::SeriesAdapter;
use super::model::point_reasons;
use super::points::last_point;
use crate::compute::Compute;
use crate::data::{self, Layout, Moment, Series, SeriesSet, Table};
use crate::detect::Reason;
use crate::error::{Error, Hint, Place, Result};
use crate::fitted::invariants::Evidence;
use crate::fitted::scoring::{ScoreCounts, ScoreFlag, Scorer};

/// Windows of points kept per series.
const KEPT: usize = 2;

/// Scores points of series one by one, see [`SeriesModel::stream`].
///
/// It keeps two windows of numbers per series, however long the stream is. Series are never dropped: memory grows with
/// the number of ids, up to [`with_memory`](StreamScorer::with_memory).
#[derive(Debug)]
pub struct StreamScorer {
    model: SeriesModel,
    /// The model's scorer on the calling thread: a single window is too little work to parallelise.
    scorer: Scorer,
    tracks: HashMap<String, Track>,
    /// Bytes that the tracks may take, and take at most.
    most_bytes: usize,
    bytes: usize,
    counts: ScoreCounts,
    /// Those of the last row.
    row_counts: ScoreCounts,
}

/// Where a series of a stream stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesProgress {
    /// The series; empty if there is only one.
    pub series: String,
    /// The time of its last point, ISO 8601 or a number; `None` if there is no time column.
    pub time: Option<String>,
    /// Number of points until the first full window, at whose end the first score is; 0 once there was one.
    pub warm_up: usize,
}

/// The score of a newly arrived point.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamScore {
    /// The series of the point; empty if there is only one.
    pub series: String,
    /// Its time, ISO 8601 or a number; `None` if there is no time column.
    pub time: Option<String>,
    /// 1 for a typical point; higher is more anomalous. NaN if there is no score, see `flag`.
    pub score: f64,
    /// Conformal p-value: share of calibration points, scored likewise, that score as high. NaN if there is no score.
    pub p_value: f64,
    /// score > threshold
    pub is_anomaly: bool,
    /// Remarks on the score.
    pub flag: ScoreFlag,
    /// The top contributing channels, the largest first.
    pub reasons: Vec<Reason>,
}

/// A row that was appended to its series.
struct Entered {
    point: Series,
    /// Number of points missing before it.
    gap: u64,
    evidence: Evidence,
    counts: ScoreCounts,
}

/// The state of one series.
#[derive(Debug)]
struct Track {
    /// The last points, including those in gaps; only id and values of the [`Series`] are used.
    recent: Series,
    time: Option<Moment>,
    /// Whether its times have a time zone; `None` until a time is text.
    is_zoned: Option<bool>,
}

impl SeriesModel {
    /// Starts scoring points as they arrive. The scorer shares ownership of the model.
    ///
    /// ```
    /// use narrows_core::{Dataset, Preset, Recipe, Roles, ScoreFlag, Session, data::Table, fit, recipe::DataKind};
    ///
    /// let points = |n: i32| {
    ///     let x = (0..n).map(|i| (f64::from(i) * 0.4).sin() + 0.01 * f64::from(i * 7919 % 13)).collect();
    ///     Table::from_columns(vec![("second", (0..n).map(f64::from).collect()), ("x", x)])
    /// };
    /// let mut recipe = Recipe::preset_for(Preset::Simple, DataKind::Series);
    /// recipe.set("train.steps=50")?;
    /// recipe.set("data.window=16")?;
    /// let roles = Roles { time: Some("second".to_owned()), ..Roles::default() };
    /// let model = fit(&recipe, Dataset::table(points(400)?, roles), &Session::default())?.into_series()?;
    ///
    /// let rows = points(20)?;
    /// let mut stream = model.stream()?;
    /// for row in 0..20 {
    ///     let score = stream.push(&rows.slice(row, 1))?;
    ///     assert_eq!(score.flag == ScoreFlag::WarmUp, row < 15);
    /// }
    /// // Time must increase: the row is rejected, and the state is unchanged.
    /// assert!(stream.push(&rows.slice(3, 1)).is_err());
    /// # Ok::<(), narrows_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the model is of the rows layout.
    pub fn stream(&self) -> Result<StreamScorer> {
        if self.adapter.layout != Layout::Long {
            let error = Error::mismatch("expected a model of series in the long layout to follow, got another");
            return Err(error.with_hint(Hint::of("fit one to points of series: [verb fit] with [kind=series]")));
        }
        let mut scorer = self.core.scorer.clone();
        scorer.ensemble.set_compute(&Compute::serial());
        let (counts, row_counts) = (ScoreCounts::default(), ScoreCounts::default());
        let (tracks, most_bytes, bytes) = (HashMap::new(), usize::MAX, 0);
        Ok(StreamScorer { model: self.clone(), scorer, tracks, most_bytes, bytes, counts, row_counts })
    }
}

impl StreamScorer {
    /// Maximum number of channels named for a point.
    pub const REASONS: usize = 3;

    /// Bounds the memory of series, in bytes: a row of a series for which there is no room is refused. One series is
    /// always taken.
    #[must_use]
    pub fn with_memory(self, bytes: usize) -> StreamScorer {
        StreamScorer { most_bytes: bytes, ..self }
    }

    /// Scores the next point, from a raw table of one row.
    ///
    /// Points missing before it, by the time step, are a gap; after a gap of a window or more the series starts anew. A
    /// series with an unknown id is scored with the common scale, and counted.
    ///
    /// # Errors
    /// [`Error::Data`] and [`Error::Mismatch`] for a row that does not fit the model, and for a time that is not after
    /// the previous one of its series; the state is then unchanged.
    pub fn push(&mut self, row: &Table) -> Result<StreamScore> {
        let Entered { point, gap, evidence, counts } = self.enter(row)?;
        let followed = self.score(&point, gap > 0, &evidence);
        self.row_counts = ScoreCounts { unscored: u64::from(followed.score.is_nan()), ..counts };
        self.counts.add(&self.row_counts);
        Ok(followed)
    }

    /// Takes a row that comes before the stream, such as the last ones of a file, so that the first point of the stream
    /// has a full window. It is neither scored nor counted.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn remember(&mut self, row: &Table) -> Result<()> {
        self.enter(row).map(drop)
    }

    /// Appends a row to its series.
    fn enter(&mut self, row: &Table) -> Result<Entered> {
        if row.n_rows() != 1 {
            let message = format!("expected one row at a time, got {}", row.n_rows());
            return Err(Error::data(Place::source(row.source()), message));
        }
        let before = |id: &str| self.tracks.get(id).and_then(|track| track.time);
        let (schema, columns) = (&self.model.adapter.schema, &self.model.adapter.columns);
        let (local, _) = data::localise(row.clone(), schema, columns, &before)?;
        let (typed, conformed) = data::conform(local, schema)?;
        // A row in which a cell is not written as in its column is told at once, not at the end of a stream.
        conformed.unreadable.iter().try_for_each(|unreadable| conformed.require(&typed, &unreadable.column))?;
        let set = SeriesSet::long(&typed, &self.model.adapter.columns, self.model.adapter.step)?;
        let point = set.series.into_iter().next().expect("a row is a point");
        let evidence = self.model.adapter.evidence(row, &typed);
        let track = self.tracks.get(&point.id);
        let is_zoned = match &self.model.adapter.columns.time {
            Some(time) => data::check_zone(row, time, track.and_then(|track| track.is_zoned))?,
            None => None,
        };
        let gap = self.gap(row, track, &point)?;
        let added = if track.is_none() { self.room_for(row, &point.id)? } else { 0 };

        let adapter = &self.model.adapter;
        let is_unknown = track.is_none() && adapter.pipeline.is_unknown(&point.id);
        let mut counts = ScoreCounts {
            rows: 1,
            missing: set.counts.missing,
            infinite: set.counts.infinite,
            gaps: u64::from(gap > 0),
            gap_points: gap,
            unknown_series: is_unknown.then(|| point.id.clone()).into_iter().collect(),
            extra_columns: conformed.extra.into_iter().filter(|name| !adapter.compares(name)).collect(),
            broken: evidence.counts.clone(),
            lacking: evidence.lacking.clone(),
            ..ScoreCounts::default()
        };
        self.bytes += added;
        let track = self.tracks.entry(point.id.clone()).or_insert_with(|| Track::new(&point.id));
        track.is_zoned = track.is_zoned.or(is_zoned);
        track.append(&point, gap, adapter);
        counts.clipped = track.clipped(adapter);
        Ok(Entered { point, gap, evidence, counts })
    }

    /// Counts of values filled, clipped or ignored so far.
    pub fn counts(&self) -> &ScoreCounts {
        &self.counts
    }

    /// Those of the last row scored.
    pub fn row_counts(&self) -> &ScoreCounts {
        &self.row_counts
    }

    /// Where each series stands, by their ids in order.
    pub fn progress(&self) -> Vec<SeriesProgress> {
        let pipeline = &self.model.adapter.pipeline;
        let of = |(id, track): (&String, &Track)| SeriesProgress {
            series: id.clone(),
            time: track.time.map(|time| time.to_string()),
            warm_up: pipeline.window().saturating_sub(track.recent.values.len() / pipeline.n_channels()),
        };
        let mut all: Vec<SeriesProgress> = self.tracks.iter().map(of).collect();
        all.sort_by(|a, b| a.series.cmp(&b.series));
        all
    }

    /// The bytes that another series takes, if there is room for it.
    fn room_for(&self, row: &Table, id: &str) -> Result<usize> {
        let pipeline = &self.model.adapter.pipeline;
        let values = KEPT * pipeline.window() * pipeline.n_channels();
        // The id stands in the map, in the series, and among those that were not seen in training.
        let needed = values * size_of::<f64>() + size_of::<Track>() + 3 * (id.len() + size_of::<String>());
        if self.tracks.is_empty() || self.bytes.saturating_add(needed) <= self.most_bytes {
            return Ok(needed);
        }
        let message = format!("expected at most {} series in a stream, got another, `{id}`", self.tracks.len());
        let error = Error::data(Place::source(row.source()).at_row(row.first_row()), message);
        Err(error.with_hint("follow them in several streams"))
    }

    /// Number of points missing between the last point of the series and this one.
    fn gap(&self, row: &Table, track: Option<&Track>, point: &Series) -> Result<u64> {
        let (Some(time), Some(then)) = (point.start(), track.and_then(|track| track.time)) else { return Ok(0) };
        let since = time.since(then);
        if since <= 0.0 {
            let column = self.model.adapter.columns.time.as_deref().unwrap_or_default();
            let of_series = if point.id.is_empty() { String::new() } else { format!(" in series `{}`", point.id) };
            let message = format!("expected a time after {then}, the last one{of_series}, got {time}");
            let error = Error::data(Place::cell(column, row.first_row()).of(row.source()), message);
            return Err(error.with_hint("rows are followed in the order of time; sort them, or name the series"));
        }
        Ok(self.model.adapter.step.map_or(0, |step| step.whole(since) as u64 - 1))
    }

    fn score(&self, point: &Series, is_after_gap: bool, evidence: &Evidence) -> StreamScore {
        let (adapter, core) = (&self.model.adapter, &self.model.core);
        let recent = &self.tracks[&point.id].recent;
        let p = recent.values.len() / adapter.pipeline.n_channels() - 1;
        let (signal, _) = adapter.pipeline.signal(&recent.id, &recent.values);
        let mut points = last_point(adapter, &self.scorer, recent, &signal);
        points.judge(std::iter::once((0, p)), &signal, evidence);
        let score = points.score[p];
        let threshold = core.stream_threshold.as_ref().unwrap_or(&core.threshold);
        StreamScore {
            series: point.id.clone(),
            time: point.start().map(|time| time.to_string()),
            score,
            p_value: threshold.p_value(score),
            is_anomaly: threshold.is_anomaly(score),
            flag: ScoreFlag::of(points.covered[p], score, is_after_gap),
            reasons: point_reasons(adapter, &adapter.columns.channels, recent, &points, p, Self::REASONS),
        }
    }
}

impl Track {
    fn new(id: &str) -> Track {
        let recent = Series { id: id.to_owned(), ..Series::default() };
        Track { recent, time: None, is_zoned: None }
    }

    /// Adds a point after a gap of missing ones.
    fn append(&mut self, point: &Series, gap: u64, adapter: &SeriesAdapter) {
        let (k, window) = (adapter.pipeline.n_channels(), adapter.pipeline.window());
        let values = &mut self.recent.values;
        match usize::try_from(gap) {
            Ok(gap) if gap < window => values.resize(values.len() + gap * k, f64::NAN),
            _ => values.clear(),
        }
        values.extend(&point.values);
        values.drain(..values.len().saturating_sub(KEPT * window * k));
        self.time = point.start();
    }

    /// Number of values of the last point that are clipped.
    fn clipped(&self, adapter: &SeriesAdapter) -> u64 {
        let (k, values) = (adapter.pipeline.n_channels(), &self.recent.values);
        let last = values.len() - k;
        let mut tail = Vec::with_capacity(2 * k);
        if adapter.is_differenced() {
            let before = |c: usize| values[..last].iter().skip(c).step_by(k).rev().find(|x| x.is_finite());
            tail.extend((0..k).map(|c| before(c).copied().unwrap_or(f64::NAN)));
        }
        tail.extend(&values[last..]);
        adapter.pipeline.signal(&self.recent.id, &tail).1.clipped
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, OnceLock};

    use arrow::array::{ArrayRef, Float64Array, StringArray};
    use narrows_engine::rng::{Purpose, Stream};

    use super::super::points::{Coverage, points};
    use super::*;
    use crate::recipe::{DataKind, Preset, Recipe};
    use crate::{Dataset, Roles, Session, fit};

    const NAN: f64 = f64::NAN;
    const WINDOW: usize = 16;

    /// Rows of a table: series, second, two channels.
    type Row = (&'static str, f64, [f64; 2]);

    fn table(rows: &[Row]) -> Table {
        let numbers = |of: &dyn Fn(&Row) -> f64| -> ArrayRef {
            let cells = rows.iter().map(of).map(|x| (!x.is_nan()).then_some(x));
            Arc::new(cells.collect::<Float64Array>())
        };
        let columns = vec![
            ("machine".to_owned(), Arc::new(rows.iter().map(|row| Some(row.0)).collect::<StringArray>()) as ArrayRef),
            ("second".to_owned(), numbers(&|row| row.1)),
            ("a".to_owned(), numbers(&|row| row.2[0])),
            ("b".to_owned(), numbers(&|row| row.2[1])),
        ];
        Table::from_arrays(columns, "stream").unwrap()
    }

    #[test]
    fn progress_is_told_and_memory_is_bounded() {
        let mut follower = plain().stream().unwrap().with_memory(2_000);
        let series =
            |id: &str, time: &str, warm_up| SeriesProgress { series: id.into(), time: Some(time.into()), warm_up };
        for row in wave("p", 1, 20) {
            push(&mut follower, row).unwrap();
        }
        push(&mut follower, wave("a", 1, 1)[0]).unwrap();
        assert_eq!(follower.progress(), [series("a", "0", WINDOW - 1), series("p", "19", 0)]);
        let error = push(&mut follower, wave("z", 1, 1)[0]).unwrap_err().to_string();
        assert!(error.contains("expected at most 2 series in a stream, got another, `z`"), "{error}");
        // What is known goes on, and nothing of the refused row stays.
        push(&mut follower, wave("a", 1, 2)[1]).unwrap();
        assert_eq!((follower.progress().len(), follower.counts().rows), (2, 22));
        let mut one = plain().stream().unwrap().with_memory(0);
        push(&mut one, wave("p", 1, 1)[0]).unwrap();
        assert!(push(&mut one, wave("q", 1, 1)[0]).is_err());
    }

    /// One wave as two channels, with noise.
    fn wave(id: &'static str, seed: u64, n: usize) -> Vec<Row> {
        let row = |i: usize| {
            let mut stream = Stream::new(seed, Purpose::Demo, 0, i as u64);
            let mut noisy = |x: f64| x + 0.05 * f64::from(stream.normal());
            let phase = i as f64 * 0.4;
            (id, i as f64, [noisy(phase.sin()), noisy(10.0 + 3.0 * phase.cos())])
        };
        (0..n).map(row).collect()
    }

    fn fitted(changes: &[&str]) -> SeriesModel {
        let mut recipe = Recipe::preset_for(Preset::Simple, DataKind::Series);
        let usual = ["train.steps=60", "data.window=16", "data.transform=none"];
        usual.iter().chain(changes).for_each(|change| recipe.set(change).unwrap());
        let roles = Roles { time: Some("second".into()), id: vec!["machine".into()], ..Roles::default() };
        let rows = [wave("p", 1, 300), wave("q", 2, 300)].concat();
        fit(&recipe, Dataset::table(table(&rows), roles), &Session::default()).unwrap().into_series().unwrap()
    }

    fn plain() -> &'static SeriesModel {
        static MODEL: OnceLock<SeriesModel> = OnceLock::new();
        MODEL.get_or_init(|| fitted(&[]))
    }

    fn push(follower: &mut StreamScorer, row: Row) -> Result<StreamScore> {
        follower.push(&table(&[row]))
    }

    fn follow(fitted: &SeriesModel, rows: &[Row]) -> Vec<StreamScore> {
        let mut follower = fitted.stream().unwrap();
        rows.iter().map(|row| push(&mut follower, *row).unwrap()).collect()
    }

    /// The scores of one complete series, each point scored by its last window; in row order.
    fn at_once(fitted: &SeriesModel, rows: &[Row]) -> Vec<f64> {
        let adapter = &fitted.adapter;
        let samples = adapter.prepare(&table(rows)).unwrap();
        let series = &samples.set.series[0];
        let found = points(adapter, &fitted.core.scorer, series, &samples.signals[0], Coverage::Last).score;
        found.into_iter().zip(&series.rows).filter(|(_, row)| row.is_some()).map(|(score, _)| score).collect()
    }

    fn bits(scores: &[f64]) -> Vec<u64> {
        scores.iter().map(|score| score.to_bits()).collect()
    }

    fn scores(followed: &[StreamScore]) -> Vec<f64> {
        followed.iter().map(|followed| followed.score).collect()
    }

    fn check_same(fitted: &SeriesModel, rows: &[Row]) -> Vec<StreamScore> {
        let followed = follow(fitted, rows);
        assert_eq!(bits(&scores(&followed)), bits(&at_once(fitted, rows)));
        followed
    }

    #[test]
    fn row_by_row_scores_as_the_whole_series_does_where_only_last_windows_speak() {
        let mut recipes: Vec<Vec<&str>> = ["none", "difference", "centre", "detrend", "standardise"]
            .map(|transform| vec![["data.transform=", transform].concat().leak() as &str])
            .to_vec();
        recipes.push(vec!["data.scale=each"]);
        recipes.push(vec!["corruption=gaussian", "latent=gaussian", "detect.score=neighbour"]);
        for changes in recipes {
            let fitted = fitted(&changes);
            let mut rows = wave("p", 3, 120);
            rows[70].2[0] = 9.0;
            let followed = check_same(&fitted, &rows);
            assert!(followed[..WINDOW - 1].iter().all(|f| f.flag == ScoreFlag::WarmUp && f.score.is_nan()));
            assert!(
                followed[WINDOW - 1..].iter().all(|f| f.flag == ScoreFlag::None && f.p_value <= 1.0),
                "{changes:?}"
            );
            assert!(followed[70].is_anomaly, "{changes:?}: {:?}", followed[70]);
            assert_eq!(followed[70].reasons[0].column, "a", "{changes:?}");
            // Cells missing between others, and points missing entirely.
            rows[80].2[1] = NAN;
            rows[81].2[1] = NAN;
            rows[90].2 = [NAN; 2];
            let followed = follow(&fitted, &rows);
            let whole = at_once(&fitted, &rows);
            assert!(followed[90].flag == ScoreFlag::Missing && followed[90].reasons.is_empty());
            // Of a value that is missing, both know one side only.
            for i in 0..120 {
                let (x, y) = (followed[i].score, whole[i]);
                let same = if [80, 81].contains(&i) { (x - y).abs() < 1e-4 * y } else { x.to_bits() == y.to_bits() };
                assert!(same, "{changes:?}: point {i}: {x} {y}");
            }
        }
    }

    #[test]
    fn a_gap_is_filled_from_both_its_ends_and_a_long_one_begins_anew() {
        for transform in ["data.transform=none", "data.transform=difference"] {
            let fitted = fitted(&[transform]);
            let mut rows = wave("p", 3, 200);
            rows.drain(60..60 + WINDOW - 1);
            let followed = check_same(&fitted, &rows);
            let flags: Vec<ScoreFlag> = followed[59..62].iter().map(|followed| followed.flag).collect();
            assert_eq!(flags, [ScoreFlag::None, ScoreFlag::AfterGap, ScoreFlag::None], "{transform}");
        }

        let mut rows = wave("p", 3, 200);
        rows.drain(60..60 + WINDOW);
        let mut follower = plain().stream().unwrap();
        let followed: Vec<StreamScore> = rows.iter().map(|row| push(&mut follower, *row).unwrap()).collect();
        let (before, after) = followed.split_at(60);
        assert_eq!(bits(&scores(before)), bits(&scores(&follow(plain(), &rows[..60]))));
        assert_eq!(bits(&scores(after)), bits(&scores(&follow(plain(), &rows[60..]))));
        let counts = follower.counts();
        assert_eq!((counts.rows, counts.gaps, counts.gap_points), (184, 1, 16));
        assert_eq!(counts.unscored, 2 * (WINDOW as u64 - 1));
    }

    #[test]
    fn series_that_alternate_do_not_know_of_each_other() {
        let (p, q) = (wave("p", 3, 50), wave("q", 4, 50));
        let both: Vec<Row> = p.iter().zip(&q).flat_map(|(p, q)| [*p, *q]).collect();
        let followed = follow(plain(), &both);
        for (id, rows) in [("p", &p), ("q", &q)] {
            let own: Vec<StreamScore> = followed.iter().filter(|followed| followed.series == id).cloned().collect();
            assert_eq!(bits(&scores(&own)), bits(&at_once(plain(), rows)));
        }
    }

    #[test]
    fn a_row_that_is_refused_leaves_all_as_it_was() {
        let rows = wave("p", 3, 40);
        let mut follower = plain().stream().unwrap();
        let mut followed = Vec::new();
        for (i, row) in rows.iter().enumerate() {
            followed.push(push(&mut follower, *row).unwrap());
            if i == 25 {
                let counts = follower.counts().clone();
                let late = push(&mut follower, ("p", 3.0, [0.0; 2])).unwrap_err();
                let words = "expected a time after 25, the last one in series `p`, got 3";
                assert_eq!(late.to_string(), format!("stream, column `second`, row 0: {words}"));
                assert!(push(&mut follower, ("p", 25.0, [0.0; 2])).is_err());
                assert!(push(&mut follower, ("p", NAN, [0.0; 2])).is_err());
                assert!(follower.push(&table(&rows[..2])).is_err());
                assert!(follower.push(&table(&rows[26..27]).without(&["a"])).is_err());
                assert_eq!(follower.counts(), &counts);
            }
        }
        assert_eq!(bits(&scores(&followed)), bits(&scores(&follow(plain(), &rows))));
    }

    #[test]
    fn a_series_of_an_unknown_name_is_scored_by_the_scale_of_all_and_told() {
        let each = fitted(&["data.scale=each"]);
        let mut follower = each.stream().unwrap();
        let rows = wave("new", 3, 30);
        let followed: Vec<StreamScore> = rows.iter().map(|row| push(&mut follower, *row).unwrap()).collect();
        assert!(followed[29].score.is_finite() && followed[29].series == "new");
        assert_eq!(follower.counts().unknown_series, ["new"]);
    }

    #[test]
    fn values_beyond_the_clip_are_counted_once() {
        for transform in ["data.transform=none", "data.transform=difference"] {
            let fitted = fitted(&[transform]);
            let mut follower = fitted.stream().unwrap();
            let mut rows = wave("p", 3, 30);
            rows[20].2[0] = 1e9;
            rows.iter().for_each(|row| drop(push(&mut follower, *row).unwrap()));
            // A spike affects two differences.
            assert_eq!(follower.counts().clipped, if transform.ends_with("none") { 1 } else { 2 });
        }
    }

    #[test]
    fn the_line_is_the_one_for_points_as_they_come() {
        let rows = wave("p", 3, 60);
        let moved = plain().clone().with_threshold(&"fixed=1e-9".parse().unwrap()).unwrap();
        let followed = follow(&moved, &rows);
        assert!(followed[WINDOW..].iter().all(|followed| followed.is_anomaly) && !followed[0].is_anomaly);
        let online = plain().core.stream_threshold.as_ref().unwrap();
        let first = &follow(plain(), &rows)[WINDOW];
        assert_eq!(first.p_value, online.p_value(first.score));
    }

    #[test]
    fn times_of_one_series_are_on_one_clock() {
        let times = |zone: &str| (0..400).map(|i| format!("2024-01-01T{:02}:{:02}:00{zone}", i / 60, i % 60)).collect();
        let dated = |times: Vec<String>| {
            let x = (0..times.len()).map(|i| (i as f64 * 0.4).sin()).collect::<Vec<f64>>();
            let columns: Vec<(String, ArrayRef)> = vec![
                ("when".to_owned(), Arc::new(StringArray::from(times))),
                ("x".to_owned(), Arc::new(Float64Array::from(x))),
            ];
            Table::from_arrays(columns, "stream").unwrap()
        };
        let mut recipe = Recipe::preset_for(Preset::Simple, DataKind::Series);
        ["train.steps=20", "data.window=16"].iter().for_each(|change| recipe.set(change).unwrap());
        let fitted = fit(&recipe, dated(times("Z")), &Session::default()).unwrap().into_series().unwrap();
        let mut follower = fitted.stream().unwrap();
        let (with, without) = (dated(times("Z")), dated(times("")));
        let followed = follower.push(&with.slice(0, 1)).unwrap();
        assert_eq!(followed.time.as_deref(), Some("2024-01-01T00:00:00Z"));
        let error = follower.push(&without.slice(1, 1)).unwrap_err().to_string();
        assert!(error.contains("row 1: expected a time with a zone such as `Z`"), "{error}");
        assert!(follower.push(&with.slice(1, 1)).is_ok());
    }
}
