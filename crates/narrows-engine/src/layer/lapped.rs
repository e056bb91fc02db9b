//! The lapped cosine transform of images: an orthonormal linear code of blocks of 8 by 8 pixels that overlap by half.
//!
//! Colours become one lightness and two differences; a filter over each border between blocks makes their values fit
//! together (Tran, Liang and Tu 2003), then every block has its cosine transform. Of a smooth random field this is nearly the
//! principal components. Filters do not reach beyond the edges of a map, so it is invertible as a whole.
//!
//! Products are never fused, and sums have one order, so that every processor computes the same bits.

use super::map::Map;
use super::ops::{LayerOps, LayerParams, OutOfRange, Requirements};
use super::{Backward, Forward, Gradients, Inference, Rows};

/// The side of a block.
const SIDE: usize = 8;
/// Multiply-adds of a value, about.
const COST: usize = 64;

/// From pixels to coefficients, or back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lapped {
    /// The map of pixels, of 1 or 3 channels; height and width are multiples of 8.
    pub pixels: Map,
    /// The direction.
    pub way: LappedWay,
    /// The value of a pixel whose coefficients are zero.
    pub centre: f32,
    /// What a coefficient of one is in pixel values.
    pub step: f32,
}

/// The direction of a lapped transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LappedWay {
    /// Pixels to coefficients.
    Analysis,
    /// Coefficients to pixels.
    Synthesis,
}

/// The cosine transform, a row for a frequency.
#[rustfmt::skip]
static COSINES: [[f32; SIDE]; SIDE] = [
    [0.353_553_38, 0.353_553_38, 0.353_553_38, 0.353_553_38, 0.353_553_38, 0.353_553_38, 0.353_553_38, 0.353_553_38],
    [0.490_392_63, 0.415_734_8, 0.277_785_12, 0.097_545_16, -0.097_545_16, -0.277_785_12, -0.415_734_8, -0.490_392_63],
    [0.461_939_75, 0.191_341_71, -0.191_341_71, -0.461_939_75, -0.461_939_75, -0.191_341_71, 0.191_341_71, 0.461_939_75],
    [0.415_734_8, -0.097_545_16, -0.490_392_63, -0.277_785_12, 0.277_785_12, 0.490_392_63, 0.097_545_16, -0.415_734_8],
    [0.353_553_38, -0.353_553_38, -0.353_553_38, 0.353_553_38, 0.353_553_38, -0.353_553_38, -0.353_553_38, 0.353_553_38],
    [0.277_785_12, -0.490_392_63, 0.097_545_16, 0.415_734_8, -0.415_734_8, -0.097_545_16, 0.490_392_63, -0.277_785_12],
    [0.191_341_71, -0.461_939_75, 0.461_939_75, -0.191_341_71, -0.191_341_71, 0.461_939_75, -0.461_939_75, 0.191_341_71],
    [0.097_545_16, -0.277_785_12, 0.415_734_8, -0.490_392_63, 0.490_392_63, -0.415_734_8, 0.277_785_12, -0.097_545_16],
];

/// The filter over a border between blocks, orthonormal.
#[rustfmt::skip]
static OVERLAP: [[f32; SIDE]; SIDE] = [
    [0.982_300_76, -0.124_607_4, -0.014_285_158, -0.040_680_688, 0.040_680_688, 0.014_285_158, 0.124_607_4, 0.017_699_251],
    [0.109_655_54, 0.930_02, -0.222_152_56, 0.060_882_952, -0.060_882_952, 0.222_152_56, 0.069_980_03, -0.109_655_54],
    [0.040_680_688, 0.210_708_9, 0.849_601_45, -0.285_877_02, 0.285_877_02, 0.150_398_54, -0.210_708_9, -0.040_680_688],
    [0.060_882_952, 0.071_816_34, 0.279_683_74, 0.903_624_4, 0.096_375_57, -0.279_683_74, -0.071_816_34, -0.060_882_952],
    [-0.060_882_952, -0.071_816_34, -0.279_683_74, 0.096_375_57, 0.903_624_4, 0.279_683_74, 0.071_816_34, 0.060_882_952],
    [-0.040_680_688, -0.210_708_9, 0.150_398_54, 0.285_877_02, -0.285_877_02, 0.849_601_45, 0.210_708_9, 0.040_680_688],
    [-0.109_655_54, 0.069_980_03, 0.222_152_56, -0.060_882_952, 0.060_882_952, -0.222_152_56, 0.930_02, 0.109_655_54],
    [0.017_699_251, 0.124_607_4, 0.014_285_158, 0.040_680_688, -0.040_680_688, -0.014_285_158, -0.124_607_4, 0.982_300_76],
];

