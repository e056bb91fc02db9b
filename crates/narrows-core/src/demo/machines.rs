//! Machines with sensors: a log of several series in one long table, with gaps and missing cells.
//!
//! A hidden load drives three channels: temperature follows it slowly, vibration rises with it, pressure falls. Load
//! has daily, weekly and random variation. The first part of every series is normal, with missing rows and
//! cells. The last part contains labelled faults of several kinds:
//! the spike exceeds a threshold on one channel; the frozen sensor and the broken coupling show only in the dynamics of
//! a channel and in its relation to the others.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampSecondArray};
use narrows_engine::rng::Stream;

use super::{DemoPart, FIRST_DAY, stream};
use crate::data::Table;

/// The label column: 1 during a fault, else 0.
pub const MACHINES_LABEL: &str = "anomaly";

/// The fault-free share of each series, from its start.
pub const MACHINES_NORMAL_SHARE: f64 = 0.7;

/// Points per day: one every five minutes.
pub const MACHINES_DAY: usize = 288;

const STEP_SECONDS: i64 = 300;
/// Channels, each with its name and the decimals of its sensor.
const CHANNELS: [(&str, i32); 3] = [("temperature", 2), ("vibration", 3), ("pressure", 3)];
/// Share of cells missing in the normal part.
const MISSING: f32 = 0.004;
/// One gap per this many points of the normal part, at least one if there is room.
const POINTS_A_GAP: usize = 1500;
/// One event per this many points of the last part, after one of every kind.
const POINTS_AN_EVENT: usize = 2 * MACHINES_DAY;
/// Shorter ranges have no events and no gaps.
const LEAST_ROOM: usize = 24;

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FaultKind {
    /// One or two outlying points.
    Spike,
    /// A channel jumps and stays.
    LevelShift,
    /// A channel repeats its last value.
    Frozen,
    /// A channel is shifted by twelve hours: every value is normal, but not in relation to the other channels.
    BrokenCoupling,
    /// A channel drifts slowly.
    Drift,
}

const KINDS: [FaultKind; 5] =
    [FaultKind::Spike, FaultKind::LevelShift, FaultKind::Frozen, FaultKind::BrokenCoupling, FaultKind::Drift];

#[derive(Debug, Clone, Copy)]
struct Fault {
    kind: FaultKind,
    channel: usize,
    first: usize,
    length: usize,
    /// In standard deviations of the channel, signed.
    size: f32,
}

/// One machine's points, before rows and cells are removed.
struct MachineSeries {
    channels: [Vec<f32>; 3],
    is_anomaly: Vec<bool>,
}

/// `n_points` points of each of `n_machines` machines, one every five minutes, in the order of time: `time`, `machine`,
/// `temperature` in °C, `vibration` in mm/s, `pressure` in bar, and [`MACHINES_LABEL`].
///
/// Some rows and cells are missing in the normal part, which is the first [`MACHINES_NORMAL_SHARE`] of every series;
/// after it there are five kinds of events.
///
/// ```
/// let table = narrows_core::demo::machines(600, 2, 7);
/// assert_eq!(table.names(), ["time", "machine", "temperature", "vibration", "pressure", "anomaly"]);
/// ```
pub fn machines(n_points: usize, n_machines: usize, seed: u64) -> Table {
    let normal = normal_points(n_points);
    let machines: Vec<(MachineSeries, Vec<[bool; 4]>)> = (0..n_machines)
        .map(|machine| {
            let mut series = simulated(n_points, &mut stream(seed, DemoPart::MachineSignals, machine));
            let mut random = stream(seed, DemoPart::MachineEvents, machine);
            for event in events(n_points, &mut random) {
                series.suffer(event);
            }
            (series, lost(normal, n_points, &mut random))
        })
        .collect();
    let digits = n_machines.to_string().len().max(2);
    let rows: Vec<(usize, usize)> = (0..n_points)
        .flat_map(|point| (0..n_machines).map(move |machine| (point, machine)))
        .filter(|(point, machine)| !machines[*machine].1[*point][3])
        .collect();
    let channel = |channel: usize, digits: i32| -> ArrayRef {
        let unit = 10f64.powi(digits);
        let cell = |(point, machine): &(usize, usize)| {
            let (series, lost) = &machines[*machine];
            let value = f64::from(series.channels[channel][*point]);
            (!lost[*point][channel]).then(|| (value * unit).round() / unit)
        };
        Arc::new(rows.iter().map(cell).collect::<Float64Array>())
    };
    let time = |(point, _): &(usize, usize)| FIRST_DAY + *point as i64 * STEP_SECONDS;
    let label = |(point, machine): &(usize, usize)| i64::from(machines[*machine].0.is_anomaly[*point]);
    let names = rows.iter().map(|(_, machine)| format!("m{:0digits$}", machine + 1));
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("time".to_owned(), Arc::new(TimestampSecondArray::from_iter_values(rows.iter().map(time)))),
        ("machine".to_owned(), Arc::new(StringArray::from_iter_values(names))),
    ];
    columns.extend(CHANNELS.iter().enumerate().map(|(i, (name, digits))| ((*name).to_owned(), channel(i, *digits))));
    columns.push((MACHINES_LABEL.to_owned(), Arc::new(Int64Array::from_iter_values(rows.iter().map(label)))));
    Table::from_arrays(columns, "demo machines").expect("columns of equal length and different names")
}

