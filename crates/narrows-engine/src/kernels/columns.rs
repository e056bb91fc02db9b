//! Sums down the columns of a row-major matrix: bias gradients and batch statistics.
//!
//! Rows are added in order, one accumulator a column, so how the columns are shared among threads
//! cannot change a bit.

use super::vectorised;

/// A band of columns of a row-major matrix.
#[derive(Clone, Copy)]
pub(crate) struct Band<'a> {
    /// The whole matrix, `[n, width]`.
    pub data: &'a [f32],
    /// Columns of the matrix.
    pub width: usize,
    /// The first column of the band; its length is that of the output.
    pub first: usize,
}

impl<'a> Band<'a> {
    #[inline(always)]
    fn rows(self, len: usize) -> impl Iterator<Item = &'a [f32]> {
        self.data.chunks_exact(self.width).map(move |row| &row[self.first..self.first + len])
    }
}

/// out[j] = sum over rows of x[i, j].
pub(crate) fn sums(x: Band<'_>, out: &mut [f32]) {
    out.fill(0.0);
    add_sums(x, out);
}

/// out[j] += sum over rows of x[i, j].
pub(crate) fn add_sums(x: Band<'_>, out: &mut [f32]) {
    vectorised!({
        for row in x.rows(out.len()) {
            for (sum, &x) in out.iter_mut().zip(row) {
                *sum += x;
            }
        }
    });
}

/// out[j] = sum over rows of (x[i, j] - centre[j])^2.
pub(crate) fn square_deviations(x: Band<'_>, centre: &[f32], out: &mut [f32]) {
    vectorised!({
        out.fill(0.0);
        for row in x.rows(out.len()) {
            for ((sum, &x), &c) in out.iter_mut().zip(row).zip(centre) {
                let d = x - c;
                *sum = d.mul_add(d, *sum);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_sums_its_own_columns() {
        let data = [1.0, 2.0, 3.0, 10.0, 20.0, 30.0];
        let band = Band { data: &data, width: 3, first: 1 };
        let mut out = [9.0; 2];
        sums(band, &mut out);
        assert_eq!(out, [22.0, 33.0]);
        let mut squares = [9.0; 2];
        square_deviations(band, &[2.0, 3.0], &mut squares);
        assert_eq!(squares, [324.0, 729.0]);
    }
}