/// Lightness and two differences of red, green and blue, orthonormal.
#[rustfmt::skip]
static COLOURS: [[f32; 3]; 3] = [
    [0.577_350_26, 0.577_350_26, 0.577_350_26],
    [std::f32::consts::FRAC_1_SQRT_2, 0.0, -std::f32::consts::FRAC_1_SQRT_2],
    [0.408_248_3, -0.816_496_6, 0.408_248_3],
];

/// A matrix read as it is, or transposed.
#[derive(Clone, Copy)]
struct Turn<'a, const N: usize> {
    matrix: &'a [[f32; N]; N],
    transposed: bool,
}

impl<const N: usize> Turn<'_, N> {
    #[inline]
    fn at(self, row: usize, column: usize) -> f32 {
        if self.transposed { self.matrix[column][row] } else { self.matrix[row][column] }
    }

    /// The product with a vector.
    #[inline]
    fn times(self, x: &[f32; N]) -> [f32; N] {
        std::array::from_fn(|i| (1..N).fold(self.at(i, 0) * x[0], |sum, j| sum + self.at(i, j) * x[j]))
    }
}

impl Lapped {
    /// The blocks of coefficients: those of a colour lie together, row by row of frequencies.
    pub fn blocks(&self) -> Map {
        let Map { height, width, channels } = self.pixels;
        Map { height: height / SIDE, width: width / SIDE, channels: channels.saturating_mul(SIDE * SIDE) }
    }

    /// The coefficients of the pixels of one map.
    pub fn analyse(&self, pixels: &[f32], coefficients: &mut [f32]) {
        let scaled: Vec<f32> = pixels.iter().map(|pixel| (pixel - self.centre) / self.step).collect();
        self.transform(LappedWay::Analysis, &scaled, coefficients);
    }

    /// The pixels of the coefficients of one map.
    pub fn synthesise(&self, coefficients: &[f32], pixels: &mut [f32]) {
        self.transform(LappedWay::Synthesis, coefficients, pixels);
        for pixel in pixels {
            let scaled = *pixel * self.step;
            *pixel = scaled + self.centre;
        }
    }

    /// The transform along a side of a plane, `[side, side]` with a row for a coefficient: orthonormal, without
    /// colours, centre and step. A plane is transformed by that of its height from the left, and the transpose of that
    /// of its width from the right.
    ///
    /// # Panics
    ///
    /// If `side` is not a multiple of 8 above zero.
    pub fn along(side: usize) -> Vec<f32> {
        assert!(side > 0 && side.is_multiple_of(SIDE), "a side in multiples of {SIDE}, got {side}");
        let mut matrix = vec![0.0; side * side];
        for pixel in 0..side {
            let mut line = vec![0.0; side];
            line[pixel] = 1.0;
            across(&mut line[SIDE / 2..side - SIDE / 2], Turn { matrix: &OVERLAP, transposed: false });
            across(&mut line, Turn { matrix: &COSINES, transposed: false });
            line.iter().enumerate().for_each(|(coefficient, value)| matrix[coefficient * side + pixel] = *value);
        }
        matrix
    }

    /// The transform of colours, orthonormal: lightness and two differences of red, green and blue, a row each.
    pub fn colours() -> [[f32; 3]; 3] {
        COLOURS
    }

    /// The orthonormal transform alone.
    fn transform(&self, way: LappedWay, x: &[f32], y: &mut [f32]) {
        match way {
            LappedWay::Analysis => {
                let mut planes = self.planes_of(x);
                self.each_plane(&mut planes, |plane, width| {
                    overlap(plane, width, Turn { matrix: &OVERLAP, transposed: false });
                    cosines(plane, width, Turn { matrix: &COSINES, transposed: false });
                });
                self.for_each_value(|plane, block| y[block] = planes[plane]);
            }
            LappedWay::Synthesis => {
                let mut planes = vec![0.0; self.pixels.size()];
                self.for_each_value(|plane, block| planes[plane] = x[block]);
                self.each_plane(&mut planes, |plane, width| {
                    cosines(plane, width, Turn { matrix: &COSINES, transposed: true });
                    overlap(plane, width, Turn { matrix: &OVERLAP, transposed: true });
                });
                self.interleave(&planes, y);
            }
        }
    }

    /// Calls `each` for every map of a batch.
    fn run(&self, rows: Rows<'_>, input: &[f32], output: &mut [f32], each: impl Fn(&[f32], &mut [f32]) + Sync) {
        let size = self.pixels.size();
        let group = rows.group(size * COST);
        rows.threads.chunks(output, group * size, |g, output| {
            let maps = input[g * group * size..].chunks_exact(size).zip(output.chunks_exact_mut(size));
            maps.for_each(|(x, y)| each(x, y));
        });
    }