fn normal_points(n_points: usize) -> usize {
    (n_points as f64 * MACHINES_NORMAL_SHARE).floor() as usize
}

/// A machine in normal operation.
fn simulated(n_points: usize, random: &mut Stream) -> MachineSeries {
    let mut vary = |middle: f32, spread: f32| middle * (spread * random.normal()).exp();
    let (warmth, heat) = (vary(38.0, 0.05), vary(26.0, 0.1));
    let (shake, stir) = (vary(0.9, 0.1), vary(2.4, 0.1));
    let (feed, draw) = (vary(7.5, 0.03), vary(1.9, 0.1));
    let (demand, lag) = (vary(0.55, 0.08), vary(14.0, 0.15));
    let (shift, weekend) = (0.04 * random.normal(), 0.45 + 0.1 * random.uniform());
    // It starts at midnight and idle: cool.
    let (idle, mut mood) = (0.2, 0.0);
    let mut hot = idle;
    let mut channels = CHANNELS.map(|_| Vec::with_capacity(n_points));
    for point in 0..n_points {
        let day = point as f32 / MACHINES_DAY as f32;
        let hour = (day - shift).rem_euclid(1.0);
        // Work from about seven to nineteen hours, with soft edges.
        let soft = |x: f32| 1.0 / (1.0 + (-60.0 * x).exp());
        let work = soft(hour - 0.29) * soft(0.79 - hour) * (1.0 - 0.12 * (-((hour - 0.53) / 0.03).powi(2)).exp());
        let week = if (point / MACHINES_DAY) % 7 < 5 { 1.0 } else { weekend };
        mood = 0.97 * mood + 0.014 * random.normal();
        let load = (idle + demand * work * week + mood).clamp(0.05, 1.0);
        // Heat changes slowly.
        hot += (load - hot) / lag;
        let outside = 2.5 * (std::f32::consts::TAU * (day - 0.375)).sin();
        channels[0].push(warmth + heat * hot + outside + 0.25 * random.normal());
        channels[1].push(shake + stir * load.powf(1.4) + 0.09 * random.normal());
        channels[2].push(feed - draw * load + 0.012 * (heat * hot) + 0.035 * random.normal());
    }
    MachineSeries { channels, is_anomaly: vec![false; n_points] }
}

