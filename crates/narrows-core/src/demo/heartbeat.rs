//! Heartbeats: an electrocardiogram cut into beats, one per row, some of them abnormal.
//!
//! A beat is the sum of five waves, P, Q, R, S and T, each a Gaussian bump with position, height and width, as in
//! the synthetic electrocardiogram of McSharry, Clifford, Tarassenko and Smith, "A dynamical model for generating
//! synthetic electrocardiogram signals", IEEE Transactions on Biomedical Engineering 50 (2003). There the bumps are
//! placed on a circle traversed once per beat; here they are placed in time, which is equivalent for one beat. As there,
//! the distance from R to T follows the square root of the time between beats (Bazett 1920), and breathing modulates the
//! baseline and the heights.
//!
//! Abnormal beats have normal amplitudes: a shape, position or order differs.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};
use narrows_engine::rng::Stream;

use super::{DemoPart, stream};
use crate::data::Table;

/// The column with the class of the beat.
pub const HEARTBEAT_LABEL: &str = "class";

/// The value of [`HEARTBEAT_LABEL`] for normal beats.
pub const HEARTBEAT_NORMAL: &str = "normal";

/// The share of abnormal beats in the demonstration.
pub const HEARTBEAT_ANOMALY_SHARE: f64 = 0.05;

/// Points per beat: 0.7 seconds at 200 per second.
pub const HEARTBEAT_POINTS: usize = 140;

/// Points per second.
const RATE: f32 = 200.0;
/// Position of the R wave, in seconds from the first point.
const R_AT: f32 = 0.25;

/// A Gaussian bump: position and width in seconds, height in millivolts.
#[derive(Clone, Copy)]
struct Wave {
    at: f32,
    height: f32,
    width: f32,
}

impl Wave {
    fn value(&self, time: f32) -> f32 {
        let z = (time - self.at) / self.width;
        self.height * (-0.5 * z * z).exp()
    }
}

/// Kinds of abnormal beats.
#[derive(Clone, Copy)]
enum BeatKind {
    Ventricular,
    StElevation,
    StDepression,
    InvertedT,
    Missing,
    ROnT,
}

const KINDS: [BeatKind; 6] = [
    BeatKind::Ventricular,
    BeatKind::StElevation,
    BeatKind::StDepression,
    BeatKind::InvertedT,
    BeatKind::Missing,
    BeatKind::ROnT,
];

impl BeatKind {
    fn name(self) -> &'static str {
        match self {
            BeatKind::Ventricular => "ventricular",
            BeatKind::StElevation => "st_elevation",
            BeatKind::StDepression => "st_depression",
            BeatKind::InvertedT => "inverted_t",
            BeatKind::Missing => "missing",
            BeatKind::ROnT => "r_on_t",
        }
    }
}

/// `n` heartbeats of [`HEARTBEAT_POINTS`] points in millivolts, `t000` to `t139`, a share of them abnormal in one of
/// six ways, with the column [`HEARTBEAT_LABEL`].
///
/// ```
/// let table = narrows_core::demo::heartbeat(10, 0.1, 7);
/// assert_eq!((table.names()[0], table.names()[139], table.names()[140]), ("t000", "t139", "class"));
/// ```
pub fn heartbeat(n: usize, anomaly_share: f64, seed: u64) -> Table {
    let mut columns = vec![Vec::new(); HEARTBEAT_POINTS];
    let mut classes = Vec::with_capacity(n);
    for row in 0..n {
        let mut random = stream(seed, DemoPart::Heartbeat, row);
        let is_abnormal = f64::from(random.uniform()) < anomaly_share;
        let kind = is_abnormal.then(|| KINDS[random.below(KINDS.len() as u32) as usize]);
        let waves = waves(kind, &mut random);
        for (column, value) in columns.iter_mut().zip(recorded(&waves, &mut random)) {
            // A tenth of a microvolt is below recorder resolution and keeps text files small.
            column.push((f64::from(value) * 1e4).round() / 1e4);
        }
        classes.push(kind.map_or(HEARTBEAT_NORMAL, BeatKind::name));
    }
    let class: ArrayRef = Arc::new(StringArray::from_iter_values(classes));
    let points = columns.into_iter().enumerate().map(|(i, values)| {
        let array: ArrayRef = Arc::new(Float64Array::from(values));
        (format!("t{i:03}"), array)
    });
    Table::from_arrays(points.chain([(HEARTBEAT_LABEL.to_owned(), class)]).collect(), "demo heartbeats")
        .expect("columns of equal length and different names")
}