    fn both_ways(&self, rows: Rows<'_>, input: &[f32], output: &mut [f32]) {
        self.run(rows, input, output, |x, y| match self.way {
            LappedWay::Analysis => self.analyse(x, y),
            LappedWay::Synthesis => self.synthesise(x, y),
        });
    }

    fn each_plane(&self, planes: &mut [f32], each: impl Fn(&mut [f32], usize)) {
        planes.chunks_exact_mut(self.pixels.positions().max(1)).for_each(|plane| each(plane, self.pixels.width));
    }

    /// One plane after the other: the colours of pixels, transformed.
    fn planes_of(&self, pixels: &[f32]) -> Vec<f32> {
        if self.pixels.channels != 3 {
            return pixels.to_vec();
        }
        let area = self.pixels.positions();
        let colours = Turn { matrix: &COLOURS, transposed: false };
        let mut planes = vec![0.0; pixels.len()];
        for (at, pixel) in pixels.as_chunks().0.iter().enumerate() {
            colours.times(pixel).into_iter().enumerate().for_each(|(c, value)| planes[c * area + at] = value);
        }
        planes
    }

    /// The way back.
    fn interleave(&self, planes: &[f32], pixels: &mut [f32]) {
        if self.pixels.channels != 3 {
            return pixels.copy_from_slice(planes);
        }
        let area = self.pixels.positions();
        let colours = Turn { matrix: &COLOURS, transposed: true };
        for (at, pixel) in pixels.as_chunks_mut().0.iter_mut().enumerate() {
            *pixel = colours.times(&std::array::from_fn(|c| planes[c * area + at]));
        }
    }

    /// Calls `each(place in the planes, place in the blocks)` for every value.
    fn for_each_value(&self, mut each: impl FnMut(usize, usize)) {
        let Map { height, width, channels } = self.pixels;
        let blocks = self.blocks();
        for c in 0..channels {
            for y in 0..height {
                for x in 0..width {
                    let block = (y / SIDE) * blocks.width + x / SIDE;
                    let within = (c * SIDE + y % SIDE) * SIDE + x % SIDE;
                    each((c * height + y) * width + x, block * blocks.channels + within);
                }
            }
        }
    }
}

/// Filters the borders between blocks, in both directions.
fn overlap(plane: &mut [f32], width: usize, matrix: Turn<'_, SIDE>) {
    let half = SIDE / 2;
    let inner = half * width..plane.len() - half * width;
    down(&mut plane[inner], width, matrix);
    for row in plane.chunks_exact_mut(width) {
        across(&mut row[half..width - half], matrix);
    }
}

/// Transforms the blocks, in both directions.
fn cosines(plane: &mut [f32], width: usize, matrix: Turn<'_, SIDE>) {
    down(plane, width, matrix);
    across(plane, matrix);
}

/// Transforms every eight values in a row.
fn across(values: &mut [f32], matrix: Turn<'_, SIDE>) {
    values.as_chunks_mut().0.iter_mut().for_each(|eight| *eight = matrix.times(eight));
}

/// Transforms every eight values below each other.
fn down(values: &mut [f32], width: usize, matrix: Turn<'_, SIDE>) {
    let mut sums = vec![0.0; SIDE * width];
    for rows in values.chunks_exact_mut(SIDE * width) {
        for (i, sum) in sums.chunks_exact_mut(width).enumerate() {
            let factor = matrix.at(i, 0);
            sum.iter_mut().zip(&rows[..width]).for_each(|(sum, x)| *sum = factor * x);
            for (j, row) in rows.chunks_exact(width).enumerate().skip(1) {
                let factor = matrix.at(i, j);
                sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += factor * x);
            }
        }
        rows.copy_from_slice(&sums);
    }
}

impl LayerOps for Lapped {
    fn describe(&self) -> String {
        match self.way {
            LappedWay::Analysis => format!("Lapped({} -> {})", self.pixels, self.blocks()),
            LappedWay::Synthesis => format!("Lapped({} -> {})", self.blocks(), self.pixels),
        }
    }

    fn widths(&self) -> Option<(usize, usize)> {
        Some((self.pixels.size(), self.pixels.size()))
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        let Map { height, width, channels } = self.pixels;
        let tiles = height.is_multiple_of(SIDE) && width.is_multiple_of(SIDE) && (channels == 1 || channels == 3);
        let fits = tiles && self.centre.is_finite() && self.step.is_finite() && self.step > 0.0;
        let expected = || format!("height and width in multiples of {SIDE}, 1 or 3 channels, a finite centre and step");
        (!fits).then(|| (expected(), format!("{}, {} and {}", self.pixels, self.centre, self.step)))
    }

