//! Rounding to whole numbers, as a code is when it is stored.
//!
//! In training each row is rounded in steps of its own, drawn between a fraction of one and several, so that what follows
//! learns to make the best of coarse and of fine codes alike. At inference the step is one. Rounding has no gradient.

use crate::rng::{Purpose, Stream};

use super::ops::{LayerOps, LayerParams, OutOfRange, Requirements};
use super::{Backward, DropoutKey, ELEMENT_COST, Forward, Gradients, Inference, Rows};

/// Rounds to whole numbers; in training to multiples of 2^u, with u drawn evenly for each row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounding {
    /// The lowest and the highest u.
    pub octaves: (f32, f32),
    /// What is added to a magnitude before its fraction is cut off: one half rounds to the nearest, less towards zero.
    pub offset: f32,
}

impl Rounding {
    fn round(&self, input: &[f32], step: f32, output: &mut [f32]) {
        for (y, x) in output.iter_mut().zip(input) {
            *y = ((x.abs() / step + self.offset).floor() * step).copysign(*x);
        }
    }

    fn apply(&self, rows: Rows<'_>, key: Option<DropoutKey<'_>>, input: &[f32], output: &mut [f32]) {
        let width = output.len() / rows.n;
        let tile = rows.tile(width * ELEMENT_COST);
        rows.threads.chunks(output, tile * width, |t, output| {
            let input = input[t * tile * width..].chunks_exact(width);
            for (i, (x, y)) in input.zip(output.chunks_exact_mut(width)).enumerate() {
                let step = key.map_or(1.0, |key| {
                    let row = key.rows[t * tile + i];
                    let mut stream = Stream::new(key.seed, Purpose::Dropout, key.epoch, row.into());
                    stream.seek(key.block);
                    self.step(stream.uniform())
                });
                self.round(x, step, y);
            }
        });
    }

    /// The step of a number in [0, 1).
    fn step(&self, drawn: f32) -> f32 {
        let (lowest, highest) = self.octaves;
        // A power of two times a polynomial: the same bits on every processor, unlike the system's powers.
        let octave = lowest + (highest - lowest) * drawn;
        let part = octave - octave.floor();
        let fraction = 1.0 + part * (0.695_556_9 + part * (0.226_173_2 + part * 0.078_024_6));
        fraction * 2.0_f32.powi(octave.floor() as i32)
    }
}

impl LayerOps for Rounding {
    fn describe(&self) -> String {
        "Rounding".to_owned()
    }

    fn widths(&self) -> Option<(usize, usize)> {
        None
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        let (lowest, highest) = self.octaves;
        let fits = -30.0 <= lowest && lowest <= highest && highest <= 30.0 && (0.0..=0.5).contains(&self.offset);
        let expected = || "octaves from -30 to 30 in order, and an offset from 0 to 0.5".to_owned();
        (!fits).then(|| (expected(), format!("{:?} and {}", self.octaves, self.offset)))
    }

    fn params(&self) -> Option<&dyn LayerParams> {
        None
    }

    fn requirements(&self, _: usize, _: usize) -> Requirements {
        Requirements { random_blocks: 1, ..Requirements::NONE }
    }

    fn backward_reads_output(&self) -> bool {
        false
    }

    fn fuses_activation(&self) -> bool {
        false
    }

    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        self.apply(pass.rows, Some(pass.random), input, output);
    }

    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        gradients.current(pass.output.len()).fill(0.0);
    }

    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        self.apply(pass.rows, None, input, output);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::threads::Threads;

    const ROUNDING: Rounding = Rounding { octaves: (-1.0, 3.0), offset: 0.4 };

    #[test]
    fn steps_follow_the_row_and_cover_their_range() {
        let threads = Threads::serial();
        let ids: Vec<u32> = (0..200).collect();
        let steps = |ids: &[u32]| {
            let key = DropoutKey { seed: 1, epoch: 2, rows: ids, block: 0 };
            let (input, mut output) = (vec![100.0; ids.len()], vec![0.0; ids.len()]);
            ROUNDING.apply(Rows { n: ids.len(), threads: &threads }, Some(key), &input, &mut output);
            output
        };
        let all = steps(&ids);
        assert_eq!(all[7..9], steps(&[7, 8]));
        assert!(all.iter().all(|y| (y - 100.0).abs() <= 0.6 * 8.0) && all.iter().any(|y| (y - 100.0).abs() > 1.0));
    }

    #[test]
    fn steps_are_powers_of_two_with_a_fraction() {
        for (drawn, expected) in [(0.0, 0.5), (0.25, 1.0), (0.5, 2.0), (0.625, 2.828_427), (0.99, 7.78)] {
            assert!((ROUNDING.step(drawn) / expected - 1.0).abs() < 1e-3, "{drawn}");
        }
    }

    #[test]
    fn inference_rounds_to_whole_numbers() {
        let mut output = [0.0; 5];
        ROUNDING.round(&[0.59, 0.61, -1.7, 2.0, -0.2], 1.0, &mut output);
        assert_eq!(output, [0.0, 1.0, -2.0, 2.0, 0.0]);
    }
}
