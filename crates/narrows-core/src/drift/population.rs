//! The population stability index: how far two shares of the same cells are apart, as the sum of
//! (p - q) ln(p / q), the symmetric divergence of Jeffreys. By custom below 0.1 is no change and above 0.25 a great one.

use crate::distribution::{GridCounts, QuantileGrid};

/// Cells of numbers: as many training rows in each, but for equal values.
const BINS: u64 = 10;

/// Of pairs of counts, of training and of new rows. Half a row more in each cell keeps it finite.
pub(super) fn stability_index(cells: &[(f64, f64)]) -> f64 {
    let half = 0.5 * cells.len() as f64;
    let (n, m) = cells.iter().fold((half, half), |(n, m), cell| (n + cell.0, m + cell.1));
    let term = |(known, new): &(f64, f64)| {
        let (p, q) = ((known + 0.5) / n, (new + 0.5) / m);
        (p - q) * (p / q).ln()
    };
    cells.iter().map(term).sum()
}

/// The counts of training and of new rows between deciles of the training rows.
pub(super) fn tenths(known: &QuantileGrid, new: &GridCounts) -> Vec<(f64, f64)> {
    let (_, new_up_to) = new.cumulative();
    let mut cells = Vec::with_capacity(BINS as usize);
    let mut last = (0, 0);
    for tenth in 1..=BINS {
        // The first value that a tenth of the rows does not exceed; equal values are in one cell.
        let place = known.up_to.partition_point(|up_to| up_to * BINS < tenth * known.n());
        let is_last = tenth == BINS;
        let Some(known_up_to) = known.up_to.get(place) else { continue };
        let next = if is_last { (known.n(), new.n) } else { (*known_up_to, new_up_to[place]) };
        if next.0 > last.0 {
            cells.push(((next.0 - last.0) as f64, (next.1 - last.1) as f64));
            last = next;
        }
    }
    if let Some(cell) = cells.last_mut() {
        // What lies above all training rows belongs to the highest of them.
        cell.1 += (new.n - last.1) as f64;
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(grid: &QuantileGrid, new: impl Iterator<Item = f64>) -> GridCounts {
        let mut counts = GridCounts::new(grid);
        new.for_each(|x| counts.add(grid, x));
        counts
    }

    #[test]
    fn equal_shares_are_stable_and_others_are_not() {
        assert_eq!(stability_index(&[(10.0, 10.0), (30.0, 30.0)]), 0.0);
        // p, q = np.array([.5, .5]), np.array([.2, .8]); ((p - q) * np.log(p / q)).sum()
        let found = stability_index(&[(500_000.0, 200_000.0), (500_000.0, 800_000.0)]);
        assert!((found - 0.415_888_308_335_967_2).abs() < 1e-4, "{found}");
        assert!(stability_index(&[(100.0, 0.0), (0.0, 100.0)]).is_finite());
    }

    #[test]
    fn numbers_are_cut_at_the_deciles_of_the_training_rows() {
        let rising: Vec<f64> = (0..1000).map(f64::from).collect();
        let grid = QuantileGrid::of(&rising);
        let cells = tenths(&grid, &counts(&grid, (0..500).map(|i| f64::from(2 * i))));
        assert_eq!(cells.len(), 10);
        assert!(cells.iter().all(|(n, m)| (n - 100.0).abs() <= 10.0 && (m - 50.0).abs() <= 6.0), "{cells:?}");
        let cells = tenths(&grid, &counts(&grid, (0..70).map(|i| 5000.0 + f64::from(i))));
        assert_eq!((cells.len(), cells[9].1), (10, 70.0));
        // Mostly one value: fewer cells, none empty.
        let ties = QuantileGrid::of(&[vec![0.0; 95], vec![1.0, 2.0, 3.0, 4.0, 5.0]].concat());
        let cells = tenths(&ties, &counts(&ties, [0.0, 0.0, 9.0].into_iter()));
        assert_eq!(cells, [(95.0, 2.0), (5.0, 1.0)]);
        assert!(tenths(&QuantileGrid::of(&[]), &counts(&QuantileGrid::of(&[]), [1.0].into_iter())).is_empty());
    }
}
