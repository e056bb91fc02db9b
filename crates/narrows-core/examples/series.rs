//! Anomalies in a time series: fit a model to two coupled sensors, find a fault as an event, score points as they arrive.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::f64::consts::TAU;

use narrows_core::data::Table;
use narrows_core::recipe::DataKind;
use narrows_core::rng::{Purpose, Stream};
use narrows_core::{Dataset, Preset, Recipe, Result, Roles, ScoreFlag, Session, fit};

/// Hours of a period.
const DAY: usize = 24;

/// Hours `first..first + n` of a plant: the load follows the day, and the temperature follows the load. From hour
/// `fault` on, the sensor of the temperature keeps its value for ten hours.
fn plant(first: usize, n: usize, fault: Option<usize>) -> Result<Table> {
    let angle = |hour: usize| TAU * hour as f64 / DAY as f64;
    let noise = |hour: usize, channel: u64| f64::from(Stream::new(7, Purpose::Demo, channel, hour as u64).normal());
    let load = |hour: usize| 50.0 + 20.0 * angle(hour).sin() + noise(hour, 0);
    let temperature = |hour: usize| 60.0 + 8.0 * (angle(hour) - 0.8).sin() + 0.3 * noise(hour, 1);
    let measured = |hour: usize| match fault {
        Some(start) if (start..start + 10).contains(&hour) => temperature(start),
        _ => temperature(hour),
    };
    let hours = first..first + n;
    Table::from_columns(vec![
        ("hour", hours.clone().map(|hour| hour as f64).collect()),
        ("load", hours.clone().map(load).collect()),
        ("temperature", hours.map(measured).collect()),
    ])
}

fn main() -> Result<()> {
    let mut recipe = Recipe::preset_for(Preset::Deep, DataKind::Series);
    recipe.set(&format!("data.window={DAY}"))?;
    recipe.set("train.steps=1000")?;
    let roles = Roles { time: Some("hour".to_owned()), ..Roles::default() };
    let dataset = Dataset::table(plant(0, 3000, None)?, roles);
    let model = fit(&recipe, dataset, &Session::default())?.into_series()?;

    // A later stretch with a fault from hour 3100 on. An event is a stretch of points above the threshold.
    let later = plant(3000, 200, Some(3100))?;
    let events = model.events(&later)?;
    println!("{} events; the one with the highest peak:", events.len());
    if let Some(event) = events.iter().max_by(|a, b| a.peak.total_cmp(&b.peak)) {
        println!("  hours {} to {}, peak {:.1}, p-value {:.4}", event.start, event.end, event.peak, event.p_value);
        for reason in &event.reasons {
            println!("  {reason}");
        }
    }

    // The same points one by one: each is scored by the window that ends with it.
    let mut stream = model.stream()?;
    let mut n_warm_up = 0;
    let mut alarms = Vec::new();
    for row in 0..later.n_rows() {
        let score = stream.push(&later.slice(row, 1))?;
        n_warm_up += usize::from(score.flag == ScoreFlag::WarmUp);
        alarms.extend(score.is_anomaly.then(|| score.time.unwrap_or_default()));
    }
    println!("as a stream: {n_warm_up} points without a score at the start, alarms at hours {}", alarms.join(", "));
    Ok(())
}
