//! Card payments with fraud: a realistic mixed-type table.
//!
//! Ten dependent columns (category determines place, entry mode and amount), an identifier, a constant, and
//! some missing cells. There are four kinds of fraud, and none is an outlier in a single column: only the combination
//! of columns is anomalous, which an autoencoder can detect.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, TimestampSecondArray};
use narrows_engine::rng::Stream;

use super::{DemoPart, FIRST_DAY, stream};
use crate::data::Table;

/// The label column: 1 for fraud, else 0.
pub const PAYMENTS_LABEL: &str = "is_fraud";

/// The share of frauds in the demonstration.
pub const PAYMENTS_FRAUD_SHARE: f64 = 0.02;

const DAYS: f64 = 56.0;
/// Share of missing cells in columns that may have them.
const MISSING: f32 = 0.03;

/// Category, its frequency, median amount, spread, and share bought online.
const CATEGORIES: [(&str, f32, f32, f32, f32); 8] = [
    ("groceries", 0.34, 32.0, 0.6, 0.03),
    ("restaurant", 0.18, 24.0, 0.5, 0.02),
    ("fuel", 0.12, 52.0, 0.25, 0.0),
    ("online_services", 0.12, 11.0, 0.5, 1.0),
    ("clothing", 0.09, 58.0, 0.6, 0.45),
    ("electronics", 0.06, 160.0, 0.7, 0.55),
    ("travel", 0.05, 240.0, 0.7, 0.8),
    ("cash", 0.04, 100.0, 0.4, 0.0),
];

/// Foreign countries, with frequency and distance.
const COUNTRIES: [(&str, f32, f32); 6] = [
    ("AT", 0.3, 500.0),
    ("NL", 0.2, 450.0),
    ("FR", 0.2, 800.0),
    ("IT", 0.15, 1000.0),
    ("ES", 0.1, 1600.0),
    ("US", 0.05, 7000.0),
];
const HOME: &str = "DE";

/// Cumulative share of a day's payments before each full hour, in percent.
const DAY_CURVE: [f32; 25] = [
    0.0, 0.6, 0.9, 1.1, 1.3, 1.7, 2.8, 5.5, 10.0, 15.0, 20.0, 26.0, 33.5, 41.0, 46.5, 52.0, 58.5, 66.5, 76.0, 84.0,
    90.0, 94.0, 97.0, 99.0, 100.0,
];

struct Payment {
    second: i64,
    amount: f32,
    category: &'static str,
    country: &'static str,
    entry: &'static str,
    card_present: bool,
    distance_km: f32,
    account_age_days: f32,
    payments_last_hour: i64,
    payments_last_day: i64,
    spent_last_day: f32,
    limit_used: f32,
    failed_pins: i64,
}