/// Events of each kind in turn, each in its own slot after the normal part: one per two days, and at least one of each
/// kind; fewer only without room.
fn events(n_points: usize, random: &mut Stream) -> Vec<Fault> {
    let normal = normal_points(n_points);
    let room = n_points - normal;
    let n_events = (room / LEAST_ROOM).min(KINDS.len().max(room / POINTS_AN_EVENT));
    let slot = room / n_events.max(1);
    let mut order = [0, 1, 2, 3, 4];
    random.shuffle(&mut order);
    let mut event = |i: usize| {
        let kind = KINDS[order[i % KINDS.len()] as usize];
        let (least, most): (usize, usize) = match kind {
            FaultKind::Spike => (1, 2),
            FaultKind::LevelShift => (18, 48),
            FaultKind::Frozen => (30, 60),
            FaultKind::BrokenCoupling => (48, 96),
            FaultKind::Drift => (72, 120),
        };
        let length = (least + random.below((most - least) as u32 + 1) as usize).min(slot / 2);
        let sign = if random.uniform() < 0.5 { -1.0 } else { 1.0 };
        let size = match kind {
            FaultKind::Spike => 4.0 + 2.0 * random.uniform(),
            _ => 1.6 + 0.8 * random.uniform(),
        };
        // The rest of the slot stays normal on both sides, so that events never touch.
        let start = normal + i * slot + 1 + random.below((slot - length - 1) as u32) as usize;
        Fault { kind, channel: random.below(CHANNELS.len() as u32) as usize, first: start, length, size: sign * size }
    };
    (0..n_events).map(&mut event).collect()
}

impl MachineSeries {
    fn suffer(&mut self, event: Fault) {
        let Fault { kind, channel, first, length, size } = event;
        let values = &mut self.channels[channel];
        let size = size * deviation(values);
        let before: Vec<f32> =
            (first..first + length).map(|point| values[point.saturating_sub(MACHINES_DAY / 2)]).collect();
        let last = values[first - 1];
        for (i, value) in values[first..first + length].iter_mut().enumerate() {
            match kind {
                FaultKind::Spike | FaultKind::LevelShift => *value += size,
                FaultKind::Frozen => *value = last,
                FaultKind::BrokenCoupling => *value = before[i],
                FaultKind::Drift => *value += size * (i + 1) as f32 / length as f32,
            }
        }
        self.is_anomaly[first..first + length].fill(true);
    }
}

fn deviation(values: &[f32]) -> f32 {
    let n = values.len() as f32;
    let mean = values.iter().sum::<f32>() / n;
    (values.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / n).sqrt()
}

