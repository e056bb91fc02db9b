//! Maps: a row of values as height, width and channels, and the padding around it.
//!
//! A row holds `[height, width, channels]`, channels fastest. A series is a map of height 1.

use std::fmt;

/// The shape of a map, an image or a series, as it lies in a row: `[height, width, channels]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Map {
    /// Rows of pixels; 1 for a series.
    pub height: usize,
    /// Columns of pixels, or steps of a series.
    pub width: usize,
    /// Values of a pixel or a step, side by side.
    pub channels: usize,
}

impl Map {
    /// A map of images.
    pub fn new(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels }
    }

    /// A series: a map of height 1.
    pub fn series(steps: usize, channels: usize) -> Self {
        Self::new(1, steps, channels)
    }

    /// Pixels, or steps of a series.
    pub fn positions(&self) -> usize {
        self.height.saturating_mul(self.width)
    }

    /// Values: the width of a row that holds it.
    pub fn size(&self) -> usize {
        self.positions().saturating_mul(self.channels)
    }
}

impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.height, self.width, self.channels)
    }
}

/// Pixels added at the edges of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Padding {
    /// Before the first row.
    pub top: usize,
    /// After the last row.
    pub bottom: usize,
    /// Before the first column.
    pub left: usize,
    /// After the last column.
    pub right: usize,
}

impl Padding {
    /// Nothing is added.
    pub const NONE: Self = Self { top: 0, bottom: 0, left: 0, right: 0 };

    /// As much at either end: `height` above and below, `width` left and right.
    pub fn even(height: usize, width: usize) -> Self {
        Self { top: height, bottom: height, left: width, right: width }
    }

    /// What keeps height and width at stride 1; an odd pixel goes to bottom and right, as in PyTorch.
    pub fn same(kernel: (usize, usize), dilation: (usize, usize)) -> Self {
        let height = dilation.0 * kernel.0.saturating_sub(1);
        let width = dilation.1 * kernel.1.saturating_sub(1);
        Self { top: height / 2, bottom: height.div_ceil(2), left: width / 2, right: width.div_ceil(2) }
    }
}

/// The values of the added pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PaddingMode {
    /// Zeros.
    #[default]
    Zeros,
    /// The map mirrored at its edge pixels, which are not repeated.
    Reflect,
    /// The edge pixels, repeated.
    Replicate,
}

/// Calls `self.run::<W>(first channel, ...)`, vectorised, for runs of W channels that together are all:
/// a number of channels that the compiler knows makes a pixel a vector or two.
macro_rules! by_channels {
    ($channels:expr, $self:ident.$run:ident($($argument:expr),*)) => {
        let mut first = 0;
        while first < $channels {
            first += match $channels - first {
                16.. => {
                    $crate::kernels::vectorised!($self.$run::<16>(first, $($argument),*));
                    16
                }
                8.. => {
                    $crate::kernels::vectorised!($self.$run::<8>(first, $($argument),*));
                    8
                }
                4.. => {
                    $crate::kernels::vectorised!($self.$run::<4>(first, $($argument),*));
                    4
                }
                _ => {
                    $crate::kernels::vectorised!($self.$run::<1>(first, $($argument),*));
                    1
                }
            };
        }
    };
}
pub(super) use by_channels;

/// W channels of a pixel.
#[inline(always)]
pub(super) fn part<const W: usize>(pixel: &[f32], first: usize) -> &[f32; W] {
    pixel[first..first + W].try_into().expect("W channels")
}

/// W channels of a pixel.
#[inline(always)]
pub(super) fn part_mut<const W: usize>(pixel: &mut [f32], first: usize) -> &mut [f32; W] {
    (&mut pixel[first..first + W]).try_into().expect("W channels")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_puts_the_odd_pixel_last() {
        let padding = Padding::same((3, 4), (2, 1));
        assert_eq!(padding, Padding { top: 2, bottom: 2, left: 1, right: 2 });
        assert_eq!(Padding::same((1, 1), (1, 1)), Padding::NONE);
    }
}
