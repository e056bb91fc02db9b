//! The name of the instruction set that kernels are dispatched to.

use pulp::{Arch, Simd, WithSimd};

/// The instruction set that kernels use on this machine, such as `AVX-512`.
pub fn instruction_set() -> &'static str {
    Arch::new().dispatch(NameOf)
}

/// Finds the name of the type that stands for the instruction set.
struct NameOf;

impl WithSimd for NameOf {
    type Output = &'static str;

    fn with_simd<S: Simd>(self, _simd: S) -> &'static str {
        named(std::any::type_name::<S>())
    }
}

fn named(kind: &'static str) -> &'static str {
    match kind.rsplit("::").next().unwrap_or(kind).trim_end_matches('>') {
        "V4" => "AVX-512",
        "V3" => "AVX2 with FMA",
        "V2" => "SSE4.2",
        "Neon" | "NeonFcma" => "NEON",
        "RelaxedSimd" | "Simd128" => "WebAssembly SIMD",
        "Scalar" => "none (scalar code)",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instruction_sets_have_the_names_that_people_know() {
        assert_eq!(named("pulp::x86::V4"), "AVX-512");
        assert_eq!(named("pulp::Scalar"), "none (scalar code)");
        assert!(!instruction_set().is_empty() && !instruction_set().contains("::"));
    }
}
