//! The instruction set that kernels run with, chosen when the program runs.
//!
//! Kernels are compiled for every width of vectors. Nothing that they compute may depend on which is taken: a chain of
//! fused multiply-adds is the same chain in one lane or in sixteen, sums have lanes of their own, and where a processor
//! has no fused multiply-add, `f32::mul_add` computes it exactly, slowly. Compressed files rest on that: what one
//! processor wrote, every other must predict to the bit. So tests run everything through every width that the processor
//! at hand has; `.ci/other-processors.sh` runs the program on emulated ones.

use pulp::Arch;

/// The best instruction set of this processor.
#[inline(always)]
pub(crate) fn best() -> Arch {
    #[cfg(test)]
    if let Some(narrower) = tests::NARROWER.get() {
        return narrower;
    }
    Arch::new()
}

/// The name of the instruction set that networks are computed with on this processor, for messages. Results do not
/// depend on it.
pub fn instruction_set() -> &'static str {
    match Arch::new() {
        #[cfg(target_arch = "x86_64")]
        Arch::V4(_) => "AVX-512",
        #[cfg(target_arch = "x86_64")]
        Arch::V3(_) => "AVX2",
        #[cfg(target_arch = "aarch64")]
        Arch::Neon(_) => "NEON",
        _ => "scalar",
    }
}

#[cfg(test)]
pub(crate) use tests::through_every_width;

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::contract;
    use crate::kernels::{maths, vectorised};
    use crate::{CpuExecutor, Executor};

    thread_local! {
        /// What this thread computes with instead of the best.
        pub(super) static NARROWER: Cell<Option<Arch>> = const { Cell::new(None) };
    }

    /// Every instruction set of this processor, the narrowest first.
    fn every_width() -> Vec<Arch> {
        let mut widths = vec![Arch::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            widths.extend(pulp::x86::V3::try_new().map(Arch::V3));
            widths.extend(pulp::x86::V4::try_new().map(Arch::V4));
        }
        #[cfg(target_arch = "aarch64")]
        widths.extend(pulp::aarch64::Neon::try_new().map(Arch::Neon));
        widths
    }

    /// Calls `work` once for every width, whose kernels it then runs with on this thread.
    pub(crate) fn through_every_width<R>(mut work: impl FnMut() -> R) -> Vec<R> {
        /// Gives the thread its own choice back, also if `work` panics.
        struct Reset;
        impl Drop for Reset {
            fn drop(&mut self) {
                NARROWER.set(None);
            }
        }
        let _reset = Reset;
        let one = |width| {
            NARROWER.set(Some(width));
            work()
        };
        every_width().into_iter().map(one).collect()
    }

    #[inline(always)]
    fn softplus(x: f32) -> f32 {
        maths::sigmoid_and_softplus(x).1
    }

    fn all_alike<R: PartialEq>(results: &[R], what: &str) {
        assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "{what} depends on the width of vectors");
    }

    #[test]
    fn every_network_trains_and_computes_the_same_bits_through_every_width() {
        const ROWS: usize = 30;
        let executor = CpuExecutor::serial();
        for network in contract::networks() {
            let results = through_every_width(|| {
                let state = contract::train(&executor, &network, ROWS);
                let prepared = executor.prepare(&network, &state.params).unwrap();
                let input = contract::input(&network, ROWS, 3);
                let mut code = vec![0.0; ROWS * network.code_size()];
                let mut output = vec![0.0; ROWS * network.outputs()];
                let mut decoded = output.clone();
                prepared.reconstruct(&input, &mut code, &mut output);
                prepared.decode(&code, &mut decoded);
                let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<u32>>();
                (state, [code, output, decoded].map(|values| bits(&values)))
            });
            all_alike(&results, &network.to_string());
        }
    }

    #[test]
    fn every_function_is_the_same_bits_through_every_width() {
        let values: Vec<f32> = (0..4001).map(|i| (i as f32 - 2000.0) * 0.03).collect();
        // By name, so that each is inlined and vectorised.
        macro_rules! check {
            ($($function:expr),*) => {$(
                let results = through_every_width(|| {
                    let mut bits = vec![0; values.len()];
                    vectorised!(for (bits, value) in bits.iter_mut().zip(&values) {
                        *bits = $function(*value).to_bits();
                    });
                    bits
                });
                all_alike(&results, stringify!($function));
            )*};
        }
        check!(maths::exp, maths::exp_minus_one, maths::log, maths::tanh, maths::sigmoid, maths::erf);
        check!(softplus);
    }

    #[test]
    fn the_widest_is_what_programs_run_with() {
        let name = |arch: Arch| format!("{arch:?}").split('(').next().unwrap().to_owned();
        assert_eq!(every_width().pop().map(name), Some(name(best())));
        assert!(!instruction_set().is_empty());
    }
}
