//! The backbone for image restoration: fully convolutional, for images of any size, with skip connections.
//!
//! It predicts the residual between the clean image and the corrupted one, brought to the target's size and channels;
//! the sum is computed outside the network. There is no code, so no scores and no generation.

use narrows_engine::{Add, Conv, Layer, Loss, Map, Network, Output, Padding, PixelShuffle};

use super::backbone::Restore;
use super::{code, loss};
use crate::error::{Error, Hint, Result};

/// Downscaling of the inner maps, if the network does not upscale.
const SHRINK: usize = 2;

/// Input and output of a restoring network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Channels of the corrupted image.
    pub input: usize,
    /// Channels of the residual.
    pub output: usize,
    /// Upscaling factor.
    pub scale: usize,
}

impl Ends {
    /// Input height and width must be multiples of this.
    pub fn step(&self) -> usize {
        if self.scale == 1 { SHRINK } else { 1 }
    }
}

impl Restore {
    /// The network for input images of `height` by `width`; its parameters are the same for every size.
    ///
    /// # Errors
    /// [`Error::Recipe`] for settings out of range.
    pub(crate) fn build(&self, ends: Ends, (height, width): (usize, usize), loss: &loss::Loss) -> Result<Network> {
        let mut layers = self.layers(ends, (height, width))?;
        let decoder = layers.split_off(1 + 4 * self.blocks);
        let outputs = height * width * ends.scale * ends.scale * ends.output;
        let output = Output::single(outputs, engine_loss(loss)?);
        Network::new(layers, narrows_engine::Latent::Point, decoder, output)
            .map_err(|error| Error::recipe("backbone", error.to_string()))
    }

    /// All layers of the network, one after the other.
    pub(super) fn layers(&self, ends: Ends, (height, width): (usize, usize)) -> Result<Vec<Layer>> {
        self.check()?;
        let input = Map::new(height, width, ends.input);
        let head = if ends.scale == 1 {
            // Kernel on a map whose pixels are blocks of 2x2, corresponding to 3x3.
            let kernel = SHRINK * self.kernel;
            let edge = (kernel - SHRINK) / 2;
            Conv {
                stride: (SHRINK, SHRINK),
                padding: Padding::even(edge, edge),
                ..Conv::new(input, self.channels, (kernel, kernel))
            }
        } else {
            self.keep(input, self.channels)
        };
        let map = head.output();
        let mut layers = vec![Layer::Conv(head)];
        for _ in 0..self.blocks {
            let conv = Layer::Conv(self.keep(map, self.channels));
            let relu = Layer::Activation(narrows_engine::Activation::Relu);
            layers.extend([conv, relu, conv, Layer::Add(Add { back: 4 })]);
        }
        let factor = if ends.scale == 1 { SHRINK } else { ends.scale };
        let tail = self.keep(map, ends.output * factor * factor);
        layers.extend([
            Layer::Activation(narrows_engine::Activation::Relu),
            Layer::Conv(tail),
            Layer::PixelShuffle(PixelShuffle { input: tail.output(), factor: (factor, factor) }),
        ]);
        Ok(layers)
    }

    /// Receptive field radius in input pixels.
    pub fn reach(&self, ends: Ends) -> usize {
        // The head, two convolutions per block, the tail; one more for the position inside a block of pixels.
        (2 * self.blocks + 2) * (self.kernel / 2) * ends.step() + ends.step()
    }

    fn keep(&self, input: Map, channels: usize) -> Conv {
        let edge = self.kernel / 2;
        Conv { padding: Padding::even(edge, edge), ..Conv::new(input, channels, (self.kernel, self.kernel)) }
    }

    fn check(&self) -> Result<()> {
        code::check_width("backbone.channels", self.channels)?;
        if self.kernel.is_multiple_of(2) || self.kernel > 15 {
            let message = format!("expected an odd number up to 15, got {}", self.kernel);
            return Err(Error::recipe("backbone.kernel", message));
        }
        if self.blocks > 64 {
            return Err(Error::recipe("backbone.blocks", format!("expected at most 64, got {}", self.blocks)));
        }
        if self.patch < 8 || self.patch > 1024 || !self.patch.is_multiple_of(4) {
            let message = format!("expected a multiple of 4 from 8 to 1024, got {}", self.patch);
            return Err(Error::recipe("backbone.patch", message));
        }
        Ok(())
    }
}