/// Missing data, by point: a cell of each channel, and the whole row.
fn lost(normal: usize, n_points: usize, random: &mut Stream) -> Vec<[bool; 4]> {
    let mut lost = vec![[false; 4]; n_points];
    for cells in &mut lost[..normal] {
        *cells = [(); 4].map(|()| random.uniform() < MISSING);
        cells[3] = false;
    }
    if normal < 2 * LEAST_ROOM {
        return lost;
    }
    for _ in 0..normal.div_ceil(POINTS_A_GAP) {
        let length = 2 + random.below(LEAST_ROOM as u32 - 2) as usize;
        let first = 1 + random.below((normal - length - 1) as u32) as usize;
        lost[first..first + length].iter_mut().for_each(|cells| cells[3] = true);
    }
    lost
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{Float64Type, Int64Type, TimestampSecondType};

    use super::*;

    const WEEK: usize = 7 * MACHINES_DAY;

    fn correlation(a: &[f32], b: &[f32]) -> f32 {
        let mean = |x: &[f32]| x.iter().sum::<f32>() / x.len() as f32;
        let (mean_a, mean_b) = (mean(a), mean(b));
        let product: f32 = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
        product / a.len() as f32 / deviation(a) / deviation(b)
    }

    #[test]
    fn the_same_seed_gives_the_same_table_and_another_does_not() {
        assert_eq!(machines(700, 3, 3), machines(700, 3, 3));
        assert_ne!(machines(700, 3, 3), machines(700, 3, 4));
        assert_eq!(machines(0, 3, 3).n_rows(), 0);
        assert_eq!(machines(700, 0, 3).n_rows(), 0);
        assert_eq!(machines(5, 1, 3).n_rows(), 5);
    }

    #[test]
    fn rows_come_in_the_order_of_time_with_gaps_and_holes_in_the_normal_part_only() {
        let (n_points, n_machines) = (2 * WEEK, 3);
        let table = machines(n_points, n_machines, 1);
        let times = table.column("time").unwrap().as_primitive::<TimestampSecondType>().values().to_vec();
        assert!(times.is_sorted());
        assert_eq!((times[0], times.last()), (FIRST_DAY, Some(&(FIRST_DAY + 300 * (n_points as i64 - 1)))));
        let missing_rows = n_points * n_machines - table.n_rows();
        assert!((6..300).contains(&missing_rows), "{missing_rows}");
        let end = FIRST_DAY + 300 * normal_points(n_points) as i64;
        let normal_rows = times.iter().filter(|time| **time < end).count();
        assert_eq!(table.n_rows() - normal_rows, (n_points - normal_points(n_points)) * n_machines);
        for (name, _) in CHANNELS {
            let cells = table.column(name).unwrap();
            let share = cells.null_count() as f32 / normal_rows as f32;
            assert!((0.5 * MISSING..1.5 * MISSING).contains(&share), "{name} {share}");
            assert_eq!(cells.slice(normal_rows, table.n_rows() - normal_rows).null_count(), 0);
        }
        let labels = table.column(MACHINES_LABEL).unwrap().as_primitive::<Int64Type>().values().to_vec();
        assert!(labels[..normal_rows].iter().all(|label| *label == 0));
        let share = labels.iter().sum::<i64>() as f64 / labels.len() as f64;
        assert!((0.02..0.15).contains(&share), "{share}");
    }

    #[test]
    fn something_is_wrong_where_the_label_says_so_and_nowhere_else() {
        for machine in 0..6 {
            let n_points = 2 * WEEK;
            let clean = simulated(n_points, &mut stream(9, DemoPart::MachineSignals, machine));
            let mut series = simulated(n_points, &mut stream(9, DemoPart::MachineSignals, machine));
            let events = events(n_points, &mut stream(9, DemoPart::MachineEvents, machine));
            events.iter().for_each(|event| series.suffer(*event));
            let mut kinds = KINDS.to_vec();
            for event in &events {
                kinds.retain(|kind| *kind != event.kind);
                let span = event.first..event.first + event.length;
                assert!(event.first >= normal_points(n_points) && span.end <= n_points);
                let (was, is) = (&clean.channels[event.channel][span.clone()], &series.channels[event.channel][span]);
                let changed = was.iter().zip(is).filter(|(a, b)| a != b).count();
                assert!(changed as f64 > 0.9 * event.length as f64, "{event:?}: {changed}");
                if event.kind == FaultKind::Frozen {
                    assert!(is.iter().all(|x| *x == is[0]));
                }
            }
            assert!(kinds.is_empty(), "no {kinds:?}");
            assert_eq!(
                series.is_anomaly.iter().filter(|x| **x).count(),
                events.iter().map(|e| e.length).sum::<usize>()
            );
            for point in (0..n_points).filter(|point| !series.is_anomaly[*point]) {
                assert!((0..3).all(|channel| series.channels[channel][point] == clean.channels[channel][point]));
            }
        }
    }

    #[test]
    fn load_couples_the_channels_and_days_resemble_each_other() {
        let [temperature, vibration, pressure] = simulated(WEEK, &mut stream(2, DemoPart::MachineSignals, 0)).channels;
        assert!(correlation(&temperature, &vibration) > 0.6, "{}", correlation(&temperature, &vibration));
        assert!(correlation(&vibration, &pressure) < -0.6, "{}", correlation(&vibration, &pressure));
        let (monday, tuesday) = (&vibration[..MACHINES_DAY], &vibration[MACHINES_DAY..2 * MACHINES_DAY]);
        assert!(correlation(monday, tuesday) > 0.7, "{}", correlation(monday, tuesday));
    }

    #[test]
    fn more_machines_leave_the_first_ones_as_they_are() {
        let of_first = |table: &Table| -> Vec<Option<f64>> {
            let names = table.column("machine").unwrap().as_string::<i32>();
            let cells = table.column("pressure").unwrap().as_primitive::<Float64Type>();
            (0..table.n_rows())
                .filter(|row| names.value(*row) == "m01")
                .map(|row| cells.iter().nth(row).unwrap())
                .collect()
        };
        assert_eq!(of_first(&machines(300, 1, 5)), of_first(&machines(300, 4, 5)));
    }
}