/// The waves of one beat; each heart and each beat varies a little.
fn waves(kind: Option<BeatKind>, random: &mut Stream) -> Vec<Wave> {
    let mut vary = |middle: f32, spread: f32| middle * (spread * random.normal()).exp();
    // Time between beats, in seconds: about 75 beats per minute.
    let interval = vary(0.8, 0.12).clamp(0.5, 1.2);
    let bazett = (interval / 0.8).sqrt();
    let gain = vary(1.0, 0.18);
    let p = Wave { at: -0.16 * vary(bazett, 0.06), height: 0.13 * vary(gain, 0.2), width: vary(0.022, 0.1) };
    let q = Wave { at: -0.030, height: -0.10 * vary(gain, 0.3), width: vary(0.010, 0.1) };
    let r = Wave { at: 0.0, height: vary(gain, 0.08), width: vary(0.0105, 0.1) };
    let s = Wave { at: 0.030, height: -0.20 * vary(gain, 0.3), width: vary(0.011, 0.1) };
    // The T wave rises slowly and falls faster: two bumps, the second one steeper.
    let t_at = 0.27 * vary(bazett, 0.04);
    let t_height = 0.27 * vary(gain, 0.2);
    let t = |height: f32| {
        let rise = Wave { at: t_at - 0.030, height: 0.6 * height, width: 0.046 * bazett };
        [rise, Wave { at: t_at + 0.012, height: 0.55 * height, width: 0.028 * bazett }]
    };
    // Strength of the abnormality, bounded away from zero.
    let size = 0.6 + 0.4 * random.uniform();
    let coin = random.uniform();
    let moved = |waves: &[Wave], by: f32| waves.iter().map(|wave| Wave { at: wave.at + by, ..*wave }).collect();
    let normal = |t: [Wave; 2]| [vec![p, q, r, s], t.to_vec()].concat();
    let waves: Vec<Wave> = match kind {
        None => normal(t(t_height)),
        // A premature ventricular contraction: no P, a QRS three times as wide, T inverted.
        Some(BeatKind::Ventricular) => {
            let upwards = if coin < 0.7 { 1.0 } else { -0.8 };
            let wide = [
                Wave { at: -0.015, height: 0.95 * upwards * gain, width: 0.024 + 0.012 * size },
                Wave { at: 0.075, height: -0.45 * upwards * gain, width: 0.030 + 0.010 * size },
            ];
            [wide.to_vec(), t(-1.2 * upwards * size * t_height).to_vec()].concat()
        }
        // The ST segment does not return to the baseline.
        Some(BeatKind::StElevation | BeatKind::StDepression) => {
            let is_up = matches!(kind, Some(BeatKind::StElevation));
            let height = if is_up { 0.24 } else { -0.20 } * size * gain;
            let segment = [0.075, 0.115, 0.155].map(|at| Wave { at: at * bazett, height: 0.6 * height, width: 0.026 });
            [normal(t(t_height * if is_up { 1.1 } else { 0.8 })), segment.to_vec()].concat()
        }
        Some(BeatKind::InvertedT) => normal(t(-size * t_height)),
        // The beat is missing; in half of the cases a late one without P replaces it.
        Some(BeatKind::Missing) if coin < 0.5 => vec![p],
        Some(BeatKind::Missing) => {
            let escape: Vec<Wave> = moved(&[q, r, s], 0.22 + 0.14 * size);
            [vec![p], escape].concat()
        }
        // A ventricular beat so early that it falls on the T wave of the previous one.
        Some(BeatKind::ROnT) => {
            let at = t_at + 0.02 * (coin - 0.5);
            let early = [
                Wave { at, height: 0.8 * size * gain, width: 0.024 },
                Wave { at: at + 0.075, height: -0.45 * size * gain, width: 0.032 },
            ];
            [normal(t(t_height)), early.to_vec()].concat()
        }
    };
    // Beats are aligned to R as found by a detector, a point or two off.
    moved(&waves, R_AT + 0.006 * random.normal())
}

