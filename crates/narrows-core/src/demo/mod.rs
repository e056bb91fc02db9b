//! Synthetic data for demonstrations, tests and benchmarks.
//!
//! Every row is a pure function of (seed, row), so a larger table starts with the rows of a smaller one except for
//! clock times. For [`machines`] the same holds by machine:
//! a series is a pure function of (seed, machine, length). Images are drawn from (seed, number).

mod drawing;
mod heartbeat;
mod machines;
mod parts;
mod payments;
mod scenes;
mod wide;

pub use heartbeat::{HEARTBEAT_ANOMALY_SHARE, HEARTBEAT_LABEL, HEARTBEAT_NORMAL, HEARTBEAT_POINTS, heartbeat};
pub use machines::{MACHINES_DAY, MACHINES_LABEL, MACHINES_NORMAL_SHARE, machines};
pub use parts::{PART_SIDE, PartImage, part};
pub use payments::{PAYMENTS_FRAUD_SHARE, PAYMENTS_LABEL, payments};
pub use scenes::{SCENE_SIDE, scene};
pub use wide::{WIDE_ANOMALY_SHARE, WIDE_LABEL, wide};

use narrows_engine::rng::{Purpose, Stream};

/// Purposes of random streams, which make them independent.
#[derive(Clone, Copy)]
enum DemoPart {
    Payments = 0,
    WideWeights = 1,
    WideRows = 2,
    Heartbeat = 3,
    MachineSignals = 4,
    MachineEvents = 5,
    Scenes = 6,
    Parts = 7,
}

/// 2 March 2026, a Monday, in seconds since 1970: the first day of all demonstrations with a clock.
const FIRST_DAY: i64 = 1_772_409_600;

fn stream(seed: u64, part: DemoPart, row: usize) -> Stream {
    Stream::new(seed, Purpose::Demo, part as u64, row as u64)
}
