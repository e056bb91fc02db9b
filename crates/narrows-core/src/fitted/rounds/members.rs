//! The state of a member's training as numbers in a row: parameters, then first and second moments.
//!
//! The moments go with the weights: an optimiser that began anew in every round would first take steps of the full rate in
//! every direction.

use crate::error::{Error, Result};
use crate::train::{Params, TrainerState};

/// Numbers of a member with such parameters.
pub(super) fn length(params: &Params) -> usize {
    params.as_slice().len() + 2 * TrainerState::fresh(params.clone()).first.len()
}

/// The state that these numbers are, after so many updates.
pub(super) fn state(template: &Params, numbers: &[f32], steps: u64) -> Result<TrainerState> {
    let other = || Error::mismatch("expected the weights of this model's networks, got others");
    let (params, moments) = numbers.split_at_checked(template.as_slice().len()).ok_or_else(other)?;
    let (first, second) = moments.split_at(moments.len() / 2);
    let params = template.with_values(params).map_err(|error| Error::mismatch(error.to_string()))?;
    let state = TrainerState { params, first: first.to_vec(), second: second.to_vec(), steps };
    if TrainerState::fresh(template.clone()).first.len() == first.len() { Ok(state) } else { Err(other()) }
}

/// Appends the numbers of a state.
pub(super) fn append(numbers: &mut Vec<f32>, state: &TrainerState) {
    numbers.extend_from_slice(state.params.as_slice());
    numbers.extend_from_slice(&state.first);
    numbers.extend_from_slice(&state.second);
}