    fn params(&self) -> Option<&dyn LayerParams> {
        None
    }

    fn requirements(&self, _: usize, _: usize) -> Requirements {
        Requirements::NONE
    }

    fn backward_reads_output(&self) -> bool {
        false
    }

    fn fuses_activation(&self) -> bool {
        false
    }

    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        self.both_ways(pass.rows, input, output);
    }

    /// An orthonormal map's transpose is its inverse.
    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        let (d_output, d_input) = gradients.both(pass.output.len(), pass.input.len());
        let (back, factor) = match self.way {
            LappedWay::Analysis => (LappedWay::Synthesis, 1.0 / self.step),
            LappedWay::Synthesis => (LappedWay::Analysis, self.step),
        };
        self.run(pass.rows, d_output, d_input, |x, y| {
            self.transform(back, x, y);
            y.iter_mut().for_each(|gradient| *gradient *= factor);
        });
        gradients.swap();
    }

    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        self.both_ways(pass.rows, input, output);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;

    fn lapped(pixels: Map, way: LappedWay) -> Lapped {
        Lapped { pixels, way, centre: 0.25, step: 0.5 }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let (input, pixels) = (Map::new(16, 8, 1), Map::new(16, 8, 3));
        let network = Network::new(
            vec![
                Layer::Conv(Conv::same(input, 3, (1, 1))),
                Layer::Lapped(lapped(pixels, LappedWay::Analysis)),
                Layer::Activation(Activation::Tanh),
                Layer::dense(pixels.size(), 5),
            ],
            Latent::Point,
            vec![
                Layer::dense(5, pixels.size()),
                Layer::Lapped(lapped(pixels, LappedWay::Synthesis)),
                Layer::Conv(Conv::same(pixels, 1, (1, 1))),
            ],
            Output::single(input.size(), Loss::Mse),
        );
        crate::gradcheck::check(&network.unwrap(), Sparsity::None);
    }

    #[test]
    fn pixels_come_back_and_keep_their_energy() {
        for pixels in [Map::new(24, 40, 3), Map::new(8, 8, 1), Map::new(8, 32, 3)] {
            let x: Vec<f32> = (0..pixels.size()).map(|i| ((i * 7919 % 1000) as f32 / 500.0) - 1.0).collect();
            let (mut y, mut back) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            lapped(pixels, LappedWay::Analysis).analyse(&x, &mut y);
            lapped(pixels, LappedWay::Synthesis).synthesise(&y, &mut back);
            assert!(x.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-5));
            let energy =
                |values: &[f32], centre: f64| values.iter().map(|v| (f64::from(*v) - centre).powi(2)).sum::<f64>();
            assert!((energy(&x, 0.25) / (0.25 * energy(&y, 0.0)) - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn an_even_grey_is_one_coefficient_a_block() {
        let pixels = Map::new(16, 16, 3);
        let mut y = vec![0.0; pixels.size()];
        lapped(pixels, LappedWay::Analysis).analyse(&vec![0.5; pixels.size()], &mut y);
        for block in y.chunks_exact(192) {
            assert!((block[0] - 4.0 * 3.0_f32.sqrt()).abs() < 1e-4, "{}", block[0]);
            assert!(block[1..].iter().all(|value| value.abs() < 1e-5));
        }
    }

    #[test]
    fn a_plane_is_transformed_by_a_matrix_for_each_side() {
        let pixels = Map::new(16, 24, 1);
        let (down, across) = (Lapped::along(16), Lapped::along(24));
        let x: Vec<f32> = (0..pixels.size()).map(|i| ((i * 7919 % 1000) as f32 / 500.0) - 1.0).collect();
        let mut y = vec![0.0; x.len()];
        Lapped { centre: 0.0, step: 1.0, ..lapped(pixels, LappedWay::Analysis) }.analyse(&x, &mut y);
        for (i, j) in [(0, 0), (5, 13), (15, 23)] {
            let terms = (0..x.len()).map(|at| down[i * 16 + at / 24] * x[at] * across[j * 24 + at % 24]);
            let coefficient = y[(i / 8 * 3 + j / 8) * 64 + i % 8 * 8 + j % 8];
            assert!((terms.sum::<f32>() - coefficient).abs() < 1e-5, "{i} {j}");
        }
    }

    #[test]
    fn sides_that_blocks_do_not_tile_are_refused() {
        let layer = lapped(Map::new(16, 12, 3), LappedWay::Analysis);
        assert!(layer.out_of_range().unwrap().0.contains("multiples of 8"));
        assert!(lapped(Map::new(16, 16, 2), LappedWay::Analysis).out_of_range().is_some());
    }
}
