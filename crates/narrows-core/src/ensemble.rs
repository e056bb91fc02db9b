//! The networks of a model: one layout, the weights of every member, and where they compute. Everything else asks an
//! ensemble for codes and reconstructions, and calls the engine nowhere.

use narrows_engine::{Network, Params, Ready};

use crate::compute::Compute;

/// A network with the weights of one member or several.
#[derive(Debug, Clone)]
pub struct Ensemble {
    pub(crate) network: Network,
    /// The weights of each member; the first member's code is the model's.
    pub(crate) members: Vec<Params>,
    pub(crate) compute: Compute,
}

/// Where a model computes is no part of what it is.
impl PartialEq for Ensemble {
    fn eq(&self, other: &Ensemble) -> bool {
        self.network == other.network && self.members == other.members
    }
}

impl Ensemble {
    /// Units of the code.
    pub(crate) fn code_size(&self) -> usize {
        self.network.code_size()
    }

    /// The first member's codes of `input` `[n, width]`, as `[n, code_size]`.
    pub(crate) fn codes(&self, input: &[f32]) -> Vec<f32> {
        let mut codes = vec![0.0; self.n_rows(input) * self.code_size()];
        self.network.encode(&self.members[0], input, &mut codes, self.compute.threads());
        codes
    }

    /// Mean and log-variance of the first member's Gaussian codes, `[n, 2 code_size]`.
    pub(crate) fn code_distributions(&self, input: &[f32]) -> Vec<f32> {
        let mut encoded = vec![0.0; 2 * self.n_rows(input) * self.code_size()];
        self.network.encode_distribution(&self.members[0], input, &mut encoded, self.compute.threads());
        encoded
    }

    /// The first member's outputs for codes `[n, code_size]`, as `[n, width]`.
    pub(crate) fn decode(&self, codes: &[f32]) -> Vec<f32> {
        let n = codes.len() / self.code_size();
        let mut output = vec![0.0; n * self.network.outputs()];
        self.network.decode(&self.members[0], codes, &mut output, self.compute.threads());
        output
    }

    /// One member's codes and outputs, written over `codes` `[n, code_size]` and `output` `[n, width]`.
    pub(crate) fn reconstruct(&self, member: usize, input: &[f32], codes: &mut [f32], output: &mut [f32]) {
        self.network.reconstruct(&self.members[member], input, codes, output, self.compute.threads());
    }

    /// The mean of the members' outputs, `[n, width]`.
    pub(crate) fn output(&self, input: &[f32]) -> Vec<f32> {
        let n = self.n_rows(input);
        let mut mean = vec![0.0; n * self.network.outputs()];
        let mut output = mean.clone();
        let mut codes = vec![0.0; n * self.code_size()];
        let share = 1.0 / self.members.len() as f32;
        for member in 0..self.members.len() {
            self.reconstruct(member, input, &mut codes, &mut output);
            mean.iter_mut().zip(&output).for_each(|(m, o)| *m += share * o);
        }
        mean
    }

    /// The members with their weights packed.
    pub(crate) fn packed(&self) -> Vec<Ready<'_>> {
        self.members.iter().map(|params| self.network.ready(params, self.compute.threads())).collect()
    }

    fn n_rows(&self, input: &[f32]) -> usize {
        input.len() / self.network.inputs()
    }
}