/// The loss on the residual, equal to that on the restored image.
fn engine_loss(loss: &loss::Loss) -> Result<Loss> {
    match loss {
        loss::Loss::Auto | loss::Loss::Mse => Ok(Loss::Mse),
        loss::Loss::Mae => Ok(Loss::Mae),
        loss::Loss::Huber { delta } => Ok(Loss::Huber { delta: delta.get() as f32 }),
        other => {
            let message = format!(
                "expected auto, mse, mae or huber with the restore backbone, which predicts a residual, got {}",
                other.name()
            );
            Err(Error::recipe("loss", message)
                .with_hint(Hint::of("[preset=conv] restores through a code, with any loss")))
        }
    }
}

#[cfg(test)]
mod tests {
    use narrows_engine::{CpuExecutor, Executor};

    use super::*;

    const DENOISE: Ends = Ends { input: 1, output: 1, scale: 1 };

    fn check(restore: &Restore, ends: Ends, expected: &str) {
        let built = restore.build(ends, (16, 24), &loss::Loss::Auto);
        let told = built.map_or_else(|error| error.to_string(), |network| network.to_string());
        assert!(told.contains(expected), "{told}");
    }

    #[test]
    fn the_image_comes_back_in_its_size_or_larger() {
        let restore = Restore { channels: 8, blocks: 1, ..Restore::default() };
        check(&restore, DENOISE, "[Conv(16x24x1 -> 8x12x8), Conv(8x12x8 -> 8x12x8), Relu, Conv(8x12x8 -> 8x12x8), Add");
        check(&restore, DENOISE, "PixelShuffle(8x12x4 -> 16x24x1)");
        check(&restore, Ends { input: 3, output: 3, scale: 2 }, "PixelShuffle(16x24x12 -> 32x48x3)");
    }

    #[test]
    fn parameters_do_not_depend_on_the_size() {
        let restore = Restore { channels: 8, blocks: 2, ..Restore::default() };
        let params = |size| restore.build(DENOISE, size, &loss::Loss::Auto).unwrap().init(1);
        assert_eq!(params((8, 8)), params((32, 16)));
    }

    #[test]
    fn a_pixel_depends_on_nothing_beyond_the_reach() {
        let restore = Restore { channels: 4, blocks: 3, ..Restore::default() };
        let side = 96;
        let network = restore.build(DENOISE, (side, side), &loss::Loss::Auto).unwrap();
        let params = network.init(3);
        let run = |input: &[f32]| {
            let mut code = vec![0.0; network.code_size()];
            let mut output = vec![0.0; side * side];
            let prepared = CpuExecutor::serial().prepare(&network, &params).unwrap();
            prepared.reconstruct(input, &mut code, &mut output);
            output
        };
        let mut input: Vec<f32> = (0..side * side).map(|i| (i as f32 * 0.37).sin()).collect();
        let before = run(&input);
        input[47 * side + 47] += 10.0;
        let after = run(&input);
        let reach = restore.reach(DENOISE);
        let mut farthest = 0;
        for (i, (a, b)) in before.iter().zip(&after).enumerate() {
            if a != b {
                farthest = farthest.max((i / side).abs_diff(47)).max((i % side).abs_diff(47));
            }
        }
        assert!(farthest <= reach && farthest + 3 >= reach, "measured {farthest}, expected {reach}");
    }

    #[test]
    fn what_cannot_be_built_is_named() {
        check(
            &Restore { kernel: 4, ..Restore::default() },
            DENOISE,
            "backbone.kernel: expected an odd number up to 15",
        );
        check(&Restore { patch: 30, ..Restore::default() }, DENOISE, "backbone.patch: expected a multiple of 4");
        let bce = Restore::default().build(DENOISE, (8, 8), &loss::Loss::Bce).unwrap_err();
        assert!(bce.to_string().contains("got bce"), "{bce}");
    }
}