/// `n` card payments over eight weeks, in the order of time, a share of them fraud, with the column
/// [`PAYMENTS_LABEL`].
///
/// ```
/// let table = narrows_core::demo::payments(100, 0.1, 7);
/// assert_eq!(table.n_rows(), 100);
/// assert!(table.names().contains(&"amount"));
/// ```
pub fn payments(n: usize, fraud_share: f64, seed: u64) -> Table {
    let mut rows = Vec::with_capacity(n);
    let mut missing = Vec::with_capacity(n);
    let mut frauds = Vec::with_capacity(n);
    for row in 0..n {
        let mut random = stream(seed, DemoPart::Payments, row);
        let is_fraud = f64::from(random.uniform()) < fraud_share;
        let time = DAYS * (row as f64 + f64::from(random.uniform())) / n as f64;
        let mut payment = normal(time, &mut random);
        if is_fraud {
            payment = fraud(payment, &mut random);
        }
        missing.push([random.uniform() < MISSING, random.uniform() < MISSING]);
        frauds.push(i64::from(is_fraud));
        rows.push(payment);
    }
    let ids = (0..n).map(|row| format!("p{row:07}"));
    let holed = |column: usize, value: fn(&Payment) -> f64| {
        let cells = rows.iter().zip(&missing).map(move |(payment, missing)| (!missing[column]).then(|| value(payment)));
        Arc::new(cells.collect::<Float64Array>())
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("payment_id", Arc::new(StringArray::from_iter_values(ids))),
        ("time", Arc::new(TimestampSecondArray::from_iter_values(rows.iter().map(|p| p.second)))),
        ("amount", Arc::new(Float64Array::from_iter_values(rows.iter().map(|p| cents(p.amount))))),
        ("currency", Arc::new(StringArray::from_iter_values(rows.iter().map(|_| "EUR")))),
        ("category", Arc::new(StringArray::from_iter_values(rows.iter().map(|p| p.category)))),
        ("country", Arc::new(StringArray::from_iter_values(rows.iter().map(|p| p.country)))),
        ("entry", Arc::new(StringArray::from_iter_values(rows.iter().map(|p| p.entry)))),
        ("card_present", Arc::new(rows.iter().map(|p| Some(p.card_present)).collect::<BooleanArray>())),
        ("distance_km", holed(0, |p| cents(p.distance_km))),
        ("account_age_days", holed(1, |p| f64::from(p.account_age_days.floor()))),
        ("payments_last_hour", Arc::new(Int64Array::from_iter_values(rows.iter().map(|p| p.payments_last_hour)))),
        ("payments_last_day", Arc::new(Int64Array::from_iter_values(rows.iter().map(|p| p.payments_last_day)))),
        ("spent_last_day", Arc::new(Float64Array::from_iter_values(rows.iter().map(|p| cents(p.spent_last_day))))),
        ("limit_used", Arc::new(Float64Array::from_iter_values(rows.iter().map(|p| cents(p.limit_used))))),
        ("failed_pins", Arc::new(Int64Array::from_iter_values(rows.iter().map(|p| p.failed_pins)))),
        (PAYMENTS_LABEL, Arc::new(Int64Array::from(frauds))),
    ];
    let columns = columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect();
    Table::from_arrays(columns, "demo payments").expect("columns of equal length and different names")
}

fn cents(x: f32) -> f64 {
    (f64::from(x) * 100.0).round() / 100.0
}

/// A regular payment, `time` in days.
fn normal(time: f64, random: &mut Stream) -> Payment {
    let (category, _, median, spread, online) = CATEGORIES[pick(CATEGORIES.map(|c| c.1), random)];
    let wealth = (0.4 * random.normal()).exp();
    let amount = (median * wealth * (spread * random.normal()).exp()).max(0.5);
    let card_present = random.uniform() >= online;
    let is_at_home = random.uniform() < if card_present { 0.94 } else { 0.85 };
    let (country, far) = if is_at_home {
        (HOME, 0.0)
    } else {
        let (country, _, far) = COUNTRIES[pick(COUNTRIES.map(|c| c.1), random)];
        (country, far)
    };
    let near = if card_present { 4.0 * (0.9 * random.normal()).exp() } else { 90.0 * (0.8 * random.normal()).exp() };
    let entry = match (card_present, category) {
        (true, "cash") => "chip",
        (true, _) if amount < 50.0 && random.uniform() < 0.8 => "contactless",
        (true, _) => "chip",
        (false, _) if random.uniform() < 0.6 => "app",
        (false, _) => "web",
    };
    let pace = 0.6 + 1.8 * random.uniform();
    let payments_last_hour = poisson(0.12 * pace, random);
    let payments_last_day = payments_last_hour + poisson(1.3 * pace, random);
    Payment {
        second: second_of(time),
        amount,
        category,
        country,
        entry,
        card_present,
        distance_km: near + far * (1.0 + 0.1 * random.normal()),
        account_age_days: 40.0 + 3600.0 * random.uniform().powi(2),
        payments_last_hour,
        payments_last_day,
        spent_last_day: payments_last_day as f32 * 34.0 * wealth * (0.45 * random.normal()).exp(),
        limit_used: (0.3 + 0.12 * random.normal() + 0.12 * (amount / 100.0).ln_1p()).clamp(0.0, 1.0),
        failed_pins: i64::from(entry == "chip" && random.uniform() < 0.12),
    }
}

