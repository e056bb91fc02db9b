//! Computing with a network and parameters at hand, without an executor: for callers that do not hold a
//! [`PreparedNetwork`] yet. Each call packs the weights anew.
// To be removed with its last caller in `narrows`.

use crate::cpu::PackedNetwork;
use crate::executor::PreparedNetwork;
use crate::kernels::threads::Threads;
use crate::network::Network;
use crate::params::Params;

impl Network {
    /// As [`PreparedNetwork::encode`].
    pub fn encode(&self, params: &Params, input: &[f32], code: &mut [f32], threads: &Threads) {
        PackedNetwork::new(self, params, threads).encode(input, code);
    }

    /// As [`PreparedNetwork::encode_distribution`].
    pub fn encode_distribution(&self, params: &Params, input: &[f32], encoded: &mut [f32], threads: &Threads) {
        PackedNetwork::new(self, params, threads).encode_distribution(input, encoded);
    }

    /// As [`PreparedNetwork::decode`].
    pub fn decode(&self, params: &Params, code: &[f32], output: &mut [f32], threads: &Threads) {
        PackedNetwork::new(self, params, threads).decode(code, output);
    }

    /// As [`PreparedNetwork::reconstruct`].
    pub fn reconstruct(&self, params: &Params, input: &[f32], code: &mut [f32], output: &mut [f32], threads: &Threads) {
        PackedNetwork::new(self, params, threads).reconstruct(input, code, output);
    }
}
