//! The networks of a model: one architecture, the weights of every member, and a compute backend. All codes and
//! reconstructions are computed by an ensemble, the only caller of the engine's inference.

use std::sync::{Arc, OnceLock};

use narrows_engine::{Network, Params, PreparedNetwork};

use crate::compute::Compute;

/// A network with the weights of one member or several.
#[derive(Debug, Clone)]
pub struct Ensemble {
    pub(crate) network: Network,
    /// The weights of each member; the first member's code is the model's.
    pub(crate) members: Vec<Params>,
    compute: Compute,
    /// The members as prepared by the executor, at their first use.
    prepared: OnceLock<Vec<Arc<dyn PreparedNetwork>>>,
}

/// The compute backend is not compared.
impl PartialEq for Ensemble {
    fn eq(&self, other: &Ensemble) -> bool {
        self.network == other.network && self.members == other.members
    }
}

/// Codes and outputs of one member.
pub(crate) struct MemberOutput {
    /// `[n, code_size]`
    pub(crate) codes: Vec<f32>,
    /// `[n, width]`
    pub(crate) output: Vec<f32>,
}

impl Ensemble {
    /// An ensemble; members are parameters of the network.
    pub(crate) fn new(network: Network, members: Vec<Params>, compute: Compute) -> Ensemble {
        Ensemble { network, members, compute, prepared: OnceLock::new() }
    }

    /// The compute backend.
    pub(crate) fn compute(&self) -> &Compute {
        &self.compute
    }

    /// Sets the compute backend.
    pub(crate) fn set_compute(&mut self, compute: &Compute) {
        self.compute = compute.clone();
        self.prepared = OnceLock::new();
    }

    /// Number of code units.
    pub(crate) fn code_size(&self) -> usize {
        self.network.code_size()
    }

    /// The first member's codes of `input` `[n, width]`, as `[n, code_size]`.
    pub(crate) fn codes(&self, input: &[f32]) -> Vec<f32> {
        let mut codes = vec![0.0; self.n_rows(input) * self.code_size()];
        self.prepared()[0].encode(input, &mut codes);
        codes
    }

    /// Mean and log-variance of the first member's Gaussian codes, `[n, 2 code_size]`.
    pub(crate) fn code_distributions(&self, input: &[f32]) -> Vec<f32> {
        let mut encoded = vec![0.0; 2 * self.n_rows(input) * self.code_size()];
        self.prepared()[0].encode_distribution(input, &mut encoded);
        encoded
    }

    /// The first member's outputs for codes `[n, code_size]`, as `[n, width]`.
    pub(crate) fn decode(&self, codes: &[f32]) -> Vec<f32> {
        let n = codes.len() / self.code_size();
        let mut output = vec![0.0; n * self.network.outputs()];
        self.prepared()[0].decode(codes, &mut output);
        output
    }

    /// One member's codes and outputs, written over `codes` `[n, code_size]` and `output` `[n, width]`.
    pub(crate) fn reconstruct(&self, member: usize, input: &[f32], codes: &mut [f32], output: &mut [f32]) {
        self.prepared()[member].reconstruct(input, codes, output);
    }

    /// Codes and outputs of every member.
    pub(crate) fn reconstructions(&self, input: &[f32]) -> Vec<MemberOutput> {
        let n = self.n_rows(input);
        let reconstruction = |member: &Arc<dyn PreparedNetwork>| {
            let (mut codes, mut output) = (vec![0.0; n * self.code_size()], vec![0.0; n * self.network.outputs()]);
            member.reconstruct(input, &mut codes, &mut output);
            MemberOutput { codes, output }
        };
        self.prepared().iter().map(reconstruction).collect()
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

    fn prepared(&self) -> &[Arc<dyn PreparedNetwork>] {
        let prepare = |params| self.compute.executor().prepare(&self.network, params);
        let all = || self.members.iter().map(|params| prepare(params).expect("members of this network")).collect();
        self.prepared.get_or_init(all)
    }

    fn n_rows(&self, input: &[f32]) -> usize {
        input.len() / self.network.inputs()
    }
}