/// One of four kinds of fraud.
fn fraud(honest: Payment, random: &mut Stream) -> Payment {
    let midnight = honest.second - honest.second.rem_euclid(86_400);
    match random.below(4) {
        // A stolen card, used abroad at night for an expensive purchase.
        0 => {
            let (country, _, far) = COUNTRIES[pick(COUNTRIES.map(|c| c.1), random)];
            Payment {
                second: midnight + 3600 + i64::from(random.below(4 * 3600)),
                amount: 400.0 + 900.0 * random.uniform(),
                category: if random.uniform() < 0.5 { "electronics" } else { "cash" },
                country,
                entry: "chip",
                card_present: true,
                distance_km: far * (1.0 + 0.1 * random.normal()),
                limit_used: (honest.limit_used + 0.35).min(1.0),
                ..honest
            }
        }
        // Card testing: tiny payments in a row.
        1 => {
            let tries = 4 + i64::from(random.below(6));
            Payment {
                amount: 0.5 + 1.5 * random.uniform(),
                category: "online_services",
                entry: "web",
                card_present: false,
                payments_last_hour: tries,
                payments_last_day: honest.payments_last_day + tries,
                spent_last_day: tries as f32 * 1.2,
                ..honest
            }
        }
        // Implausible combinations: fuel bought online, groceries for a month's wage.
        2 => Payment {
            amount: 300.0 + 500.0 * random.uniform(),
            category: if random.uniform() < 0.5 { "fuel" } else { "groceries" },
            entry: "web",
            card_present: false,
            distance_km: 90.0 * (0.8 * random.normal()).exp(),
            ..honest
        },
        // An account takeover.
        _ => Payment {
            amount: 250.0 + 350.0 * random.uniform(),
            category: "cash",
            entry: "chip",
            card_present: true,
            payments_last_day: honest.payments_last_day + 3 + i64::from(random.below(4)),
            spent_last_day: 900.0 + 1200.0 * random.uniform(),
            limit_used: 0.93 + 0.07 * random.uniform(),
            failed_pins: 1 + i64::from(random.below(2)),
            ..honest
        },
    }
}

/// Days since the first, warped by the daily activity profile.
fn second_of(time: f64) -> i64 {
    let (day, share) = (time.floor(), (time.fract() * 100.0) as f32);
    let hour = DAY_CURVE.iter().rposition(|before| *before <= share).unwrap_or(0).min(23);
    let within = (share - DAY_CURVE[hour]) / (DAY_CURVE[hour + 1] - DAY_CURVE[hour]);
    FIRST_DAY + day as i64 * 86_400 + (3600.0 * (hour as f32 + within.clamp(0.0, 1.0))) as i64
}

/// A random index with these weights, which sum to one.
fn pick<const N: usize>(weights: [f32; N], random: &mut Stream) -> usize {
    let mut left = random.uniform();
    weights
        .iter()
        .position(|weight| {
            left -= weight;
            left < 0.0
        })
        .unwrap_or(N - 1)
}

/// A Poisson number (Knuth 1969): uniforms multiplied until they fall below exp(-mean).
fn poisson(mean: f32, random: &mut Stream) -> i64 {
    let floor = (-mean).exp();
    let mut product = random.uniform();
    let mut count = 0;
    while product > floor {
        product *= random.uniform();
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{Float64Type, Int64Type, TimestampSecondType};

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_payments_and_another_does_not() {
        assert_eq!(payments(50, 0.1, 3), payments(50, 0.1, 3));
        assert_ne!(payments(50, 0.1, 3), payments(50, 0.1, 4));
        assert_eq!(payments(0, 0.1, 3).n_rows(), 0);
    }

    #[test]
    fn shares_are_as_asked_and_some_cells_are_missing() {
        let table = payments(4000, 0.1, 1);
        let frauds: i64 = table.column(PAYMENTS_LABEL).unwrap().as_primitive::<Int64Type>().values().iter().sum();
        assert!((320..480).contains(&frauds), "{frauds}");
        let missing = table.column("distance_km").unwrap().null_count();
        assert!((60..200).contains(&missing), "{missing}");
        assert_eq!(table.column("amount").unwrap().null_count(), 0);
        assert!(table.column("amount").unwrap().as_primitive::<Float64Type>().values().iter().all(|x| *x > 0.0));
    }

    #[test]
    fn honest_payments_come_in_the_order_of_time() {
        let table = payments(500, 0.0, 2);
        let times = table.column("time").unwrap().as_primitive::<TimestampSecondType>().values().to_vec();
        assert!(times.is_sorted());
        assert!(times[0] >= FIRST_DAY && times[499] < FIRST_DAY + 56 * 86_400);
    }
}
