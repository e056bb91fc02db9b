//! The parameters common to normalisations: gamma and beta per channel, and running statistics.

use super::ops::{Entries, OutOfRange};

/// Gamma and beta.
pub(super) fn affine(channels: usize) -> Entries {
    vec![("weight", vec![channels]), ("bias", vec![channels])]
}

/// Running mean and variance.
pub(super) fn running(channels: usize) -> Entries {
    vec![("running_mean", vec![channels]), ("running_var", vec![channels])]
}

/// Gamma one, beta zero.
pub(super) fn init_affine(values: &mut [f32]) {
    let half = values.len() / 2;
    values[..half].fill(1.0);
}

/// Mean zero, variance one.
pub(super) fn init_running(values: &mut [f32]) {
    let half = values.len() / 2;
    values[half..].fill(1.0);
}

/// Checks that eps is positive.
pub(super) fn eps_out_of_range(eps: f32) -> Option<OutOfRange> {
    (eps.is_nan() || eps <= 0.0).then(|| ("eps above 0".into(), eps.to_string()))
}

/// Checks eps and momentum of running statistics.
pub(super) fn running_out_of_range(eps: f32, momentum: f32) -> Option<OutOfRange> {
    let fits = eps > 0.0 && (0.0..=1.0).contains(&momentum);
    (!fits).then(|| ("eps above 0 and momentum in [0, 1]".into(), format!("{eps} and {momentum}")))
}
