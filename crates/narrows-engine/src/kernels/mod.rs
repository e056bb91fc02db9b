//! The arithmetic under the layers: slices in, slices out, no knowledge of networks.
//!
//! All unsafe code of the project lives in this folder. Elementwise kernels are straight-line safe
//! code that the compiler vectorises; [`vectorised`] compiles it once for every instruction set and
//! picks one at run time. Fused multiply-adds are written as such and sums have a stated order, so
//! the bits do not depend on the width of the vectors.

pub(crate) mod arch;
pub(crate) mod channels;
pub(crate) mod columns;
pub(crate) mod contraction;
pub(crate) mod dots;
pub(crate) mod gauss;
pub(crate) mod maths;
pub(crate) mod matmul;
pub(crate) mod sum;
pub(crate) mod threads;
pub(crate) mod tile;

/// A closure to be compiled for every instruction set.
///
/// It is called as `FnMut`: `pulp` takes closures as `FnOnce`, and the compiler puts a shim before the
/// body then, which is not inlined and loses the instruction set.
pub(crate) struct Vectorised<F>(pub F);

impl<R, F: FnMut() -> R> pulp::WithSimd for Vectorised<F> {
    type Output = R;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(mut self, _simd: S) -> R {
        (self.0)()
    }
}

/// Runs the kernel compiled for the best instruction set of this processor.
///
/// Everything it calls must be `#[inline(always)]`, else it falls back to the base set.
macro_rules! vectorised {
    ($($kernel:tt)*) => {
        $crate::kernels::arch::best().dispatch($crate::kernels::Vectorised(#[inline(always)] || $($kernel)*))
    };
}
pub(crate) use vectorised;
