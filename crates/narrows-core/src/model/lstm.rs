//! The recurrent backbone: LSTM layers read a series, the last state gives the code; the code is repeated at every
//! step of the decoder, whose LSTM layers write the series, with a dense layer for each step's channels. A step may
//! cover several points, which are concatenated.

use narrows_engine::{Dense, DenseInit, Layer, Network, Output, Repeat, SequenceOutput, TimeDense};

use super::code;
use super::{Latent, Lstm, Sparsity, backbone::LstmDirection};
use crate::error::{Error, Result};

pub(super) fn build(
    lstm: &Lstm,
    latent: &Latent,
    sparsity: &Sparsity,
    (steps, channels): (usize, usize),
    output: Output,
) -> Result<Network> {
    let points = lstm.points_at_once(steps);
    if points == 0 || !steps.is_multiple_of(points) {
        let message = format!("expected a divisor of the window, {steps} points, got {points}");
        return Err(Error::recipe("backbone.points", message));
    }
    let width = steps * channels;
    let (steps, channels) = (steps / points, channels * points);
    let Some((&last, _)) = lstm.nodes.split_last() else {
        return Err(Error::recipe("backbone.nodes", "expected at least one recurrent layer, got none"));
    };
    let code = lstm.code_size.or_else(|| last.div_ceil(4).min(width.saturating_sub(1)).max(1));
    code::check_width("backbone.code_size", code)?;
    lstm.nodes.iter().try_for_each(|n| code::check_width("backbone.nodes", *n))?;

    let ways = if lstm.direction == LstmDirection::Bidirectional { 2 } else { 1 };
    let mut encoder = Vec::new();
    let mut inputs = channels;
    for (i, &hidden) in lstm.nodes.iter().enumerate() {
        let output = if i + 1 == lstm.nodes.len() { SequenceOutput::Last } else { SequenceOutput::All };
        let direction = lstm.direction.into();
        encoder.push(Layer::Lstm(narrows_engine::Lstm { inputs, hidden, steps, direction, output }));
        inputs = ways * hidden;
    }
    code::push(&mut encoder, inputs, code, &lstm.code_activation, latent, sparsity);

    let mut decoder = vec![Layer::Repeat(Repeat { width: code, steps })];
    let mut inputs = code;
    for &hidden in lstm.nodes.iter().rev() {
        let (direction, output) = (narrows_engine::Direction::Forward, SequenceOutput::All);
        decoder.push(Layer::Lstm(narrows_engine::Lstm { inputs, hidden, steps, direction, output }));
        inputs = hidden;
    }
    let dense = Dense { inputs, outputs: channels, init: DenseInit::PyTorch };
    decoder.push(Layer::TimeDense(TimeDense { dense, steps }));
    Network::new(encoder, latent.into(), decoder, output).map_err(|error| Error::recipe("backbone", error.to_string()))
}

impl From<LstmDirection> for narrows_engine::Direction {
    fn from(direction: LstmDirection) -> Self {
        match direction {
            LstmDirection::Forward => Self::Forward,
            LstmDirection::Bidirectional => Self::Bidirectional,
        }
    }
}

#[cfg(test)]
mod tests {
    use narrows_engine::Loss;

    use super::*;
    use crate::choice::Choice;
    use crate::model::latent::GaussianLatent;

    fn check(lstm: &Lstm, latent: &Latent, expected: &str) {
        let built = build(lstm, latent, &Sparsity::None, (10, 2), Output::single(20, Loss::Mse));
        let told = built.map_or_else(|error| error.to_string(), |network| network.to_string());
        assert!(told.contains(expected), "{told}");
    }

    #[test]
    fn layers_mirror_each_other_around_the_code() {
        let lstm = Lstm { nodes: vec![8, 6], ..Lstm::default() };
        check(&lstm, &Latent::Point, "Dense(6 -> 2)] | Point 2");
        check(&lstm, &Latent::Gaussian(GaussianLatent::default()), "Dense(6 -> 4)] | Gaussian 2");
        check(&Lstm { direction: LstmDirection::Bidirectional, ..lstm.clone() }, &Latent::Point, "Dense(12 -> 2)");
        check(
            &Lstm { points: Choice::Given(5), ..lstm.clone() },
            &Latent::Point,
            "Lstm(10 -> 8, 2 steps, Forward, All)",
        );
        check(
            &Lstm { points: Choice::Given(3), ..lstm.clone() },
            &Latent::Point,
            "expected a divisor of the window, 10",
        );
        check(&Lstm { nodes: vec![], ..lstm.clone() }, &Latent::Point, "expected at least one recurrent layer");
        check(&Lstm { code_size: Choice::Given(0), ..lstm }, &Latent::Point, "expected a width from 1");
    }
}