/// The waves as recorded: breathing moves the baseline, muscles and the recorder add noise.
fn recorded(waves: &[Wave], random: &mut Stream) -> Vec<f32> {
    let breaths = 0.2 + 0.15 * random.uniform();
    let (depth, phase) = (0.05 * random.normal(), random.uniform());
    let (offset, slope) = (0.03 * random.normal(), 0.05 * random.normal());
    let noise = 0.008 * (0.4 * random.normal()).exp();
    let mut muscle = 0.0;
    (0..HEARTBEAT_POINTS)
        .map(|i| {
            let time = i as f32 / RATE;
            let wander = depth * (std::f32::consts::TAU * (breaths * time + phase)).sin() + offset + slope * time;
            muscle = 0.7 * muscle + noise * random.normal();
            waves.iter().map(|wave| wave.value(time)).sum::<f32>() + wander + muscle
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::Float64Type;

    use super::*;

    /// Every beat with its class.
    fn beats(table: &Table) -> Vec<(String, Vec<f64>)> {
        let columns: Vec<&[f64]> = (0..HEARTBEAT_POINTS)
            .map(|i| &table.column(&format!("t{i:03}")).unwrap().as_primitive::<Float64Type>().values()[..])
            .collect();
        let classes = table.column(HEARTBEAT_LABEL).unwrap().as_string::<i32>();
        let beat = |row: usize| columns.iter().map(|column| column[row]).collect();
        (0..table.n_rows()).map(|row| (classes.value(row).to_owned(), beat(row))).collect()
    }

    fn mean(beats: &[(String, Vec<f64>)], class: &str) -> Vec<f64> {
        let of: Vec<&Vec<f64>> = beats.iter().filter(|(name, _)| name == class).map(|(_, beat)| beat).collect();
        (0..HEARTBEAT_POINTS).map(|i| of.iter().map(|beat| beat[i]).sum::<f64>() / of.len() as f64).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_beats_and_a_longer_table_begins_with_a_shorter_one() {
        assert_eq!(heartbeat(40, 0.2, 3), heartbeat(40, 0.2, 3));
        assert_ne!(heartbeat(40, 0.2, 3), heartbeat(40, 0.2, 4));
        assert_eq!(beats(&heartbeat(40, 0.2, 3)), beats(&heartbeat(90, 0.2, 3))[..40]);
        assert_eq!(heartbeat(0, 0.2, 3).n_rows(), 0);
        assert_eq!(heartbeat(5, 0.2, 3).names().len(), HEARTBEAT_POINTS + 1);
    }

    #[test]
    fn shares_are_as_asked_and_every_kind_occurs() {
        let beats = beats(&heartbeat(3000, 0.2, 1));
        let count = |class: &str| beats.iter().filter(|(name, _)| name == class).count();
        assert!((2300..2500).contains(&count(HEARTBEAT_NORMAL)), "{}", count(HEARTBEAT_NORMAL));
        for kind in KINDS {
            assert!((60..140).contains(&count(kind.name())), "{} {}", kind.name(), count(kind.name()));
        }
        assert!(self::beats(&heartbeat(200, 0.0, 1)).iter().all(|(class, _)| class == HEARTBEAT_NORMAL));
    }

    #[test]
    fn each_kind_has_the_shape_of_its_name() {
        let beats = beats(&heartbeat(4000, 0.3, 2));
        let normal = mean(&beats, HEARTBEAT_NORMAL);
        let r = (0..HEARTBEAT_POINTS).max_by(|a, b| normal[*a].total_cmp(&normal[*b])).unwrap();
        assert_eq!(r, 50);
        let (p, st, t) = (18, 73, 104);
        assert!(normal[p] > 0.08 && normal[st].abs() < 0.12 && normal[t] > 0.2, "{normal:?}");
        let of = |kind: BeatKind| mean(&beats, kind.name());
        assert!(of(BeatKind::Ventricular)[p] < 0.05);
        assert!(of(BeatKind::StElevation)[st] > normal[st] + 0.12 && of(BeatKind::StDepression)[st] < normal[st] - 0.1);
        assert!(of(BeatKind::InvertedT)[t] < -0.1);
        assert!(of(BeatKind::Missing)[r] < 0.1);
        assert!(of(BeatKind::ROnT)[t] > normal[t] + 0.25 && of(BeatKind::ROnT)[r] > 0.7);
    }

    #[test]
    fn height_alone_does_not_tell_the_abnormal_beats() {
        let height =
            |beat: &[f64]| beat.iter().fold(f64::MIN, |a, b| a.max(*b)) - beat.iter().fold(f64::MAX, |a, b| a.min(*b));
        let beats = beats(&heartbeat(3000, 0.3, 5));
        let heights = |wanted: bool| -> Vec<f64> {
            let of = beats.iter().filter(|(class, _)| (class == HEARTBEAT_NORMAL) == wanted);
            of.map(|(_, beat)| height(beat)).collect()
        };
        let (normal, abnormal) = (heights(true), heights(false));
        // The area under the ROC curve, by counting pairs.
        let won: usize = abnormal.iter().map(|a| normal.iter().filter(|n| a > n).count()).sum();
        let area = won as f64 / (normal.len() * abnormal.len()) as f64;
        assert!((0.25..0.75).contains(&area), "{area}");
    }
}
