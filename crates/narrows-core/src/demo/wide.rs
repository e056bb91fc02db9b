//! A numeric table of any width and length.
//!
//! Rows lie near a curved surface of few dimensions, x = B tanh(A z) + noise, which a linear method such as
//! PCA cannot capture fully. An anomaly takes a third of its columns from another row: marginals are normal,
//! only the joint distribution is violated.

use narrows_engine::rng::Stream;

use super::{DemoPart, stream};
use crate::data::Table;

/// The label column: 1 for anomalies, else 0.
pub const WIDE_LABEL: &str = "is_anomaly";

/// The share of anomalies in the demonstration.
pub const WIDE_ANOMALY_SHARE: f64 = 0.01;

const NOISE: f32 = 0.1;

/// `n` rows of `d` numbers, `x0` and so on, a share of them anomalies, with the column [`WIDE_LABEL`].
///
/// ```
/// let table = narrows_core::demo::wide(10, 4, 0.1, 7);
/// assert_eq!(table.names(), ["x0", "x1", "x2", "x3", "is_anomaly"]);
/// ```
pub fn wide(n: usize, d: usize, anomaly_share: f64, seed: u64) -> Table {
    let surface = WaveSurface::new(d, seed);
    let mut columns = vec![Vec::with_capacity(n); d];
    let mut labels = Vec::with_capacity(n);
    let (mut row_values, mut other) = (vec![0.0; d], vec![0.0; d]);
    for row in 0..n {
        let mut random = stream(seed, DemoPart::WideRows, row);
        let is_anomaly = f64::from(random.uniform()) < anomaly_share;
        surface.point(&mut random, &mut row_values);
        if is_anomaly {
            surface.point(&mut random, &mut other);
            for _ in 0..d.div_ceil(3) {
                let column = random.below(d as u32) as usize;
                row_values[column] = other[column];
            }
        }
        for (column, value) in columns.iter_mut().zip(&row_values) {
            // Six digits are sufficient and keep text files small.
            column.push((f64::from(*value) * 1e6).round() / 1e6);
        }
        labels.push(f64::from(u8::from(is_anomaly)));
    }
    let named = columns.into_iter().enumerate().map(|(i, values)| (format!("x{i}"), values));
    Table::from_columns(named.chain([(WIDE_LABEL.to_owned(), labels)]).collect())
        .expect("columns of equal length and different names")
}

struct WaveSurface {
    dimensions: usize,
    inner: Vec<f32>,
    outer: Vec<f32>,
}

impl WaveSurface {
    fn new(d: usize, seed: u64) -> WaveSurface {
        let dimensions = (d / 4).clamp(1, 16);
        let hidden = 2 * dimensions;
        let mut random = stream(seed, DemoPart::WideWeights, 0);
        let mut inner = vec![0.0; hidden * dimensions];
        let mut outer = vec![0.0; d * hidden];
        random.fill_normal(&mut inner);
        random.fill_normal(&mut outer);
        inner.iter_mut().for_each(|weight| *weight *= 1.5 / (dimensions as f32).sqrt());
        outer.iter_mut().for_each(|weight| *weight /= (hidden as f32).sqrt());
        WaveSurface { dimensions, inner, outer }
    }

    fn point(&self, random: &mut Stream, out: &mut [f32]) {
        let mut z = vec![0.0; self.dimensions];
        random.fill_normal(&mut z);
        random.fill_normal(out);
        let dot = |weights: &[f32], values: &[f32]| weights.iter().zip(values).map(|(w, x)| w * x).sum::<f32>();
        let hidden: Vec<f32> =
            self.inner.chunks_exact(self.dimensions).map(|weights| dot(weights, &z).tanh()).collect();
        for (value, weights) in out.iter_mut().zip(self.outer.chunks_exact(hidden.len())) {
            *value = dot(weights, &hidden) + NOISE * *value;
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::Float64Type;

    use super::*;

    fn column(table: &Table, name: &str) -> Vec<f64> {
        table.column(name).unwrap().as_primitive::<Float64Type>().values().to_vec()
    }

    #[test]
    fn a_longer_table_begins_with_the_shorter_one() {
        let (short, long) = (wide(20, 6, 0.1, 5), wide(60, 6, 0.1, 5));
        assert_eq!(column(&short, "x3"), column(&long, "x3")[..20]);
        assert_ne!(column(&wide(20, 6, 0.1, 6), "x3"), column(&short, "x3"));
    }

    #[test]
    fn columns_belong_together_and_anomalies_have_the_share_asked_for() {
        let table = wide(5000, 8, 0.05, 1);
        let anomalies: f64 = column(&table, WIDE_LABEL).iter().sum();
        assert!((180.0..320.0).contains(&anomalies), "{anomalies}");
        let columns: Vec<Vec<f64>> = (0..8).map(|i| column(&table, &format!("x{i}"))).collect();
        let correlation = |a: &[f64], b: &[f64]| {
            let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            product / (a.iter().map(|a| a * a).sum::<f64>() * b.iter().map(|b| b * b).sum::<f64>()).sqrt()
        };
        let strongest = (1..8).map(|i| correlation(&columns[0], &columns[i]).abs()).fold(0.0, f64::max);
        assert!(strongest > 0.3, "{strongest}");
    }

    #[test]
    fn one_column_is_enough() {
        assert_eq!(wide(3, 1, 0.0, 1).n_rows(), 3);
    }
}
