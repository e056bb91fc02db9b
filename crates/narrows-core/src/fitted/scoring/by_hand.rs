//! Networks with weights set by hand, whose errors can be computed by hand.

use narrows_engine::{Latent, Layer, Loss, Network, Output, Params};

use crate::compute::Compute;
use crate::ensemble::Ensemble;
use crate::prep::{PrepCounts, Prepared};

/// Members over rows of two values with a code of one unit: the encoder's weights and the decoder's, no bias.
pub(super) fn ensemble(members: &[([f32; 2], [f32; 2])]) -> Ensemble {
    let (encoder, decoder) = (vec![Layer::dense(2, 1)], vec![Layer::dense(1, 2)]);
    let network = Network::new(encoder, Latent::Point, decoder, Output::single(2, Loss::Mse)).unwrap();
    let member = |(encoder, decoder): &([f32; 2], [f32; 2])| -> Params {
        let mut params = network.init(0);
        params.set("encoder.0.weight", &[1, 2], encoder).unwrap();
        params.set("encoder.0.bias", &[1], &[0.0]).unwrap();
        params.set("decoder.0.weight", &[2, 1], decoder).unwrap();
        params.set("decoder.0.bias", &[2], &[0.0, 0.0]).unwrap();
        params
    };
    let members = members.iter().map(member).collect();
    Ensemble::new(network, members, Compute::serial())
}

/// A member that passes the first value and drops the second: its error is the second value squared.
pub(super) const FIRST: ([f32; 2], [f32; 2]) = ([1.0, 0.0], [1.0, 0.0]);
/// The reverse.
pub(super) const SECOND: ([f32; 2], [f32; 2]) = ([0.0, 1.0], [0.0, 1.0]);

/// Rows of two values; NaN is unobserved and 0 to the network.
pub(super) fn rows(rows: &[[f32; 2]]) -> Prepared {
    let target = rows.concat();
    let input = target.iter().map(|x| if x.is_nan() { 0.0 } else { *x }).collect();
    Prepared { input, target, n: rows.len(), width: 2, counts: PrepCounts::default() }
}
